"""Nothing stale is ever served as fresh: the orders in which reader, writer and invalidation can meet."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cache.named import MISS
from cache.values import DASHBOARD_METRICS, PREFERENCES, SUMMARY_DAILY
from data import instances, preferences, tasks
from data.fields import Feelings
from data.preferences import CacheBackend, CacheMode
from events.catalog import EventUnreadable, InstanceId, Invalidated
from tests.cache.probes import Count, Gate, Task, probe
from tests.house import Clock, House, open_house

ROOT = Path(__file__).resolve().parents[2]


def plan(house: House) -> InstanceId:
    task = tasks.create(house.database, house.user, name="Tax return")
    return instances.plan(house.database, house.user, task)


def complete(house: House, instance: InstanceId | None = None) -> None:
    instances.complete(house.database, house.user, instance or plan(house), actual=Feelings(relief=80))


def test_a_value_is_loaded_once_and_then_found(any_house: House) -> None:
    gate = Gate()
    value = probe(gate)
    first = any_house.manager.get_or_load(value, any_house.user)
    assert any_house.manager.get_or_load(value, any_house.user) == first == Count(0)
    assert gate.calls == 1


def test_a_completion_is_seen_by_the_next_read(any_house: House) -> None:
    value = probe()
    for expected in range(1, 4):
        complete(any_house)
        assert any_house.manager.get_or_load(value, any_house.user) == Count(expected)


def test_all_values_of_a_snapshot_are_of_one_state(any_house: House) -> None:
    planned = plan(any_house)
    one, other = probe(), probe(key="analytics.other")
    with any_house.manager.snapshot(any_house.user) as snapshot:
        before = snapshot.get(one)
        complete(any_house, planned)
        assert any_house.manager.get_or_load(other, any_house.user) == Count(1), "another reader fills the cache"
        assert snapshot.get(other) == before == Count(0), "two cards of one page disagree"
    assert any_house.manager.get_or_load(other, any_house.user) == Count(1)


def test_what_an_old_snapshot_computes_is_not_kept_for_others(any_house: House) -> None:
    planned = plan(any_house)
    gate = Gate()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        complete(any_house, planned)
        assert snapshot.get(probe(gate)) == Count(0)
    assert any_house.manager.get_or_load(probe(gate), any_house.user) == Count(1)


def test_a_hundred_threads_load_once(any_house: House) -> None:
    complete(any_house)
    gate = Gate(held=True)
    value = probe(gate)
    readers = [Task(lambda: any_house.manager.get_or_load(value, any_house.user)) for _ in range(100)]
    assert gate.has_read.wait(10)
    gate.may_return.set()
    assert {reader.join().completed for reader in readers} == {1}
    assert gate.calls == 1


def test_a_load_that_ends_late_makes_nobody_load_again(any_house: House) -> None:
    slow, quick = Gate(held=True), Gate()
    late = Task(lambda: any_house.manager.get_or_load(probe(slow), any_house.user))
    assert slow.has_read.wait(10)
    complete(any_house)
    for _ in range(2):
        assert any_house.manager.get_or_load(probe(quick), any_house.user) == Count(1)
        slow.may_return.set()
        late.join()
    assert (slow.calls, quick.calls) == (1, 1), "a load at each generation"


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_a_load_that_ends_late_in_another_process_makes_nobody_load_again(
    tmp_path: Path, backend: CacheBackend
) -> None:
    slow, quick = Gate(held=True), Gate()
    with open_house(tmp_path, backend=backend) as house, open_house(tmp_path, backend=backend) as other:
        late = Task(lambda: house.manager.get_or_load(probe(slow), house.user))
        assert slow.has_read.wait(10)
        complete(other)
        assert other.manager.get_or_load(probe(quick), other.user) == Count(1)
        slow.may_return.set()
        late.join()
    with open_house(tmp_path, backend=backend) as house:
        assert house.manager.get_or_load(probe(quick), house.user) == Count(1)
    assert (slow.calls, quick.calls) == (1, 1), "a load at each generation"


def test_a_look_is_current_until_an_event_touches_it(any_house: House) -> None:
    value = probe()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value)
    preferences.change(any_house.database, any_house.user, theme="dark")
    assert any_house.manager.is_current(value, any_house.user, look), "an event that no rule connects with it"
    complete(any_house)
    assert not any_house.manager.is_current(value, any_house.user, look)


def test_a_look_at_yesterdays_summary_is_not_current_even_without_a_tick(any_house: House) -> None:
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(SUMMARY_DAILY)
    any_house.clock.advance(days=1)
    assert not any_house.manager.is_current(SUMMARY_DAILY, any_house.user, look)


def test_values_of_the_wrong_day_cannot_be_read_even_without_a_tick(any_house: House) -> None:
    before = any_house.manager.get_or_load(DASHBOARD_METRICS, any_house.user)
    any_house.clock.advance(days=1)
    after = any_house.manager.get_or_load(DASHBOARD_METRICS, any_house.user)
    assert after.today - before.today == timedelta(days=1)


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_beyond_its_ttl_one_process_loads_for_the_others(tmp_path: Path, clock: Clock, backend: CacheBackend) -> None:
    gate = Gate()
    value = probe(gate, ttl=timedelta(minutes=1))
    with (
        open_house(tmp_path, clock=clock, backend=backend) as house,
        open_house(tmp_path, clock=clock, backend=backend) as other,
    ):
        for loads in (1, 2, 3):
            for manager in (house.manager, other.manager):
                manager.get_or_load(value, house.user)
                assert gate.calls == loads
            clock.advance(minutes=2)


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_what_another_process_set_anew_is_found_beyond_the_ttl(
    tmp_path: Path, clock: Clock, backend: CacheBackend
) -> None:
    with (
        open_house(tmp_path, clock=clock, backend=backend) as house,
        open_house(tmp_path, clock=clock, backend=backend) as other,
    ):
        for number in range(3):
            assert house.manager.set("mine", number, "analytics", timedelta(minutes=1))
            assert other.manager.get("mine", "analytics") == number
            clock.advance(minutes=2)
            assert other.manager.get("mine", "analytics") is MISS


def test_clearing_while_a_value_is_loaded_costs_no_second_load(any_house: House) -> None:
    gate = Gate(held=True)
    reader = Task(lambda: any_house.manager.get_or_load(probe(gate), any_house.user))
    assert gate.has_read.wait(10)
    any_house.manager.set("mine", 1, "analytics")
    any_house.manager.clear()
    gate.may_return.set()
    reader.join()
    any_house.manager.get_or_load(probe(gate), any_house.user)
    assert gate.calls == 1
    assert any_house.manager.get("mine", "analytics") is MISS


def test_beyond_its_ttl_a_value_is_loaded_again(any_house: House) -> None:
    gate = Gate()
    value = probe(gate, ttl=timedelta(minutes=5))
    any_house.manager.get_or_load(value, any_house.user)
    any_house.clock.advance(minutes=5, seconds=1)
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 2


def test_a_clock_that_was_set_back_keeps_nothing_for_ever(any_house: House) -> None:
    gate = Gate()
    value = probe(gate, ttl=timedelta(minutes=5))
    any_house.clock.advance(days=3650)
    any_house.manager.get_or_load(value, any_house.user)
    any_house.clock.advance(days=-3650)
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 2


def test_preferences_decide_at_once_where_values_are_kept(house: House) -> None:
    gate = Gate()
    value = probe(gate)
    for backend in (*CacheBackend, *CacheBackend):
        preferences.change(house.database, house.user, cache_backend=backend.value)
        house.manager.get_or_load(value, house.user)
        complete(house)
        assert house.manager.get_or_load(value, house.user) == house.manager.get_or_load(value, house.user)
    assert house.manager.get_or_load(value, house.user) == Count(2 * len(CacheBackend))
    assert house.manager.get_or_load(PREFERENCES, house.user).cache_backend == list(CacheBackend)[-1]


def test_with_the_cache_disabled_everything_is_computed_every_time(house: House) -> None:
    preferences.change(house.database, house.user, cache_mode=CacheMode.DISABLED.value)
    gate = Gate()
    for expected in (1, 2, 3):
        house.manager.get_or_load(probe(gate), house.user)
        assert gate.calls == expected


def test_what_one_user_does_leaves_the_others_values_alone(any_house: House) -> None:
    other = any_house.new_user("other")
    gate = Gate()
    value = probe(gate)
    any_house.manager.get_or_load(value, other)
    complete(any_house)
    assert any_house.manager.get_or_load(value, any_house.user) == Count(1)
    assert any_house.manager.get_or_load(value, other) == Count(0)
    assert gate.calls == 2, "the other's value was loaded again"


def test_an_event_that_this_version_cannot_read_makes_everything_of_its_user_stale(any_house: House) -> None:
    gate = Gate()
    value = probe(gate, key="summary.probe")
    any_house.manager.get_or_load(value, any_house.user)
    any_house.database.write(
        lambda transaction: transaction.record(
            EventUnreadable(user=any_house.user, at=any_house.clock(), stored_name="task.pinned")
        )
    )
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 2


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_what_is_on_disk_is_found_after_a_restart(tmp_path: Path, backend: CacheBackend) -> None:
    gate = Gate()
    for _ in range(2):
        with open_house(tmp_path, backend=backend) as house:
            house.manager.get_or_load(probe(gate), house.user)
    assert gate.calls == 1


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_what_another_process_did_while_we_were_down_is_seen(tmp_path: Path, backend: CacheBackend) -> None:
    with open_house(tmp_path, backend=backend) as house:
        planned = plan(house)
        assert house.manager.get_or_load(probe(), house.user) == Count(0)
    with open_house(tmp_path, backend=CacheBackend.MEMORY) as house:
        complete(house, planned)
    with open_house(tmp_path, backend=backend) as house:
        assert house.manager.get_or_load(probe(), house.user) == Count(1)


_OTHER_PROCESS = """
import sys
from data import instances
from data.database import Database
from events.catalog import InstanceId, UserId
database = Database(sys.argv[1])
database.open()
instances.complete(database, UserId(1), InstanceId(sys.argv[2]))
database.close()
"""


def test_what_another_process_does_meanwhile_is_seen_by_the_next_read(any_house: House) -> None:
    any_house.clock.now = any_house.clock.now.replace(year=2020)  # the other process has a real clock
    planned = plan(any_house)
    value = probe()
    assert any_house.manager.get_or_load(value, any_house.user) == Count(0)
    subprocess.run(
        [sys.executable, "-c", _OTHER_PROCESS, any_house.database.url, planned], check=True, cwd=ROOT, timeout=30
    )
    assert any_house.manager.get_or_load(value, any_house.user) == Count(1)


def test_nobody_joins_a_flight_whose_snapshot_is_of_before_the_invalidation(any_house: House) -> None:
    """The old snapshot began before the completion and loads after it: same generation, older state."""
    planned = plan(any_house)
    held, opened, completed = Gate(held=True), threading.Event(), threading.Event()
    value = probe(held)

    def read_in_an_old_snapshot() -> Count:
        with any_house.manager.snapshot(any_house.user) as snapshot:
            opened.set()
            assert completed.wait(10)
            return snapshot.get(value)

    old = Task(read_in_an_old_snapshot)
    assert opened.wait(10)
    complete(any_house, planned)
    completed.set()
    assert held.has_read.wait(10)
    held.has_read.clear()
    new = Task(lambda: any_house.manager.get_or_load(value, any_house.user))
    assert held.has_read.wait(10), "it waits for the flight of an older state"
    held.may_return.set()
    assert new.join() == Count(1)
    assert old.join() == Count(0)


def test_who_missed_just_before_another_landed_does_not_load_again(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    value = probe(gate)
    any_house.manager.get_or_load(PREFERENCES, any_house.user)
    loading = any_house.manager._lookup.loading
    join = loading.join

    def join_late(*flight: Any) -> object:
        monkeypatch.setattr(loading, "join", join)
        Task(lambda: any_house.manager.get_or_load(value, any_house.user)).join()  # takes off and lands in between
        return join(*flight)

    monkeypatch.setattr(loading, "join", join_late)
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 1


@pytest.fixture
def between(any_house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Do something, in another thread, after a snapshot's state is fixed and before it looks at anything."""

    def set_up(act: Any) -> None:
        catch_up = any_house.feed.catch_up

        def act_first() -> int:
            monkeypatch.setattr(any_house.feed, "catch_up", catch_up)
            Task(act).join()
            return catch_up()

        monkeypatch.setattr(any_house.feed, "catch_up", act_first)

    return set_up


