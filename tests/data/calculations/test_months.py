"""The sums of months: the same whether many are asked for at once or each by itself."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from data.calculations import months
from data.calculations.months import Month, load_months
from data.calculations.sums import SHAPES
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
PARTS = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)]
FELT = ("relief", "mental_load", "emotional_load", "physical_load", "aversion")


def fill(records: Any, seed: int) -> None:
    """Two years with an empty summer, half rated, some at one instant."""
    chance = random.Random(seed)
    for place, kind in enumerate(("work", "play", "self_care")):
        records.task(f"t{place}", kind=kind)
    for place in range(400):
        moment = datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(hours=6 * chance.randrange(4 * 730))
        if moment.month in (6, 7, 8):
            continue
        columns: dict[str, Any] = {f"actual_{name}": chance.choice([None, *range(0, 101, 7)]) for name in FELT}
        columns |= {"predicted_relief": chance.randrange(101), "actual_minutes": chance.choice([None, 12.5, 60.0])}
        records.completed(moment, f"t{chance.randrange(3)}", id=f"{place:04}", **columns)


def assert_alike(one: Month, other: Month) -> None:
    """But for how sums were rounded."""
    assert one.sums.first == other.sums.first
    assert (one.sums.last_completed, one.sums.tasks) == (other.sums.last_completed, other.sums.tasks)
    np.testing.assert_allclose(one.days(), other.days(), rtol=1e-12)
    np.testing.assert_allclose(np.frombuffer(one.sums.by_task), np.frombuffer(other.sums.by_task), rtol=1e-12)
    for name in SHAPES:
        np.testing.assert_allclose(one.sums.of(name), other.sums.of(name), rtol=1e-12)


@pytest.mark.parametrize("most_rows", [1, 60, 10_000])
@pytest.mark.parametrize("profile", [{}, {"time_zone": "America/New_York", "day_start": "04:30"}])
def test_many_months_at_once_are_what_each_is_by_itself(
    records: Any, view: MakeView, monkeypatch: pytest.MonkeyPatch, most_rows: int, profile: dict[str, str]
) -> None:
    fill(records, 1)
    seen = view(**profile)
    alone = [next(load_months(records.read, seen, [part])) for part in PARTS]
    assert sum(month.sums.of_tasks("completed").sum() for month in alone) > 250
    monkeypatch.setattr(months, "MOST_ROWS", most_rows)
    for one, other in zip(load_months(records.read, seen, PARTS), alone, strict=True):
        assert_alike(one, other)
    scattered = [PARTS[place] for place in (20, 3, 4, 5, 11, 0)]
    for part, one in zip(scattered, load_months(records.read, seen, scattered), strict=True):
        assert_alike(one, alone[PARTS.index(part)])


def test_rows_are_taken_together_up_to_a_bound(records: Any, view: MakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(records, 2)
    taken: list[int] = []
    read = months.read_completed

    def counted(*given: Any) -> Any:
        found = read(*given)
        taken.append(len(found.at))
        return found

    monkeypatch.setattr(months, "read_completed", counted)
    monkeypatch.setattr(months, "MOST_ROWS", 80)
    everything = list(load_months(records.read, view(), PARTS))
    assert len(everything) == len(PARTS)
    assert max(taken) <= 80
    assert 3 < len(taken) < 12
