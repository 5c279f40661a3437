"""Commands on instances, the attempts at a task, and the states that they move through.

    planned -> active <-> paused -> completed | cancelled        planned -> completed | cancelled

A completion or cancellation can be undone. Each command is one transaction that records one event; one that the state
does not allow is refused with a sentence and changes nothing.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from data import fields, tasks
from data.database import Database, Transaction
from data.errors import IllegalTransitionError, InvalidInputError, UnknownRecordError, shown
from data.fields import UNSAID, Feelings
from data.models import FEELINGS, CancelReason, Instance, Kind, State, Task
from data.timing import bound_pause, check_order, start_timer, stop_timer
from data.touches import touched
from events.catalog import (
    CancellationUndone,
    CompletionUndone,
    InstanceCancelled,
    InstanceEdited,
    InstanceId,
    InstancePaused,
    InstancePlanned,
    InstanceResumed,
    InstanceStarted,
    TaskCompleted,
    TaskId,
    TouchesDays,
    UserId,
)

ALLOWED: dict[str, frozenset[State]] = {
    "started": frozenset({State.PLANNED}),
    "paused": frozenset({State.ACTIVE}),
    "resumed": frozenset({State.PAUSED}),
    "completed": frozenset({State.PLANNED, State.ACTIVE, State.PAUSED}),
    "cancelled": frozenset({State.PLANNED, State.ACTIVE, State.PAUSED}),
    "undone": frozenset({State.COMPLETED, State.CANCELLED}),
    "taken back": frozenset({State.PLANNED, State.ACTIVE}),
    "put back": frozenset({State.ACTIVE}),
}
"""What can be done from which states."""

_FINISHED_ONLY = frozenset({f"actual_{feeling}" for feeling in FEELINGS} | {"actual_minutes", "completion_percent"})

_TIMES = frozenset({"created_at", "started_at", "completed_at"})

CHECKS: dict[str, Callable[[Any, str], Any]] = {
    **{f"predicted_{feeling}": fields.feeling for feeling in (*FEELINGS, "motivation")},
    **{f"actual_{feeling}": fields.feeling for feeling in FEELINGS},
    "estimate_minutes": fields.minutes,
    "actual_minutes": fields.minutes,
    "completion_percent": fields.percent,
    "note": fields.text,
    "created_at": fields.instant,
    "started_at": fields.instant,
    "completed_at": fields.instant,
    "due_at": fields.instant,
}
"""The columns that `edit` can correct, each with what it may hold."""


def plan(
    database: Database,
    user: UserId,
    task: TaskId,
    *,
    predicted: Feelings = UNSAID,
    estimate_minutes: float | None = None,
    due_at: datetime | None = None,
    note: str = "",
    start: bool = False,
) -> InstanceId:
    """Plan an attempt at *task*, and *start* it at once if that is wanted; return its id.

    Without an estimate or due time, the task's own are taken.

    Raises:
        IllegalTransitionError: the task is archived.
        InvalidInputError: a value is outside of what its field may hold.
        UnknownRecordError: the user has no such task.
    """
    columns = predicted.columns("predicted")
    estimate = fields.minutes(estimate_minutes, "estimate_minutes")
    due = fields.instant(due_at, "due_at")
    note = fields.text(note, "note")

    def command(transaction: Transaction) -> InstanceId:
        template = tasks.get(transaction.session, user, task)
        if template.archived:
            raise IllegalTransitionError(f"{template.name!r} is archived: bring it back before you plan it")
        row = plan_in(
            transaction,
            template,
            estimate_minutes=template.estimate_minutes if estimate is None else estimate,
            due_at=template.due_at if due is None else due,
            note=note,
            **columns,
        )
        instance = InstanceId(row.id)
        if start:
            start_timer(row, transaction.now)
            transaction.record(InstanceStarted(user=user, at=transaction.now, task=task, instance=instance))
        return instance

    return database.write(command)


def plan_new(database: Database, user: UserId, *, name: str, kind: str = Kind.WORK, **values: Any) -> InstanceId:
    """Create a task and plan a first attempt at it: both or neither. Takes what `tasks.create` takes.

    Return the id of the attempt.

    Raises:
        InvalidInputError: a value is outside of what its column may hold.
        UnknownRecordError: there is no such user.
    """
    checked = tasks.check({"name": name, "kind": kind, **values})

    def command(transaction: Transaction) -> InstanceId:
        template = tasks.create_in(transaction, user, checked)
        row = plan_in(transaction, template, estimate_minutes=template.estimate_minutes, due_at=template.due_at)
        return InstanceId(row.id)

    return database.write(command)


def plan_in(transaction: Transaction, template: Task, **columns: Any) -> Instance:
    """Plan an attempt at *template* as part of a command; *columns* are checked already. Return its row."""
    user, task, instance = UserId(template.user_id), TaskId(template.id), InstanceId(uuid.uuid4().hex)
    row = Instance(user_id=user, id=instance, task_id=task, state=State.PLANNED, created_at=transaction.now, **columns)
    transaction.session.add(row)
    transaction.record(InstancePlanned(user=user, at=transaction.now, task=task, instance=instance))
    return row


def start(database: Database, user: UserId, instance: InstanceId) -> None:
    """Let the timer run for the first time.

    Raises:
        IllegalTransitionError: it is not planned.
        UnknownRecordError: the user has no such instance.
    """

    _move(database, user, instance, "started", InstanceStarted, start_timer)


def pause(database: Database, user: UserId, instance: InstanceId) -> None:
    """Let the timer stand.

    Raises:
        IllegalTransitionError: it is not active.
        UnknownRecordError: the user has no such instance.
    """

    def change(row: Instance, now: datetime) -> None:
        stop_timer(row, now)
        row.state = State.PAUSED
        row.paused_at = max(now, row.created_at)  # as in `complete`

    _move(database, user, instance, "paused", InstancePaused, change)


def resume(database: Database, user: UserId, instance: InstanceId) -> None:
    """Let the timer run on.

    Raises:
        IllegalTransitionError: it is not paused.
        UnknownRecordError: the user has no such instance.
    """

    def change(row: Instance, now: datetime) -> None:
        row.state = State.ACTIVE
        row.resumed_at = now

    _move(database, user, instance, "resumed", InstanceResumed, change)


def complete(
    database: Database,
    user: UserId,
    instance: InstanceId,
    *,
    actual: Feelings = UNSAID,
    actual_minutes: float | None = None,
    completion_percent: float | None = 100.0,
    note: str | None = None,
    at: datetime | None = None,
) -> datetime:
    """Finish an instance, now or (*at*) some time ago. Return the moment at which it counts as finished.

    Without *actual_minutes*, the timer's are taken; None if it was never started. *note* replaces the old one.

    Raises:
        IllegalTransitionError: it is completed or cancelled already.
        InvalidInputError: a value is not allowed, or *at* lies before its start or in the future.
        UnknownRecordError: the user has no such instance.
    """
    columns = actual.columns("actual")
    given_minutes = fields.minutes(actual_minutes, "actual_minutes")
    share = fields.percent(completion_percent, "completion_percent")
    given_at = fields.instant(at, "completed_at")

    def command(transaction: Transaction) -> datetime:
        row = get_for(transaction.session, user, instance, "completed")
        # A clock that was set back must not keep anybody from finishing what was started before.
        moment = given_at or max(transaction.now, row.started_at or row.created_at)
        was_started = row.started_at is not None
        row.undo_state = row.state
        stop_timer(row, given_at or transaction.now)
        row.state = State.COMPLETED
        row.completed_at = moment
        row.completion_percent = share
        row.actual_minutes = given_minutes if given_minutes is not None or not was_started else row.timed_minutes
        for column, value in columns.items():
            setattr(row, column, value)
        if note is not None:
            row.note = fields.text(note, "note")
        check_order(row, max(transaction.now, moment) if given_at is None else transaction.now)
        bound_pause(row)
        _record(transaction, TaskCompleted, row, moment)
        return moment

    return database.write(command)


def cancel(
    database: Database,
    user: UserId,
    instance: InstanceId,
    *,
    reason: str = CancelReason.OTHER,
    note: str | None = None,
) -> datetime:
    """Give an instance up. Return the moment at which that was.

    Raises:
        IllegalTransitionError: it is completed or cancelled already.
        InvalidInputError: *reason* is none of `CancelReason`.
        UnknownRecordError: the user has no such instance.
    """
    why = fields.choice(reason, CancelReason, "reason")

    def command(transaction: Transaction) -> datetime:
        row = get_for(transaction.session, user, instance, "cancelled")
        row.undo_state = row.state
        stop_timer(row, transaction.now)
        row.state = State.CANCELLED
        row.cancelled_at = max(transaction.now, row.started_at or row.created_at)  # as in `complete`
        row.cancel_reason = why.value
        if note is not None:
            row.note = fields.text(note, "note")
        _record(transaction, InstanceCancelled, row, row.cancelled_at, reason=why.value)
        return row.cancelled_at

    return database.write(command)


def undo(database: Database, user: UserId, instance: InstanceId, *, finished_at: datetime | None = None) -> None:
    """Take a completion or cancellation back: the instance is in the state before it, without what it said.

    A timer that had been running runs on from now. *finished_at* says which end is meant: no later one is undone.

    Raises:
        IllegalTransitionError: it is neither completed nor cancelled, or was finished at another moment.
        UnknownRecordError: the user has no such instance.
    """

    def command(transaction: Transaction) -> None:
        row = get_for(transaction.session, user, instance, "undone")
        finished = row.completed_at or row.cancelled_at
        if finished_at is not None and finished != finished_at:
            raise IllegalTransitionError(f"it was {row.state} at another time than this says: look at it again")
        event_class = CompletionUndone if row.completed_at else CancellationUndone
        row.state = row.undo_state or (State.PAUSED if row.started_at else State.PLANNED)
        if row.state == State.PLANNED:
            row.started_at = None  # a correction may have named one
        row.undo_state = row.completed_at = row.cancelled_at = row.cancel_reason = None
        for column in _FINISHED_ONLY:
            setattr(row, column, None)
        if row.state == State.ACTIVE:
            row.resumed_at = transaction.now
        _record(transaction, event_class, row, finished)

    database.write(command)


def edit(database: Database, user: UserId, instance: InstanceId, **values: Any) -> tuple[str, ...]:
    """Correct columns of `CHECKS` and return the names of those that differ from before; no event if none does.

    Raises:
        IllegalTransitionError: a field of a finished instance is set on one that is not completed.
        InvalidInputError: a value is not allowed, or times are out of order.
        UnknownRecordError: the user has no such instance.
    """
    unknown = values.keys() - CHECKS.keys()
    if unknown:
        raise InvalidInputError(f"instance field {sorted(unknown)[0]!r}: expected one of {', '.join(CHECKS)}")
    checked = {column: CHECKS[column](value, column) for column, value in values.items()}

    def command(transaction: Transaction) -> tuple[str, ...]:
        row = get(transaction.session, user, instance)
        changed = tuple(column for column, value in checked.items() if getattr(row, column) != value)
        if not changed:
            return ()
        early = [column for column in changed if column in _FINISHED_ONLY or column == "completed_at"]
        if early and row.state != State.COMPLETED:
            raise IllegalTransitionError(
                f"{early[0].replace('_', ' ')} belongs to a completed instance; this one is {row.state}"
            )
        if "created_at" in changed and checked["created_at"] is None:
            raise InvalidInputError("created at: expected a time")
        if "completed_at" in changed and checked["completed_at"] is None:
            raise InvalidInputError("completed at: expected a time; undo the completion to take it back")
        if "started_at" in changed and row.state in (State.PLANNED, State.ACTIVE, State.PAUSED):
            raise IllegalTransitionError(f"started at is set by the timer while an instance is {row.state}")
        counted_before = row.completed_at or row.cancelled_at
        for column in changed:
            setattr(row, column, checked[column])
        if _TIMES & set(changed):
            check_order(row, transaction.now)
            bound_pause(row)
        _record(transaction, InstanceEdited, row, counted_before, row.completed_at or row.cancelled_at, changed=changed)
        return changed

    return database.write(command)


def get(session: Session, user: UserId, instance: InstanceId) -> Instance:
    """Return the user's instance.

    Raises:
        UnknownRecordError: the user has no such instance.
    """
    row = session.get(Instance, (user, instance)) if fields.is_storable(instance) else None
    if row is None:
        raise UnknownRecordError(f"there is no instance {shown(instance)}: it may have been removed meanwhile")
    return row


def _move(
    database: Database,
    user: UserId,
    instance: InstanceId,
    act: str,
    event_class: type[InstanceStarted] | type[InstancePaused] | type[InstanceResumed],
    change: Callable[[Instance, datetime], None],
) -> None:
    def command(transaction: Transaction) -> None:
        row = get_for(transaction.session, user, instance, act)
        change(row, transaction.now)
        transaction.record(event_class(user=user, at=transaction.now, task=TaskId(row.task_id), instance=instance))

    database.write(command)


def get_for(session: Session, user: UserId, instance: InstanceId, act: str) -> Instance:
    """Return the user's instance, if its state allows *act*."""
    row = get(session, user, instance)
    if row.state not in ALLOWED[act]:
        possible = " or ".join(sorted(ALLOWED[act]))
        raise IllegalTransitionError(f"it is {row.state}: only what is {possible} can be {act}")
    return row


def _record(
    transaction: Transaction,
    event_class: Callable[..., TouchesDays],
    row: Instance,
    *counted_at: datetime | None,
    changed: tuple[str, ...] | None = None,
    **values: Any,
) -> None:
    """Record what changed the numbers of the days of *counted_at*: before and after."""
    transaction.session.flush()
    if changed is not None:
        values["changed"] = changed
    transaction.record(
        event_class(
            user=UserId(row.user_id),
            at=transaction.now,
            task=TaskId(row.task_id),
            instance=InstanceId(row.id),
            **touched(
                transaction.session,
                transaction.now,
                row,
                *counted_at,
                changed=changed,
                as_completed=event_class is CompletionUndone or row.completed_at is not None,
            ),
            **values,
        )
    )
