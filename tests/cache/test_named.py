"""Get, set and invalidate by name, on each backend."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cache import named
from cache.errors import CacheError, LoadError, UnknownNameError, UnstorableValueError
from cache.named import MISS
from data import instances, tasks
from data.preferences import CacheBackend
from events.errors import EventsError, PatternError
from tests.cache.probes import Task
from tests.house import House, open_house


def complete_something(house: House) -> None:
    task = tasks.create(house.database, house.user, name="A")
    instances.complete(house.database, house.user, instances.plan(house.database, house.user, task))


def test_what_was_set_is_found_until_it_is_invalidated(any_house: House) -> None:
    manager = any_house.manager
    assert manager.get("mine", "analytics") is MISS
    assert manager.set("mine", {"mean": 0.5, "n": [1, 2]}, "analytics")
    assert manager.get("mine", "analytics") == manager.get("analytics.mine", "analytics") == {"mean": 0.5, "n": [1, 2]}
    manager.invalidate("analytics.mine")
    assert manager.get("mine", "analytics") is MISS


def test_a_none_that_was_set_is_no_miss(any_house: House) -> None:
    any_house.manager.set("mine", None, "analytics")
    assert any_house.manager.get("mine", "analytics") is None


@pytest.mark.parametrize("pattern", ["*", "analytics.*", "analytics", "analytics.mine", "analytics.mine.*"])
def test_every_form_of_a_pattern_reaches_it(any_house: House, pattern: str) -> None:
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.invalidate(pattern)
    assert any_house.manager.get("mine", "analytics") is MISS


def test_within_a_subsystem_patterns_are_short(any_house: House) -> None:
    manager = any_house.manager
    for pattern in ("mine", "*", "analytics.mine", "analytics.*"):
        manager.set("mine", 1, "analytics")
        manager.set("mine", 2, "summary")
        manager.invalidate(pattern, "analytics")
        assert manager.get("mine", "analytics") is MISS
        assert manager.get("mine", "summary") == 2


def test_what_does_not_lie_below_is_left_alone(any_house: House) -> None:
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.set("mine_too", 2, "analytics")
    any_house.manager.invalidate("analytics.mine")
    assert any_house.manager.get("mine_too", "analytics") == 2


def test_domain_events_make_it_stale_as_well(any_house: House) -> None:
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.set("mine", 2, "summary")
    complete_something(any_house)
    assert any_house.manager.get("mine", "analytics") is MISS
    assert any_house.manager.get("mine", "summary") == 2


def test_a_set_that_comes_late_is_refused(any_house: House) -> None:
    """Miss, compute, be invalidated meanwhile, set, read again."""
    assert any_house.manager.get("mine", "analytics") is MISS
    complete_something(any_house)
    assert not any_house.manager.set("mine", "computed before", "analytics")
    assert any_house.manager.get("mine", "analytics") is MISS
    assert any_house.manager.set("mine", "computed after", "analytics")
    assert any_house.manager.get("mine", "analytics") == "computed after"


def test_a_late_set_from_another_thread_with_a_stamp_is_refused(any_house: House) -> None:
    stamp = any_house.manager.stamp()
    complete_something(any_house)
    late = Task(lambda: any_house.manager.set("mine", "computed before", "analytics", as_of=stamp))
    assert late.join() is False
    assert any_house.manager.get("mine", "analytics") is MISS


async def in_a_worker(act: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.to_thread(act, *given)


async def in_an_executor(act: Callable[..., Any], *given: Any) -> Any:
    """Without the caller's context, as NiceGUI does."""
    return await asyncio.get_running_loop().run_in_executor(None, act, *given)


async def in_a_thread(act: Callable[..., Any], *given: Any) -> Any:
    return Task(lambda: act(*given)).join()


