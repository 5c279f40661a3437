"""The week against its goal: productive hours (work and self-care), the pace, and where that leads.

Not cached: it is computed whenever it is shown. The goal is a preference of the user.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

import msgspec
from sqlalchemy import select

from data.calculations.completed import COMPLETED_AT, completed_within
from data.calculations.series import dates
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import WEEKDAYS, Instance, Kind, Task
from data.viewpoint import Viewpoint

DAYS_OF_WEEK = 7
WEEKS_SHOWN = 8
PRODUCTIVE = (Kind.WORK, Kind.SELF_CARE)


class GoalDay(msgspec.Struct, frozen=True):
    """The productive minutes of one local day."""

    day: date
    work: float
    self_care: float

    @property
    def minutes(self) -> float:
        """Of both kinds."""
        return self.work + self.self_care


class GoalWeek(msgspec.Struct, frozen=True):
    """One week, all in minutes.

    `elapsed_days` is how much of it is over, 0-7: its finished days, and of today the part up to the present hour.
    `pace` is what the goal asks for by then, `projection` what the week comes to if it goes on as it began; None until
    a whole day is over, and for a week that is over or has not begun. `before` are the sums of the weeks that led up
    to it, oldest first, as pairs of first day and minutes.
    """

    today: date
    goal: float
    days: tuple[GoalDay, ...]
    elapsed_days: float
    pace: float
    projection: float | None
    before: tuple[tuple[date, float], ...]

    @property
    def first(self) -> date:
        """Its first day."""
        return self.days[0].day

    @property
    def done(self) -> float:
        """The productive minutes so far."""
        return sum(day.minutes for day in self.days)

    @property
    def is_over(self) -> bool:
        """Whether all of its days are finished."""
        return self.days[-1].day < self.today

    @property
    def days_left(self) -> int:
        """How many of its days are not over, today included."""
        return sum(day.day >= self.today for day in self.days)

    @property
    def per_day_left(self) -> float | None:
        """What every remaining day, today included, has to bring; None if the goal is reached or the week is over."""
        if not self.days_left or self.done >= self.goal:
            return None
        return (self.goal - self.done) / self.days_left


def load_week(read: ReadTransaction, view: Viewpoint, goal_hours_per_week: float, day: date | None = None) -> GoalWeek:
    """Return the week that *day* (None: today) lies in, by the user's first day of the week."""
    first = first_of_week(day or view.today, view.profile.first_weekday)
    last = first + ONE_DAY * (DAYS_OF_WEEK - 1)
    earliest = first - ONE_DAY * DAYS_OF_WEEK * (WEEKS_SHOWN - 1)
    minutes = _read_minutes(read, view, earliest, last)
    days = tuple(
        GoalDay(one, minutes.get((one, Kind.WORK), 0.0), minutes.get((one, Kind.SELF_CARE), 0.0))
        for one in dates(first, last)
    )
    elapsed = _elapsed(view, first)
    goal = goal_hours_per_week * 60
    done = sum(one.minutes for one in days)
    return GoalWeek(
        today=view.today,
        goal=goal,
        days=days,
        elapsed_days=elapsed,
        pace=goal * elapsed / DAYS_OF_WEEK,
        projection=done / elapsed * DAYS_OF_WEEK if 1 <= elapsed < DAYS_OF_WEEK else None,
        before=tuple(_sums(minutes, earliest)),
    )


def first_of_week(day: date, first_weekday: str) -> date:
    """Return the first day of the week that *day* lies in; *first_weekday* is one of `WEEKDAYS`."""
    return day - ONE_DAY * ((day.weekday() - WEEKDAYS.index(first_weekday)) % DAYS_OF_WEEK)


def _sums(minutes: Mapping[tuple[date, str], float], earliest: date) -> list[tuple[date, float]]:
    starts = [earliest + timedelta(weeks=number) for number in range(WEEKS_SHOWN - 1)]
    return [
        (start, sum(minutes.get((day, kind), 0.0) for day in dates(start, start + ONE_DAY * 6) for kind in PRODUCTIVE))
        for start in starts
    ]


def _elapsed(view: Viewpoint, first: date) -> float:
    finished = (view.today - first).days
    if not 0 <= finished < DAYS_OF_WEEK:
        return 0.0 if finished < 0 else float(DAYS_OF_WEEK)
    calendar = view.profile.calendar
    began, ends = calendar.starts(view.today), calendar.starts(view.today + ONE_DAY)
    return finished + min(1.0, max(0.0, (view.hour - began) / (ends - began)))


def _read_minutes(read: ReadTransaction, view: Viewpoint, first: date, last: date) -> dict[tuple[date, str], float]:
    """Return `{(day, kind): minutes}` of what was completed on these days and is productive."""
    rows = read.connection.execute(
        select(COMPLETED_AT, Task.kind, Instance.actual_minutes)
        .join(Task, (Task.user_id == Instance.user_id) & (Task.id == Instance.task_id))
        .where(completed_within(view, first, last), Task.kind.in_(PRODUCTIVE), Instance.actual_minutes.is_not(None))
        .order_by(COMPLETED_AT, Instance.id)
    ).all()
    found: defaultdict[tuple[date, str], float] = defaultdict(float)
    for completed_at, kind, minutes in rows:
        found[view.profile.calendar.day_of(completed_at), kind] += minutes or 0.0
    return dict(found)
