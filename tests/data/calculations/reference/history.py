"""Adds instances up by local day: a tally of each day, and a history of consecutive days to look through in windows.

A tally depends on its own day's instances only, so a changed day can be tallied anew and the others kept. What is made
of the sums is in `windows`.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Literal

import msgspec
from sqlalchemy import func, select

from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import Instance, Kind, State
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.attempts import COMPLETED_AT, Attempt, completed_within, days_of, read_attempts
from tests.data.calculations.reference.measures import measure

AVERAGED = (
    "relief",
    "stress",
    "net_wellbeing",
    "stress_efficiency",
    "aversion",
    "mental_load",
    "emotional_load",
    "physical_load",
    "motivation",
    "delay_minutes",
    "time_accuracy",
    "execution",
    "grit",
    "serendipity",
    "disappointment",
    "relief_bias",
    "aversion_bias",
    "relief_points",
    "rated_minutes",
)
"""The fields of `Measures` that a tally sums up."""

_PLACE = {name: place for place, name in enumerate(AVERAGED)}
_averaged = attrgetter(*AVERAGED)


class Tally(msgspec.Struct, frozen=True):
    """The sums of one local day. `sums` and `counts` are in the order of `AVERAGED`; None values are not counted.

    Minutes are those of completed instances. `minutes` lists each instance's, where known.
    """

    day: date
    completed: int = 0
    cancelled: int = 0
    created: int = 0
    self_care_completed: int = 0
    minutes_by_kind: tuple[tuple[str, float], ...] = ()
    minutes: tuple[float, ...] = ()
    sums: tuple[float, ...] = (0.0,) * len(AVERAGED)
    counts: tuple[int, ...] = (0,) * len(AVERAGED)

    def minutes_of(self, kind: Kind) -> float:
        """Return the minutes of that kind of task."""
        return next((minutes for name, minutes in self.minutes_by_kind if name == kind), 0.0)

    def sum_of(self, name: str) -> tuple[float, int]:
        """Return the sum of one of `AVERAGED`, and how many instances it is of."""
        return self.sums[_PLACE[name]], self.counts[_PLACE[name]]


class Window(msgspec.Struct, frozen=True):
    """Consecutive days, and what a metric may want to know besides their tallies.

    `streak_days` stands as of the last day. `active` is the number of instances whose timer runs; None for a window
    that ended before today, because nobody wrote that down.
    """

    days: tuple[Tally, ...]
    streak_days: int
    target_minutes_per_day: float
    active: int | None = None


class History(msgspec.Struct, frozen=True):
    """Consecutive local days, oldest first, with the streak as of each."""

    days: tuple[Tally, ...]
    streaks: tuple[int, ...]
    target_minutes_per_day: float

    def window(self, last: date, length: int) -> Window:
        """Return the *length* days that end with *last*, fewer where the history begins later."""
        end = (last - self.days[0].day).days + 1
        return Window(self.days[max(0, end - length) : end], self.streaks[end - 1], self.target_minutes_per_day)


def read_history(
    read: ReadTransaction, view: Viewpoint, first: date, last: date, *, with_created: bool = False
) -> History:
    """Return the local days *first* to *last*. What was created is counted only if asked for."""
    return history_of(read, view, read_attempts(read, view, first, last), first, last, with_created=with_created)


def history_of(
    read: ReadTransaction,
    view: Viewpoint,
    attempts: Iterable[Attempt],
    first: date,
    last: date,
    *,
    with_created: bool = False,
) -> History:
    """Return the days *first* to *last*, of which *attempts* are the completed instances."""
    by_day: defaultdict[date, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_day[attempt.day].append(attempt)
    cancelled = _count_by_day(read, view, "cancelled_at", first, last)
    created = _count_by_day(read, view, "created_at", first, last) if with_created else {}
    days = tuple(
        tally(day, by_day.get(day, ()), cancelled=cancelled.get(day, 0), created=created.get(day, 0))
        for day in dates(first, last)
    )
    before = read_streak_before(read, view, first)
    return History(days, streaks(days, before, view.profile.calendar), view.profile.target_minutes_per_day)


def tally(day: date, attempts: Sequence[Attempt], *, cancelled: int = 0, created: int = 0) -> Tally:
    """Return the sums of *attempts*, all completed on *day*."""
    if not attempts:
        return Tally(day, cancelled=cancelled, created=created)
    columns = [
        [value for value in column if value is not None]
        for column in zip(*(_averaged(measure(attempt)) for attempt in attempts), strict=True)
    ]
    minutes: defaultdict[str, list[float]] = defaultdict(list)
    for attempt in attempts:
        if attempt.actual_minutes is not None:
            minutes[attempt.kind].append(attempt.actual_minutes)
    return Tally(
        day,
        completed=len(attempts),
        cancelled=cancelled,
        created=created,
        self_care_completed=sum(attempt.kind == Kind.SELF_CARE for attempt in attempts),
        minutes_by_kind=tuple((kind.value, math.fsum(minutes[kind])) for kind in Kind if kind in minutes),
        minutes=tuple(value for values in minutes.values() for value in values),
        sums=tuple(math.fsum(column) for column in columns),
        counts=tuple(len(column) for column in columns),
    )


def streaks(days: Sequence[Tally], before: int, calendar: Calendar) -> tuple[int, ...]:
    """Return the streak as of each day: days in a row with a completion, up to it or to the day before it.

    *before* is the run that ends with the day before the first. A date that the zone skipped breaks no run.
    """
    found = []
    run = before
    for day in days:
        if day.completed:
            run += 1
            found.append(run)
        else:
            found.append(run)  # the day is not over: yesterday's run still stands
            run = 0 if calendar.exists(day.day) else run
    return tuple(found)


def read_streak_before(read: ReadTransaction, view: Viewpoint, day: date) -> int:
    """Return how many days in a row, ending with the one before *day*, have a completion. Reads no further back."""
    calendar = view.profile.calendar
    run = 0
    expected = day - ONE_DAY
    since = calendar.starts(day)
    with read.connection.execute(
        select(COMPLETED_AT).where(completed_within(view, last=expected)).order_by(COMPLETED_AT.desc())
    ) as rows:
        for (completed_at,) in rows:
            if completed_at >= since:
                continue  # another one on the day that was counted last
            while not calendar.exists(expected):
                expected -= ONE_DAY
            since = calendar.starts(expected)
            if completed_at < since:
                break
            run += 1
            expected -= ONE_DAY
    return run


def read_first_day(read: ReadTransaction, view: Viewpoint) -> date | None:
    """Return the first local day on which anything was created, completed or cancelled; None if nothing ever was."""
    moments = [
        read.connection.scalar(select(func.min(column)).where(Instance.user_id == view.user))
        for column in (Instance.created_at, Instance.completed_at, Instance.cancelled_at)
    ]
    return min((view.profile.calendar.day_of(moment) for moment in moments if moment is not None), default=None)


def read_active(read: ReadTransaction, view: Viewpoint) -> int:
    """Return the number of instances whose timer runs now."""
    return (
        read.connection.scalar(
            select(func.count()).where(Instance.user_id == view.user, Instance.state == State.ACTIVE)
        )
        or 0
    )


def dates(first: date, last: date) -> list[date]:
    """Return all dates from *first* to *last*."""
    return [first + ONE_DAY * place for place in range((last - first).days + 1)]


def _count_by_day(
    read: ReadTransaction,
    view: Viewpoint,
    name: Literal["cancelled_at", "created_at"],
    first: date,
    last: date,
) -> Mapping[date, int]:
    column = getattr(Instance, name)
    calendar = view.profile.calendar
    moments = read.connection.scalars(
        select(column)
        .where(
            Instance.user_id == view.user,
            column >= calendar.starts(first),
            column < calendar.starts(last + ONE_DAY),
        )
        .order_by(column)
    )
    return Counter(days_of(moments, calendar))
