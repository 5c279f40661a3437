"""What is put together from months: the median of all minutes, and everything before the newest month, kept or not."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import instances, preferences, tasks
from data.calculations import past
from data.calculations.completed import days_at
from data.calculations.months import part_of
from data.calculations.past import Stretch, load_before, median_minutes, read_stretches
from data.calculations.sums import Sums
from data.fields import Feelings
from data.touches import EARLY
from data.viewpoint import Viewpoint
from events.catalog import InstanceId, Logged, TaskId, TouchesDays
from tests.house import Clock, House, open_house

ON = date(2026, 1, 1)
minutes = st.lists(st.floats(0, 1e6) | st.sampled_from([0.0, 25.0]), max_size=30)


@given(st.lists(minutes, max_size=4))
def test_the_median_of_stretches_is_that_of_all_their_minutes(each: list[list[float]]) -> None:
    stretches = [Stretch(Sums(ON, ON), np.sort(np.array(some, np.float64)).tobytes()) for some in each]
    everything = [one for some in each for one in some]
    expected = np.median(everything) if everything else np.nan
    np.testing.assert_allclose(median_minutes(stretches), expected, rtol=1e-15)


@given(minutes, st.lists(st.floats(0, 1e6), max_size=3))
def test_a_median_needs_the_middle_only(many: list[float], few: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "REACH", 3)
        narrow = past._narrowed(Stretch(Sums(ON, ON), np.sort(np.array(many, np.float64)).tobytes()))
    assert len(narrow.minutes) <= 6 * 8
    expected = np.median([*many, *few]) if many or few else np.nan
    latest = Stretch(Sums(ON, ON), np.sort(np.array(few, np.float64)).tobytes())
    np.testing.assert_allclose(median_minutes([narrow, latest]), expected, rtol=1e-15)


@pytest.mark.parametrize("reach", [4, 30, 10_000])
def test_a_month_of_any_size_is_counted_in_full(
    records: Any, view: Callable[..., Viewpoint], monkeypatch: pytest.MonkeyPatch, reach: int
) -> None:
    monkeypatch.setattr(past, "REACH", reach)
    chance = random.Random(4)
    spent = [float(chance.randrange(200)) for _ in range(80)]
    records.task("t")
    for place, one in enumerate(spent):
        moment = datetime(2026, 1 + place % 5, 1, 12, tzinfo=UTC) + timedelta(minutes=place)
        records.completed(moment, "t", id=f"{place:02}", actual_minutes=one)
    assert median_minutes(read_stretches(records.read, view(), date(2026, 5, 13))) == np.median(spent)
    (before,) = load_before(records.read, view(), ["2026-05"])
    assert len(before.minutes) <= 2 * reach * 8
    assert before.shorter + len(before.minutes) // 8 + before.longer == 64


class Kept:
    """Keeps what was before the newest month as long as no event says that it is out of date, and compares it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.found_again = self.dropped = 0
        self._kept: dict[str, Stretch] = {}
        self._seen: list[TouchesDays] = []

    def hear(self, logged: Logged) -> None:
        """Be told of an event."""
        if isinstance(logged.event, TouchesDays):
            self._seen.append(logged.event)

    def complete(self, task: TaskId) -> InstanceId:
        """Complete an attempt now."""
        one = instances.plan(self.house.database, self.house.user, task)
        instances.complete(self.house.database, self.house.user, one, actual=Feelings(relief=50), actual_minutes=9.0)
        return one

    def look(self) -> None:
        """Hear of what was done since the last look, and compare."""
        for event in self._seen:
            if event.touches_earlier():
                self._kept.clear()
                self.dropped += 1
        with self.house.database.read() as read:
            view = Viewpoint.at(self.house.user, preferences.load(read, self.house.user), self.house.clock.now)
            (newest,) = days_at(read, view, "max(completed_at)")
            if newest:
                part = part_of(newest)
                (before,) = load_before(read, view, [part])
                assert self._kept.get(part, before) == before, self._seen
                self.found_again += part in self._kept
                self._kept[part] = before
        self._seen.clear()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[House, Kept]]:
    with open_house(folder, clock=Clock(datetime(2026, 1, 2, 12, tzinfo=UTC))) as house:
        kept = Kept(house)
        disconnect = house.bus.on_event(kept.hear)
        yield house, kept
        disconnect()


@pytest.mark.parametrize("seed", range(4))
def test_what_was_before_the_newest_month_is_out_of_date_only_after_an_event_that_says_so(
    tmp_path: Path, seed: int
) -> None:
    """Completions, corrections, moves into other months and undos, so that the newest month goes ahead and back."""
    chance = random.Random(seed)
    with opened(tmp_path) as (house, kept):
        own = house.database, house.user
        preferences.change(*own, time_zone="Pacific/Auckland", day_start="04:00")
        both = [tasks.create(*own, name=name) for name in "ab"]
        done: list[InstanceId] = []
        for step in range(60):
            house.clock.advance(hours=chance.choice([1, 90, 300]))
            act = chance.choice(["complete"] * 3 + ["undo", "edit", "move"])
            if act == "complete" or not done:
                done.append(kept.complete(chance.choice(both)))
            elif act == "edit":
                instances.edit(*own, chance.choice(done), actual_minutes=float(step + 1))
            elif act == "move":
                moment = house.clock.now - timedelta(hours=chance.randrange(1, 1500))
                instances.edit(*own, chance.choice(done), created_at=moment, started_at=None, completed_at=moment)
            else:
                instances.undo(*own, done.pop(chance.choice([-1, chance.randrange(len(done))])))
            kept.look()
        assert kept.found_again
        assert kept.dropped


def test_what_was_before_a_month_is_forgotten_when_that_month_is_the_newest_no_more(tmp_path: Path) -> None:
    with opened(tmp_path) as (house, kept):
        task = tasks.create(house.database, house.user, name="a")
        for _ in range(EARLY + 2):  # after that, those before no longer count for those after them
            kept.complete(task)
        house.clock.advance(days=40)
        ahead = kept.complete(task)
        kept.look()
        instances.undo(house.database, house.user, ahead)
        house.clock.advance(days=-40)
        kept.look()
        kept.complete(task)  # in the newest month there is, but before the one that was
        kept.look()
        house.clock.advance(days=40)
        kept.complete(task)
        kept.look()
