"""Recommendations: expectations, sub-scores, ranks and weights."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calculations.recommendations import Recommendation, expected, fitting, load_recommendations, urgency
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


def values(one: Recommendation) -> dict[str, float | None]:
    return {sub.name: sub.value for sub in one.sub_scores}


def ranks(one: Recommendation) -> dict[str, float | None]:
    return {sub.name: sub.rank for sub in one.sub_scores}


def test_an_expectation_is_shrunk_as_if_the_usual_had_been_seen_three_times() -> None:
    assert expected(90 + 0.5 * 60, 1.5, 40) == pytest.approx((90 + 30 + 120) / 4.5)
    assert expected(0.0, 0.0, 40) == 40
    assert expected(90.0, 1.0, None) == 90
    assert expected(0.0, 0.0, None) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 1), st.floats(0, 100))), st.none() | st.floats(0, 100))
def test_an_expectation_stays_on_the_scale(pairs: list[tuple[float, float]], usual: float | None) -> None:
    result = expected(sum(weight * value for weight, value in pairs), sum(weight for weight, _ in pairs), usual)
    assert result is None or -1e-9 <= result <= 100 + 1e-9
    assert usual is None or result is not None


def rated(name: str, **fields: Any) -> Recommendation:
    values: dict[str, Any] = dict.fromkeys(Recommendation.__struct_fields__)
    return Recommendation(**(values | {"name": name, "kind": "work", "categories": (), "sub_scores": ()} | fields))


def test_filters_keep_the_order_and_what_fits() -> None:
    long, short, unknown = (
        rated("long", completions=4, expected_minutes=90.0, categories=("home",)),
        rated(
            "short", completions=4, expected_minutes=20.0, estimate_minutes=90.0, kind="play", categories=("home", "x")
        ),
        rated("unknown", estimate_minutes=None),
    )
    everything = [long, short, unknown]
    assert fitting(everything) == everything
    assert fitting(everything, minutes=30) == [short, unknown]
    assert fitting(everything, category="home") == [long, short]
    assert fitting(everything, category="home", kind="play") == [short]
    assert fitting([rated("estimated", estimate_minutes=31.0)], minutes=30) == []


@pytest.mark.parametrize(
    ("completions", "expected_minutes", "estimate_minutes", "likely"),
    [
        (3, 20.0, 45.0, 20.0),  # history says
        (0, 20.0, 45.0, 45.0),  # 20 is what things usually take
        (0, 20.0, None, 20.0),
        (3, None, 45.0, 45.0),  # completed, and nobody said in what time
        (0, None, None, None),
    ],
)
def test_how_long_something_takes_is_said_by_its_own_history_or_else_by_the_estimate(
    completions: int, expected_minutes: float | None, estimate_minutes: float | None, likely: float | None
) -> None:
    one = rated("one", completions=completions, expected_minutes=expected_minutes, estimate_minutes=estimate_minutes)
    assert one.likely_minutes == likely
    assert fitting([one], minutes=30) == ([] if likely == 45 else [one])


def test_urgency_rises_to_the_due_time() -> None:
    assert urgency(None, NOON) == 0
    assert urgency(NOON - timedelta(hours=1), NOON) == 100
    assert urgency(NOON + timedelta(hours=48), NOON) == pytest.approx(100 / math.e)


def test_expected_numbers_by_hand(records: Any, view: MakeView) -> None:
    felt = {"actual_mental_load": 30, "actual_emotional_load": 30, "actual_physical_load": 30}
    records.completed(NOON, "a", actual_relief=90, actual_aversion=20, actual_minutes=60.0, **felt)
    records.completed(NOON - timedelta(days=30), "a", actual_relief=60, actual_aversion=80, actual_minutes=30.0, **felt)
    records.completed(NOON, "b", actual_relief=30, actual_aversion=50, actual_minutes=120.0, **felt)
    found = {one.task_id: one for one in load_recommendations(records.read, view()).templates}
    a = found["a"]
    # weights 1 and 0.5 by age; the user's means are relief 60, aversion 50, minutes 70, points (90 + 30 + 60) / 3
    assert a.completions == 2
    assert a.expected_relief == pytest.approx((90 + 30 + 180) / 4.5)
    assert a.expected_stress == pytest.approx(30)
    assert a.expected_aversion == pytest.approx((20 + 40 + 150) / 4.5)
    assert a.expected_minutes == pytest.approx((60 + 15 + 210) / 4.5)
    assert a.expected_relief is not None
    assert a.expected_minutes is not None
    points = (90 + 0.5 * 30 + 3 * 60) / 4.5
    assert values(a) == {
        "gain": pytest.approx(a.expected_relief - 30),
        "pace": pytest.approx(60 * points / a.expected_minutes),
        "ease": pytest.approx(100 - 210 / 4.5),
        "urgency": 0,
    }


def test_the_score_is_the_weighted_mean_of_the_ranks(records: Any, view: MakeView) -> None:
    records.completed(NOON, "a", actual_relief=90, actual_aversion=90)
    records.completed(NOON, "b", actual_relief=10, actual_aversion=10)
    best, other = load_recommendations(records.read, view(recommendation_weights=(("ease", 3.0),))).templates
    assert (best.task_id, other.task_id) == ("b", "a")
    assert ranks(best) == {"gain": 25, "pace": 25, "ease": 75, "urgency": 50}
    assert best.score == pytest.approx((25 + 25 + 3 * 75 + 50) / 6)
    best, _ = load_recommendations(records.read, view(recommendation_weights=(("ease", 0.0),))).templates
    assert best.task_id == "a"


def test_a_negative_weight_is_refused(records: Any, view: MakeView) -> None:
    with pytest.raises(ValueError, match="The weight of ease is -1: expected a number that is not negative"):
        load_recommendations(records.read, view(recommendation_weights=(("ease", -1.0),)))


def test_both_modes_carry_what_filters_need(records: Any, view: MakeView) -> None:
    records.task("a", name="Alpha", kind="play", categories=("x", "y"), estimate_minutes=20.0, due_at=NOON)
    records.task("gone", archived=True)
    planned = records.instance("gone", estimate_minutes=25.0, due_at=NOON + timedelta(hours=48))
    records.instance("a", state="active", started_at=NOON, resumed_at=NOON)
    found = load_recommendations(records.read, view())
    (template,) = found.templates
    (instance,) = found.planned
    assert (template.task_id, template.instance_id, template.name, template.kind) == ("a", None, "Alpha", "play")
    assert (template.categories, template.estimate_minutes, template.due_at) == (("x", "y"), 20, NOON)
    assert values(template)["urgency"] == 100
    assert (instance.task_id, instance.instance_id, instance.estimate_minutes) == ("gone", planned, 25)
    assert values(instance)["urgency"] == pytest.approx(100 / math.e)


def test_urgency_looks_at_the_hour_of_the_view(records: Any, view: MakeView) -> None:
    records.task("a", due_at=NOON + timedelta(hours=48))
    (later,) = load_recommendations(records.read, view(hour=NOON + timedelta(hours=48))).templates
    assert values(later)["urgency"] == 100


def test_a_task_without_history_is_expected_to_be_as_usual(records: Any, view: MakeView) -> None:
    records.completed(NOON, "a", actual_relief=80, actual_aversion=30)
    records.task("new")
    records.task("feared", default_aversion=90)
    found = {one.task_id: one for one in load_recommendations(records.read, view()).templates}
    assert (found["new"].completions, found["new"].expected_relief, found["new"].expected_aversion) == (0, 80, 30)
    assert (found["feared"].expected_relief, found["feared"].expected_aversion) == (80, 90)


def test_what_was_predicted_for_the_instance_goes_before_what_was_said_of_the_task(
    records: Any, view: MakeView
) -> None:
    records.task("feared", default_aversion=90)
    records.instance("feared", id="said", predicted_aversion=0)
    records.instance("feared", id="unsaid")
    found = {one.instance_id: one for one in load_recommendations(records.read, view()).planned}
    assert (found["said"].expected_aversion, found["unsaid"].expected_aversion) == (0, 90)


def test_without_any_history_only_urgency_and_statements_rank(records: Any, view: MakeView) -> None:
    records.task("b")
    records.task("a")
    records.task("due", due_at=NOON)
    first, second, third = load_recommendations(records.read, view()).templates
    assert (first.task_id, second.task_id, third.task_id) == ("due", "a", "b"), "equal scores by id"
    assert values(first) == {"gain": None, "pace": None, "ease": None, "urgency": 100}
    assert first.expected_relief is None
    assert first.score == ranks(first)["urgency"]


def test_what_is_dated_after_today_is_not_history(records: Any, view: MakeView) -> None:
    records.completed(NOON + timedelta(days=1), "a")
    assert load_recommendations(records.read, view()).templates[0].completions == 0