@pytest.mark.parametrize("run", [in_a_worker, in_an_executor, in_a_thread])
async def test_a_late_set_is_refused_whichever_thread_missed(
    any_house: House, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = any_house.manager
    assert await run(manager.get, "mine", "analytics") is MISS
    await run(manager.invalidate, "analytics.*")
    for _ in range(2):
        assert not await run(manager.set, "mine", "computed before", "analytics")
        assert manager._hybrid.get(named.place(any_house.user, "analytics.mine")) is None
    assert await run(manager.get, "mine", "analytics") is MISS
    monkeypatch.setattr("cache.misses.KEPT_SECONDS", 0.0)  # a minute later
    assert await run(manager.set, "mine", "computed after", "analytics")
    assert await run(manager.get, "mine", "analytics") == "computed after"


@pytest.mark.parametrize("run", [in_a_worker, in_an_executor, in_a_thread])
@pytest.mark.parametrize("order", list(itertools.permutations("abc")), ids="".join)
async def test_in_no_order_is_the_one_that_is_late_kept(any_house: House, run: Any, order: tuple[str, ...]) -> None:
    """a missed before the invalidation; b after it, and once more when it was refused; c has not missed."""
    manager, kept = any_house.manager, list[str]()
    await run(manager.get, "mine", "analytics")
    manager.invalidate("analytics.*")
    await run(manager.get, "mine", "analytics")
    for name in order:
        for _ in range(1 + (name == "b")):
            if await run(manager.set, "mine", name, "analytics"):
                kept.append(name)
            await run(manager.get, "mine", "analytics")
    assert "a" not in kept
    assert manager.get("mine", "analytics") in (MISS, *kept)


def test_a_set_without_a_miss_does_not_answer_that_of_somebody_else(any_house: House) -> None:
    manager = any_house.manager
    assert Task(lambda: manager.get("mine", "analytics")).join() is MISS
    assert manager.set("mine", 1, "analytics")
    manager.invalidate("analytics.*")
    assert not Task(lambda: manager.set("mine", 1, "analytics")).join()
    assert manager.get("mine", "analytics") is MISS


def test_two_who_missed_together_are_both_answered(any_house: House) -> None:
    """The second one answers a miss as well: what was stored first does not make it one of now."""
    manager = any_house.manager
    for _ in range(2):
        assert Task(lambda: manager.get("mine", "analytics")).join() is MISS
    assert Task(lambda: manager.set("mine", 1, "analytics")).join()
    manager.invalidate("analytics.*")
    assert not Task(lambda: manager.set("mine", 1, "analytics")).join()
    assert manager.get("mine", "analytics") is MISS


def test_its_ttl_bounds_its_age(any_house: House) -> None:
    any_house.manager.set("mine", 1, "analytics", timedelta(minutes=5))
    any_house.clock.advance(minutes=4)
    assert any_house.manager.get("mine", "analytics") == 1
    any_house.clock.advance(minutes=2)
    assert any_house.manager.get("mine", "analytics") is MISS


def test_nobody_can_poison_what_the_next_reader_gets(any_house: House) -> None:
    given = {"list": [1]}
    any_house.manager.set("mine", given, "analytics")
    given["list"].append(2)
    any_house.manager.get("mine", "analytics")["list"].append(3)
    assert any_house.manager.get("mine", "analytics") == {"list": [1]}


def test_users_do_not_share_names(any_house: House) -> None:
    other = any_house.new_user("other")
    any_house.manager.set("mine", 1, "analytics")
    assert any_house.manager.get("mine", "analytics", user=other) is MISS
    any_house.manager.set("mine", 2, "analytics", user=other)
    any_house.manager.invalidate("*")
    assert any_house.manager.get("mine", "analytics", user=other) == 2


def test_clearing_a_subsystem_drops_it_and_nothing_else(any_house: House) -> None:
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.set("mine", 2, "summary")
    any_house.manager.clear_subsystem("analytics")
    assert any_house.manager.get("mine", "analytics") is MISS
    assert any_house.manager.get("mine", "summary") == 2


def test_an_invalidation_is_seen_after_a_restart(tmp_path: Path) -> None:
    for expected in (True, False):
        with open_house(tmp_path, backend=CacheBackend.FILE) as house:
            if expected:
                house.manager.set("mine", 1, "analytics")
            else:
                assert house.manager.get("mine", "analytics") == 1
                house.manager.invalidate("analytics.mine")
    with open_house(tmp_path, backend=CacheBackend.FILE) as house:
        assert house.manager.get("mine", "analytics") is MISS


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("analytics.relief_sumary", r"covers no value; did you mean 'analytics\.relief_summary'\?"),
        ("analytic.*", "covers no value; did you mean 'analytics'"),
        ("nothing.like.it", "covers no value$"),
    ],
)
def test_a_pattern_that_covers_nothing_is_refused(house: House, pattern: str, message: str) -> None:
    before = house.feed.seq
    with pytest.raises(UnknownNameError, match=message):
        house.manager.invalidate(pattern)
    assert house.feed.seq == before


