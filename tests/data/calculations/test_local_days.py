"""Which day something counts for, in the numbers: days of 23 and 25 hours, travel, a day that starts late."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cache.values import ANALYTICS_RELIEF_SUMMARY, ANALYTICS_TRENDS, SUMMARY_DAILY
from data import instances, preferences, tasks
from data.calculations.dashboard import load_metrics
from data.calculations.relief import load_relief_summary
from data.calculations.series import read_series
from data.fields import Feelings
from data.viewpoint import Viewpoint
from tests.house import Clock, open_house

MakeView = Callable[..., Viewpoint]
BERLIN = ZoneInfo("Europe/Berlin")


def wall(*moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[misc, arg-type]


def completed_by_day(records: Any, seen: Viewpoint, first: date, last: date) -> list[float]:
    series = read_series(records.read, seen, first, last)
    return list(series.windows(first, last, 1).total("completed"))


def test_a_day_of_23_hours_has_what_was_done_in_them(records: Any, view: MakeView) -> None:
    for moment in (wall(2026, 3, 28, 23, 59), wall(2026, 3, 29, 0, 0), wall(2026, 3, 29, 23, 59), wall(2026, 3, 30, 0)):
        records.completed(moment)
    seen = view(today=date(2026, 3, 30), time_zone="Europe/Berlin")
    assert seen.profile.calendar.starts(date(2026, 3, 30)) - seen.profile.calendar.starts(date(2026, 3, 29)) == (
        timedelta(hours=23)
    )
    assert completed_by_day(records, seen, date(2026, 3, 28), date(2026, 3, 30)) == [1, 2, 1]


def test_an_hour_that_comes_twice_is_one_hour_of_the_week(records: Any, view: MakeView) -> None:
    for fold in (0, 1):
        records.completed(wall(2026, 10, 25, 2, 30, fold=fold))
    records.completed(wall(2026, 10, 25, 3, 0))
    seen = view(today=date(2026, 10, 26), time_zone="Europe/Berlin")
    sunday = load_relief_summary(records.read, seen).grid[6]
    assert [(hour, cell.completed) for hour, cell in enumerate(sunday) if cell.completed] == [(2, 2), (3, 1)]
    assert completed_by_day(records, seen, date(2026, 10, 25), date(2026, 10, 25)) == [3]


def test_a_night_belongs_to_the_day_before_where_days_start_late(records: Any, view: MakeView) -> None:
    records.completed(datetime(2026, 6, 2, 1, tzinfo=UTC))  # Tuesday
    late = view(today=date(2026, 6, 2), day_start="03:00")
    assert completed_by_day(records, late, date(2026, 6, 1), date(2026, 6, 2)) == [1, 0]
    assert load_relief_summary(records.read, late).grid[0][1].completed == 1  # Monday, one o'clock
    assert load_relief_summary(records.read, view(today=date(2026, 6, 2))).grid[1][1].completed == 1


def test_a_month_begins_where_the_user_is(records: Any, view: MakeView) -> None:
    records.completed(datetime(2026, 5, 31, 16, tzinfo=UTC))
    for zone, by_day in (("UTC", [1, 0]), ("Asia/Tokyo", [0, 1]), ("America/New_York", [1, 0])):
        seen = view(today=date(2026, 6, 2), time_zone=zone)
        assert completed_by_day(records, seen, date(2026, 5, 31), date(2026, 6, 1)) == by_day


def test_a_streak_is_one_of_local_days(records: Any, view: MakeView) -> None:
    for hours in (0, 20, 47, 70):  # in UTC the days 1, 1, 3, 3
        records.completed(datetime(2026, 6, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
    for zone, streak in (("UTC", 1), ("Pacific/Honolulu", 4)):
        seen = view(today=date(2026, 6, 3), time_zone=zone)
        assert load_metrics(records.read, seen).card("streak_days").value == streak


@pytest.mark.parametrize(
    "changed", [{"time_zone": "Pacific/Auckland"}, {"time_zone": "America/Los_Angeles"}, {"day_start": "11:00"}]
)
def test_who_travels_sees_all_numbers_by_the_new_days(tmp_path: Path, changed: dict[str, str]) -> None:
    with open_house(tmp_path, clock=Clock(datetime(2026, 5, 30, 10, tzinfo=UTC))) as house:
        task = tasks.create(house.database, house.user, name="often")
        for hours in (6, 7, 5, 13, 9, 20):
            house.clock.advance(hours=hours)
            one = instances.plan(house.database, house.user, task)
            instances.complete(house.database, house.user, one, actual=Feelings(relief=hours), actual_minutes=10.0)
        values = (ANALYTICS_RELIEF_SUMMARY, ANALYTICS_TRENDS, SUMMARY_DAILY)
        with house.manager.snapshot(house.user) as snapshot:
            at_home = [snapshot.get(value) for value in values]
        preferences.change(house.database, house.user, **changed)
        with house.manager.snapshot(house.user) as snapshot:
            away = [snapshot.get(value) for value in values]
            assert away == [snapshot.load(value) for value in values]
        assert away[0] != at_home[0]
        preferences.change(house.database, house.user, time_zone="UTC", day_start="00:00")
        with house.manager.snapshot(house.user) as snapshot:
            assert [snapshot.get(value) for value in values] == at_home
