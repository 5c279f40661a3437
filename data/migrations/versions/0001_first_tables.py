"""The first tables."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lineage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "days",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "day"),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_user_and_name", "events", ["user_id", "name", "seq"], unique=False)
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("cache_mode", sa.String(), nullable=True),
        sa.Column("cache_backend", sa.String(), nullable=True),
        sa.Column("analytics_refresh", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("day_start", sa.String(), nullable=False),
        sa.Column("first_weekday", sa.String(), nullable=False),
        sa.Column("clock_hours", sa.Integer(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("target_minutes_per_day", sa.Double(), nullable=False),
        sa.Column("composite_weights", sa.Text(), nullable=False),
        sa.Column("recommendation_weights", sa.Text(), nullable=False),
        sa.Column("monitored_metrics", sa.Text(), nullable=False),
        sa.Column("baseline", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "tasks",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("estimate_minutes", sa.Double(), nullable=True),
        sa.Column("default_aversion", sa.Integer(), nullable=True),
        sa.Column("routine", sa.String(), nullable=False),
        sa.Column("routine_weekdays", sa.Text(), nullable=False),
        sa.Column("routine_at", sa.String(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('work', 'play', 'self_care', 'sleep', 'other')", name="kind_is_known"),
        sa.CheckConstraint("routine IN ('none', 'daily', 'weekly')", name="routine_is_known"),
        sa.CheckConstraint("default_aversion BETWEEN 0 AND 100", name="default_aversion_0_to_100"),
        sa.CheckConstraint("estimate_minutes >= 0", name="estimate_not_negative"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_table(
        "instances",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("predicted_relief", sa.Integer(), nullable=True),
        sa.Column("predicted_mental_load", sa.Integer(), nullable=True),
        sa.Column("predicted_emotional_load", sa.Integer(), nullable=True),
        sa.Column("predicted_physical_load", sa.Integer(), nullable=True),
        sa.Column("predicted_aversion", sa.Integer(), nullable=True),
        sa.Column("predicted_motivation", sa.Integer(), nullable=True),
        sa.Column("actual_relief", sa.Integer(), nullable=True),
        sa.Column("actual_mental_load", sa.Integer(), nullable=True),
        sa.Column("actual_emotional_load", sa.Integer(), nullable=True),
        sa.Column("actual_physical_load", sa.Integer(), nullable=True),
        sa.Column("actual_aversion", sa.Integer(), nullable=True),
        sa.Column("estimate_minutes", sa.Double(), nullable=True),
        sa.Column("actual_minutes", sa.Double(), nullable=True),
        sa.Column("completion_percent", sa.Double(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("resumed_at", sa.BigInteger(), nullable=True),
        sa.Column("timed_minutes", sa.Double(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("undo_state", sa.String(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_time"),
        sa.CheckConstraint("(state = 'completed') = (completed_at IS NOT NULL)", name="completed_has_time"),
        sa.CheckConstraint(
            "cancel_reason IN ('no_time', 'no_energy', 'too_aversive', 'not_needed', 'done_by_others', 'other')",
            name="cancel_reason_is_known",
        ),
        sa.CheckConstraint("state IN ('planned', 'active', 'paused', 'completed', 'cancelled')", name="state_is_known"),
        sa.CheckConstraint(
            "undo_state IN ('planned', 'active', 'paused', 'completed', 'cancelled')",
            name="undo_state_is_known",
        ),
        sa.CheckConstraint("actual_aversion BETWEEN 0 AND 100", name="actual_aversion_0_to_100"),
        sa.CheckConstraint("actual_emotional_load BETWEEN 0 AND 100", name="actual_emotional_load_0_to_100"),
        sa.CheckConstraint("actual_mental_load BETWEEN 0 AND 100", name="actual_mental_load_0_to_100"),
        sa.CheckConstraint("actual_minutes >= 0", name="minutes_not_negative"),
        sa.CheckConstraint("actual_physical_load BETWEEN 0 AND 100", name="actual_physical_load_0_to_100"),
        sa.CheckConstraint("actual_relief BETWEEN 0 AND 100", name="actual_relief_0_to_100"),
        sa.CheckConstraint("completion_percent BETWEEN 0 AND 200", name="percent_0_to_200"),
        sa.CheckConstraint("estimate_minutes >= 0", name="estimate_not_negative"),
        sa.CheckConstraint("predicted_aversion BETWEEN 0 AND 100", name="predicted_aversion_0_to_100"),
        sa.CheckConstraint("predicted_emotional_load BETWEEN 0 AND 100", name="predicted_emotional_load_0_to_100"),
        sa.CheckConstraint("predicted_mental_load BETWEEN 0 AND 100", name="predicted_mental_load_0_to_100"),
        sa.CheckConstraint("predicted_motivation BETWEEN 0 AND 100", name="predicted_motivation_0_to_100"),
        sa.CheckConstraint("predicted_physical_load BETWEEN 0 AND 100", name="predicted_physical_load_0_to_100"),
        sa.CheckConstraint("predicted_relief BETWEEN 0 AND 100", name="predicted_relief_0_to_100"),
        sa.ForeignKeyConstraint(
            ["user_id", "task_id"],
            ["tasks.user_id", "tasks.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "id"),
    )
    op.create_index("instances_by_cancellation", "instances", ["user_id", "cancelled_at"], unique=False)
    op.create_index("instances_by_completion", "instances", ["user_id", "completed_at"], unique=False)
    op.create_index("instances_by_creation", "instances", ["user_id", "created_at"], unique=False)
    op.create_index("instances_by_state", "instances", ["user_id", "state"], unique=False)
    op.create_index("instances_by_task", "instances", ["user_id", "task_id", "completed_at"], unique=False)
    op.execute(f"INSERT INTO lineage (id, token) VALUES (1, {secrets.randbits(63)})")
