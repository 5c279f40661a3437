"""Reads one user's completed instances, with what the formulas need of each and the local day it counts for.

Only the columns that calculations use, in the order of completion (ties by id), so that sums come out the same to the
last bit whatever order the table is in. What follows from them is in `measures`.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, func, select, type_coerce

from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import EPOCH, Instance, Instant, Task
from data.viewpoint import Viewpoint

COMPLETED_AT = type_coerce(Instance.completed_at, Instant())
"""When an instance was completed; to be read of completed ones only, where it is never None."""


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """A completed instance. Feelings without `predicted_` are the actual ones; `motivation` is only ever predicted.

    `day` is the user's local date of the completion. `earlier_completions` counts this task's completed instances
    before this one, and `first_aversion` is what the very first of them felt like; both look at all of the past.
    """

    day: date
    earlier_completions: int
    first_aversion: int | None
    id: str
    task_id: str
    kind: str
    predicted_relief: int | None
    predicted_aversion: int | None
    motivation: int | None
    relief: int | None
    mental_load: int | None
    emotional_load: int | None
    physical_load: int | None
    aversion: int | None
    estimate_minutes: float | None
    actual_minutes: float | None
    completion_percent: float | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime


_COLUMNS: list[Any] = [
    Instance.id,
    Instance.task_id,
    Task.kind,
    Instance.predicted_relief,
    Instance.predicted_aversion,
    Instance.predicted_motivation,
    Instance.actual_relief,
    Instance.actual_mental_load,
    Instance.actual_emotional_load,
    Instance.actual_physical_load,
    Instance.actual_aversion,
    Instance.estimate_minutes,
    Instance.actual_minutes,
    Instance.completion_percent,
    Instance.created_at,
    Instance.started_at,
    COMPLETED_AT,
]
"""In the order of `Attempt`'s fields, of which the first three are in no column."""


class Label(msgspec.Struct, frozen=True):
    """What a task is called and where it belongs."""

    task_id: str
    name: str
    kind: str
    categories: tuple[str, ...]


def read_attempts(
    read: ReadTransaction, view: Viewpoint, first: date | None = None, last: date | None = None
) -> tuple[Attempt, ...]:
    """Return what was completed on the local days *first* to *last*, in the order of completion. None is no bound."""
    rows = read.connection.execute(
        select(*_COLUMNS)
        .join(Task, and_(Task.user_id == Instance.user_id, Task.id == Instance.task_id))
        .where(completed_within(view, first, last))
        .order_by(COMPLETED_AT, Instance.id)
    ).all()
    earlier = _earlier_completions(read, view, first) if first is not None and rows else {}
    days = days_of((row[-1] for row in rows), view.profile.calendar)
    found = []
    for row, day in zip(rows, days, strict=True):
        task_id, aversion = row[1], row[10]
        count, first_aversion = earlier.get(task_id, (0, aversion))
        earlier[task_id] = (count + 1, first_aversion)
        found.append(Attempt(day, count, first_aversion, *row))
    return tuple(found)


def read_labels(read: ReadTransaction, view: Viewpoint, ids: Collection[str] | None = None) -> dict[str, Label]:
    """Return `{task_id: label}` of the tasks *ids* (None: of all), archived ones too."""
    wanted = select(Task.id, Task.name, Task.kind, Task.categories).where(Task.user_id == view.user)
    if ids is not None:
        wanted = wanted.where(Task.id.in_(ids))
    return {row[0]: Label(*row) for row in read.connection.execute(wanted.order_by(Task.id))}


def completed_within(view: Viewpoint, first: date | None = None, last: date | None = None) -> ColumnElement[bool]:
    """Return the condition that an instance is this user's and was completed on the days *first* to *last*.

    None is no bound. Only completed instances have the time of completion: asking for the state too would keep SQLite
    from answering counts from an index alone.
    """
    starts = view.profile.calendar.starts
    condition = and_(Instance.user_id == view.user, COMPLETED_AT.is_not(None))
    if first is not None:
        condition = and_(condition, starts(first) <= COMPLETED_AT)
    return condition if last is None else and_(condition, starts(last + ONE_DAY) > COMPLETED_AT)


def days_of(instants: Iterable[datetime], calendar: Calendar) -> list[date]:
    """Return the local day of each of *instants*, which rise. Asks the calendar once per day, not once per instant."""
    days: list[date] = []
    day, ends = date.min, EPOCH
    for instant in instants:
        if not days or instant >= ends:
            day = calendar.day_of(instant)
            ends = calendar.starts(day + ONE_DAY)
        days.append(day)
    return days


def _earlier_completions(read: ReadTransaction, view: Viewpoint, first: date) -> dict[str, tuple[int, int | None]]:
    """Return `{task_id: (completions before *first*, aversion at the very first)}`."""
    counted = (
        select(Instance.task_id, func.count().label("completions"), func.min(COMPLETED_AT).label("began_at"))
        .where(completed_within(view, last=first - ONE_DAY))
        .group_by(Instance.task_id)
        .subquery()
    )
    rows = read.connection.execute(
        select(Instance.task_id, counted.c.completions, Instance.actual_aversion)
        .join(counted, and_(Instance.task_id == counted.c.task_id, counted.c.began_at == COMPLETED_AT))
        .where(Instance.user_id == view.user)
        .order_by(Instance.id.desc())  # of several at one instant, the last to be put in has the least id
    )
    return {task_id: (count, aversion) for task_id, count, aversion in rows}
