"""The fast calculations, from kept months and arrays, against the slow and obvious ones that read every row.

On random lives: half-rated instances, several at one instant, days of 23 and 25 hours, zones far from UTC, days that
start late, dates that a zone skipped, a clock that was set back.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.calculations import analytics, dashboard, recommendations, relief, summary
from data.calculations.registry import METRICS
from data.viewpoint import Viewpoint
from tests.data.calculations.reference import analytics as slow_analytics
from tests.data.calculations.reference import dashboard as slow_dashboard
from tests.data.calculations.reference import recommendations as slow_recommendations
from tests.data.calculations.reference import relief as slow_relief
from tests.data.calculations.reference import summary as slow_summary

PAIRS = {
    "dashboard.metrics": (dashboard.load_metrics, slow_dashboard.load_metrics),
    "summary.daily": (summary.load_daily, slow_summary.load_daily),
    "analytics.composite_scores": (analytics.load_composite_scores, slow_analytics.load_composite_scores),
    "analytics.trends": (analytics.load_trends, slow_analytics.load_trends),
    "analytics.correlations": (analytics.load_correlations, slow_analytics.load_correlations),
    "analytics.distribution": (analytics.load_distribution, slow_analytics.load_distribution),
    "analytics.relief_summary": (relief.load_relief_summary, slow_relief.load_relief_summary),
    "analytics.recommendations": (recommendations.load_recommendations, slow_recommendations.load_recommendations),
}

ZONES = {
    "UTC": date(2026, 5, 13),
    "Europe/Berlin": date(2026, 3, 31),  # 23 hours on the 29th
    "America/New_York": date(2025, 11, 4),  # 25 hours on the 2nd
    "Pacific/Auckland": date(2026, 4, 7),
    "Australia/Lord_Howe": date(2026, 4, 7),  # clocks go back by half an hour
    "Africa/Cairo": date(2026, 4, 26),  # the 24th has no midnight
    "Pacific/Apia": date(2012, 1, 2),  # no 30th of December
    "America/St_Johns": date(2006, 11, 1),  # clocks went back at one minute past midnight
}

feelings = st.none() | st.integers(0, 100)
minutes = st.none() | st.floats(0, 600) | st.sampled_from([0.0, 25.0, 25.5, 600.0])

instances = st.fixed_dictionaries(
    {
        "task": st.sampled_from(["a", "b", "c", "d"]),
        "hours_ago": st.integers(-40, 100) | st.integers(0, 4000) | st.floats(0, 3000) | st.integers(0, 15_000),
        "lead_hours": st.sampled_from([0, 1, 30, 700]) | st.floats(0, 100),
        "state": st.sampled_from(["completed"] * 8 + ["cancelled", "planned", "active"]),
        "started": st.booleans(),
        "predicted_relief": feelings,
        "predicted_aversion": feelings,
        "predicted_motivation": feelings,
        "actual_relief": feelings,
        "actual_mental_load": feelings,
        "actual_emotional_load": feelings,
        "actual_physical_load": feelings,
        "actual_aversion": feelings,
        "estimate_minutes": minutes,
        "actual_minutes": minutes,
        "completion_percent": st.none() | st.sampled_from([0.0, 50.0, 100.0, 200.0]),
    }
)
lives = st.lists(instances, max_size=60)


def live(records: Any, life: list[dict[str, Any]], noon: datetime) -> None:
    for place, kind in enumerate(("work", "play", "self_care", "sleep")):
        records.task(
            "abcd"[place], kind=kind, categories=("x", "y")[: place % 3], default_aversion=[None, 40][place % 2]
        )
    for number, fields in enumerate(life):
        columns = dict(fields)
        moment = noon - timedelta(hours=columns.pop("hours_ago"))
        created = moment - timedelta(hours=columns.pop("lead_hours"))
        started, state, task = columns.pop("started"), columns["state"], columns.pop("task")
        columns |= {"id": f"{number * 7919 % 1000:03}", "created_at": created}
        if state == "completed":
            columns["completed_at"] = moment
            columns["started_at"] = created + (moment - created) / 3 if started else None
        else:
            columns |= {name: None for name in columns if name.startswith("actual_") or name == "completion_percent"}
            columns["cancelled_at"] = moment if state == "cancelled" else None
        records.instance(task, **columns)


def assert_close(fast: Any, slow: Any, where: str) -> None:
    """Equal but for rounding; an error of the last bits may also turn a 0 into something tiny."""
    if isinstance(slow, msgspec.Struct):
        for name in slow.__struct_fields__:
            assert_close(getattr(fast, name), getattr(slow, name), f"{where}.{name}")
    elif isinstance(slow, tuple | list):
        assert len(fast) == len(slow), where
        for place, (left, right) in enumerate(zip(fast, slow, strict=True)):
            assert_close(left, right, f"{where}[{place}]")
    elif isinstance(fast, float) and isinstance(slow, float | int):
        assert math.isclose(fast, slow, rel_tol=1e-9, abs_tol=1e-7), f"{where}: {fast} is not {slow}"
    else:
        assert fast == slow, f"{where}: {fast} is not {slow}"


@pytest.mark.parametrize("key", PAIRS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    life=lives,
    zone=st.sampled_from(sorted(ZONES)),
    day_start=st.sampled_from(["00:00", "03:30", "23:30"]),
    chosen=st.data(),
)
def test_the_fast_numbers_are_those_of_the_slow_ones(
    new_records: Callable[[], Any],
    view: Callable[..., Viewpoint],
    key: str,
    life: list[dict[str, Any]],
    zone: str,
    day_start: str,
    chosen: st.DataObject,
) -> None:
    fast, slow = PAIRS[key]
    today = ZONES[zone]
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    baseline = chosen.draw(st.sampled_from(["week", "month", "quarter", "all"]))
    weights = chosen.draw(st.sampled_from([(), (("avg_relief", 5.0), ("low_stress", 0.0))]))
    seen = view(
        today=today,
        hour=noon,
        time_zone=zone,
        day_start=day_start,
        baseline=baseline,
        composite_weights=weights,
        target_minutes_per_day=chosen.draw(st.sampled_from([0.0, 60.0, 360.0])),
    )
    with new_records() as records:
        live(records, life, noon)
        assert_close(fast(records.read, seen), slow(records.read, seen), key)


def test_every_metric_is_compared() -> None:
    assert {metric.name for metric in METRICS} == {card.name for card in slow_dashboard.METRICS}


def test_differences_that_nobody_can_see_have_no_colour(
    new_records: Callable[[], Any], view: Callable[..., Viewpoint]
) -> None:
    """Squares of such minutes are 0 in floats, and those of fractions are not: the two would judge differently."""
    noon = datetime(2026, 5, 13, 12, tzinfo=UTC)
    with new_records() as records:
        yesterday = noon - timedelta(days=1)
        records.completed(yesterday, "a", created_at=noon - timedelta(days=30), actual_minutes=1e-171)
        records.completed(noon, "a", actual_minutes=None)
        seen = view(today=noon.date(), hour=noon)
        fast, slow = PAIRS["dashboard.metrics"]
        assert_close(fast(records.read, seen), slow(records.read, seen), "dashboard.metrics")


def test_mistyped_years_cost_little_and_change_no_recommendation(
    new_records: Callable[[], Any], view: Callable[..., Viewpoint]
) -> None:
    noon = datetime(2026, 5, 13, 12, tzinfo=UTC)
    with new_records() as records:
        for place, year in enumerate((1970, 2025, 2026, 9998)):
            felt = {"actual_relief": 20 * place, "created_at": noon.replace(year=1970)}
            records.completed(noon.replace(year=year), "ab"[place % 2], **felt)
        seen = view(today=noon.date(), hour=noon)
        for key, (fast, slow) in PAIRS.items():
            assert_close(fast(records.read, seen), slow(records.read, seen), key)
