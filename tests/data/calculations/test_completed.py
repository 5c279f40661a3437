"""How completed instances get from rows to arrays: whole, exact, and in order."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from data.calculations.completed import microseconds, read_completed
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
AFTER = NOON + timedelta(days=300)
ODD_NUMBERS = (0.0, 1 / 3, 0.1 + 0.2, 37.55, 1e-7, 5.0000000000000009, 99.99999999999999, 123456.78901234567)


def test_minutes_arrive_to_the_last_bit(records: Any, view: MakeView) -> None:
    source = random.Random(1)
    stored = [*ODD_NUMBERS, *(source.random() * 10 ** source.randint(-6, 5) for _ in range(1000))]
    for place, minutes in enumerate(stored):
        at = NOON + timedelta(seconds=place)
        records.completed(at, actual_minutes=minutes, estimate_minutes=minutes / 7, completion_percent=minutes % 200)
    recorded = read_completed(records.read, view(), NOON, AFTER).recorded
    assert recorded["actual_minutes"].tolist() == stored
    assert recorded["estimate_minutes"].tolist() == [minutes / 7 for minutes in stored]
    assert recorded["completion_percent"].tolist() == [minutes % 200 for minutes in stored]


def test_times_arrive_to_the_microsecond(records: Any, view: MakeView) -> None:
    long_ago = NOON - timedelta(days=20_000, microseconds=1)
    completed_at = [NOON + timedelta(microseconds=1), NOON + timedelta(days=299, microseconds=999_999)]
    for at in completed_at:
        records.completed(at, created_at=long_ago, started_at=at - timedelta(microseconds=1))
    found = read_completed(records.read, view(), NOON, AFTER)
    assert found.at.tolist() == [microseconds(at) for at in completed_at]
    assert found.delay_minutes.tolist() == [
        (microseconds(at) - 1 - microseconds(long_ago)) / 6e7 for at in completed_at
    ]


def test_what_was_not_said_is_no_number(records: Any, view: MakeView) -> None:
    records.completed(NOON, actual_relief=None, actual_aversion=0, actual_minutes=None, predicted_relief=100)
    recorded = read_completed(records.read, view(), NOON, AFTER).recorded
    known = {name: column[0] for name, column in recorded.items() if not np.isnan(column[0])}
    assert known == {
        "predicted_relief": 100,
        "actual_mental_load": 30,
        "actual_emotional_load": 60,
        "actual_physical_load": 0,
        "actual_aversion": 0,
        "completion_percent": 100,
    }


def test_where_nothing_was_completed_there_is_nothing(records: Any, view: MakeView) -> None:
    found = read_completed(records.read, view(), NOON, AFTER)
    assert (len(found.at), found.tasks, len(found.recorded["actual_minutes"])) == (0, (), 0)
