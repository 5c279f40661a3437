"""The tables. Columns, constraints and the few words that columns may hold; no behaviour.

Every table is keyed by user first, so no row can be reached, joined or constrained across users. Feelings are integers
0-100, minutes floats >= 0, instants aware UTC (stored as microseconds since 1970, so they compare and round-trip
exactly). Changing a table means a new migration beside the old ones in `migrations/versions/`.
"""

import json
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

words = msgspec.json.Decoder(tuple[str, ...]).decode
"""Reads a column of `Words`, for who asks past SQLAlchemy."""


class Kind(StrEnum):
    """What sort of thing a task is."""

    WORK = "work"
    PLAY = "play"
    SELF_CARE = "self_care"
    SLEEP = "sleep"
    OTHER = "other"


class State(StrEnum):
    """Where an instance stands."""

    PLANNED = "planned"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    """Why an instance was given up."""

    NO_TIME = "no_time"
    NO_ENERGY = "no_energy"
    TOO_AVERSIVE = "too_aversive"
    NOT_NEEDED = "not_needed"
    DONE_BY_OTHERS = "done_by_others"
    OTHER = "other"


class Routine(StrEnum):
    """How often a task comes back by itself."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"


FEELINGS = ("relief", "mental_load", "emotional_load", "physical_load", "aversion")
"""Felt twice: predicted when planned, actual when finished. `motivation` is predicted only."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, as integer microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return microseconds; a naive time is refused, because nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: expected an aware time")
        return (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the aware UTC time."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Words(TypeDecorator[tuple[str, ...]]):
    """A short list of words, as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """Return the JSON array."""
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """Return the words."""
        return words(value or "[]")


class Weights(TypeDecorator[dict[str, float]]):
    """Named weights >= 0, as a JSON object. Names that are missing weigh 1."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, float] | None, dialect: Dialect) -> str:
        """Return the JSON object."""
        return json.dumps(value or {}, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, float]:
        """Return the weights."""
        return dict(json.loads(value or "{}"))


class Base(DeclarativeBase):
    """Root of all tables."""

    type_annotation_map = {datetime: Instant, date: Date, tuple[str, ...]: Words, dict[str, float]: Weights}  # noqa: RUF012  # SQLAlchemy reads it once


def _feeling(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} BETWEEN 0 AND 100", name=f"{column}_0_to_100")


def _choice(column: str, words: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


class User(Base):
    """Somebody whose data this is. The first one, `local`, is made at the first start."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    created_at: Mapped[datetime]
    account_tier: Mapped[str] = mapped_column(default="standard", server_default="standard")


class Task(Base):
    """A template: something one does, or avoids, again and again."""

    __tablename__ = "tasks"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    categories: Mapped[tuple[str, ...]] = mapped_column(default=())
    estimate_minutes: Mapped[float | None]
    default_aversion: Mapped[int | None]
    routine: Mapped[str] = mapped_column(default=Routine.NONE.value)
    routine_weekdays: Mapped[tuple[str, ...]] = mapped_column(default=())
    routine_at: Mapped[str | None]  # local time, HH:MM
    due_at: Mapped[datetime | None]  # of the next occurrence
    notes: Mapped[str] = mapped_column(default="")
    archived: Mapped[bool] = mapped_column(default=False)
    demo: Mapped[bool] = mapped_column(default=False)  # made by the demo, removed with it
    version: Mapped[int] = mapped_column(default=1)  # raised by every edit
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        _choice("kind", Kind),
        _choice("routine", Routine),
        _feeling("default_aversion"),
        CheckConstraint("estimate_minutes >= 0", name="estimate_not_negative"),
        Index("tasks_with_routine", "user_id", sqlite_where=text("routine != 'none'")),
    )


class Instance(Base):
    """One attempt at a task. Its states and what may follow what are in `instances`."""

    __tablename__ = "instances"

    user_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=State.PLANNED.value)

    predicted_relief: Mapped[int | None]
    predicted_mental_load: Mapped[int | None]
    predicted_emotional_load: Mapped[int | None]
    predicted_physical_load: Mapped[int | None]
    predicted_aversion: Mapped[int | None]
    predicted_motivation: Mapped[int | None]
    actual_relief: Mapped[int | None]
    actual_mental_load: Mapped[int | None]
    actual_emotional_load: Mapped[int | None]
    actual_physical_load: Mapped[int | None]
    actual_aversion: Mapped[int | None]

    estimate_minutes: Mapped[float | None]
    actual_minutes: Mapped[float | None]
    completion_percent: Mapped[float | None]  # 0-200; 100 = what was planned
    note: Mapped[str] = mapped_column(default="")

    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]  # of the last pause
    resumed_at: Mapped[datetime | None]  # since when the timer runs; None while it stands
    timed_minutes: Mapped[float] = mapped_column(default=0.0)  # what the timer had before `resumed_at`
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    due_at: Mapped[datetime | None]
    undo_state: Mapped[str | None]  # the state that undoing the completion leads back to
    demo: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        ForeignKeyConstraint(["user_id", "task_id"], ["tasks.user_id", "tasks.id"]),
        _choice("state", State),
        _choice("undo_state", State),
        _choice("cancel_reason", CancelReason),
        *(_feeling(f"predicted_{feeling}") for feeling in (*FEELINGS, "motivation")),
        *(_feeling(f"actual_{feeling}") for feeling in FEELINGS),
        CheckConstraint("estimate_minutes >= 0", name="estimate_not_negative"),
        CheckConstraint("actual_minutes >= 0", name="minutes_not_negative"),
        CheckConstraint("completion_percent BETWEEN 0 AND 200", name="percent_0_to_200"),
        CheckConstraint("(state = 'completed') = (completed_at IS NOT NULL)", name="completed_has_time"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_time"),
        Index("instances_by_completion", "user_id", "completed_at"),
        Index("instances_by_state", "user_id", "state"),
        Index("instances_by_task", "user_id", "task_id", "completed_at"),
        Index("instances_by_creation", "user_id", "created_at"),
        Index("instances_by_cancellation", "user_id", "cancelled_at"),
    )


class Preferences(Base):
    """How one user wants it. A row exists from the user's creation on."""

    __tablename__ = "preferences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    cache_mode: Mapped[str | None]  # None: as the operator configured
    cache_backend: Mapped[str | None]
    analytics_refresh: Mapped[str] = mapped_column(default="auto")
    time_zone: Mapped[str]
    day_start: Mapped[str] = mapped_column(default="00:00")
    first_weekday: Mapped[str] = mapped_column(default="mon")
    clock_hours: Mapped[int] = mapped_column(default=24)
    theme: Mapped[str] = mapped_column(default="auto")
    target_minutes_per_day: Mapped[float] = mapped_column(default=360.0)
    goal_hours_per_week: Mapped[float] = mapped_column(default=30.0)  # of work and self-care
    composite_weights: Mapped[dict[str, float]] = mapped_column(default=dict)
    recommendation_weights: Mapped[dict[str, float]] = mapped_column(default=dict)
    monitored_metrics: Mapped[tuple[str, ...]] = mapped_column(default=())
    baseline: Mapped[str] = mapped_column(default="month")


class EventRow(Base):
    """One row of the event log. `seq` never restarts (AUTOINCREMENT); `token` is random and tells timelines apart."""

    __tablename__ = "events"

    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    at: Mapped[datetime]
    token: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("events_by_user_and_name", "user_id", "name", "seq"),
        {"sqlite_autoincrement": True},
    )


class Day(Base):
    """A local date that has started for a user. The primary key makes each start happen once."""

    __tablename__ = "days"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]


class RoutineMark(Base):
    """Up to when the routine of a task has been looked after: what begins later is still to be planned."""

    __tablename__ = "routine_marks"

    user_id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]

    __table_args__ = (ForeignKeyConstraint(["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"),)


class RoutineDay(Base):
    """A local date for which a routine was looked after. The primary key lets each be planned once."""

    __tablename__ = "routine_days"

    user_id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    instance_id: Mapped[str | None]  # None: missed, nothing was planned

    __table_args__ = (
        ForeignKeyConstraint(["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"),
        Index("routine_days_by_day", "user_id", "day"),
    )


class JobRun(Base):
    """How a job of the scheduler went last, in whichever process."""

    __tablename__ = "job_runs"

    name: Mapped[str] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime | None]  # None: nobody is at it
    began_at: Mapped[datetime | None]  # of the last success
    failures: Mapped[int] = mapped_column(default=0)  # since then
    problem: Mapped[str | None]  # of the last failure, None after a success


class Lineage(Base):
    """One row that names this database: a copy of the cache that belongs to another one is not used."""

    __tablename__ = "lineage"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)
