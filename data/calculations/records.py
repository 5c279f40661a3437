"""What is stored, a page at a time: the tasks and the attempts that somebody looks for. Nothing of it is cached.

Each function costs a query or two for the rows of one page, however many there are. What they mean is in `models`;
commands on them are in `data.tasks` and `data.instances`.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from data.calculations.dashboard import OpenInstance, Template
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import FEELINGS, Instance, RoutineDay, State, Task
from data.viewpoint import Viewpoint

PAGE_ROWS = 25
MISSED_SHOWN = timedelta(days=7)
"""For how long a missed turn of a routine is worth a word."""
OPEN = (State.PLANNED, State.ACTIVE, State.PAUSED)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for; what is empty or None does not narrow it.

    Each word of `text` has to occur in the name, the description, the categories or a note, in whatever case.
    `states` is for attempts, `archived` for tasks. `first` and `last` are local days: an attempt belongs to the one on
    which it was completed or given up, else started, else planned.
    """

    text: str = ""
    kind: str = ""
    category: str = ""
    task: str = ""
    instance: str = ""
    states: tuple[str, ...] = ()
    archived: bool | None = None
    first: date | None = None
    last: date | None = None


class InstanceRecord(OpenInstance, frozen=True):
    """All that is known of one attempt. `moment` is what it is sorted by; feelings without `actual_` are predicted."""

    archived: bool
    actual_relief: int | None
    actual_mental_load: int | None
    actual_emotional_load: int | None
    actual_physical_load: int | None
    actual_aversion: int | None
    actual_minutes: float | None
    completion_percent: float | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str | None
    moment: datetime


class TaskRecord(Template, frozen=True):
    """All that is known of one task, and how often it was planned and completed.

    `missed` are the days of the last week on which its routine had a turn that nobody planned, oldest first.
    """

    notes: str
    archived: bool
    version: int
    planned: int
    completed: int
    last_completed_at: datetime | None
    missed: tuple[date, ...]


class InstancePage(msgspec.Struct, frozen=True):
    """Some of the attempts that were looked for, newest first; `page` counts from 1 and is never beyond the last."""

    rows: tuple[InstanceRecord, ...]
    total: int
    page: int
    categories: tuple[str, ...]
    task_name: str | None
    """Of the one task that was looked for, if there is such a one."""

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return _pages(self.total)


class TaskPage(msgspec.Struct, frozen=True):
    """Some of the tasks that were looked for, by name; `archived_total` is how many are archived in all."""

    rows: tuple[TaskRecord, ...]
    total: int
    page: int
    categories: tuple[str, ...]
    archived_total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return _pages(self.total)


def load_instances(read: ReadTransaction, view: Viewpoint, wanted: Wanted, page: int = 1) -> InstancePage:
    """Return one page of the user's attempts."""
    found = _narrow(_instances(view), view, wanted)
    total = _count(read, found)
    page = min(max(1, page), _pages(total))
    ordered = found.order_by(_MOMENT.desc(), Instance.id.desc())
    rows = tuple(InstanceRecord(*row) for row in read.connection.execute(_cut(ordered, page)))
    name = wanted.task and read.connection.scalar(
        select(Task.name).where(Task.user_id == view.user, Task.id == wanted.task)
    )
    return InstancePage(rows, total, page, load_categories(read, view), name or None)


def load_tasks(read: ReadTransaction, view: Viewpoint, wanted: Wanted, page: int = 1) -> TaskPage:
    """Return one page of the user's tasks."""
    found = select(*_TASK_COLUMNS).where(Task.user_id == view.user, *_of_task(wanted))
    if wanted.archived is not None:
        found = found.where(Task.archived.is_(wanted.archived))
    found = found.where(*(_contains(word, _TASK_TEXTS) for word in _words(wanted.text)))
    total = _count(read, found)
    page = min(max(1, page), _pages(total))
    ordered = found.order_by(func.casefold(Task.name), Task.id)
    found_rows = read.connection.execute(_cut(ordered, page)).all()
    missed = _missed(read, view, [row.id for row in found_rows])
    rows = tuple(TaskRecord(*(*row, missed.get(row.id, ()))) for row in found_rows)
    archived = select(func.count()).where(Task.user_id == view.user, Task.archived.is_(True))
    return TaskPage(rows, total, page, load_categories(read, view), read.connection.scalar(archived) or 0)


