"""The relief summary."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from data.calculations.relief import load_relief_summary
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
CALM = {"actual_mental_load": 50, "actual_emotional_load": 50, "actual_physical_load": 50}


def at(hour: int, *, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def test_relief_is_summed_up_in_all_and_by_kind(records: Any, view: MakeView) -> None:
    records.task("walk", kind="self_care")
    records.completed(at(8), actual_relief=70, actual_minutes=60.0, **CALM)
    records.completed(at(9), actual_relief=20, actual_minutes=30.0, **CALM)
    records.completed(at(10), actual_relief=50, actual_minutes=60.0, **CALM)
    records.completed(at(11), "walk", actual_relief=90, actual_minutes=60.0, completion_percent=50.0, **CALM)
    records.completed(at(12), "walk", actual_relief=None)
    found = load_relief_summary(records.read, view())
    assert (found.completed, found.relief_points) == (5, 175)
    assert [(each.kind, each.completed, each.relief_points, each.avg_relief) for each in found.by_kind] == [
        ("work", 3, 130, pytest.approx(140 / 3)),
        ("self_care", 2, 45, 90),
    ]
    assert (found.positive.count, found.positive.total) == (2, 60)
    assert (found.negative.count, found.negative.total) == (1, -30)
    assert found.neutral == 1


def test_what_was_predicted_is_compared_with_what_came(records: Any, view: MakeView) -> None:
    records.completed(at(8), predicted_relief=72, actual_relief=40)
    records.completed(at(9), predicted_relief=78, actual_relief=60)
    records.completed(at(10), predicted_relief=100, actual_relief=100)
    records.completed(at(11), predicted_relief=10, actual_relief=None)
    records.completed(at(12), predicted_relief=None, actual_relief=10)
    found = load_relief_summary(records.read, view())
    assert found.foresight.n == 3
    assert found.foresight.predicted == pytest.approx(250 / 3)
    assert found.foresight.actual == pytest.approx(200 / 3)
    assert found.foresight.bias == pytest.approx(50 / 3)
    assert [(each.least, each.most, each.foresight.n, each.foresight.bias) for each in found.by_prediction] == [
        (70, 79, 2, 25),
        (90, 100, 1, 0),
    ]


def test_the_grid_has_the_users_weekday_and_the_hour_on_their_wall(records: Any, view: MakeView) -> None:
    records.completed(at(23, day=9), actual_relief=40)  # Wednesday, 01:30 in Berlin; of Tuesday, as days begin at 03:00
    records.completed(at(23, day=2), actual_relief=60)
    grid = load_relief_summary(records.read, view(time_zone="Europe/Berlin", day_start="03:00")).grid
    assert [len(row) for row in grid] == [24] * 7
    assert (grid[1][1].completed, grid[1][1].avg_relief, grid[1][1].relief_points) == (2, 50, 100)
    assert sum(cell.completed for row in grid for cell in row) == 2
    auckland = load_relief_summary(records.read, view(time_zone="Pacific/Auckland")).grid
    assert auckland[2][11].completed == 2, "Wednesday, 11:00"
    assert (grid[0][0].completed, grid[0][0].avg_relief, grid[0][0].relief_points) == (0, None, None)


def test_one_lucky_try_does_not_lead(records: Any, view: MakeView) -> None:
    for hour in range(12):
        records.completed(at(hour), "steady", actual_relief=90, **CALM)
        records.completed(at(hour), "bad", actual_relief=30, **CALM)
    records.completed(at(13), "lucky", actual_relief=95, **CALM)
    found = load_relief_summary(records.read, view())
    assert [task.task_id for task in found.best] == ["steady", "lucky", "bad"]
    assert found.worst == ()
    assert (found.best[1].avg_net_wellbeing, found.best[1].completed, found.best[1].name) == (45, 1, "Task lucky")
    overall = (12 * 40 - 12 * 20 + 45) / 25
    assert found.best[1].score == pytest.approx((45 + 3 * overall) / 4)


def test_no_task_is_among_the_best_and_the_worst(records: Any, view: MakeView) -> None:
    for place in range(8):
        records.completed(at(place), f"t{place}", actual_relief=10 * place, **CALM)
    found = load_relief_summary(records.read, view())
    assert [task.task_id for task in found.best] == ["t7", "t6", "t5", "t4", "t3"]
    assert [task.task_id for task in found.worst] == ["t0", "t1", "t2"]


def test_without_data_there_is_no_relief(records: Any, view: MakeView) -> None:
    found = load_relief_summary(records.read, view())
    assert (found.completed, found.relief_points, found.by_kind, found.best, found.worst) == (0, None, (), (), ())
    assert (found.foresight.n, found.foresight.bias, found.by_prediction) == (0, None, ())
    assert (found.positive.count, found.positive.total) == (0, 0)


def test_it_does_not_depend_on_the_day(records: Any, view: MakeView) -> None:
    records.completed(at(9))
    assert load_relief_summary(records.read, view()) == load_relief_summary(records.read, view(today=date(2020, 1, 1)))
