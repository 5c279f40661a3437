"""Routines: tasks that come back by themselves, daily or weekly, at the start of the local day or at a local time.

One that is paused is `none` and keeps its weekdays, of which a daily one has all seven. `plan_due` is the command
behind the scheduler's look at the clock. Each task is planned once for each local date: the table of `RoutineDay` has
one row for it. A date that went by while nothing ran is listed as missed and not planned.
"""

import functools
import itertools
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from data import instances
from data.database import Database, Transaction
from data.days import ONE_DAY, Calendar, calendar, parse_clock_time, start_days
from data.errors import InvalidInputError
from data.models import WEEKDAYS, Day, Preferences, Routine, RoutineDay, RoutineMark, Task
from events.catalog import InstanceId, RoutineMissed, TaskId, UserId

log = logging.getLogger(__name__)

BATCH = 20
"""How many tasks are looked after in one transaction, at 2 ms each: other writers get their turn in between."""
MOST_MISSED = 366
"""After a longer pause, the oldest days are not listed."""

Place = tuple[UserId, TaskId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An attempt that was planned because its task's routine had its turn on `day`."""

    user: UserId
    task: TaskId
    day: date
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """When a routine has its turn: every day, or on `weekdays`; at a local time, or when the day starts (None)."""

    calendar: Calendar
    weekdays: frozenset[int]
    clock_time: str | None

    def at(self, day: date) -> datetime:
        """Return the moment of the turn on *day*, in UTC."""
        if self.clock_time is None:
            return self.calendar.starts(day)
        return self.calendar.at(day, parse_clock_time(self.clock_time))

    def due_at(self, day: date) -> datetime:
        """Return by when an attempt should be done: at its local time, or while the day lasts."""
        return self.calendar.starts(day + ONE_DAY) if self.clock_time is None else self.at(day)

    def between(self, since: datetime, now: datetime) -> list[date]:
        """Return the days whose turn came after *since*, up to *now*, oldest first."""
        today = self.calendar.day_of(now)
        first = max(self.calendar.day_of(since), today - ONE_DAY * MOST_MISSED)
        days = (first + ONE_DAY * number for number in range((today - first).days + 1))
        return [day for day in days if self._has(day) and since < self.at(day) <= now]

    def days_after(self, now: datetime, most: int) -> list[date]:
        """Return the days of the next *most* turns after *now*; fewer if a week has none."""
        today = self.calendar.day_of(now)
        days = (today + ONE_DAY * number for number in range(7 * most + 3))
        return list(itertools.islice((day for day in days if self._has(day) and self.at(day) > now), most))

    def next_after(self, now: datetime) -> datetime | None:
        """Return the moment of the first turn after *now*; None if there is none within nine days."""
        return next((self.at(day) for day in self.days_after(now, 1)), None)

    def _has(self, day: date) -> bool:
        return day.weekday() in self.weekdays and self.calendar.exists(day)


def turns_of(own: Calendar, routine: str, weekdays: Sequence[str], at: str | None, first_weekday: str) -> Turns:
    """Return when a routine has its turn: on the days of `weekdays_of`, none if it is paused or there is none."""
    on = () if routine == Routine.NONE else weekdays_of(routine, weekdays, first_weekday)
    return Turns(calendar=own, weekdays=frozenset(WEEKDAYS.index(day) for day in on), clock_time=at)


def weekdays_of(routine: str, weekdays: Sequence[str], first_weekday: str) -> tuple[str, ...]:
    """Return the weekdays of a routine. Daily is every day; weekly without weekdays is once, on the week's first."""
    return WEEKDAYS if routine == Routine.DAILY else tuple(weekdays) or (first_weekday,)


def is_paused(routine: str, weekdays: Sequence[str]) -> bool:
    """Whether these columns are of a routine that is paused: it can be resumed, and until then has no turns."""
    return routine == Routine.NONE and bool(weekdays)


def paused(routine: str, weekdays: Sequence[str], first_weekday: str) -> dict[str, Any]:
    """Return what the columns of a routine are while it is paused, for `tasks.edit`."""
    return {"routine": Routine.NONE.value, "routine_weekdays": weekdays_of(routine, weekdays, first_weekday)}


def resumed(weekdays: Sequence[str]) -> dict[str, Any]:
    """Return what the columns of a paused routine are when it goes on, for `tasks.edit`."""
    routine = Routine.DAILY if frozenset(weekdays) == frozenset(WEEKDAYS) else Routine.WEEKLY
    return {"routine": routine.value, "routine_weekdays": tuple(weekdays)}


def plan_due(database: Database) -> list[Planned]:
    """Plan what is due for all users, and list what was missed; return what was planned.

    Safe to call from several processes. A task's routine that nobody has looked after yet is looked after from now on.
    """
    return [planned for batch in plan_in_batches(database) for planned in batch]


def plan_in_batches(database: Database, first: Collection[UserId] = frozenset()) -> Iterator[list[Planned]]:
    """Do as `plan_due`, and yield what was planned after each transaction. Stop asking to stop in between.

    Routines of users in *first* have their turn before all others.
    """
    waiting = sorted(_due(database), key=lambda place: place[0] not in first)
    for batch in (waiting[begin : begin + BATCH] for begin in range(0, len(waiting), BATCH)):
        yield database.write(functools.partial(_plan_batch, places=batch))


def next_turn(database: Database) -> datetime | None:
    """Return when the next routine of any user has its turn; None if none has within nine days."""
    now = database.clock()
    moments = [turns.next_after(now) for _, turns, _ in _routines(database)]
    return min((moment for moment in moments if moment is not None), default=None)


def _due(database: Database) -> list[Place]:
    now = database.clock()
    return [place for place, turns, since in _routines(database) if since is None or turns.between(since, now)]


_ROUTINES = (
    select(
        Task.user_id,
        Task.id,
        Task.routine,
        Task.routine_weekdays,
        Task.routine_at,
        Preferences.time_zone,
        Preferences.day_start,
        Preferences.first_weekday,
        RoutineMark.since,
    )
    .join(Preferences, Preferences.user_id == Task.user_id)
    .outerjoin(RoutineMark, (RoutineMark.user_id == Task.user_id) & (RoutineMark.task_id == Task.id))
    .where(Task.routine != Routine.NONE, Task.archived.is_(False))
    .order_by(Task.user_id, Task.id)
)


def _routines(database: Database) -> Iterator[tuple[Place, Turns, datetime | None]]:
    with database.read() as read:
        rows = read.connection.execute(_ROUTINES).all()
    for user, task, routine, weekdays, at, zone, day_start, first_weekday, since in rows:
        try:
            own = calendar(zone, day_start)
        except InvalidInputError:  # the look for days has said so
            continue
        yield (UserId(user), TaskId(task)), turns_of(own, routine, weekdays, at, first_weekday), since


def _plan_batch(transaction: Transaction, places: Sequence[Place]) -> list[Planned]:
    transaction.waive_event()  # marks are moved where nothing was planned
    planned: list[Planned] = []
    for user, of_user in itertools.groupby(places, key=lambda place: place[0]):
        preferences = transaction.session.get_one(Preferences, user)
        try:
            own = calendar(preferences.time_zone, preferences.day_start)
        except InvalidInputError:
            continue
        if transaction.session.scalar(select(Day.day).where(Day.user_id == user).limit(1)) is not None:
            start_days(transaction, user)  # a day that begins and its routines belong together
        for _, task in of_user:
            row = transaction.session.get(Task, (user, task))
            if row is not None and not row.archived and row.routine != Routine.NONE:
                turns = turns_of(own, row.routine, row.routine_weekdays, row.routine_at, preferences.first_weekday)
                planned += _plan(transaction, row, turns)
    return planned


def _plan(transaction: Transaction, row: Task, turns: Turns) -> list[Planned]:
    """Look after one task up to now."""
    session, now, today = transaction.session, transaction.now, turns.calendar.day_of(transaction.now)
    user, task = UserId(row.user_id), TaskId(row.id)
    mark = session.get(RoutineMark, (user, task))
    if mark is None:
        session.add(RoutineMark(user_id=user, task_id=task, since=now))
        return []
    if mark.since >= now:  # the clock, or the clock on the wall, was ahead
        return []
    days = set(turns.between(mark.since, now))
    mark.since = now
    of_task = (RoutineDay.user_id == user, RoutineDay.task_id == task, RoutineDay.day.in_(days))
    days -= set(session.scalars(select(RoutineDay.day).where(*of_task)))
    started = set(session.scalars(select(Day.day).where(Day.user_id == user, Day.day.in_(days))))
    first = session.scalar(select(func.min(Day.day)).where(Day.user_id == user)) or date.max
    # A date between two that have started which has not itself was flown over: it is nobody's day.
    days = {day for day in days if day in started or day < first}
    missed = tuple(sorted(day for day in days if day < today))
    session.add_all(RoutineDay(user_id=user, task_id=task, day=day) for day in missed)
    if missed:
        transaction.record(RoutineMissed(user=user, at=now, task=task, days=missed))
    if today not in days:
        return []
    columns = {"estimate_minutes": row.estimate_minutes, "due_at": turns.due_at(today), "demo": row.demo}
    instance = InstanceId(instances.plan_in(transaction, row, **columns).id)
    session.add(RoutineDay(user_id=user, task_id=task, day=today, instance_id=instance))
    return [Planned(user=user, task=task, day=today, instance=instance)]