def _missed(read: ReadTransaction, view: Viewpoint, tasks: Sequence[str]) -> dict[str, tuple[date, ...]]:
    rows = read.connection.execute(
        select(RoutineDay.task_id, RoutineDay.day)
        .where(RoutineDay.user_id == view.user, RoutineDay.task_id.in_(tasks), RoutineDay.instance_id.is_(None))
        .where(RoutineDay.day >= view.today - MISSED_SHOWN)
        .order_by(RoutineDay.day)
    )
    found: dict[str, tuple[date, ...]] = {}
    for task, day in rows:
        found[task] = (*found.get(task, ()), day)
    return found


def load_categories(read: ReadTransaction, view: Viewpoint) -> tuple[str, ...]:
    """Return all categories of the user's tasks, by name."""
    lists = read.connection.scalars(select(Task.categories).where(Task.user_id == view.user).distinct())
    return tuple(sorted({category for categories in lists for category in categories}, key=str.casefold))


_MOMENT = func.coalesce(
    Instance.completed_at,
    Instance.cancelled_at,
    Instance.started_at,
    Instance.created_at,
    type_=Instance.created_at.type,
)
_OF_TASK = frozenset({"name", "kind", "categories", "archived"})
_PREDICTED = frozenset({*FEELINGS, "motivation"})
_TASK_TEXTS = (Task.name, Task.description, Task.categories, Task.notes)


def _instance_column(name: str) -> Any:
    if name == "moment":
        return _MOMENT
    if name in _OF_TASK:
        return getattr(Task, name)
    return getattr(Instance, f"predicted_{name}" if name in _PREDICTED else name)


def _of_its_instances(value: "ColumnElement[Any]") -> Any:
    return (
        select(value)
        .where(Instance.user_id == Task.user_id, Instance.task_id == Task.id)
        .correlate(Task)
        .scalar_subquery()
    )


_TASK_COLUMNS: Sequence[Any] = (
    *(
        getattr(Task, name)
        for name in TaskRecord.__struct_fields__
        if name not in ("planned", "completed", "last_completed_at", "missed")
    ),
    _of_its_instances(func.count(Instance.id)),
    _of_its_instances(func.count(Instance.completed_at)),
    _of_its_instances(func.max(Instance.completed_at, type_=Instance.created_at.type)),
)


def _instances(view: Viewpoint) -> "Select[*tuple[Any, ...]]":
    return (
        select(*(_instance_column(name) for name in InstanceRecord.__struct_fields__))
        .join_from(Instance, Task, and_(Task.user_id == Instance.user_id, Task.id == Instance.task_id))
        .where(Instance.user_id == view.user)
    )


def _narrow(found: "Select[*tuple[Any, ...]]", view: Viewpoint, wanted: Wanted) -> "Select[*tuple[Any, ...]]":
    starts = view.profile.calendar.starts
    conditions = _of_task(wanted)
    if wanted.instance:
        conditions.append(Instance.id == wanted.instance)
    if wanted.states:
        conditions.append(Instance.state.in_(wanted.states))
    if wanted.first is not None:
        conditions.append(starts(wanted.first) <= _MOMENT)
    if wanted.last is not None:
        conditions.append(starts(wanted.last + ONE_DAY) > _MOMENT)
    return found.where(*conditions, *(_contains(word, (*_TASK_TEXTS, Instance.note)) for word in _words(wanted.text)))


def _of_task(wanted: Wanted) -> "list[ColumnElement[bool]]":
    conditions: list[ColumnElement[bool]] = []
    if wanted.task:
        conditions.append(Task.id == wanted.task)
    if wanted.kind:
        conditions.append(Task.kind == wanted.kind)
    if wanted.category:
        each = func.json_each(Task.categories).table_valued("value")
        conditions.append(exists(select(1).select_from(each).where(each.c.value == wanted.category)))
    return conditions


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _contains(word: str, columns: Sequence[Any]) -> "ColumnElement[bool]":
    # `casefold` is ours (see `data.database`): SQLite's own LIKE knows the case of ASCII letters only.
    return or_(*(func.instr(func.casefold(column), word) > 0 for column in columns))


def _count(read: ReadTransaction, found: "Select[*tuple[Any, ...]]") -> int:
    return read.connection.scalar(found.with_only_columns(func.count(), maintain_column_froms=True)) or 0


def _cut(found: "Select[*tuple[Any, ...]]", page: int) -> "Select[*tuple[Any, ...]]":
    return found.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)


def _pages(total: int) -> int:
    return max(1, -(-total // PAGE_ROWS))
