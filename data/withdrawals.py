"""Commands that take back a plan or a start, as if it had not been. All others on attempts are in `instances`."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import tasks
from data.database import Database, Transaction
from data.errors import IllegalTransitionError
from data.instances import get_for
from data.models import Instance, State
from events.catalog import InstanceId, PlanUndone, StartUndone, TaskId, UserId, months_around


def unplan(database: Database, user: UserId, instance: InstanceId, *, with_task: bool = False) -> None:
    """Remove an attempt that was planned, or started as well and is not paused yet.

    *with_task*: the task made for it goes too, unless it has been edited or has other attempts.

    Raises:
        IllegalTransitionError: it has gone on since.
        UnknownRecordError: the user has no such instance.
    """

    def command(transaction: Transaction) -> None:
        session = transaction.session
        row = _untouched(session, user, instance, "taken back")
        task = tasks.get(session, user, TaskId(row.task_id))
        months = months_around(row.created_at)
        session.delete(row)
        session.flush()
        if with_task and task.version == 1:
            others = select(func.count()).where(Instance.user_id == user, Instance.task_id == task.id)
            if not session.scalar(others):
                session.delete(task)
        transaction.record(
            PlanUndone(user=user, at=transaction.now, task=TaskId(row.task_id), instance=instance, months=months)
        )

    database.write(command)


def unstart(database: Database, user: UserId, instance: InstanceId) -> None:
    """Let an attempt be planned again whose timer runs for the first time; what it has run is forgotten.

    Raises:
        IllegalTransitionError: it does not run, or was paused since.
        UnknownRecordError: the user has no such instance.
    """

    def command(transaction: Transaction) -> None:
        row = _untouched(transaction.session, user, instance, "put back")
        row.state = State.PLANNED
        row.started_at = row.resumed_at = None
        row.timed_minutes = 0.0
        transaction.record(StartUndone(user=user, at=transaction.now, task=TaskId(row.task_id), instance=instance))

    database.write(command)


def _untouched(session: Session, user: UserId, instance: InstanceId, act: str) -> Instance:
    row = get_for(session, user, instance, act)
    if row.paused_at is not None:
        raise IllegalTransitionError(
            f"it was paused since it was started, and can no longer be {act}: give it up instead"
        )
    return row
