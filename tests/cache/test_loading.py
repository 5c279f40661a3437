"""One loader for all who wait, in this process and across processes, with an end; and what is shown meanwhile."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cache.errors import LoadError
from cache.leases import Leases
from cache.values import Value
from data import instances, preferences, tasks
from data.database import ReadTransaction
from data.fields import Feelings
from data.preferences import CacheBackend, CacheMode
from data.viewpoint import Viewpoint
from events.catalog import InstanceId, Reloaded
from tests.cache.probes import Count, Gate, Task, count_completed, probe
from tests.house import House, open_house

ROOT = Path(__file__).resolve().parents[2]
SHARED = [CacheBackend.FILE, CacheBackend.HYBRID]


def plan(house: House) -> InstanceId:
    task = tasks.create(house.database, house.user, name="Tax return")
    return instances.plan(house.database, house.user, task)


def complete(house: House) -> None:
    instances.complete(house.database, house.user, plan(house), actual=Feelings(relief=80))


def wait_until(ready: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.005)


@pytest.fixture
def reloaded(any_house: House) -> Iterator[list[Reloaded]]:
    heard: list[Reloaded] = []
    disconnect = any_house.bus.on_reloaded(heard.append)
    yield heard
    disconnect()


# --- one loader


def test_a_thousand_asyncio_readers_load_once(any_house: House) -> None:
    complete(any_house)
    gate = Gate(held=True)
    value = probe(gate)

    async def read_all() -> list[Count]:
        readers = [asyncio.to_thread(any_house.manager.get_or_load, value, any_house.user) for _ in range(1000)]
        let_go = asyncio.get_running_loop().call_later(0.2, gate.may_return.set)
        found: list[Count] = await asyncio.gather(*readers)
        let_go.cancel()
        return found

    assert set(asyncio.run(read_all())) == {Count(1)}
    assert gate.calls == 1


def test_who_waits_for_a_load_takes_no_reader_of_the_pool_from_others(any_house: House) -> None:
    any_house.manager.get_or_load(probe(key="analytics.other"), any_house.user)
    gate = Gate(held=True)
    value = probe(gate)
    waiting = [Task(lambda: any_house.manager.get_or_load(value, any_house.user)) for _ in range(20)]
    assert gate.has_read.wait(10)
    for _ in range(3):
        assert any_house.manager.get_or_load(probe(key="analytics.third"), any_house.user) == Count(0)
    gate.may_return.set()
    assert {task.join() for task in waiting} == {Count(0)}
    assert gate.calls == 1


_EIGHTH = """
import sys, time
from datetime import timedelta
from pathlib import Path
from cache.manager import CacheManager
from cache.settings import CacheSettings
from cache.values import Value
from data.database import Database
from data.feed import Feed
from data.preferences import CacheBackend
from events.bus import Bus
from events.catalog import UserId
from events.rules import RULES
from events.ruleset import Ruleset
from tests.cache.probes import Count, count_completed

folder, backend, seconds = Path(sys.argv[1]), CacheBackend(sys.argv[2]), float(sys.argv[3])
def load(read, view):
    with (folder / "loads").open("a") as loads:
        loads.write("x")
    found = count_completed(read, view)
    time.sleep(seconds)
    return found
