"""Days, one after the other: what is counted on which, and streaks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calculations.series import read_active, read_first_day, read_streak_before
from data.days import calendar
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.history import Tally, read_history, streaks

MakeView = Callable[..., Viewpoint]
DAY = date(2026, 6, 10)
UTC_DAYS = calendar("UTC", "00:00")


def at(hour: int, *, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def days_ago(count: int) -> date:
    return DAY - timedelta(days=count)


def test_each_thing_counts_on_the_day_it_happened(records: Any, view: MakeView) -> None:
    records.completed(at(9), created_at=at(9, day=8))
    records.cancelled(at(9, day=9), created_at=at(9, day=8))
    history = read_history(records.read, view(), days_ago(2), DAY, with_created=True)
    assert [(day.created, day.cancelled, day.completed) for day in history.days] == [(2, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert [day.day for day in history.days] == [days_ago(2), days_ago(1), DAY]


def test_what_was_created_is_counted_only_if_asked_for(records: Any, view: MakeView) -> None:
    records.completed(at(9))
    assert read_history(records.read, view(), DAY, DAY).days[0].created == 0


def test_a_window_is_cut_out_of_the_history(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=9))
    history = read_history(records.read, view(target_minutes_per_day=100), days_ago(9), DAY)
    window = history.window(days_ago(1), 7)
    assert [day.day for day in window.days] == [days_ago(7 - place) for place in range(7)]
    assert (window.streak_days, window.target_minutes_per_day, window.active) == (1, 100, None)
    assert len(history.window(days_ago(8), 7).days) == 2, "no days before the history's first"


def test_today_breaks_no_streak_before_it_is_over() -> None:
    done = [1, 1, 0, 1, 1, 1, 0]
    days = [Tally(days_ago(6 - place), completed=count) for place, count in enumerate(done)]
    assert streaks(days, 4, UTC_DAYS) == (5, 6, 6, 1, 2, 3, 3)
    assert streaks(days[2:4], 0, UTC_DAYS) == (0, 1)


def test_the_streak_goes_back_beyond_what_is_looked_at(records: Any, view: MakeView) -> None:
    for day in (2, 5, 6, 7, 8, 9):
        records.completed(at(9, day=day))
        records.completed(at(8, day=day))
    assert read_streak_before(records.read, view(), DAY) == 5
    assert read_streak_before(records.read, view(), days_ago(4)) == 1
    assert read_streak_before(records.read, view(), days_ago(5)) == 0
    assert read_history(records.read, view(), days_ago(1), DAY).streaks == (5, 5)


@settings(deadline=None)
@given(st.sets(st.integers(0, 12)), st.integers(0, 12))
def test_the_streak_is_that_of_the_days_with_a_completion(
    new_records: Callable[[], Any], view: MakeView, done: set[int], first: int
) -> None:
    with new_records() as records:
        for ago in done:
            records.completed(at(9) - timedelta(days=ago))
        history = read_history(records.read, view(), days_ago(first), DAY)
    for ago, streak in zip(range(first, -1, -1), history.streaks, strict=True):
        start = ago if ago in done else ago + 1
        expected = 0
        while start + expected in done:
            expected += 1
        assert streak == expected


def test_a_date_that_the_zone_skipped_breaks_no_streak(records: Any, view: MakeView) -> None:
    for day in (29, 31):  # Apia went from the 29th to the 31st of December 2011
        records.completed(datetime(2011, 12, day, 12, tzinfo=calendar("Pacific/Apia", "00:00").zone).astimezone(UTC))
    apia = view(today=date(2012, 1, 1), time_zone="Pacific/Apia")
    assert read_streak_before(records.read, apia, date(2012, 1, 1)) == 2
    assert read_history(records.read, apia, date(2011, 12, 29), date(2011, 12, 31)).streaks[-1] == 2


@pytest.mark.parametrize("column", ["created_at", "completed_at", "cancelled_at"])
def test_the_first_day_is_that_of_the_first_record(records: Any, view: MakeView, column: str) -> None:
    assert read_first_day(records.read, view()) is None
    if column == "created_at":
        records.instance(created_at=at(9, day=3))
    elif column == "completed_at":
        records.completed(at(9, day=3), created_at=at(9))
    else:
        records.cancelled(at(9, day=3), created_at=at(9))
    records.of_user(2).completed(at(9, day=1))
    assert read_first_day(records.read, view()) == date(2026, 6, 3)


def test_only_running_timers_are_active(records: Any, view: MakeView) -> None:
    records.instance(state="active", started_at=at(9), resumed_at=at(9))
    records.instance(state="paused", started_at=at(9), paused_at=at(9))
    records.of_user(2).instance(state="active", started_at=at(9), resumed_at=at(9))
    assert read_active(records.read, view()) == 1
