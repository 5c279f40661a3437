"""The goal of the week: what was done, whether that is fast enough, and where it leads."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calculations.goals import week_goal
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
WEDNESDAY = date(2026, 6, 10)
MONDAY = datetime(2026, 6, 8, 9, tzinfo=UTC)


def test_the_week_by_hand(records: Any, view: MakeView) -> None:
    records.task("care", kind="self_care")
    records.task("game", kind="play")
    records.completed(MONDAY - timedelta(days=1), actual_minutes=500.0)  # last week
    records.completed(MONDAY, actual_minutes=240.0)
    records.completed(MONDAY + timedelta(days=1), "care", actual_minutes=60.0)
    records.completed(MONDAY + timedelta(days=1), "game", actual_minutes=999.0)
    records.completed(MONDAY + timedelta(days=2), actual_minutes=120.0)
    week = week_goal(records.read, view(today=WEDNESDAY), 30.0)
    assert (week.first_day, week.today, week.days_passed) == (date(2026, 6, 8), WEDNESDAY, 2)
    assert week.minutes_by_day == (240, 60, 120)
    assert (week.goal_minutes, week.productive_minutes, week.remaining_minutes) == (1800, 420, 1380)
    assert week.share == pytest.approx(100 * 420 / 1800)
    assert week.expected_minutes == pytest.approx(1800 * 2 / 7)
    assert week.pace == pytest.approx(100 * 300 / (1800 * 2 / 7))
    assert week.projected_minutes == 1050  # 150 on each finished day
    assert week.needed_minutes_per_day == pytest.approx(1380 / 5)


def test_on_the_first_day_there_is_no_pace_yet(records: Any, view: MakeView) -> None:
    records.completed(MONDAY, actual_minutes=90.0)
    week = week_goal(records.read, view(today=MONDAY.date()), 10.0)
    assert (week.productive_minutes, week.days_passed, week.pace, week.projected_minutes) == (90, 0, None, None)


def test_without_a_goal_there_is_no_share(records: Any, view: MakeView) -> None:
    week = week_goal(records.read, view(today=WEDNESDAY), 0.0)
    assert (week.share, week.pace, week.remaining_minutes) == (None, None, 0)


def test_a_goal_below_nothing_is_refused(records: Any, view: MakeView) -> None:
    with pytest.raises(ValueError, match="goal -1 hours: expected a number that is not negative"):
        week_goal(records.read, view(), -1.0)


def test_the_week_begins_when_the_user_says(records: Any, view: MakeView) -> None:
    records.completed(MONDAY - timedelta(days=1), actual_minutes=30.0)
    sunday = week_goal(records.read, view(today=WEDNESDAY, first_weekday="sun"), 30.0)
    assert (sunday.first_day, sunday.days_passed, sunday.productive_minutes) == (date(2026, 6, 7), 3, 30)


def test_the_day_is_the_users_own(records: Any, view: MakeView) -> None:
    records.completed(datetime(2026, 6, 7, 16, tzinfo=UTC), actual_minutes=30.0)  # Monday 04:00 in Auckland
    for day_start, minutes in (("00:00", 30), ("05:00", 0)):
        seen = view(today=date(2026, 6, 8), time_zone="Pacific/Auckland", day_start=day_start)
        assert week_goal(records.read, seen, 30.0).productive_minutes == minutes


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10), st.none() | st.floats(0, 600)), max_size=12), st.floats(0, 100))
def test_what_is_done_is_the_sum_of_its_days_and_projected_at_least(
    new_records: Callable[[], Any], view: MakeView, done: list[tuple[int, float | None]], goal: float
) -> None:
    with new_records() as records:
        for days_ago, minutes in done:
            records.completed(MONDAY + timedelta(days=2 - days_ago), actual_minutes=minutes)
        week = week_goal(records.read, view(today=WEDNESDAY), goal)
    own = [minutes or 0.0 for days_ago, minutes in done if days_ago <= 2]
    assert week.productive_minutes == pytest.approx(sum(own))
    assert sum(week.minutes_by_day) == pytest.approx(week.productive_minutes)
    assert week.projected_minutes is not None
    assert week.projected_minutes >= week.productive_minutes
    assert week.remaining_minutes >= 0