bus = Bus()
database = Database(f"sqlite:///{folder}/state/reprieve.db")
feed = Feed(database, bus)
settings = CacheSettings(folder=folder / "cache", backend=backend, max_size_mb=20)
manager = CacheManager(database, feed, bus, Ruleset(RULES), settings)
database.open(); manager.start(); feed.start()
value = Value(key="analytics.probe", label="Probe", kind=Count, loader=load, ttl=timedelta(hours=1))
print("ready", flush=True)
sys.stdin.readline()
print(manager.get_or_load(value, UserId(1)).completed, flush=True)
sys.stdin.readline()
manager.stop(); feed.stop(); database.close()
"""


class Process:
    """Another process on the same folder, which reads one value when told to."""

    def __init__(self, folder: Path, backend: CacheBackend, load_seconds: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _EIGHTH, str(folder), backend.value, str(load_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., list[Process]]]:
    with contextlib.ExitStack() as running:

        def start(number: int, backend: CacheBackend, load_seconds: float = 0.3) -> list[Process]:
            started = [Process(tmp_path, backend, load_seconds) for _ in range(number)]
            for process in started:
                running.callback(process.end)
            assert [process.told() for process in started] == ["ready"] * number
            return started

        yield start


def loads_in(folder: Path) -> int:
    file = folder / "loads"
    return len(file.read_text()) if file.exists() else 0


@pytest.mark.parametrize("backend", SHARED)
def test_eight_processes_on_one_disk_store_load_once(
    tmp_path: Path, processes: Callable[..., list[Process]], backend: CacheBackend
) -> None:
    with open_house(tmp_path, backend=backend) as house:
        complete(house)
        house.clock.now = house.clock.now.replace(year=2026)
    eight = processes(8, backend)
    for process in eight:
        process.go_on()
    assert [process.told() for process in eight] == ["1"] * 8
    assert loads_in(tmp_path) == 1


def test_a_killed_holder_delays_the_others_until_its_lease_ends(
    tmp_path: Path, processes: Callable[..., list[Process]]
) -> None:
    with open_house(tmp_path):
        pass
    (holder,) = processes(1, CacheBackend.FILE, 60.0)
    (other,) = processes(1, CacheBackend.FILE, 0.0)
    holder.go_on()
    wait_until(lambda: loads_in(tmp_path) == 1)
    holder.signal(signal.SIGKILL)
    other.go_on()
    assert other.told() == "0", "it did not wait for the dead"
    assert loads_in(tmp_path) == 2


def test_what_a_holder_brings_after_its_lease_went_to_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asleep beyond the end of its lease, while another process loads a newer value and keeps it."""
    with (
        open_house(tmp_path, backend=CacheBackend.FILE) as here,
        open_house(tmp_path, backend=CacheBackend.FILE) as there,
    ):
        gate = Gate(held=True)
        monkeypatch.setattr(Leases, "_keep", lambda *_: None)  # asleep: it renews nothing
        here.manager._leases._seconds = there.manager._leases._seconds = 0.1
        late = Task(lambda: here.manager.get_or_load(probe(gate), here.user))
        assert gate.has_read.wait(10)
        assert there.manager.get_or_load(probe(), there.user) == Count(0)
        kept = there.manager.why(probe(), there.user).loaded_at
        there.clock.advance(minutes=1)
        here.clock.advance(minutes=1)
        gate.may_return.set()
        assert late.join() == Count(0), "it may see what it computed, which is of its own state"
        assert there.manager.why(probe(), there.user).loaded_at == kept, "its late store was not refused"


