"""Metrics of windows: a week worked by hand, then every metric against plain code on random weeks."""

import math
import statistics
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.calculations.both import METRICS, windows
from tests.data.calculations.reference.attempts import Attempt
from tests.data.calculations.reference.history import AVERAGED, Tally, Window, tally
from tests.data.calculations.reference.measures import measure

MakeAttempt = Callable[..., Attempt]

BY_NAME = {metric.name: metric for metric in METRICS}
MONDAY = date(2026, 6, 8)
SUNDAY = MONDAY + timedelta(days=6)


def window_of(attempts: Sequence[Attempt], *, days: int = 7, cancelled: int = 0, target: float = 360) -> Window:
    all_days = [MONDAY + timedelta(days=place) for place in range(days)]
    tallies = [tally(day, [one for one in attempts if one.day == day], cancelled=cancelled) for day in all_days]
    return Window(tuple(tallies), streak_days=0, target_minutes_per_day=target)


@pytest.fixture
def week(attempt: MakeAttempt) -> Window:
    """Monday: 2 h of work and 1 h of self-care. Tuesday: 4 h of work, 10 h of sleep. Nothing else."""
    tuesday = MONDAY + timedelta(days=1)
    return window_of(
        [
            attempt(day=MONDAY, actual_minutes=120.0, relief=60, predicted_relief=80, completion_percent=100.0),
            attempt(day=MONDAY, actual_minutes=60.0, kind="self_care", relief=90, completion_percent=50.0),
            attempt(day=tuesday, actual_minutes=240.0, relief=30, predicted_relief=20),
            attempt(day=tuesday, actual_minutes=600.0, kind="sleep"),
        ]
    )


def test_counts(week: Window) -> None:
    assert windows.completed(week) == 4
    assert windows.cancelled(week) == 0
    assert windows.completion_rate(week) == 100


def test_the_completion_rate_is_of_what_came_to_an_end(attempt: MakeAttempt) -> None:
    assert windows.completion_rate(window_of([attempt(day=MONDAY)], days=1, cancelled=3)) == 25
    assert windows.completion_rate(window_of([], days=1, cancelled=3)) == 0
    assert windows.completion_rate(window_of([], days=1)) is None


def test_minutes_by_kind(week: Window) -> None:
    assert windows.minutes_work(week) == 360
    assert windows.minutes_self_care(week) == 60
    assert windows.minutes_play(week) == 0
    assert windows.productive_minutes(week) == 420
    assert windows.median_minutes(week) == 180


def test_sleep_counts_at_most_eight_hours_a_day(week: Window) -> None:
    assert windows.minutes_sleep(week) == 480


def test_averages_are_over_the_instances_that_have_the_number(week: Window) -> None:
    assert windows.mean_of("relief")(week) == 60
    assert windows.prediction_bias(week) == 5  # (20 - 10) / 2
    assert windows.mean_of("stress")(week) is None


def test_relief_per_hour_leaves_out_hours_without_points(week: Window) -> None:
    # 60 * 2 h + 90 * 1 h * 50% = 165 points in 3 h; the others have no relief or no percentage
    assert windows.relief_per_hour(week) == 55


def test_tracking_consistency_counts_every_day(week: Window) -> None:
    monday, tuesday = 100 * (1 - math.exp(-2 * 180 / 1440)), 100 * (1 - math.exp(-2 * 720 / 1440))
    assert windows.tracking_consistency(week) == pytest.approx((monday + tuesday) / 7)


def test_work_volume_is_held_against_the_target(week: Window) -> None:
    assert windows.work_volume(week) == pytest.approx(100 * 360 / 7 / 360)


def test_work_volume_without_a_target_is_no_number(attempt: MakeAttempt) -> None:
    attempts = [attempt(day=MONDAY, actual_minutes=60.0)]
    assert windows.work_volume(window_of(attempts, target=0)) is None
    assert windows.work_volume(window_of(attempts, target=5)) == 100
    assert windows.work_volume(window_of(attempts, target=5e-324)) == 100


