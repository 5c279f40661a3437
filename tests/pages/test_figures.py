"""How numbers, times and dates are written."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from data.calculations.registry import METRICS
from data.preferences import Profile
from pages import figures
from pages.figures import Present
from pages.sparkline import sparkline

PROFILE = Profile(
    cache_mode=None,
    cache_backend=None,
    analytics_refresh="auto",
    time_zone="Europe/Berlin",
    day_start="00:00",
    first_weekday="mon",
    clock_hours=24,
    theme="auto",
    target_minutes_per_day=360.0,
    composite_weights={},
    recommendation_weights={},
    monitored_metrics=(),
    baseline="month",
)
NOW = datetime(2026, 11, 22, 15, 20, tzinfo=UTC)
PRESENT = Present(NOW, date(2026, 11, 22), PROFILE)


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (None, "minutes", "—"),
        (0, "minutes", "0 min"),
        (59.6, "minutes", "1 h"),
        (125, "minutes", "2 h 5 min"),
        (6001, "minutes", "100 h"),
        (2, "instances", "2"),
        (5.44, "instances", "5.4"),
        (1, "days", "1 day"),
        (365, "days", "365 days"),
        (83.4, "percent", "83%"),
        (62.5, "of 100", "62 of 100"),
        (47.2, "points", "+47 points"),
        (-3.4, "points", "−3 points"),
        (-0.2, "points", "0 points"),
        (1.84, "ratio", "1.8×"),
        (1234.5, "points per hour", "1,234 per hour"),
    ],
)
def test_a_value_with_its_unit(value: float | None, unit: str, written: str) -> None:
    assert figures.plain(value, unit) == written


def test_every_unit_of_the_registry_is_known() -> None:
    for metric in METRICS:
        assert figures.plain(12.3, metric.unit) != f"12 {metric.unit}" or metric.unit in ("of 100", "points", "days")


def test_a_measure_has_its_unit_in_a_lighter_tone() -> None:
    assert figures.measure(62, "of 100") == '<span class="figure">62</span><span class="unit"> of 100</span>'
    assert figures.measure(None, "of 100") == '<span class="figure">—</span>'


@pytest.mark.parametrize(
    ("passed", "written"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(hours=20), "yesterday 20:20"),
        (timedelta(days=3), "Thu 19 Nov 16:20"),
        (timedelta(days=400), "Sat 18 Oct 2025 17:20"),
    ],
)
def test_how_long_ago(passed: timedelta, written: str) -> None:
    assert figures.ago(NOW - passed, PRESENT) == written


def test_just_before_midnight_is_minutes_ago_and_not_yesterday() -> None:
    after = Present(datetime(2026, 11, 22, 23, 10, tzinfo=UTC), date(2026, 11, 23), PROFILE)
    assert figures.ago(datetime(2026, 11, 22, 22, 50, tzinfo=UTC), after) == "20 min ago"


@pytest.mark.parametrize(("hour", "written"), [(0, "12:05 am"), (11, "11:05 am"), (12, "12:05 pm"), (23, "11:05 pm")])
def test_twelve_hours(hour: int, written: str) -> None:
    profile = msgspec.structs.replace(PROFILE, clock_hours=12, time_zone="UTC")
    assert figures.clock_time(datetime(2026, 11, 22, hour, 5, tzinfo=UTC), profile) == written


def test_a_sparkline_draws_gaps_single_days_and_a_flat_course() -> None:
    drawn = sparkline([1, None, 3, 3, None], 2, "a course")
    assert drawn.count("M") == 4  # the level, two strokes, the dot
    assert "<title>a course</title>" in drawn
    assert "NaN" not in sparkline([5, 5, 5], None, "flat")


def test_there_is_no_course_of_a_single_value() -> None:
    assert sparkline([None, None, 4], 2, "one") == ""
    assert sparkline([], None, "none") == ""
