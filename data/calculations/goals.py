"""The goal of the week: productive hours of the calendar week so far, against what the user means to do.

Not cached: a page calls it with the goal at hand.
"""

from datetime import date

import msgspec
from sqlalchemy import func, select

from data.calculations.completed import completed_within
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import WEEKDAYS, Instance, Kind, Task
from data.viewpoint import Viewpoint

DAYS_OF_WEEK = 7


class WeekGoal(msgspec.Struct, frozen=True):
    """Productive minutes (work and self-care) of the 7 days from `first_day` on, up to today.

    `days_passed` counts the finished days, 0-6. `expected_minutes` is the goal's share of these, `pace` what was done
    by the end of them as percent of that share, above 100 when ahead; None on the first day and without a goal.
    `projected_minutes` is where the week ends if the rest goes on like the finished days, None on the first day; never
    less than what is done already. `share` is what is done as percent of the goal, None without one.
    """

    first_day: date
    today: date
    goal_minutes: float
    productive_minutes: float
    minutes_by_day: tuple[float, ...]
    days_passed: int
    share: float | None
    expected_minutes: float
    pace: float | None
    projected_minutes: float | None
    remaining_minutes: float
    needed_minutes_per_day: float


def week_goal(read: ReadTransaction, view: Viewpoint, goal_hours: float) -> WeekGoal:
    """Return how the user's week stands against *goal_hours*. The week begins on the weekday of their choice.

    `minutes_by_day` runs from the week's first day to today. `needed_minutes_per_day` is what remains, spread over the
    days that are left, today included.

    Raises:
        ValueError: the goal is negative.
    """
    if not goal_hours >= 0:
        raise ValueError(f"goal {goal_hours:g} hours: expected a number that is not negative")
    passed = (view.today.weekday() - WEEKDAYS.index(view.profile.first_weekday)) % DAYS_OF_WEEK
    first = view.today - ONE_DAY * passed
    by_day = [_productive(read, view, first + ONE_DAY * place) for place in range(passed + 1)]
    done, finished = sum(by_day), sum(by_day[:passed])
    goal = 60 * goal_hours
    expected = goal * passed / DAYS_OF_WEEK
    remaining = max(0.0, goal - done)
    return WeekGoal(
        first_day=first,
        today=view.today,
        goal_minutes=goal,
        productive_minutes=done,
        minutes_by_day=tuple(by_day),
        days_passed=passed,
        share=100 * done / goal if goal else None,
        expected_minutes=expected,
        pace=100 * finished / expected if expected else None,
        projected_minutes=max(done, finished / passed * DAYS_OF_WEEK) if passed else None,
        remaining_minutes=remaining,
        needed_minutes_per_day=remaining / (DAYS_OF_WEEK - passed),
    )


def _productive(read: ReadTransaction, view: Viewpoint, day: date) -> float:
    return (
        read.connection.scalar(
            select(func.sum(Instance.actual_minutes))
            .join_from(Instance, Task, (Task.user_id == Instance.user_id) & (Task.id == Instance.task_id))
            .where(completed_within(view, day, day), Task.kind.in_([Kind.WORK, Kind.SELF_CARE]))
        )
        or 0.0
    )
