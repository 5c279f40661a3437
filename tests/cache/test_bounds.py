"""Each tier keeps within its bound, keeps what is used, and loses what is stale, without anybody waiting."""

import math
import random
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.hybrid_store import HybridStore
from cache.memory_store import ENTRY_OVERHEAD_BYTES, MemoryStore
from cache.store import Place
from data.preferences import CacheBackend
from tests.cache.places import LOADED_AT, MAX_BYTES, entry, file_store, noise, place, size_on_disk
from tests.cache.probes import Task, count_completed, probe
from tests.house import Clock, House, open_house

MB = 2**20
BACKENDS = [CacheBackend.MEMORY, CacheBackend.FILE, CacheBackend.HYBRID]


# --- bounded


@pytest.mark.parametrize(
    ("max_mb", "least_bytes", "most_bytes"),
    [(1, 200, 2_000), (1, 30, 2**20), (4, 1_000, 2**16), (4, 30, 2**20)],
    ids=["1 MB of small values", "1 MB of all sizes", "4 MB of middling values", "4 MB of all sizes"],
)
def test_the_folder_stays_within_its_bound_under_ten_times_as_much(
    tmp_path: Path, max_mb: int, least_bytes: int, most_bytes: int
) -> None:
    """Every file of the folder counted, after each set: what a write leaves in the log is there until the next one."""
    store, chance = file_store(tmp_path, max_mb * MB), random.Random(max_mb)
    written = kept = largest = number = 0
    while written < 10 * max_mb * MB:
        size = int(math.exp(chance.uniform(math.log(least_bytes), math.log(most_bytes))))
        kept += store.set(place(f"a.k{number}"), entry(noise(number, size)))
        written += size
        number += 1
        if size > 10_000 or number % 10 == 0:
            largest = max(largest, size_on_disk(tmp_path))
    assert 0.6 * max_mb * MB < largest <= max_mb * MB
    (stats,) = store.stats()
    assert stats.evictions > 0
    assert 0 < stats.entries == kept - stats.evictions
    assert stats.errors == 0
    store.close()


