"""F05 to F08, F10: what befalls the road from a commit to what a reader is shown."""

import logging
import random
import threading
from pathlib import Path

import pytest

from cache.generations import Generations
from cache.values import VALUES
from data import instances, tasks
from data import log as event_log
from data.fields import Feelings
from data.preferences import CacheBackend
from data.sqlite import sqlite
from events.catalog import InstanceId, Logged, TaskCompleted
from events.rules import RULES
from events.ruleset import Ruleset
from tests.cache.probes import Count, Gate, Task, probe
from tests.house import House, open_house

KEYS = ("dashboard.tasks", "dashboard.metrics.2026-05-13", "analytics.recommendations", "summary.daily.2026-05-13")


def plan(house: House) -> InstanceId:
    task = tasks.create(house.database, house.user, name="Tax return")
    return instances.plan(house.database, house.user, task)


def complete(house: House, instance: InstanceId | None = None) -> None:
    instances.complete(house.database, house.user, instance or plan(house), actual=Feelings(relief=80))


def generations_of(house: House, found: Generations) -> dict[str, int]:
    with house.database.read() as read:
        found.recover(house.user, read)
    return {key: found.of(house.user, key) for key in KEYS}


@pytest.mark.fault("F05", inject="each event twice, in any order", holds="the same generations")
def test_events_that_arrive_twice_or_in_another_order_lead_to_the_same_numbers(house: House) -> None:
    complete(house)
    with house.database.read() as read:
        events = event_log.latest(read.connection, house.user, 100)
    expected = generations_of(house, house.manager._generations)
    chance = random.Random(1)
    for number in range(50):
        found = Generations(Ruleset(RULES))
        if number % 2:  # what was before is known when they arrive, or found in the log afterwards
            generations_of(house, found)
        arrived = [*events, *events]
        chance.shuffle(arrived)
        for logged in arrived:
            found.apply(logged)
        assert generations_of(house, found) == expected


@pytest.mark.fault("F05", inject="two processes' events interleave, and the feed sends each twice", holds="0 stale")
def test_two_processes_whose_events_interleave_show_the_same(tmp_path: Path) -> None:
    with open_house(tmp_path) as here, open_house(tmp_path) as there:
        send = there.bus.send

        def send_twice(logged: Logged) -> None:
            send(logged)
            send(logged)

        there.bus.send = send_twice  # type: ignore[method-assign]
        for number in range(6):
            complete((here, there)[number % 2])
            for house in (there, here):
                with house.manager.snapshot(house.user) as snapshot:
                    for value in VALUES:
                        assert snapshot.get(value) == snapshot.load(value)
        newest = here.feed.catch_up()
        assert there.feed.catch_up() == newest
        assert generations_of(here, here.manager._generations) == generations_of(there, there.manager._generations)


@pytest.mark.fault(
    "F06", inject="a loader has read before the commit and returns after it", holds="not served as fresh"
)
def test_a_late_loader_cannot_store_what_was_true_before_the_invalidation(any_house: House) -> None:
    """The late store: load, invalidate while it computes, let it store, read again."""
    planned = plan(any_house)
    gate = Gate(held=True)
    value = probe(gate)
    late = Task(lambda: any_house.manager.get_or_load(value, any_house.user))
    assert gate.has_read.wait(10)
    complete(any_house, planned)
    gate.may_return.set()
    assert late.join() == Count(0), "its own snapshot was of before"
    assert any_house.manager.get_or_load(value, any_house.user) == Count(1)


@pytest.mark.fault(
    "F06", inject="a reader comes after the commit, a load of before is under way", holds="it computes for itself"
)
def test_who_arrives_after_the_invalidation_does_not_join_a_flight_of_before(any_house: House) -> None:
    """The late joiner: it must compute for itself while the old flight is still under way."""
    planned = plan(any_house)
    gate = Gate(held=True)
    value = probe(gate)
    early = Task(lambda: any_house.manager.get_or_load(value, any_house.user))
    assert gate.has_read.wait(10)
    complete(any_house, planned)
    gate.has_read.clear()
    joiner = Task(lambda: any_house.manager.get_or_load(value, any_house.user))
    assert gate.has_read.wait(10), "it waits for the old flight instead of computing"
    gate.may_return.set()
    assert joiner.join() == Count(1)
    assert early.join() == Count(0)
    assert any_house.manager.get_or_load(value, any_house.user) == Count(1)


@pytest.mark.fault("F06", inject="a loader of before returns after one of after", holds="the newer stays")
def test_a_late_loader_does_not_take_the_place_of_a_newer_value(any_house: House) -> None:
    planned = plan(any_house)
    slow, quick = Gate(held=True), Gate()
    late = Task(lambda: any_house.manager.get_or_load(probe(slow), any_house.user))
    assert slow.has_read.wait(10)
    complete(any_house, planned)
    assert any_house.manager.get_or_load(probe(quick), any_house.user) == Count(1)
    slow.may_return.set()
    late.join()
    assert any_house.manager.get_or_load(probe(quick), any_house.user) == Count(1)


