"""What Alembic runs for each upgrade: on the connection, and in the transaction, of whoever asked."""

from alembic import context

from data.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