def test_the_folder_stays_within_its_bound_when_many_write_and_read(tmp_path: Path) -> None:
    store = file_store(tmp_path, MB)
    largest = []

    def load(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(250):
            store.set(place(f"a.s{seed}n{number}"), entry(noise(number, int(2 ** chance.uniform(5, 17)))))
            store.get(place(f"a.s{seed}n{chance.randrange(number + 1)}"))
            largest.append(size_on_disk(tmp_path))

    for task in [Task(lambda seed=seed: load(seed)) for seed in range(4)]:
        task.join()
    assert max(largest) <= 1.1 * MB
    assert store.stats()[0].errors == 0
    store.close()


def test_somebody_who_reads_an_old_state_for_long_costs_sets_and_no_space(tmp_path: Path) -> None:
    store = file_store(tmp_path, MB)
    store.set(place(), entry())
    reader = sqlite3.connect(tmp_path / "cache.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM Cache").fetchall()
    kept = [store.set(place(f"a.k{number}"), entry(noise(number, 30_000))) for number in range(100)]
    assert not all(kept), "the log cannot be begun anew while somebody needs what is in it"
    assert size_on_disk(tmp_path) <= 1.1 * MB
    assert store.get(place()) == entry(), "reading goes on"
    reader.close()
    store.close()


def test_a_folder_that_is_larger_than_it_may_be_by_now_is_begun_anew(tmp_path: Path) -> None:
    store = file_store(tmp_path, 4 * MB)
    for number in range(100):
        store.set(place(f"a.k{number}"), entry(noise(number, 30_000)))
    store.close()
    assert size_on_disk(tmp_path) > 1.1 * MB
    store = file_store(tmp_path, MB)
    assert store.set(place(), entry())
    assert size_on_disk(tmp_path) < MB
    store.close()


def test_what_is_cleared_is_given_back_to_the_file_system(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    for number in range(50):
        store.set(place(f"a.k{number}"), entry(noise(number, 30_000)))
    assert store.clear() == 50
    assert size_on_disk(tmp_path) < 200_000
    store.close()


def test_a_value_larger_than_a_quarter_is_not_kept_and_drives_nothing_out(tmp_path: Path) -> None:
    store = file_store(tmp_path, MB)
    store.set(place("a.small"), entry())
    assert not store.set(place("a.large"), entry(noise(1, MB // 2)))
    assert store.get(place("a.small")) == entry()
    assert store.stats()[0].evictions == 0
    store.close()


class Day(msgspec.Struct, frozen=True):
    day: str
    relief: float
    count: int


class Days(msgspec.Struct, frozen=True):
    days: tuple[Day, ...]
    kinds: dict[str, float]


def _days(chance: random.Random) -> Days:
    days = (Day(f"2026-05-{number % 28 + 1:02}", chance.random(), chance.randrange(1_000)) for number in range(200))
    return Days(tuple(days), {f"k{number}": chance.random() for number in range(50)})


def _rows(chance: random.Random) -> Any:
    rows: Any = {"rows": [{"at": LOADED_AT.isoformat(), "relief": chance.random(), "note": None} for _ in range(40)]}
    return msgspec.json.decode(msgspec.json.encode(rows))


TOLERANCE = 0.1


@pytest.mark.parametrize(
    "make",
    [
        _days,
        _rows,
        lambda chance: tuple(tuple(chance.random() for _ in range(24)) for _ in range(7)),
        lambda chance: [noise(number, chance.randrange(40, 60)) for number in range(300)],
        lambda chance: noise(chance.randrange(99), 5_000),
        lambda chance: chance.random(),
    ],
    ids=["structs", "rows", "floats", "texts", "one text", "one number"],
)
def test_memory_keeps_within_its_bound_in_real_memory(make: Callable[[random.Random], Any]) -> None:
    chance = random.Random(1)
    _fill(MemoryStore(MB), make, chance, 1)  # what is made once
    tracemalloc.start()
    try:
        before, store = tracemalloc.get_traced_memory()[0], MemoryStore(2 * MB)
        _fill(store, make, chance, 4_000)
        real = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    (stats,) = store.stats()
    assert stats.evictions
    assert abs(real - stats.size_bytes) < TOLERANCE * stats.size_bytes
    assert stats.size_bytes > 1.8 * MB


def _fill(store: MemoryStore, make: Callable[[random.Random], Any], chance: random.Random, most: int) -> None:
    for number in range(most):
        kept = entry(make(chance), as_of=1_000 + number, token=chance.getrandbits(62))
        loaded_at = LOADED_AT + timedelta(seconds=number)
        store.set(place(f"analytics.k{number}"), replace(kept, loaded_at=loaded_at, load_seconds=chance.random()))
        if store.stats()[0].evictions > 3:
            return


# --- what is used stays


def test_memory_stays_within_its_bound_and_gives_up_the_least_recently_used() -> None:
    store = MemoryStore(10 * (1000 + ENTRY_OVERHEAD_BYTES))
    for number in range(9):
        store.set(place(f"a.k{number}"), entry("x" * 951))
    assert store.get(place("a.k0")) is not None  # used
    for number in range(9, 14):
        store.set(place(f"a.k{number}"), entry("x" * 951))
    (stats,) = store.stats()
    assert stats.size_bytes <= stats.max_size_bytes
    assert stats.evictions == 4
    assert store.get(place("a.k0")) is not None
    assert store.get(place("a.k1")) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_memory_gives_up_in_the_order_of_use(acts: list[tuple[bool, int]]) -> None:
    """Beside the plainest LRU there is: a list, the last used at its end."""
    room = 5
    store, expected = MemoryStore(room * (1000 + ENTRY_OVERHEAD_BYTES)), list[int]()
    for is_set, number in acts:
        at = place(f"a.k{number}")
        if is_set:
            store.set(at, entry("x" * 951))
            expected = [*(kept for kept in expected if kept != number), number][-room:]
        elif store.get(at) is not None:
            expected.remove(number)
            expected.append(number)
    assert sorted(store.keys(place().user)) == sorted(f"a.k{number}" for number in expected)


def test_what_is_read_from_the_file_tier_outlives_what_is_not(tmp_path: Path) -> None:
    store = file_store(tmp_path, MB)
    hot = [place(f"a.hot{number}") for number in range(5)]
    for at in hot:
        store.set(at, entry(noise(1, 5_000)))
    for number in range(1_000):
        assert store.set(place(f"a.cold{number}"), entry(noise(number, 10_000)))
        assert store.get(hot[number % len(hot)]) is not None, f"lost after {number}"
    assert store.stats()[0].evictions > 500
    assert store.get(place("a.cold1")) is None
    store.close()


def test_what_is_read_from_memory_survives_on_disk(tmp_path: Path) -> None:
    store = HybridStore(MemoryStore(MB), file_store(tmp_path, MB))
    store.set(place("a.hot"), entry(noise(1, 5_000)))
    for number in range(500):
        store.set(place(f"a.cold{number}"), entry(noise(number, 10_000)))
        assert store.get(place("a.hot")) is not None
    store.close()
    after_restart = file_store(tmp_path, MB)
    assert after_restart.get(place("a.hot")) is not None
    assert after_restart.get(place("a.cold1")) is None
    after_restart.close()


def test_a_tier_in_which_everything_is_used_takes_new_entries_still(tmp_path: Path) -> None:
    store = file_store(tmp_path, MB)
    keys: list[Place] = []
    for number in range(150):
        at = place(f"a.k{number}")
        assert store.set(at, entry(noise(number, 10_000)))
        assert store.get(at) is not None
        keys.append(at)
        for kept in keys:
            store.get(kept)
        keys = [kept for kept in keys if kept.key in set(store.keys(at.user))]
    assert len(keys) > 10
    store.close()


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_read_all_the_time_is_loaded_once_under_a_flood(
    tmp_path: Path, backend: CacheBackend, is_page: bool
) -> None:
    """Most reads are answered by the shelf, which no tier sees."""
    loads = []

    def load(read: Any, view: Any) -> Any:
        loads.append(1)
        return count_completed(read, view)

    hot = probe(load)
    with open_house(tmp_path, backend=backend, max_size_mb=1) as house:
        for number in range(400):
            if is_page:
                with house.manager.snapshot(house.user) as snapshot:
                    snapshot.get(hot)
            else:
                house.manager.get_or_load(hot, house.user)
            assert house.manager.set(f"flood{number}", noise(number, 10_000), "analytics")
        assert len(loads) == 1
        assert sum(tier.evictions for tier in house.manager.get_cache_stats().tiers) > 200
    if backend is not CacheBackend.MEMORY:
        with open_house(tmp_path, backend=backend, max_size_mb=1) as house:
            house.manager.get_or_load(hot, house.user)
            assert len(loads) == 1, "it survived on disk as well"


# --- what is stale goes


def test_what_is_stale_is_reclaimed_and_what_is_fresh_stays(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        manager = house.manager
        other = house.new_user("other")
        for user in (house.user, other):
            manager.set("old", 1, "analytics", user=user)
            manager.set("old", 1, "summary", user=user)
        manager.invalidate("analytics.*")
        house.clock.advance(hours=25)
        manager.set("young", 1, "analytics")
        manager.invalidate("analytics.young")
        manager.get("old", "summary")
        assert _reclaim(house) == 2, "of the one that is stale, in both tiers"
        assert set(manager._hybrid.keys(house.user)) >= {"summary.old", "analytics.young"}
        assert "analytics.old" not in manager._hybrid.keys(house.user)
        assert set(manager._hybrid.keys(other)) >= {"summary.old", "analytics.old"}
        assert manager.get("old", "analytics", user=other) == 1


def test_a_restarted_house_asks_the_log_before_it_drops_anything(tmp_path: Path) -> None:
    """What was invalidated before this process began is not known until the log is asked, user by user."""
    clock = Clock()
    with open_house(tmp_path, clock=clock) as house:
        users = [house.user, *(house.new_user(f"u{number}") for number in range(3))]
        for user in users:
            house.manager.set("kept", 1, "analytics", user=user)
        house.manager.invalidate("*", user=users[2])
    clock.advance(days=3)
    with open_house(tmp_path, clock=clock) as house:
        assert _reclaim(house) >= 1
        left = [user for user in users if "analytics.kept" in house.manager._file.keys(user)]
        assert left == [users[0], users[1], users[3]]


def test_reclaiming_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store = HybridStore(MemoryStore(MAX_BYTES), file_store(tmp_path))
    for number in range(95):
        store.set(place(f"a.k{number:02}"), entry(number, as_of=number % 2))
    looked: list[str] = []

    def is_outdated(_user: Any, key: str, as_of: int, loaded_at: Any) -> bool:
        assert loaded_at == LOADED_AT
        looked.append(key)
        return as_of == 0

    for _ in range(10):
        before = len(looked)
        store.reclaim(is_outdated, most=10)
        assert len(looked) - before <= 20
    assert len(looked) == 190, "each entry of each tier once"
    assert all(
        store.get(place(f"a.k{number:02}"), least_as_of=9) == entry(number, as_of=1) for number in range(1, 95, 2)
    )
    assert len(set(store.keys(place().user))) == 47
    store.close()


@pytest.fixture(params=["memory", "file"])
def tier(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MemoryStore(MAX_BYTES) if request.param == "memory" else file_store(tmp_path)
    yield made
    made.close()


def test_no_reader_or_writer_waits_for_reclaiming(tier: Any) -> None:
    """Reclaiming is held in the middle of its look at an entry; everybody else comes and goes."""
    for number in range(3):
        tier.set(place(f"a.k{number}"), entry("old", as_of=1))
    looks, may_go = threading.Event(), threading.Event()

    def is_outdated(_user: Any, _key: str, as_of: int, _loaded_at: Any) -> bool:
        looks.set()
        assert may_go.wait(10)
        return as_of == 1

    reclaiming = Task(lambda: tier.reclaim(is_outdated))
    assert looks.wait(10)
    assert Task(lambda: tier.get(place("a.k0"))).join() == entry("old", as_of=1)
    assert Task(lambda: tier.set(place("a.k0"), entry("new", as_of=9))).join()
    may_go.set()
    assert reclaiming.join() == 2
    assert tier.get(place("a.k0")) == entry("new", as_of=9), "stored while it was looked at: fresh, and not dropped"
    assert tier.get(place("a.k1")) is None


def test_no_reader_of_the_file_tier_waits_for_a_transaction_that_drops(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry())
    dropping = sqlite3.connect(tmp_path / "cache.db", isolation_level=None)
    dropping.execute("BEGIN IMMEDIATE")
    dropping.execute("DELETE FROM Cache")
    assert store.get(place()) == entry()
    dropping.execute("ROLLBACK")
    dropping.close()
    store.close()


def test_reclaiming_in_a_busy_house_never_drops_what_is_fresh(tmp_path: Path) -> None:
    """The same task is done and undone while another thread reclaims without mercy: all that is fresh stays kept."""
    with open_house(tmp_path) as house:
        stop = threading.Event()
        reclaiming = Task(lambda: _until(stop, lambda: house.manager.reclaim(older_than=timedelta(seconds=-1), most=3)))
        for number in range(60):
            for key in ("one", "two"):
                house.manager.set(key, number, "analytics")
            if number % 3 == 0:
                house.manager.invalidate("analytics.one")
                house.manager.set("one", number, "analytics")
            assert house.manager.get("one", "analytics") == number
            assert house.manager.get("two", "analytics") == number
        stop.set()
        reclaiming.join()


def _until(stop: threading.Event, act: Callable[[], Any]) -> None:
    while not stop.is_set():
        act()


def _reclaim(house: House) -> int:
    dropped = 0
    for _ in range(3):
        dropped += house.manager.reclaim(most=100)
    return dropped
