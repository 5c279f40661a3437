"""Routines that are planned by themselves, and jobs that are done once by one of several processes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "routine_marks",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "task_id"),
    )
    op.create_table(
        "routine_days",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("instance_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "task_id", "day"),
    )
    op.create_index("routine_days_by_day", "routine_days", ["user_id", "day"], unique=False)
    op.create_index("tasks_with_routine", "tasks", ["user_id"], unique=False, sqlite_where=sa.text("routine != 'none'"))
    op.create_table(
        "job_runs",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
