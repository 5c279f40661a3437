"""Commands on tasks, the templates: create, edit, archive. Each is one transaction that records one event.

Attempts at a task are in `instances`.
"""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from data import fields
from data.database import Database, Transaction
from data.errors import InvalidInputError, UnknownRecordError, shown
from data.models import Kind, Routine, RoutineMark, Task, User
from events.catalog import TaskArchived, TaskCreated, TaskEdited, TaskId, UserId

CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": fields.name,
    "description": lambda value: fields.text(value, "description"),
    "kind": lambda value: fields.choice(value, Kind, "kind").value,
    "categories": lambda value: fields.words(value, "categories"),
    "estimate_minutes": lambda value: fields.minutes(value, "estimate_minutes"),
    "default_aversion": lambda value: fields.feeling(value, "default_aversion"),
    "routine": lambda value: fields.choice(value, Routine, "routine").value,
    "routine_weekdays": lambda value: fields.weekdays(value, "routine_weekdays"),
    "routine_at": lambda value: fields.clock_time(value, "routine_at"),
    "due_at": lambda value: fields.instant(value, "due_at"),
    "notes": lambda value: fields.text(value, "notes"),
}
"""The columns that a person sets, each with what it may hold."""

_ROUTINE = frozenset({"routine", "routine_weekdays", "routine_at"})


def create(database: Database, user: UserId, *, name: str, kind: str = Kind.WORK, **values: Any) -> TaskId:
    """Create a task and return its id. *values* are columns of `CHECKS`.

    Raises:
        InvalidInputError: a value is outside of what its column may hold.
        UnknownRecordError: there is no such user.
    """
    checked = check({"name": name, "kind": kind, **values})
    return database.write(lambda transaction: TaskId(create_in(transaction, user, checked).id))


def create_in(transaction: Transaction, user: UserId, checked: dict[str, Any]) -> Task:
    """Create a task of what `check` returned, as part of a command. Return its row.

    Raises:
        UnknownRecordError: there is no such user.
    """
    if transaction.session.get(User, user) is None:
        raise UnknownRecordError(f"there is no user {user}")
    now = transaction.now
    row = Task(user_id=user, id=uuid.uuid4().hex, created_at=now, updated_at=now, **checked)
    transaction.session.add(row)
    _begin_routine(transaction, row)
    transaction.record(TaskCreated(user=user, at=now, task=TaskId(row.id)))
    return row


def edit(
    database: Database, user: UserId, task: TaskId, *, expected_version: int | None = None, **values: Any
) -> tuple[str, ...]:
    """Set columns of `CHECKS` and return the names of those that differ from before; no event if none does.

    Raises:
        InvalidInputError: a value is not allowed, or the task is no longer of *expected_version*: somebody else
            edited it meanwhile.
        UnknownRecordError: the user has no such task.
    """
    checked = check(values)

    def command(transaction: Transaction) -> tuple[str, ...]:
        row = get(transaction.session, user, task)
        if expected_version is not None and row.version != expected_version:
            raise InvalidInputError(
                f"{row.name!r} was edited elsewhere meanwhile (version {row.version}, expected {expected_version}): "
                "look at it again before you change it"
            )
        changed = tuple(column for column, value in checked.items() if getattr(row, column) != value)
        if changed:
            for column in changed:
                setattr(row, column, checked[column])
            row.version += 1
            row.updated_at = max(transaction.now, row.created_at)  # the clock may have been set back since
            if _ROUTINE & set(changed):
                _begin_routine(transaction, row)
            transaction.record(TaskEdited(user=user, at=transaction.now, task=task, changed=changed))
        return changed

    return database.write(command)


def archive(database: Database, user: UserId, task: TaskId, *, archived: bool = True) -> None:
    """Take a task out of the lists, or (`archived=False`) back into them. Its instances stay as they are.

    Raises:
        UnknownRecordError: the user has no such task.
    """

    def command(transaction: Transaction) -> None:
        row = get(transaction.session, user, task)
        if row.archived == archived:
            return
        row.archived = archived
        row.version += 1
        row.updated_at = max(transaction.now, row.created_at)  # the clock may have been set back since
        _begin_routine(transaction, row)
        transaction.record(TaskArchived(user=user, at=transaction.now, task=task, archived=archived))

    database.write(command)


def _begin_routine(transaction: Transaction, row: Task) -> None:
    """Let the routine of *row* begin now: what it would have had before is neither planned nor missed."""
    if row.routine != Routine.NONE:
        transaction.session.flush()  # the mark needs its task
        transaction.session.merge(RoutineMark(user_id=row.user_id, task_id=row.id, since=transaction.now))


def get(session: Session, user: UserId, task: TaskId) -> Task:
    """Return the user's task.

    Raises:
        UnknownRecordError: the user has no such task.
    """
    row = session.get(Task, (user, task)) if fields.is_storable(task) else None
    if row is None:
        raise UnknownRecordError(f"there is no task {shown(task)}: it may have been removed meanwhile")
    return row


def check(values: dict[str, Any]) -> dict[str, Any]:
    """Return *values* as their columns store them.

    Raises:
        InvalidInputError: a name is no column of `CHECKS`, or a value is not allowed.
    """
    unknown = values.keys() - CHECKS.keys()
    if unknown:
        raise InvalidInputError(f"task field {sorted(unknown)[0]!r}: expected one of {', '.join(CHECKS)}")
    return {column: CHECKS[column](value) for column, value in values.items()}
