"""Reading attempts: which day they count for, what came before, and nobody else's."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from data.days import calendar
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.attempts import days_of, read_attempts, read_labels

MakeView = Callable[..., Viewpoint]
DAY = date(2026, 6, 10)


def at(hour: int, minute: int = 0, *, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def test_a_day_is_the_users_local_day(records: Any, view: MakeView) -> None:
    # In Berlin (UTC+2) with days from 03:00, the 10th lasts from 01:00 UTC to 01:00 UTC on the 11th.
    early = records.completed(at(0, 59))
    first = records.completed(at(1))
    last = records.completed(at(0, 59, day=11))
    late = records.completed(at(1, day=11))
    berlin = view(time_zone="Europe/Berlin", day_start="03:00")
    assert [one.id for one in read_attempts(records.read, berlin, DAY, DAY)] == [first, last]
    assert {one.id: one.day.day for one in read_attempts(records.read, berlin)} == {
        early: 9,
        first: 10,
        last: 10,
        late: 11,
    }


def test_only_completed_instances_are_read(records: Any, view: MakeView) -> None:
    done = records.completed(at(9))
    records.cancelled(at(9))
    records.instance(state="active", started_at=at(9), resumed_at=at(9), actual_minutes=None)
    records.instance(state="planned")
    assert [one.id for one in read_attempts(records.read, view())] == [done]


def test_an_attempt_is_given_its_columns(records: Any, view: MakeView) -> None:
    records.task("care", kind="self_care")
    records.completed(
        at(9),
        "care",
        created_at=at(7),
        started_at=at(8),
        predicted_relief=1,
        predicted_aversion=2,
        predicted_motivation=3,
        actual_relief=4,
        actual_mental_load=5,
        actual_emotional_load=6,
        actual_physical_load=7,
        actual_aversion=8,
        estimate_minutes=9.5,
        actual_minutes=10.5,
        completion_percent=11.5,
    )
    (one,) = read_attempts(records.read, view())
    assert (one.task_id, one.kind, one.created_at, one.started_at, one.completed_at) == (
        "care",
        "self_care",
        at(7),
        at(8),
        at(9),
    )
    assert (one.predicted_relief, one.predicted_aversion, one.motivation) == (1, 2, 3)
    assert (one.relief, one.mental_load, one.emotional_load, one.physical_load, one.aversion) == (4, 5, 6, 7, 8)
    assert (one.estimate_minutes, one.actual_minutes, one.completion_percent) == (9.5, 10.5, 11.5)


@pytest.mark.parametrize("first", [None, DAY])
def test_earlier_completions_are_known_whatever_is_read(records: Any, view: MakeView, first: date | None) -> None:
    records.completed(at(9, day=8), "a", actual_aversion=90)
    records.completed(at(9, day=9), "a", actual_aversion=70)
    records.completed(at(9, day=9), "b", actual_aversion=20)
    records.cancelled(at(10, day=9), "a")
    records.completed(at(9), "a", actual_aversion=50)
    records.completed(at(10), "a", actual_aversion=40)
    records.completed(at(11), "c", actual_aversion=None)
    records.completed(at(12), "c", actual_aversion=30)
    found = read_attempts(records.read, view(), first)[-4:]
    assert [(one.task_id, one.earlier_completions, one.first_aversion) for one in found] == [
        ("a", 2, 90),
        ("a", 3, 90),
        ("c", 0, None),
        ("c", 1, None),
    ]


@pytest.mark.parametrize("first", [None, DAY])
def test_completions_at_one_instant_are_ordered_by_id(records: Any, view: MakeView, first: date | None) -> None:
    records.completed(at(9, day=9), id="z", actual_aversion=1)
    records.completed(at(9, day=9), id="y", actual_aversion=2)
    records.completed(at(9), id="b")
    records.completed(at(9), id="a")
    found = read_attempts(records.read, view(), first)[-2:]
    assert [(one.id, one.earlier_completions, one.first_aversion) for one in found] == [("a", 2, 2), ("b", 3, 2)]


def test_another_users_completions_are_not_earlier_ones(records: Any, view: MakeView) -> None:
    records.of_user(2).completed(at(9, day=8), "a", actual_aversion=1)
    records.completed(at(9), "a", actual_aversion=50)
    (one,) = read_attempts(records.read, view(), DAY, DAY)
    assert (one.earlier_completions, one.first_aversion) == (0, 50)


def test_another_users_first_time_at_the_same_instant_is_not_ones_own(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=8), "a", id="b", actual_aversion=90)
    records.of_user(2).completed(at(9, day=8), "a", id="a", actual_aversion=1)
    records.completed(at(9), "a", actual_aversion=50)
    (one,) = read_attempts(records.read, view(), DAY, DAY)
    assert (one.earlier_completions, one.first_aversion) == (1, 90)


def test_labels_can_be_read_of_some_tasks(records: Any, view: MakeView) -> None:
    records.task("a", name="Taxes", kind="work", categories=("money", "paper"))
    records.task("b", archived=True)
    records.of_user(2).task("a", name="Not mine")
    assert read_labels(records.read, view()).keys() == {"a", "b"}
    (label,) = read_labels(records.read, view(), {"a"}).values()
    assert (label.name, label.kind, label.categories) == ("Taxes", "work", ("money", "paper"))
    assert read_labels(records.read, view(), ()) == {}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Africa/Cairo", "America/St_Johns", "Pacific/Apia"])
def test_days_of_many_instants_are_those_of_each(zone: str) -> None:
    own = calendar(zone, "00:00")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    instants = [start + timedelta(minutes=47 * place) for place in range(3000)]
    assert days_of(instants, own) == [own.day_of(instant) for instant in instants]