def test_work_consistency_falls_with_uneven_days(attempt: MakeAttempt, week: Window) -> None:
    even = [attempt(day=MONDAY + timedelta(days=place), actual_minutes=90.0) for place in range(7)]
    assert windows.work_consistency(window_of(even)) == 100
    assert windows.work_consistency(week) == 0
    two = [attempt(day=MONDAY, actual_minutes=60.0), attempt(day=MONDAY + timedelta(days=1), actual_minutes=100.0)]
    # mean 80, sample standard deviation sqrt(800)
    assert windows.work_consistency(window_of(two, days=2)) == pytest.approx(100 * (1 - math.sqrt(800) / 80))
    assert windows.work_consistency(window_of(two, days=1)) is None


def test_life_balance_is_best_half_and_half(week: Window) -> None:
    assert windows.life_balance(week) == pytest.approx(100 * (1 - 300 / 420))


def test_self_care_twice_a_day_is_all_one_can_do(week: Window, attempt: MakeAttempt) -> None:
    assert windows.self_care_frequency(week) == pytest.approx(50 / 7)
    often = [attempt(day=MONDAY, kind="self_care")] * 3
    assert windows.self_care_frequency(window_of(often, days=1)) == 100


def test_weekly_relief_looks_at_seven_days_only(week: Window, attempt: MakeAttempt) -> None:
    expected = 100 * (1 - math.exp(-165 / 1000))
    assert windows.weekly_relief(week) == pytest.approx(expected)
    before = tally(
        MONDAY - timedelta(days=1),
        [attempt(day=MONDAY - timedelta(days=1), relief=99, actual_minutes=999.0, completion_percent=100.0)],
    )
    assert windows.weekly_relief(Window((before, *week.days), 0, 360)) == pytest.approx(expected)


def test_without_data_only_counts_and_minutes_are_numbers() -> None:
    empty = window_of([])
    zeros = {metric.name for metric in METRICS if metric.calculate(empty) == 0}
    assert zeros == {
        "completed",
        "cancelled",
        "created",
        "streak_days",
        "minutes_work",
        "minutes_play",
        "minutes_self_care",
        "minutes_sleep",
        "productive_minutes",
    }
    assert all(metric.calculate(empty) is None for metric in METRICS if metric.name not in zeros)


feelings = st.none() | st.integers(0, 100)
seconds = st.integers(0, 60_000).map(lambda count: count / 60)  # in minutes
weeks = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.integers(0, 6).map(lambda place: MONDAY + timedelta(days=place)),
            "kind": st.sampled_from(["work", "play", "self_care", "sleep", "other"]),
            "predicted_relief": feelings,
            "predicted_aversion": feelings,
            "motivation": feelings,
            "relief": feelings,
            "mental_load": feelings,
            "emotional_load": feelings,
            "physical_load": feelings,
            "aversion": feelings,
            "estimate_minutes": st.none() | seconds,
            "actual_minutes": st.none() | seconds,
            "completion_percent": st.none() | st.integers(0, 200),
            "earlier_completions": st.integers(0, 30),
        }
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(rows=weeks, cancelled=st.integers(0, 3), target=st.floats(0, 1440))
def test_every_metric_stays_in_the_range_that_the_registry_states(
    attempt: MakeAttempt, rows: list[dict[str, object]], cancelled: int, target: float
) -> None:
    window = window_of([attempt(**row) for row in rows], cancelled=cancelled, target=target)
    for metric in METRICS:
        value = metric.calculate(window)
        if value is not None:
            assert math.isfinite(value)
            assert metric.least is None or value >= metric.least - 1e-9, metric.name
            assert metric.most is None or value <= metric.most + 1e-9, metric.name


