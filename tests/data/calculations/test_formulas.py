"""Each formula of one instance: worked by hand, then its range and what missing data does to it."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.calculations.both import formulas

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)

feelings = st.integers(0, 100)
felt_or_not = st.none() | feelings
minutes = st.none() | st.floats(0, 100_000)
percents = st.none() | st.floats(0, 200)


def within(value: float | None, least: float, most: float) -> bool:
    return value is None or least <= value <= most


def test_stress_is_the_mean_of_three_loads() -> None:
    assert formulas.stress(30, 60, 0) == 30


def test_net_wellbeing_is_relief_minus_stress() -> None:
    assert formulas.net_wellbeing(60, 30) == 30
    assert formulas.net_wellbeing_normalized(30) == 65
    assert formulas.net_wellbeing_normalized(-100) == 0


def test_stress_efficiency_does_not_divide_by_less_than_one() -> None:
    assert formulas.stress_efficiency(60, 30) == 2
    assert formulas.stress_efficiency(60, 0) == 60


def test_difficulty_is_the_mean_of_two_loads_and_aversion() -> None:
    assert formulas.difficulty(30, 60, 45) == 45


def test_time_accuracy_compares_with_the_longer_of_the_two() -> None:
    assert formulas.time_accuracy(45, 60) == 75
    assert formulas.time_accuracy(60, 45) == 75
    assert formulas.time_accuracy(60, 60) == 100


@pytest.mark.parametrize(("actual", "estimate"), [(0, 60), (60, 0), (None, 60), (60, None)])
def test_time_accuracy_needs_both_times(actual: float | None, estimate: float | None) -> None:
    assert formulas.time_accuracy(actual, estimate) is None


def test_delay_is_the_time_from_planning_to_starting() -> None:
    later = NOON + timedelta(minutes=90)
    assert formulas.delay_minutes(NOON, later, later + timedelta(hours=5)) == 90
    assert formulas.delay_minutes(NOON, None, later) == 90, "never started: to completing"
    assert formulas.delay_minutes(later, NOON, later) == 0, "logged afterwards"


def test_promptness_falls_to_a_third_in_a_day() -> None:
    assert formulas.promptness(0) == 100
    assert formulas.promptness(1440) == pytest.approx(100 / math.e)


@pytest.mark.parametrize(
    ("relief", "predicted", "surprise", "serendipity", "disappointment"),
    [(70, 40, 30, 30, 0), (40, 70, -30, 0, 30), (50, 50, 0, 0, 0), (None, 50, None, None, None)],
)
def test_surprise_is_either_serendipity_or_disappointment(
    relief: float | None,
    predicted: float | None,
    surprise: float | None,
    serendipity: float | None,
    disappointment: float | None,
) -> None:
    assert formulas.surprise(relief, predicted) == surprise
    assert formulas.serendipity(surprise) == serendipity
    assert formulas.disappointment(surprise) == disappointment


def test_aversion_drop_compares_with_the_first_time() -> None:
    assert formulas.aversion_drop(80, 45) == 35
    assert formulas.aversion_drop(45, 80) == -35


def test_relief_points_are_hours_of_relief_as_far_as_it_was_done() -> None:
    assert formulas.relief_points(60, 90, 50) == 45
    assert formulas.relief_points(100, 60, 100) == 100
    assert formulas.relief_points(60, 0, 100) == 0


def test_execution_weighs_four_parts() -> None:
    # 0.35 * 45 + 0.25 * 75 + 0.20 * 100 + 0.20 * 100
    assert formulas.execution(45, 75, 100, 150) == pytest.approx(74.5)


def test_execution_rescales_what_is_left() -> None:
    # (0.25 * 75 + 0.20 * 100) / 0.45
    assert formulas.execution(None, 75, 100, None) == pytest.approx(38.75 / 0.45)
    assert formulas.execution(None, None, None, None) is None


def test_grit_counts_earlier_completions_up_to_ten() -> None:
    # 0.5 * 40 + 0.3 * 10 + 0.2 * 30
    assert formulas.grit(40, 10, 3) == pytest.approx(29)
    assert formulas.grit(100, 100, 25) == 100


@settings(deadline=None)
@given(felt_or_not, felt_or_not, felt_or_not)
def test_what_needs_several_feelings_is_missing_when_one_of_them_is(
    first: int | None, second: int | None, third: int | None
) -> None:
    incomplete = None in (first, second, third)
    assert (formulas.stress(first, second, third) is None) == incomplete
    assert (formulas.difficulty(first, second, third) is None) == incomplete
    assert (formulas.net_wellbeing(first, second) is None) == (None in (first, second))
    assert (formulas.grit(first, second, 0) is None) == (None in (first, second))
    assert (formulas.aversion_drop(first, second) is None) == (None in (first, second))


@settings(deadline=None)
@given(
    felt_or_not, felt_or_not, felt_or_not, felt_or_not, felt_or_not, minutes, minutes, percents, st.integers(0, 10**6)
)
def test_every_formula_stays_in_its_range(
    relief: int | None,
    mental: int | None,
    emotional: int | None,
    physical: int | None,
    aversion: int | None,
    actual: float | None,
    estimate: float | None,
    percent: float | None,
    earlier: int,
) -> None:
    stress = formulas.stress(mental, emotional, physical)
    net = formulas.net_wellbeing(relief, stress)
    surprise = formulas.surprise(relief, emotional)
    difficulty = formulas.difficulty(mental, emotional, aversion)
    accuracy = formulas.time_accuracy(actual, estimate)
    assert within(stress, 0, 100)
    assert within(net, -100, 100)
    assert within(formulas.net_wellbeing_normalized(net), 0, 100)
    assert within(formulas.stress_efficiency(relief, stress), 0, 100)
    assert within(difficulty, 0, 100)
    assert within(accuracy, 0, 100)
    assert within(surprise, -100, 100)
    assert within(formulas.serendipity(surprise), 0, 100)
    assert within(formulas.disappointment(surprise), 0, 100)
    assert within(formulas.relief_points(relief, actual, percent), 0, math.inf)
    assert within(formulas.execution(difficulty, accuracy, 100, percent), 0, 100)
    assert within(formulas.grit(aversion, formulas.disappointment(surprise), earlier), 0, 100)


@settings(deadline=None)
@given(st.datetimes(), st.none() | st.datetimes(), st.datetimes())
def test_a_delay_is_never_negative(created: datetime, started: datetime | None, completed: datetime) -> None:
    moments = [None if moment is None else moment.replace(tzinfo=UTC) for moment in (created, started, completed)]
    delay = formulas.delay_minutes(*moments)  # type: ignore[arg-type]
    assert delay >= 0
    assert 0 <= formulas.promptness(delay) <= 100
