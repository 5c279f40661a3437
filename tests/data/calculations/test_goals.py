"""The week against its goal: which days it has, what counts, and where the pace leads."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from data.calculations.goals import first_of_week, load_week
from data.viewpoint import Viewpoint
from tests.data.calculations.conftest import Records

View = Callable[..., Viewpoint]

WEDNESDAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_only_work_and_self_care_of_this_week_and_this_user_count(records: Records, view: View) -> None:
    records.task("care", kind="self_care")
    records.task("play", kind="play")
    records.completed(NOON, actual_minutes=90.0)
    records.completed(NOON, "care", actual_minutes=30.0)
    records.completed(NOON, "play", actual_minutes=500.0)
    records.completed(NOON - timedelta(days=7), actual_minutes=45.0)
    records.completed(NOON, actual_minutes=None)
    records.cancelled(NOON)
    records.of_user(2).completed(NOON, "theirs", actual_minutes=1000.0)
    week = load_week(records.read, view(), 20)
    assert week.done == 120
    assert [(day.work, day.self_care) for day in week.days] == [
        (0, 0),
        (0, 0),
        (90, 30),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 0),
    ]
    assert week.before[-1] == (date(2026, 6, 1), 45.0)
    assert len(week.before) == 7


def test_the_pace_is_the_share_of_the_week_that_is_over_and_the_projection_goes_on_as_it_began(
    records: Records, view: View
) -> None:
    records.completed(NOON - timedelta(days=2), actual_minutes=300.0)
    week = load_week(records.read, view(), 28)  # Wednesday noon: two and a half days are over
    assert week.elapsed_days == 2.5
    assert week.pace == 28 * 60 * 2.5 / 7
    assert week.projection == 300 / 2.5 * 7
    assert week.per_day_left == (28 * 60 - 300) / 5  # Wednesday to Sunday


def test_before_a_day_is_over_there_is_no_projection(records: Records, view: View) -> None:
    monday = datetime(2026, 6, 8, 23, tzinfo=UTC)
    assert load_week(records.read, view(monday.date(), monday), 30).projection is None


def test_a_week_that_is_over_stands_still(records: Records, view: View) -> None:
    records.completed(NOON - timedelta(days=7), actual_minutes=600.0)
    week = load_week(records.read, view(), 5, WEDNESDAY - timedelta(days=7))
    assert week.is_over
    assert (week.elapsed_days, week.pace, week.projection, week.per_day_left) == (7, 300, None, None)


def test_a_goal_of_nothing_is_reached(records: Records, view: View) -> None:
    week = load_week(records.read, view(), 0)
    assert (week.goal, week.pace, week.per_day_left) == (0, 0, None)


def test_days_are_the_users_own(records: Records, view: View) -> None:
    records.completed(datetime(2026, 6, 8, 1, tzinfo=UTC), actual_minutes=60.0)  # Monday 01:00 UTC
    assert load_week(records.read, view(), 30).done == 60
    assert load_week(records.read, view(day_start="03:00"), 30).done == 0  # still Sunday
    assert load_week(records.read, view(time_zone="America/New_York"), 30).done == 0


@pytest.mark.parametrize(("start", "first"), [("mon", 8), ("sun", 7), ("sat", 6), ("wed", 10), ("thu", 4)])
def test_a_week_begins_where_its_user_says(start: str, first: int) -> None:
    assert first_of_week(WEDNESDAY, start) == date(2026, 6, first)
    assert first_of_week(date(2026, 6, first), start) == date(2026, 6, first)