def test_a_lease_that_has_ended_is_its_holders_until_another_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine too busy to renew it in time, too, one process loads once."""
    with open_house(tmp_path, backend=CacheBackend.FILE) as house:
        gate = Gate(held=True)
        monkeypatch.setattr(Leases, "_keep", lambda *_: None)
        house.manager._leases._seconds = 0.1
        slow = Task(lambda: house.manager.get_or_load(probe(gate), house.user))
        assert gate.has_read.wait(10)
        time.sleep(0.2)
        gate.may_return.set()
        assert slow.join() == house.manager.get_or_load(probe(gate), house.user) == Count(0)
        assert gate.calls == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_a_holder_that_lives_keeps_its_lease_for_as_long_as_it_loads(tmp_path: Path, restarted: bool) -> None:
    with (
        open_house(tmp_path, backend=CacheBackend.FILE) as here,
        open_house(tmp_path, backend=CacheBackend.FILE) as there,
    ):
        if restarted:
            here.manager.stop()
            here.manager.start()
        here.manager._leases._seconds = there.manager._leases._seconds = 1.0
        gate, never = Gate(held=True), Gate()
        slow = Task(lambda: here.manager.get_or_load(probe(gate), here.user))
        assert gate.has_read.wait(10)
        other = Task(lambda: there.manager.get_or_load(probe(never), there.user))
        time.sleep(2.5)
        gate.may_return.set()
        assert slow.join() == other.join() == Count(0)
        assert never.calls == 0


def test_without_a_folder_to_take_a_lease_in_each_loads_for_itself(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with open_house(tmp_path, backend=CacheBackend.FILE) as house:
        assert house.manager.get_or_load(probe(), house.user) == Count(0)


# --- what is shown meanwhile


def test_a_stale_value_can_be_shown_at_once_and_is_labelled(any_house: House, reloaded: list[Reloaded]) -> None:
    """Stale while revalidate."""
    gate = Gate()
    value = probe(gate)
    any_house.manager.get_or_load(value, any_house.user)
    complete(any_house)
    gate.may_return.clear()
    gate.has_read.clear()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value, patience=0)
        assert (look.value, look.is_loading, look.is_fresh) == (Count(0), True, False)
        assert not snapshot.is_current(value, look)
    assert gate.has_read.wait(10)
    assert not reloaded
    gate.may_return.set()
    wait_until(lambda: reloaded)
    assert [(told.user, told.prefixes) for told in reloaded] == [(any_house.user, ("analytics.probe",))]
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value, patience=0)
        assert (look.value, look.is_fresh) == (Count(1), True)
    assert gate.calls == 2


def test_what_is_shown_while_loading_is_never_what_get_returns(any_house: House) -> None:
    value = probe(Gate())
    any_house.manager.get_or_load(value, any_house.user)
    complete(any_house)
    with any_house.manager.snapshot(any_house.user) as snapshot:
        snapshot.look(value, patience=0)
        assert snapshot.get(value) == Count(1)


def test_a_load_beyond_its_soft_timeout_goes_on_and_the_old_value_is_shown(
    any_house: House, reloaded: list[Reloaded]
) -> None:
    gate = Gate()
    value = probe(gate, soft_timeout=timedelta(seconds=0.05))
    any_house.manager.get_or_load(value, any_house.user)
    complete(any_house)
    gate.may_return.clear()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        look = snapshot.look(value)
    assert (look.value, look.is_loading) == (Count(0), True)
    assert any_house.manager._counts.of("analytics.probe").timeouts == 1
    gate.may_return.set()
    wait_until(lambda: reloaded)
    assert any_house.manager.get_or_load(value, any_house.user) == Count(1)
    assert gate.calls == 2, "the load that went on is the one that everybody has"


def test_a_first_load_can_be_left_and_come_back_to(any_house: House) -> None:
    gate = Gate()
    value = probe(gate)
    gate.may_return.clear()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        assert snapshot.glance(value, hold=0) is None
        assert snapshot.glance(value, hold=0.01) is None
        gate.may_return.set()
        look = snapshot.glance(value, hold=None)
        assert look is not None
        assert (look.value, look.is_fresh) == (Count(0), True)
    counted = any_house.manager._counts.of("analytics.probe")
    assert (gate.calls, counted.misses, counted.hits) == (1, 1, 0), "one load and one miss"


def endless(read: ReadTransaction, view: Viewpoint) -> Count:
    """A query that would run for hours."""
    read.connection.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    ).one()
    return count_completed(read, view)


@pytest.mark.parametrize("mode", [CacheMode.SELECTIVE, CacheMode.DISABLED])
def test_a_query_that_is_given_up_is_stopped(tmp_path: Path, mode: CacheMode) -> None:
    with open_house(tmp_path, mode=mode) as house:
        begun: list[None] = []
        ended: list[None] = []

        def loader(read: ReadTransaction, view: Viewpoint) -> Count:
            begun.append(None)
            try:
                return endless(read, view)
            finally:
                ended.append(None)

        for _ in range(12):  # more often than there are transactions in a pool
            with pytest.raises(LoadError, match="took longer than it may"):
                house.manager.get_or_load(probe(loader, hard_timeout=timedelta(seconds=0.1)), house.user)
        assert begun
        wait_until(lambda: len(ended) == len(begun))
        assert house.manager.get_or_load(probe(), house.user) == Count(0)


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_a_background_load_that_began_before_an_invalidation_is_stale_on_arrival(
    tmp_path: Path, backend: CacheBackend
) -> None:
    with open_house(tmp_path, backend=backend) as house:
        gate = Gate()
        value: Value[Any] = probe(gate)
        house.manager.get_or_load(value, house.user)
        complete(house)
        gate.may_return.clear()
        gate.has_read.clear()
        with house.manager.snapshot(house.user) as snapshot:
            assert snapshot.look(value, patience=0).is_loading
        assert gate.has_read.wait(10)
        complete(house)
        gate.may_return.set()
        assert house.manager.get_or_load(value, house.user) == Count(2)
        assert house.manager.get_or_load(value, house.user) == Count(2)


def test_preferences_that_change_while_a_value_loads_do_not_mix(any_house: House) -> None:
    """The load reads a state of its own, so it must see it by that state's preferences."""
    seen: list[tuple[str, float]] = []

    def loader(read: ReadTransaction, view: Viewpoint) -> Count:
        ((stored,),) = read.connection.exec_driver_sql(
            "SELECT target_minutes_per_day FROM preferences WHERE user_id = ?", (view.user,)
        ).all()
        seen.append((stored, view.profile.target_minutes_per_day))
        return count_completed(read, view)

    loading = any_house.manager._lookup.loading
    start = loading.start

    def change_first(job: Callable[[], None]) -> None:
        loading.start = start
        preferences.change(any_house.database, any_house.user, target_minutes_per_day=100)
        start(job)

    loading.start = change_first
    any_house.manager.get_or_load(probe(loader), any_house.user)
    assert seen
    assert all(stored == viewed for stored, viewed in seen)


