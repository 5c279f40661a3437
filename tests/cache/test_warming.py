"""Mode full: what is loaded before somebody looks, and again after each invalidation."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cache import warming
from cache.auditor import Auditor
from cache.errors import LoadError
from cache.values import PREFERENCES, VALUES, Value
from cache.warming import Preload, Progress
from data import instances, preferences, tasks
from data.fields import Feelings
from data.preferences import CacheBackend, CacheMode
from events.catalog import UserId
from tests.cache.probes import probe
from tests.house import House, open_house


def complete(house: House) -> None:
    task = tasks.create(house.database, house.user, name="Tax return")
    planned = instances.plan(house.database, house.user, task)
    instances.complete(house.database, house.user, planned, actual=Feelings(relief=80))


def states(house: House) -> set[str]:
    return {house.manager.why(value, house.user).state for value in VALUES}


def wait_until(ready: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.01)


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_in_mode_full_everything_is_warm_again_soon_after_an_event(tmp_path: Path, backend: CacheBackend) -> None:
    with open_house(tmp_path, backend=backend, mode=CacheMode.FULL) as house:
        assert house.manager.preload(house.user).wait(20)
        complete(house)
        assert states(house) != {"fresh"}
        wait_until(lambda: states(house) == {"fresh"})
        report = Auditor(house.manager).check_all(house.user)
        assert report.checked >= len(VALUES)
        assert report.differences == ()


def test_in_mode_selective_nothing_is_loaded_that_nobody_looks_at(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "GAP_SECONDS", 0.01)
    complete(house)
    wait_until(lambda: house.manager.warming._thread is None)
    assert not house.manager.warming._cold
    assert {key.loads for key in house.manager.get_cache_stats().keys if key.key != PREFERENCES.key} == {0}


def test_who_chooses_mode_full_is_warmed_from_then_on(house: House) -> None:
    preferences.change(house.database, house.user, cache_mode=CacheMode.FULL.value)
    assert house.manager.preload(house.user).wait(20)
    complete(house)
    wait_until(lambda: states(house) == {"fresh"})


def test_a_preload_loads_everything_and_says_how_far_it_is(house: House) -> None:
    complete(house)
    preload = house.manager.preload(house.user)
    assert preload.wait(20)
    assert preload.progress == Progress(
        done=len(VALUES) - 1, total=len(VALUES) - 1, share=1.0, seconds_left=0.0, is_over=True
    ), "all but the preferences, which were needed to begin"
    assert states(house) == {"fresh"}
    again = house.manager.preload(house.user)
    assert again.wait(20)
    assert again.progress.total == 0


class FakeCache:
    """Values that take as long as they are told, on a clock of their own."""

    def __init__(self, seconds: dict[str, float], expected: dict[str, float | None] | None = None) -> None:
        self.now = 0.0
        self.values = [probe(key=f"analytics.{name}", label=name) for name in seconds]
        self.seconds = {value.key: took for value, took in zip(self.values, seconds.values(), strict=True)}
        self.expected = expected or dict(seconds)
        self.loaded: list[str] = []
        self.before_each: Callable[[str], None] = lambda _: None

    def missing(self, user: UserId) -> list[tuple[Value[Any], float | None]]:
        return [(value, self.expected[value.label]) for value in self.values]

    def get_or_load(self, value: Value[Any], user: UserId) -> None:
        self.before_each(value.label)
        self.now += self.seconds[value.key]
        self.loaded.append(value.label)


def test_the_share_is_of_time_and_the_time_left_follows_what_was_measured() -> None:
    cache = FakeCache({"quick": 2.0, "slow": 6.0, "last": 2.0}, {"quick": 1.0, "slow": 3.0, "last": 1.0})
    preload = Preload(UserId(1), clock=lambda: cache.now)
    seen: list[Progress] = []
    cache.before_each = lambda _: seen.append(preload.progress)
    preload.run(cache)
    assert [(progress.loading, progress.done, progress.share) for progress in seen] == [
        ("quick", 0, 0.0),
        ("slow", 1, 0.2),
        ("last", 2, 0.8),
    ]
    assert seen[0].seconds_left is None
    assert seen[1].seconds_left == pytest.approx(8.0), "twice as slow as expected: so will the rest be"
    assert seen[2].seconds_left == pytest.approx(2.0), "all as it was said: 6 of the 8 seconds are over"
    assert [(progress.next_share, progress.seconds) for progress in seen] == [(0.2, 1.0), (0.8, 6.0), (1.0, 2.0)]


def test_the_time_left_is_smoothed() -> None:
    cache = FakeCache({"first": 1.0, "second": 2.0, "third": 1.0}, {"first": 1.0, "second": 1.0, "third": 1.0})
    preload = Preload(UserId(1), clock=lambda: cache.now)
    seen: list[Progress] = []
    cache.before_each = lambda _: seen.append(preload.progress)
    preload.run(cache)
    assert seen[1].seconds_left == pytest.approx(2.0)
    assert seen[2].seconds_left == pytest.approx(0.7 * (2.0 - 2.0) + 0.3 * 1.5)


def test_when_the_last_watcher_leaves_the_next_value_is_not_loaded() -> None:
    cache = FakeCache({"one": 1.0, "two": 1.0, "three": 1.0})
    preload = Preload(UserId(1), clock=lambda: cache.now)
    assert preload.join()
    preload.leave()
    cache.before_each = lambda label: preload.leave() if label == "two" else None
    preload.run(cache)
    assert cache.loaded == ["one", "two"]
    assert preload.progress.is_over
    assert preload.progress.is_cancelled
    assert not preload.join(), "whoever comes now begins another"


def test_a_value_that_cannot_be_loaded_does_not_end_the_preload() -> None:
    cache = FakeCache({"one": 1.0, "two": 1.0, "three": 1.0})

    def fail(label: str) -> None:
        if label == "two":
            raise LoadError(label, ArithmeticError("no such mean"))

    cache.before_each = fail
    preload = Preload(UserId(1), clock=lambda: cache.now)
    preload.run(cache)
    assert cache.loaded == ["one", "three"]
    assert (preload.progress.done, preload.progress.failed) == (3, 1)


def test_many_tabs_watch_one_preload(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    held, may_go = threading.Event(), threading.Event()
    get_or_load = house.manager.get_or_load

    def slow(value: Value[Any], user: UserId) -> Any:
        held.set()
        assert may_go.wait(10)
        return get_or_load(value, user)

    monkeypatch.setattr(house.manager, "get_or_load", slow)
    first = house.manager.preload(house.user)
    assert held.wait(10)
    second = house.manager.preload(house.user)
    assert second is first
    first.leave()
    may_go.set()
    assert second.wait(20)
    assert not second.progress.is_cancelled, "one tab cancelled, the other goes on"
    assert second.progress.done == second.progress.total > 0


def test_a_preload_of_nobody_ends(house: House) -> None:
    preload = house.manager.preload(UserId(99))
    assert preload.wait(10)
    assert preload.progress.is_over


def test_what_is_expected_of_the_unknown_is_what_the_others_take() -> None:
    assert warming._expected([None, 2.0, 4.0]) == [3.0, 2.0, 4.0]
    assert warming._expected([None, None]) == [1.0, 1.0]
    assert timedelta(seconds=sum(warming._expected([0.0]))) > timedelta(0)