@settings(max_examples=40, deadline=None)
@given(rows=weeks)
def test_every_metric_is_what_plain_code_makes_of_the_same_week(
    attempt: MakeAttempt, rows: list[dict[str, object]]
) -> None:
    attempts = [attempt(**row) for row in rows]
    window = window_of(attempts)
    expected = plainly(attempts)
    for name, value in expected.items():
        found = BY_NAME[name].calculate(window)
        assert found == (None if value is None else pytest.approx(value, abs=1e-9)), name
    assert expected.keys() == BY_NAME.keys() - {"cancelled", "created", "active", "streak_days", "completion_rate"}


@settings(max_examples=40, deadline=None)
@given(rows=weeks)
def test_sums_of_days_do_not_depend_on_the_order_of_instances(
    attempt: MakeAttempt, rows: list[dict[str, object]]
) -> None:
    attempts = [attempt(**row) for row in rows]
    there, back = window_of(attempts), window_of(attempts[::-1])
    for metric in METRICS:
        assert metric.calculate(there) == metric.calculate(back), metric.name


def test_a_tally_sums_only_what_measures_have(attempt: MakeAttempt) -> None:
    assert set(AVERAGED) <= set(type(measure(attempt())).__struct_fields__)
    assert len(Tally(MONDAY).sums) == len(Tally(MONDAY).counts) == len(AVERAGED)


def plainly(attempts: Sequence[Attempt]) -> dict[str, float | None]:
    """The glossary's formulas over one week, as directly as they can be written down."""

    def average(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    def by_day(kind: str | None) -> list[float]:
        days = []
        for place in range(7):
            day = [one for one in attempts if one.day == MONDAY + timedelta(days=place) and one.actual_minutes]
            total = 0.0
            for each in ("work", "play", "self_care", "sleep", "other"):
                minutes = sum(one.actual_minutes or 0 for one in day if one.kind == each)
                total += (min(480, minutes) if each == "sleep" else minutes) if kind in (None, each) else 0
            days.append(total)
        return days

    measures = [measure(one) for one in attempts]
    work, play, care, sleep = (sum(by_day(kind)) for kind in ("work", "play", "self_care", "sleep"))
    lengths = [one.actual_minutes for one in attempts if one.actual_minutes is not None]
    rated = [(m.relief_points, one.actual_minutes) for one, m in zip(attempts, measures, strict=True)]
    points = [(got, spent or 0) for got, spent in rated if got is not None]
    hours = sum(spent for _, spent in points) / 60
    deviation, average_work = statistics.stdev(by_day("work")), work / 7
    return {
        "completed": len(attempts),
        "minutes_work": work,
        "minutes_play": play,
        "minutes_self_care": care,
        "minutes_sleep": sleep,
        "productive_minutes": work + care,
        "median_minutes": statistics.median(lengths) if lengths else None,
        **{
            name: average([getattr(m, name.removeprefix("avg_")) for m in measures])
            for name in BY_NAME
            if name.startswith("avg_")
        },
        "relief_per_hour": sum(got for got, _ in points) / hours if hours else None,
        "prediction_bias": average(
            [
                one.predicted_relief - one.relief
                for one in attempts
                if one.predicted_relief is not None and one.relief is not None
            ]
        ),
        "aversion_bias": average(
            [
                one.predicted_aversion - one.aversion
                for one in attempts
                if one.predicted_aversion is not None and one.aversion is not None
            ]
        ),
        "tracking_consistency": (
            sum(100 * (1 - math.exp(-2 * tracked / 1440)) for tracked in by_day(None)) / 7 if attempts else None
        ),
        "work_volume": min(100, 100 * work / 7 / 360) if attempts else None,
        "work_consistency": 100 * max(0, 1 - deviation / average_work) if work else None,
        "life_balance": 100 * (1 - abs(work - play - care) / (work + play + care)) if work + play + care else None,
        "self_care_frequency": (
            min(100, 50 * sum(one.kind == "self_care" for one in attempts) / 7) if attempts else None
        ),
        "weekly_relief": 100 * (1 - math.exp(-sum(got for got, _ in points) / 1000)) if points else None,
    }