def test_a_snapshot_does_not_mix_in_what_later_readers_found(any_house: House, between: Any) -> None:
    planned = plan(any_house)
    one, other = probe(), probe(key="analytics.other")

    def complete_and_read() -> None:
        complete(any_house, planned)
        any_house.manager.get_or_load(other, any_house.user)

    between(complete_and_read)
    with any_house.manager.snapshot(any_house.user) as snapshot:
        assert snapshot.get(one) == snapshot.get(other) == Count(0)
    assert any_house.manager.get_or_load(one, any_house.user) == Count(1)


def test_preferences_of_an_old_snapshot_are_nobody_elses(any_house: House, between: Any) -> None:
    between(lambda: preferences.change(any_house.database, any_house.user, day_start="11:00"))
    with any_house.manager.snapshot(any_house.user) as snapshot:
        old = snapshot.view.today
    with any_house.manager.snapshot(any_house.user) as snapshot:
        assert old - snapshot.view.today == timedelta(days=1), "at 10:00, a day that starts at 11:00 is yesterday's"


def test_a_snapshot_sees_what_another_process_did_before_it_began(any_house: House) -> None:
    planned = plan(any_house)
    value = probe()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        snapshot.get(value)
    told, any_house.database.after_commit[:] = any_house.database.after_commit[:], []
    complete(any_house, planned)  # like another process's: nobody tells the feed
    with any_house.manager.snapshot(any_house.user) as snapshot:
        assert snapshot.get(value) == Count(1)
    any_house.database.after_commit[:] = told


def test_when_the_log_went_back_everything_is_forgotten_and_pages_are_told(any_house: House) -> None:
    gate = Gate()
    value = probe(gate)
    any_house.manager.get_or_load(value, any_house.user)
    told: list[Invalidated] = []
    disconnect = any_house.bus.on_invalidated(told.append)
    for rewound in any_house.feed.on_rewind:  # when the feed finds that out is in tests/data/test_feed.py
        rewound()
    disconnect()
    assert [(notification.user, notification.prefixes) for notification in told] == [(None, ("",))]
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 2


def test_a_reader_of_before_a_rewind_does_not_bring_back_what_was_forgotten(any_house: House) -> None:
    """It would find out from the log of its own, older state what was ever invalidated."""
    value = probe()
    with any_house.database.read() as old:
        complete(any_house)
        any_house.manager.get_or_load(value, any_house.user)
        for rewound in any_house.feed.on_rewind:
            rewound()
        any_house.manager._generations.recover(any_house.user, old)
    assert any_house.manager._generations.of(any_house.user, value.key) >= any_house.feed.seq