# --- what an attack has found


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_a_load_that_was_given_up_keeps_nobody_from_loading(tmp_path: Path, backend: CacheBackend) -> None:
    """Nor by its lease, which would otherwise be renewed for as long as it hangs."""
    with open_house(tmp_path, backend=backend) as house:
        gate = Gate(held=True)
        with pytest.raises(LoadError, match="took longer than it may"):
            house.manager.get_or_load(probe(gate, hard_timeout=timedelta(seconds=0.1)), house.user)
        assert house.manager.get_or_load(probe(hard_timeout=timedelta(seconds=2)), house.user) == Count(0)
        gate.may_return.set()


def test_a_load_is_given_up_also_where_there_can_be_no_more_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has to let go of its lease, or the next reader would wait until that ends."""
    gate = Gate(held=True)
    start = threading.Thread.start

    def exhausted(thread: threading.Thread) -> None:
        if thread.name == "cache-stop":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", exhausted)
    with open_house(tmp_path, backend=CacheBackend.FILE) as house:
        with pytest.raises(LoadError, match="longer than it may"):
            house.manager.get_or_load(probe(gate, hard_timeout=timedelta(seconds=0.1)), house.user)
        released = probe(hard_timeout=timedelta(seconds=2))  # less than a lease lasts
        assert house.manager.get_or_load(released, house.user) == Count(0)
        gate.may_return.set()


def test_loads_that_nobody_waits_for_any_more_are_given_up_as_well(any_house: House) -> None:
    """More of them than there are transactions for loads, each at another generation."""
    gate = Gate()
    value = probe(gate, hard_timeout=timedelta(seconds=1))
    any_house.manager.get_or_load(probe(), any_house.user)
    gate.may_return.clear()
    for _ in range(6):
        complete(any_house)
        with any_house.manager.snapshot(any_house.user) as snapshot:
            assert snapshot.look(value, patience=0).is_loading
    time.sleep(1.2)
    assert any_house.manager.get_or_load(probe(key="analytics.other"), any_house.user) == Count(6)
    gate.may_return.set()


def test_who_left_a_load_that_was_given_up_is_told(any_house: House, reloaded: list[Reloaded]) -> None:
    gate = Gate()
    value = probe(gate, hard_timeout=timedelta(seconds=0.1))
    any_house.manager.get_or_load(probe(), any_house.user)
    complete(any_house)
    gate.may_return.clear()
    with any_house.manager.snapshot(any_house.user) as snapshot:
        assert snapshot.look(value, patience=0).is_loading
    time.sleep(0.2)
    any_house.manager.get_or_load(probe(key="analytics.other"), any_house.user)
    assert [told.prefixes for told in reloaded] == [("analytics.probe",)]
    gate.may_return.set()
