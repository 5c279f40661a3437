"""How many productive hours a week somebody aims at. The default is for the rows that there are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("preferences", sa.Column("goal_hours_per_week", sa.Double(), nullable=False, server_default="30.0"))
