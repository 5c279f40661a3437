"""The composite score: its twelve components, its weights, and who drops out."""

import math
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calculations.composite import COMPONENTS, combine
from tests.data.calculations.both import composite_of
from tests.data.calculations.reference.attempts import Attempt
from tests.data.calculations.reference.history import Window, tally

MONDAY = date(2026, 6, 8)


def test_the_twelve_components_worked_by_hand(attempt: Callable[..., Attempt]) -> None:
    done = attempt(
        day=MONDAY,
        actual_minutes=420.0,
        estimate_minutes=420.0,
        relief=60,
        mental_load=30,
        emotional_load=60,
        physical_load=0,
        aversion=45,
        completion_percent=100.0,
    )
    days = [tally(MONDAY, [done], cancelled=1)]
    days += [tally(MONDAY + timedelta(days=place), []) for place in range(1, 7)]
    composite = composite_of(Window(tuple(days), 1, 360.0), {})
    values = {part.name: part.value for part in composite.parts}
    assert values == {
        "tracking_consistency": pytest.approx(100 * (1 - math.exp(-840 / 1440)) / 7),
        "low_stress": 70,
        "net_wellbeing_normalized": 65,
        "stress_efficiency_score": pytest.approx(200 / 3),
        "avg_relief": 60,
        "work_volume": pytest.approx(100 * 60 / 360),
        "work_consistency": 0,
        "life_balance": 0,
        "weekly_relief": pytest.approx(100 * (1 - math.exp(-0.42))),
        "completion_rate": 50,
        "self_care_frequency": 0,
        "avg_execution": pytest.approx(0.35 * 45 + 0.25 * 100 + 20 + 20),
    }
    assert composite.score == pytest.approx(math.fsum(v for v in values.values() if v is not None) / 12)
    assert list(values) == [component.name for component in COMPONENTS]


def test_a_component_without_data_drops_out_and_the_others_count_for_more() -> None:
    composite = combine({"a": 80.0, "b": None, "c": 20.0}, {"a": 3.0, "b": 10.0})
    assert composite.score == pytest.approx(65)
    a, b, c = composite.parts
    assert (a.weight, a.share, a.contribution) == (3, pytest.approx(0.75), pytest.approx(60))
    assert (b.weight, b.share, b.contribution) == (10, None, None)
    assert (c.weight, c.share, c.contribution) == (1, pytest.approx(0.25), pytest.approx(5))


def test_no_data_is_no_score() -> None:
    week = Window(tuple(tally(MONDAY + timedelta(days=place), []) for place in range(7)), 0, 360.0)
    composite = composite_of(week, {})
    assert composite.score is None
    assert all(part.value is None and part.contribution is None for part in composite.parts)


def test_weights_that_are_all_zero_make_no_score() -> None:
    composite = combine({"a": 80.0}, {"a": 0.0})
    assert composite.score is None
    assert composite.parts[0].share is None


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="The weight of avg_relief is -1: expected a number that is not negative"):
        combine({"avg_relief": 50.0}, {"avg_relief": -1.0})


values = st.dictionaries(st.sampled_from("abcdef"), st.none() | st.floats(0, 100))
weights = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e6))


@settings(deadline=None)
@given(values, weights)
def test_the_score_stays_on_its_scale_and_is_the_sum_of_its_contributions(
    values: dict[str, float | None], weights: dict[str, float]
) -> None:
    composite = combine(values, weights)
    shares = [part.share for part in composite.parts if part.share is not None]
    if composite.score is None:
        assert not any(shares)
    else:
        assert 0 <= composite.score <= 100
        assert math.fsum(shares) == pytest.approx(1)
        assert math.fsum(part.contribution or 0 for part in composite.parts) == pytest.approx(composite.score)