def test_a_subsystem_that_is_none_is_refused(house: House) -> None:
    for act in (
        lambda: house.manager.get("mine", "analytic"),
        lambda: house.manager.set("mine", 1, "analytic"),
        lambda: house.manager.invalidate("*", "analytic"),
        lambda: house.manager.clear_subsystem("analytic"),
    ):
        with pytest.raises(UnknownNameError, match=r"expected one of .*did you mean 'analytics'"):
            act()


@pytest.mark.parametrize("key", ["", "*", "a.*", "A", "a..b", "a b", "a/b", "../etc"])
def test_a_key_that_is_none_is_refused(house: House, key: str) -> None:
    with pytest.raises(PatternError, match="expected dotted lower-case segments"):
        house.manager.get(key, "analytics")


@pytest.mark.parametrize("value", [object(), lambda: None, {1, object()}, 2**70])
def test_a_value_without_a_form_is_refused(house: House, value: object) -> None:
    with pytest.raises(UnstorableValueError, match=r"cannot be kept under 'analytics\.mine'"):
        house.manager.set("mine", value, "analytics")


def test_the_stats_count_what_happened(any_house: House) -> None:
    any_house.manager.get("mine", "analytics")
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.get("mine", "analytics")
    stats = any_house.manager.get_cache_stats()
    (analytics,) = [key for key in stats.keys if key.key == "analytics"]
    assert (analytics.hits, analytics.misses) == (1, 1)
    assert sum(tier.entries for tier in stats.tiers) >= 1


def test_what_lies_above_a_name_that_was_set_is_a_pattern(house: House) -> None:
    house.manager.set("cohort.2026.may", 1, "analytics")
    for pattern in ("analytics.cohort.*", "analytics.cohort.2026", "analytics.cohort.2026.may"):
        house.manager.set("cohort.2026.may", 1, "analytics")
        house.manager.invalidate(pattern)
        assert house.manager.get("cohort.2026.may", "analytics") is MISS
    with pytest.raises(UnknownNameError):
        house.manager.invalidate("analytics.cohor")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ttl": 60}, r"^ttl=60: expected a timedelta such as"),
        ({"ttl": 1.5}, r"^ttl=1\.5: expected a timedelta"),
        ({"ttl": timedelta.max}, "^ttl=.*: expected a timedelta .* before the year 10000"),
        ({"as_of": 2**70}, "^as_of=1180591620717411303424: expected the number of a log row"),
        ({"as_of": "5"}, "^as_of='5': expected the number of a log row"),
        ({"key": None}, "^key=None: expected dotted lower-case segments"),
        ({"key": 3}, "^key=3: expected dotted lower-case segments"),
        ({"key": "a" * 100_000}, "^a key of 100,000 characters: expected at most 1,000$"),
        ({"subsystem": None}, "^subsystem None: expected one of "),
        ({"subsystem": 3}, "^subsystem 3: expected one of "),
        ({"value": Decimal("1.5")}, "^a Decimal cannot be kept under .* would come back as text"),
        ({"value": {"rows": [UUID(int=7)]}}, "^a dict cannot be kept under .* would come back as text"),
        ({"user": 99}, "there is no user 99$"),
    ],
    ids=str,
)
def test_what_set_does_not_take_is_refused_in_a_sentence(any_house: House, given: dict[str, Any], message: str) -> None:
    with pytest.raises((CacheError, EventsError), match=message):
        any_house.manager.set(**{"key": "mine", "value": 1, "subsystem": "analytics", **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pattern": None}, "^pattern=None: expected dotted"),
        ({"pattern": 3}, "^pattern=3: expected dotted"),
        ({"pattern": "a" * 100_000}, "^a pattern of 100,000 characters: expected at most 1,000$"),
        ({"user": 99}, "there is no user 99$"),
    ],
    ids=str,
)
def test_what_invalidate_does_not_take_is_refused_in_a_sentence(
    house: House, given: dict[str, Any], message: str
) -> None:
    with pytest.raises((CacheError, EventsError), match=message):
        house.manager.invalidate(**{"pattern": "analytics.*", **given})


@pytest.mark.parametrize("key", ["analytics.trends", "analytics.trends.2026-05-13"])
def test_what_failed_is_said_once(key: str) -> None:
    error = LoadError("analytics.trends", RuntimeError(str(LoadError(key, ValueError("boom")))))
    assert str(error) == "analytics.trends could not be computed: boom"
    part = LoadError("analytics.trends", LoadError("pieces.past", ValueError("boom")))
    assert str(part) == "analytics.trends could not be computed: pieces.past could not be computed: boom"
