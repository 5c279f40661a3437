"""Made-up data, so that pages are never empty and benchmarks can be repeated: add it, remove it.

There is one demo per user at a time; its rows are marked `demo` in the tables. How they are made up is in `simulation`,
out of which tasks in `templates`.
"""

import math
from datetime import timedelta
from typing import cast

from sqlalchemy import Table, delete, exists, func, select, update

from data import bulk, preferences, scratch
from data.bulk import Meter, Progress, Stage
from data.database import Database, ReadTransaction, Transaction
from data.demo.simulation import Life
from data.errors import InvalidInputError
from data.models import EPOCH, Instance, Task
from events.catalog import DataImported, DataRemoved, UserId

MAX_INSTANCES = 5_000_000

_SOURCE = "demo"
_TASKS = cast(Table, Task.__table__)
_INSTANCES = cast(Table, Instance.__table__)


def add(
    database: Database,
    user: UserId,
    *,
    days: int = 365,
    per_day: float = 6.0,
    seed: int = 1,
    progress: Progress | None = None,
) -> DataImported:
    """Give *user* about *per_day* instances for each of the *days* that end today, and return what was recorded.

    There are `round(days * per_day)` instances in all, a handful of them still to do. The same arguments, moment and
    time zone make the same rows, ids included; another time of the same day changes only what is near it. A demo that
    is there already is replaced in the same transaction, see `remove`.

    Raises:
        InvalidInputError: the numbers make no instance, more than `MAX_INSTANCES`, or days before 1970.
        UnknownRecordError: there is no such user.
    """
    now = database.clock()
    count = _count(days, per_day)
    if now - timedelta(days=1) * days < EPOCH + timedelta(days=60):
        raise InvalidInputError(f"{days:,} days: expected the first of them after 1970")
    with database.read() as read:
        calendar = preferences.load(read, user).calendar
    life = Life(calendar=calendar, now=now, days=days, count=count, seed=seed)
    meter = Meter(progress, 2 * count)  # each is made, then written
    with scratch.folder(database.file) as folder, Stage(folder / "demo.db", (_TASKS, _INSTANCES)) as stage:
        names = bulk.columns(_INSTANCES)
        for row in life.instances():
            stage.add(_INSTANCES, [row[name] for name in names])
            meter.advance(1)
        names = bulk.columns(_TASKS)
        for row in life.tasks():
            stage.add(_TASKS, [row[name] for name in names])
        stage.seal()

        def command(transaction: Transaction) -> DataImported:
            session = transaction.session
            _remove(transaction, user)
            # What the user has made their own out of an earlier demo of this seed stays as they left it.
            bulk.write(session, _TASKS, user, replace=False, wrote=lambda _: None)
            bulk.write(session, _INSTANCES, user, replace=False, wrote=meter.advance)
            happened = DataImported(
                user=user,
                at=transaction.now,
                source=_SOURCE,
                tasks=stage.counts[_TASKS.name],
                instances=stage.counts[_INSTANCES.name],
            )
            transaction.record(happened)
            return happened

        happened = database.write(command, staged=stage.path)
    meter.finish()
    return happened


def remove(database: Database, user: UserId) -> DataRemoved | None:
    """Remove the demo of *user* and return what was recorded; None, and no event, if there is none.

    Every instance that the demo made goes, also where the user has worked with it since. A task of the demo goes unless
    an instance of the user's own hangs on it; then it becomes the user's own.
    """

    def command(transaction: Transaction) -> DataRemoved | None:
        removed = _remove(transaction, user)
        if removed is None:
            return None
        tasks, instances = removed
        happened = DataRemoved(user=user, at=transaction.now, source=_SOURCE, tasks=tasks, instances=instances)
        transaction.record(happened)
        return happened

    return database.write(command)


def present(read: ReadTransaction, user: UserId) -> bool:
    """Whether *user* has a demo."""
    found = [
        select(table.columns.id).where(table.columns.user_id == user, table.columns.demo)
        for table in (_TASKS, _INSTANCES)
    ]
    return any(read.connection.scalar(rows.limit(1)) is not None for rows in found)


def _remove(transaction: Transaction, user: UserId) -> tuple[int, int] | None:
    """Remove the demo and return how many tasks and instances went; None if there was none."""
    session = transaction.session
    of_demo = (_TASKS.columns.user_id == user) & _TASKS.columns.demo
    tasks = session.scalar(select(func.count()).select_from(_TASKS).where(of_demo)) or 0
    instances = session.execute(
        delete(_INSTANCES).where(_INSTANCES.columns.user_id == user, _INSTANCES.columns.demo)
    ).rowcount  # type: ignore[attr-defined]
    if not tasks and not instances:
        return None
    own = exists().where(_INSTANCES.columns.user_id == user, _INSTANCES.columns.task_id == _TASKS.columns.id)
    kept = session.execute(update(_TASKS).where(of_demo, own).values(demo=False)).rowcount  # type: ignore[attr-defined]
    session.execute(delete(_TASKS).where(of_demo))
    return tasks - kept, instances


def _count(days: int, per_day: float) -> int:
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 36_500:
        raise InvalidInputError(f"{days!r} days: expected a whole number from 1 to 36,500")
    if not math.isfinite(per_day) or not 1 <= round(days * per_day) <= MAX_INSTANCES:
        raise InvalidInputError(
            f"{days:,} days with {per_day:g} instances each: expected 1 to {MAX_INSTANCES:,} instances in all"
        )
    return round(days * per_day)