@pytest.mark.fault("F07", inject="rows up to the newest are pruned, an entry is older", holds="it counts as stale")
def test_an_entry_from_before_the_logs_horizon_counts_as_stale(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        planned = plan(house)
        assert house.manager.get_or_load(probe(), house.user) == Count(0)
    with open_house(tmp_path, backend=CacheBackend.MEMORY) as house:
        complete(house, planned)
        tasks.create(house.database, house.user, name="Another")
    source = sqlite.connect(tmp_path / "state" / "reprieve.db")
    with source:
        source.execute("DELETE FROM events WHERE seq < (SELECT max(seq) FROM events)")
    source.close()
    with open_house(tmp_path) as house:
        assert house.manager.get_or_load(probe(), house.user) == Count(1)


@pytest.mark.fault("F08", inject="the file of an older backup, then as many events", holds="disk tier emptied, 0 stale")
def test_a_restored_older_database_makes_newer_cached_values_unusable(tmp_path: Path) -> None:
    """Backup at n; complete, compute and keep; restore; make other events until the log is as long as before."""
    backup = tmp_path / "backup.db"
    with open_house(tmp_path) as house:
        planned = plan(house)
        source = sqlite.connect(tmp_path / "state" / "reprieve.db")
        source.execute("VACUUM INTO ?", (str(backup),))
        source.close()
        complete(house, planned)
        assert house.manager.get_or_load(probe(), house.user) == Count(1)
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    backup.rename(tmp_path / "state" / "reprieve.db")
    with open_house(tmp_path, backend=CacheBackend.MEMORY) as house:
        for name in ("A", "B", "C", "D"):
            tasks.create(house.database, house.user, name=name)
    with open_house(tmp_path) as house:
        assert not list(house.manager._file.keys(house.user)), "the disk tier was not emptied"
        assert house.manager.get_or_load(probe(), house.user) == Count(0)


@pytest.mark.fault(
    "F10", inject="a subscriber raises at every event", holds="the commit stands, others hear all of them"
)
def test_a_subscriber_that_raises_stops_nobody(any_house: House, caplog: pytest.LogCaptureFixture) -> None:
    def broken(logged: Logged) -> None:
        raise ZeroDivisionError("on purpose")

    heard: list[str] = []
    disconnects = [
        any_house.bus.on_event(broken),
        any_house.bus.on_event(lambda logged: heard.append(logged.event.name)),
    ]
    assert any_house.manager.get_or_load(probe(), any_house.user) == Count(0)
    complete(any_house)
    assert any_house.manager.get_or_load(probe(), any_house.user) == Count(1)
    assert heard == ["task.created", "instance.planned", "task.completed"]
    assert caplog.text.count("on purpose") >= 3
    for disconnect in disconnects:
        disconnect()


@pytest.mark.fault(
    "F10", inject="a subscriber does not return", holds="whoever waits for it has it logged, by name; then all goes on"
)
def test_a_subscriber_that_hangs_is_named(any_house: House, caplog: pytest.LogCaptureFixture) -> None:
    is_hanging, is_named, may_return = threading.Event(), threading.Event(), threading.Event()

    class Named(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "hangs" in record.getMessage():
                is_named.set()

    def hangs(logged: Logged) -> None:
        is_hanging.set()
        assert may_return.wait(30)

    handler = Named()
    logging.getLogger("events.bus").addHandler(handler)
    any_house.bus.slow_seconds = 0.02
    disconnect = any_house.bus.on_event(hangs, TaskCompleted)
    planned = plan(any_house)
    writer = Task(lambda: complete(any_house, planned))
    assert is_hanging.wait(30)
    reader = Task(lambda: any_house.manager.get_or_load(probe(), any_house.user))
    try:
        assert is_named.wait(30)
    finally:
        may_return.set()
        logging.getLogger("events.bus").removeHandler(handler)
        disconnect()
    writer.join()
    assert reader.join() == Count(1)
    messages = [record.getMessage() for record in caplog.records if "hangs" in record.getMessage()]
    assert "has been busy with task.completed for" in messages[0]
    assert "for task.completed" in messages[-1], "how long it took is told in the end"
    assert len(messages) == 2


@pytest.mark.fault("F10", inject="the cache's own subscriber raises", holds="all of that user is stale")
def test_when_the_rules_fail_everything_of_that_user_is_stale(
    any_house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    value = probe(gate, key="summary.probe")
    any_house.manager.get_or_load(value, any_house.user)

    def broken(_: object) -> tuple[str, ...]:
        raise RuntimeError("a rule's condition has a bug")

    monkeypatch.setattr(any_house.manager._generations, "apply", broken)
    complete(any_house)
    any_house.manager.get_or_load(value, any_house.user)
    assert gate.calls == 2
    assert "the rules failed on" in caplog.text
