"""Composite scores by day, trends, correlations, and what time went into."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from data.calculations.analytics import (
    ATTRIBUTES,
    load_composite_scores,
    load_correlations,
    load_distribution,
    load_trends,
)
from data.calculations.registry import METRICS
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
DAY = date(2026, 6, 10)


def at(hour: int, *, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def test_the_composite_is_of_the_seven_days_that_end_today(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=3), actual_relief=0)  # eight days, today included
    records.completed(at(9, day=4), actual_relief=40)
    records.completed(at(9), actual_relief=80)
    scores = load_composite_scores(records.read, view())
    parts = {part.name: part for part in scores.composite.parts}
    assert (scores.first_day, scores.today) == (date(2026, 6, 4), DAY)
    assert parts["avg_relief"].value == 60
    assert sum(part.contribution or 0 for part in scores.composite.parts) == pytest.approx(scores.composite.score)


def test_the_history_ends_with_todays_score(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=1))
    records.completed(at(9))
    scores = load_composite_scores(records.read, view())
    assert [each.day for each in scores.history] == [DAY - timedelta(days=29 - place) for place in range(30)]
    assert scores.history[-1].score == scores.composite.score
    assert scores.history[0].score is None
    for each in scores.history:
        that_day = load_composite_scores(records.read, view(today=each.day))
        assert that_day.composite.score == each.score


def test_the_first_day_of_the_history_looks_at_the_days_before(records: Any, view: MakeView) -> None:
    records.completed(at(9) - timedelta(days=35))
    history = load_composite_scores(records.read, view()).history
    assert history[0].score is not None
    assert history[1].score is None


def test_the_users_weights_decide(records: Any, view: MakeView) -> None:
    records.completed(at(9), actual_relief=40)
    weights = tuple((part.name, 0.0) for part in load_composite_scores(records.read, view()).composite.parts)
    only_relief = dict(weights) | {"avg_relief": 2.0}
    scores = load_composite_scores(records.read, view(composite_weights=tuple(only_relief.items())))
    assert scores.composite.score == 40
    with pytest.raises(ValueError, match="The weight of avg_relief is -2"):
        load_composite_scores(records.read, view(composite_weights=(("avg_relief", -2.0),)))


def test_a_trend_has_daily_values_and_their_mean_over_seven_days(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=4), actual_relief=10)
    records.completed(at(9, day=8), actual_relief=20)
    records.completed(at(10, day=8), actual_relief=40)
    records.completed(at(9), actual_relief=80, actual_minutes=70.0)
    trends = load_trends(records.read, view())
    assert (len(trends.days), trends.days[0], trends.days[-1]) == (90, DAY - timedelta(days=89), DAY)
    relief = trends.of("avg_relief")
    assert relief.daily[-7:] == (10, None, None, None, 30, None, 80)
    assert relief.mean[-7:] == (10, 10, 10, 10, 20, 20, 40)
    assert trends.of("minutes_work").daily[-3:] == (120, 0, 70)
    assert trends.of("minutes_work").mean[-1] == pytest.approx(250 / 7)
    assert trends.of("streak_days").daily[-3:] == (1, 1, 1)


def test_windows_average_over_instances_and_not_over_days(records: Any, view: MakeView) -> None:
    for minutes, relief in ((10.0, 0), (20.0, 0), (60.0, 30)):
        records.completed(at(9, day=9), actual_relief=relief, actual_minutes=minutes)
    records.completed(at(9), actual_relief=90, actual_minutes=30.0)
    records.completed(at(9) - timedelta(days=20), actual_relief=80, actual_minutes=5.0)
    records.completed(at(9) - timedelta(days=100), actual_relief=100, actual_minutes=6.0)
    records.completed(at(9) - timedelta(days=1000), actual_relief=0, actual_minutes=7.0)
    trends = load_trends(records.read, view())
    assert trends.whole_days == 1001
    assert trends.of("avg_relief").windows == (30, 40, 40, pytest.approx(300 / 7))
    assert trends.of("avg_relief").before == (None, None, 100)
    assert trends.of("minutes_work").windows == (120, 125, 125, 138)
    assert trends.of("median_minutes").windows == (25, 20, 20, 10)
    assert trends.of("median_minutes").before == (None, None, 6)
    assert trends.of("streak_days").windows == (2, 2, 2, 2)


def test_what_is_still_to_come_is_in_no_window(records: Any, view: MakeView) -> None:
    records.completed(at(9), actual_minutes=30.0)
    records.cancelled(at(9))
    for later in (at(9, day=11), at(9) + timedelta(days=400)):  # a clock was set back
        records.completed(later, actual_minutes=90.0)
        records.cancelled(later)
    trends = load_trends(records.read, view())
    assert trends.whole_days == 1
    for metric, expected in (("completed", 1), ("cancelled", 1), ("median_minutes", 30), ("completion_rate", 50)):
        assert trends.of(metric).windows == (expected,) * 4, metric


def test_the_mean_of_the_first_day_looks_at_the_days_before(records: Any, view: MakeView) -> None:
    records.completed(at(9) - timedelta(days=95), actual_relief=30)
    relief = load_trends(records.read, view()).of("avg_relief")
    assert (relief.daily[0], relief.mean[0], relief.mean[1]) == (None, 30, None)


def test_a_metric_of_seven_days_looks_back_from_each_of_them(records: Any, view: MakeView) -> None:
    records.completed(at(9) - timedelta(days=101))
    weekly = load_trends(records.read, view()).of("weekly_relief")
    assert weekly.daily[0] is None
    assert weekly.mean[0] is not None, "the mean includes the 95th day ago, whose week began on the 101st"
    assert weekly.mean[1] is None


def test_trends_are_made_of_finished_instances(records: Any, view: MakeView) -> None:
    before = load_trends(records.read, view())
    assert {trend.metric for trend in before.series} == {metric.name for metric in METRICS} - {"created", "active"}
    records.instance(created_at=at(8))
    records.instance(created_at=at(8), state="active", started_at=at(9), resumed_at=at(9))
    assert load_trends(records.read, view()) == before


def test_attributes_that_go_together_correlate(records: Any, view: MakeView) -> None:
    for place, relief in enumerate((10, 30, 50, 90)):
        records.completed(at(place), actual_relief=relief, actual_aversion=100 - relief, actual_mental_load=None)
    correlations = load_correlations(records.read, view())
    pairs = {(pair.first, pair.second): pair for pair in correlations.pairs}
    assert len(correlations.pairs) == len(ATTRIBUTES) * (len(ATTRIBUTES) - 1) / 2
    assert pairs["relief", "aversion"].r == pytest.approx(-1)
    assert pairs["relief", "aversion"].n == 4
    assert (pairs["relief", "mental_load"].r, pairs["relief", "mental_load"].n) == (None, 0)
    assert (pairs["relief", "physical_load"].r, pairs["relief", "physical_load"].n) == (None, 4), "never varies"


def test_time_is_distributed_over_tasks_kinds_and_categories(records: Any, view: MakeView) -> None:
    records.task("a", name="Write", categories=("book", "home"))
    records.task("b", name="Walk", kind="self_care", categories=("home",))
    records.task("unused", categories=("never",))
    records.completed(at(8), "a", actual_minutes=30.0)
    records.completed(at(9), "a", actual_minutes=30.0)
    records.completed(at(10), "b", actual_minutes=140.0)
    records.completed(at(11), "b", actual_minutes=None)
    found = load_distribution(records.read, view())
    assert (found.completed, found.minutes) == (4, 200)

    def rows(portions: Any) -> list[tuple[Any, ...]]:
        return [(each.key, each.label, each.completed, each.minutes, each.share) for each in portions]

    assert rows(found.by_task) == [("b", "Walk", 2, 140, 70), ("a", "Write", 2, 60, 30)]
    assert rows(found.by_kind) == [("self_care", "self_care", 2, 140, 70), ("work", "work", 2, 60, 30)]
    assert rows(found.by_category) == [("home", "home", 4, 200, 100), ("book", "book", 2, 60, 30)]


@pytest.mark.parametrize("load", [load_correlations, load_distribution])
def test_what_looks_at_everything_does_not_depend_on_the_day(
    records: Any, view: MakeView, load: Callable[..., Any]
) -> None:
    records.completed(at(9))
    assert load(records.read, view()) == load(records.read, view(today=date(2020, 1, 1)))
