"""The dashboard's loaders: cards with baselines and colours, and the lists."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from data.calculations.dashboard import Band, band, load_metrics, load_tasks
from data.calculations.registry import BY_NAME, METRICS
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
DAY = date(2026, 6, 10)


def at(hour: int, *, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def test_a_card_compares_today_with_the_days_before(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=7), actual_relief=40)
    records.completed(at(9, day=9), actual_relief=50)
    records.completed(at(10, day=9), actual_relief=70)
    records.completed(at(9), actual_relief=80)
    metrics = load_metrics(records.read, view())
    relief, completed = metrics.card("avg_relief"), metrics.card("completed")
    # The 7th to the 9th: the first record was on the 7th, and nothing is known of the 8th.
    assert metrics.baseline_days == 3
    assert (relief.value, relief.baseline, relief.difference, relief.band) == (80, 50, 30, Band.NONE)
    assert (completed.value, completed.baseline, completed.difference) == (1, 1, 0)
    assert relief.sparkline == (None,) * 26 + (40, None, 60, 80)
    assert completed.sparkline == (None,) * 26 + (1, 0, 2, 1)


@pytest.mark.parametrize(
    ("baseline", "days", "mean"),
    [("week", 7, 0), ("month", 30, 1 / 30), ("quarter", 90, 2 / 90), ("all", 200, 3 / 200)],
)
def test_the_baseline_is_the_users_choice(records: Any, view: MakeView, baseline: str, days: int, mean: float) -> None:
    for ago in (20, 80, 200):
        records.completed(at(9) - timedelta(days=ago))
    metrics = load_metrics(records.read, view(baseline=baseline))
    assert metrics.baseline_days == days
    assert metrics.card("completed").baseline == pytest.approx(mean)


def test_all_of_the_past_ends_after_ten_years(records: Any, view: MakeView) -> None:
    records.completed(datetime(1970, 1, 2, tzinfo=UTC))
    assert load_metrics(records.read, view(baseline="all")).baseline_days == 3653


def test_a_metric_of_seven_days_looks_back_beyond_the_baseline(records: Any, view: MakeView) -> None:
    for ago in range(1, 20):
        records.completed(at(9) - timedelta(days=ago), actual_minutes=60.0)
    card = load_metrics(records.read, view(baseline="week")).card("work_consistency")
    assert card.baseline == 100
    assert card.value is not None
    assert card.value < 100, "today has no work yet"


def test_the_first_point_of_a_sparkline_looks_at_the_days_before(records: Any, view: MakeView) -> None:
    records.completed(at(9) - timedelta(days=35))
    records.completed(at(9) - timedelta(days=36))
    sparkline = load_metrics(records.read, view(baseline="week")).card("weekly_relief").sparkline
    assert sparkline[0] is not None
    assert sparkline[1] is None


def test_what_is_active_is_known_of_today_only(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=1))
    records.instance(state="active", created_at=at(8), started_at=at(9), resumed_at=at(9))
    metrics = load_metrics(records.read, view())
    active = metrics.card("active")
    assert (active.value, active.baseline, active.difference, active.band) == (1, None, None, Band.NONE)
    assert active.sparkline == (None,) * 29 + (1,)
    assert metrics.card("created").value == 1
    assert metrics.card("minutes_work").value == 0, "a running timer counts when it is done"


def test_without_data_there_are_zeros_for_today_and_nothing_else(records: Any, view: MakeView) -> None:
    metrics = load_metrics(records.read, view())
    assert [card.name for card in metrics.cards] == [metric.name for metric in METRICS]
    assert metrics.baseline_days == 0
    assert all(card.baseline is None and card.band is Band.NONE for card in metrics.cards)
    assert all(card.value in (None, 0) for card in metrics.cards)
    assert all(card.sparkline == (None,) * 29 + (card.value,) for card in metrics.cards)


def test_the_chosen_metrics_are_monitored(records: Any, view: MakeView) -> None:
    assert load_metrics(records.read, view(monitored_metrics=("avg_grit",))).monitored == ("avg_grit",)
    assert len(load_metrics(records.read, view()).monitored) == 4


@pytest.mark.parametrize(
    ("name", "value", "baseline", "expected"),
    [
        ("avg_relief", 56, 50, Band.GOOD),
        ("avg_relief", 55, 50, Band.FAIR),
        ("avg_relief", 45, 50, Band.FAIR),
        ("avg_relief", 44, 50, Band.POOR),
        ("avg_stress", 44, 50, Band.GOOD),
        ("avg_stress", 56, 50, Band.POOR),
        ("avg_delay_minutes", 89, 100, Band.GOOD),
        ("avg_delay_minutes", 91, 100, Band.FAIR),
        ("avg_stress_efficiency", 1.3, 1.1, Band.GOOD),
        ("prediction_bias", -2, 10, Band.GOOD),
        ("prediction_bias", -20, 10, Band.POOR),
        ("minutes_work", 130, 100, Band.GOOD),
        ("minutes_work", 105, 100, Band.FAIR),
        ("minutes_work", 100, 100, Band.FAIR),
        ("minutes_work", 95, 100, Band.NONE),
        ("minutes_work", 20, 100, Band.NONE),
        ("cancelled", 0, 2, Band.NONE),
        ("cancelled", 3, 2, Band.POOR),
        ("created", 9, 1, Band.NONE),
        ("avg_relief", None, 50, Band.NONE),
        ("avg_relief", 50, None, Band.NONE),
    ],
)
def test_the_colour_says_better_or_worse_by_more_than_a_step(
    name: str, value: float | None, baseline: float | None, expected: Band
) -> None:
    assert band(BY_NAME[name], value, baseline) is expected


@pytest.mark.parametrize(("days", "expected"), [(4, Band.NONE), (5, Band.GOOD)])
def test_there_is_no_verdict_before_there_is_anything_usual(
    records: Any, view: MakeView, days: int, expected: Band
) -> None:
    for ago in range(1, days + 1):
        records.completed(at(9) - timedelta(days=ago), actual_relief=50)
    records.completed(at(9), actual_relief=70)
    assert load_metrics(records.read, view()).card("avg_relief").band is expected


def test_what_happens_every_few_days_is_called_usual(records: Any, view: MakeView) -> None:
    for ago in range(1, 9):
        records.completed(at(9) - timedelta(days=ago), actual_relief=30 if ago % 2 else 70)  # a spread of 21
    records.completed(at(9), actual_relief=70)
    assert load_metrics(records.read, view()).card("avg_relief").band is Band.FAIR
    assert band(BY_NAME["avg_relief"], 72, 50, spread=21.4) is Band.GOOD


def test_a_sum_below_what_is_usual_says_nothing_yet_however_much_days_differ() -> None:
    assert band(BY_NAME["minutes_work"], 0, 60, spread=80) is Band.NONE
    assert band(BY_NAME["minutes_work"], 61, 60, spread=80) is Band.FAIR


def test_tasks_are_listed_by_state(records: Any, view: MakeView) -> None:
    records.task("b", name="beta", due_at=at(9))
    records.task("a", name="Alpha", categories=("x",), default_aversion=70, routine="weekly", routine_weekdays=("mon",))
    records.task("gone", archived=True)
    undated = records.instance("a", created_at=at(1))
    later = records.instance("a", due_at=at(20))
    sooner = records.instance("gone", due_at=at(10), predicted_relief=80, estimate_minutes=15.0)
    active = records.instance(
        "a", state="active", started_at=at(9), resumed_at=at(10), timed_minutes=12.5, predicted_aversion=33
    )
    paused = records.instance("a", state="paused", started_at=at(9), paused_at=at(10), timed_minutes=60.0)
    records.cancelled(at(9), "a")
    tasks = load_tasks(records.read, view())
    assert [task.name for task in tasks.templates] == ["Alpha", "beta"]
    assert (tasks.templates[0].categories, tasks.templates[0].routine_weekdays) == (("x",), ("mon",))
    assert [one.id for one in tasks.planned] == [sooner, later, undated]
    assert (tasks.planned[0].name, tasks.planned[0].relief, tasks.planned[0].estimate_minutes) == ("Task gone", 80, 15)
    assert [one.id for one in tasks.active] == [active]
    assert (tasks.active[0].resumed_at, tasks.active[0].timed_minutes, tasks.active[0].aversion) == (at(10), 12.5, 33)
    assert [one.id for one in tasks.paused] == [paused]
    assert tasks.completed == ()


def test_the_last_ten_completed_are_listed_newest_first(records: Any, view: MakeView) -> None:
    ids = [records.completed(at(hour), actual_relief=hour, actual_minutes=7.0) for hour in range(12)]
    completed = load_tasks(records.read, view()).completed
    assert [one.id for one in completed] == ids[:1:-1]
    assert (completed[0].relief, completed[0].actual_minutes, completed[0].completed_at) == (11, 7, at(11))
    assert completed[0].state == "completed"


def test_the_lists_do_not_depend_on_the_day(records: Any, view: MakeView) -> None:
    records.instance(due_at=at(9))
    assert load_tasks(records.read, view()) == load_tasks(records.read, view(today=date(2030, 1, 1)))
