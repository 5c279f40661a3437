"""A restored backup under a running app: from then on no read, in any process, shows anything of the state before."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cache.values import VALUES
from data import backup, demo, instances, preferences, restore, tasks
from data.database import Database
from data.fields import Feelings
from data.preferences import CacheBackend
from events.catalog import Invalidated, UserId
from tests.cache.probes import Count, Gate, Task, probe
from tests.data.ledger import another_python, finish
from tests.house import Clock, House, open_house

OTHER_APP = """
import json, sys
from datetime import datetime, UTC
from pathlib import Path
from cache.values import VALUES
from tests.cache.probes import probe
from tests.house import Clock, open_house

with open_house(Path({folder!r}), clock=Clock(datetime.fromisoformat({now!r}))) as house:
    count = probe()
    while True:
        with house.manager.snapshot(house.user) as snapshot:
            cached = {{value: snapshot.get(value) for value in (*VALUES, count)}}
            view = snapshot.view
        with house.database.read() as read:
            stale = [value.key for value, found in cached.items() if found != value.loader(read, view)]
        print(json.dumps({{"stale": stale, "completed": cached[count].completed}}), flush=True)
        if input() != "again":
            break
"""


def complete_one(house: House, user: UserId | None = None) -> None:
    user = user or house.user
    task = tasks.create(house.database, user, name="Taxes")
    instance = instances.plan(house.database, user, task, predicted=Feelings(relief=50))
    instances.complete(house.database, user, instance, actual=Feelings(relief=90, aversion=80), actual_minutes=30.0)


class OtherApp:
    """The whole cache in another process, asked again and again."""

    def __init__(self, house: House) -> None:
        self._process = another_python(OTHER_APP.format(folder=str(house.folder), now=house.clock.now.isoformat()))
        self.first = self._answer()

    def again(self) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> "OtherApp":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.write("end\n")
        finish(self._process)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def elsewhere(tmp_path: Path, clock: Clock) -> Iterator[Path]:
    """A backup of another database, in which the user has done more, and whose log is longer."""
    with open_house(tmp_path / "other", clock=clock) as other:
        demo.add(other.database, other.user, days=20, per_day=4)
        for _ in range(12):
            complete_one(other)
        yield backup.backup(other.database, tmp_path / "elsewhere.db")


@pytest.mark.parametrize("source", ["older", "present", "elsewhere"])
def test_an_app_that_runs_in_another_process_with_a_warm_cache_shows_the_restored_state(
    source: str, house: House, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    demo.add(house.database, house.user, days=10, per_day=4)
    complete_one(house)
    path = backup.backup(house.database, tmp_path / "backup.db")
    if source != "present":
        for _ in range(5):
            complete_one(house)
    with OtherApp(house) as other:
        assert other.first["stale"] == []
        if source == "elsewhere":
            path = request.getfixturevalue("elsewhere")
        restore.restore(house.database, path)
        wanted = house.manager.get_or_load(probe(), house.user)
        after = other.again()
        assert after == {"stale": [], "completed": wanted.completed}
        assert (after["completed"] == other.first["completed"]) == (source == "present")
        complete_one(house)
        assert other.again() == {"stale": [], "completed": wanted.completed + 1}


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_after_a_restart_nothing_of_the_state_before_is_left_on_disk(
    backend: CacheBackend, tmp_path: Path, clock: Clock
) -> None:
    with open_house(tmp_path, clock=clock, backend=backend) as house:
        path = backup.backup(house.database, tmp_path / "backup.db")
        complete_one(house)
        assert house.manager.get_or_load(probe(), house.user) == Count(1)
    database = Database(f"sqlite:///{tmp_path}/state/reprieve.db")  # no cache is there to hear of it
    restore.restore(database, path)
    with open_house(tmp_path, clock=clock, backend=backend) as house:
        assert house.manager.get_or_load(probe(), house.user) == Count(0)


def test_a_loader_that_began_before_the_restore_cannot_store_what_it_read(any_house: House, tmp_path: Path) -> None:
    path = backup.backup(any_house.database, tmp_path / "backup.db")
    complete_one(any_house)
    gate = Gate(held=True)
    late = Task(lambda: any_house.manager.get_or_load(probe(gate), any_house.user))
    assert gate.has_read.wait(10)
    restore.restore(any_house.database, path)
    any_house.feed.catch_up()
    gate.may_return.set()
    assert late.join() == Count(1)
    assert any_house.manager.get_or_load(probe(), any_house.user) == Count(0)


def test_nobody_gets_the_values_of_a_user_that_the_backup_does_not_know(any_house: House, tmp_path: Path) -> None:
    path = backup.backup(any_house.database, tmp_path / "backup.db")
    gone = any_house.new_user("gone")
    complete_one(any_house, gone)
    gate = Gate(held=True)
    late = Task(lambda: any_house.manager.get_or_load(probe(gate), gone))
    assert gate.has_read.wait(10)
    restore.restore(any_house.database, path)
    any_house.feed.catch_up()
    gate.may_return.set()
    late.join()
    newcomer = any_house.new_user("newcomer")
    assert newcomer == gone, "the number is given out again, or this shows nothing"
    assert any_house.manager.get_or_load(probe(), newcomer) == Count(0)


def test_open_pages_are_told(house: House, tmp_path: Path) -> None:
    path = backup.backup(house.database, tmp_path / "backup.db")
    complete_one(house)
    with house.manager.snapshot(house.user) as snapshot:
        before = {value: snapshot.look(value) for value in VALUES}
    told: list[Invalidated] = []
    disconnect = house.bus.on_invalidated(told.append)
    restore.restore(house.database, path)
    disconnect()
    assert [(one.user, one.prefixes) for one in told] == [(None, ("",))]
    assert not any(house.manager.is_current(value, house.user, look) for value, look in before.items())


def test_preferences_are_restored_as_well(house: House, tmp_path: Path) -> None:
    path = backup.backup(house.database, tmp_path / "backup.db")
    preferences.change(house.database, house.user, theme="dark", cache_backend="memory")
    with house.manager.snapshot(house.user) as snapshot:
        assert snapshot.view.profile.theme == "dark"
    restore.restore(house.database, path)
    with house.manager.snapshot(house.user) as snapshot:
        assert snapshot.view.profile.theme == "auto"
