"""The auditor finds what is wrong in what is kept: mistakes of many kinds, planted one at a time, and none in truth."""

import dataclasses
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cache import lookup
from cache.auditor import Auditor
from cache.entries import Entry
from cache.generations import Generations
from cache.loading import Loading
from cache.manager import CacheManager
from cache.memory_store import MemoryStore
from cache.rulebook.judging import without
from cache.settings import AuditWhen, CacheSettings
from cache.shelf import Shelf
from cache.store import Place
from cache.values import ANALYTICS_DISTRIBUTION, DASHBOARD_TASKS, SUMMARY_DAILY, VALUES, Varies
from data import preferences, tasks
from data.database import Database
from data.feed import Feed
from data.preferences import CacheBackend, Profile
from data.rehearsal import COMMANDS, START, Stage, live
from data.viewpoint import Viewpoint
from events.bus import Bus
from events.catalog import Event, InstanceStarted, Reloaded, TaskCompleted, TaskCreated, TaskEdited, UserId
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from tests import audit
from tests.house import Clock, House, open_house

OTHER = UserId(2)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("past")
    clock = Clock(START)
    with open_house(folder, clock=clock) as house:
        live(house.database, clock, house.user, days=3)
        live(house.database, clock, house.new_user("another"), days=2)
    return (folder / "state" / "reprieve.db").read_bytes()


@dataclass
class Scene:
    """A copy of the past that can be opened more than once, and what a plant needs."""

    folder: Path
    patch: pytest.MonkeyPatch
    house: House | None = None

    def open(self, rules: tuple[Rule, ...] = RULES, backend: CacheBackend = CacheBackend.MEMORY) -> Any:
        return open_house(self.folder, clock=Clock(START), backend=backend, ruleset=Ruleset(rules))


@pytest.fixture
def scene(past: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "reprieve.db").write_bytes(past)
    return Scene(tmp_path, monkeypatch)


def read_all(house: House, *users: UserId) -> None:
    for user in users or (house.user,):
        with house.manager.snapshot(user) as snapshot:
            for value in VALUES:
                snapshot.get(value)


def do(house: House, name: str) -> None:
    COMMANDS[name](Stage(database=house.database, user=house.user, clock=house.clock, look=lambda: None))


def audited(house: House, *users: UserId) -> Auditor:
    auditor = Auditor(house.manager)
    for user in users or (house.user,):
        auditor.check_all(user)
    return auditor


# --- twenty and more mistakes


def row(event: type[Event], number: int = 0) -> Rule:
    return [rule for rule in RULES if event in rule.on][number]


def dropped_rule(event: type[Event], number: int, pattern: str, command: str) -> Callable[[Scene], Auditor]:
    def plant(scene: Scene) -> Auditor:
        with scene.open(without(RULES, row(event, number), event, pattern)) as house:
            read_all(house)
            do(house, command)
            read_all(house)
            return audited(house)

    return plant


def broken(
    target: Any, name: str, make: Callable[[Any], Any], command: str = "complete what is planned"
) -> Callable[[Scene], Auditor]:
    """Replace a method of the cache and let something happen."""

    def plant(scene: Scene) -> Auditor:
        with scene.open() as house:
            read_all(house)
            scene.patch.setattr(target, name, make(getattr(target, name)))
            do(house, command)
            read_all(house)
            return audited(house)

    return plant


def condition_never_holds(scene: Scene) -> Auditor:
    wrong = tuple(dataclasses.replace(rule, when=lambda event: False) if rule.when else rule for rule in RULES)
    with scene.open(wrong) as house:
        read_all(house)
        do(house, "edit kind of a task")
        return audited(house)


def wrong_scope(apply: Any) -> Any:
    def of_the_neighbour(self: Generations, logged: Any) -> Any:
        return apply(self, dataclasses.replace(logged, event=dataclasses.replace(logged.event, user=OTHER)))

    return of_the_neighbour


def swapped_order(raise_to: Any) -> Any:
    """Caches are told before the change is in the tables: what they load then is of before it, and counts as newer."""
    return lambda self, seq, names, user: raise_to(self, seq - 1, names, user)


def late_store(scene: Scene) -> Auditor:
    """A load is stamped when it ends, and something happened meanwhile."""
    compute = Loading._compute
    with scene.open() as house:
        waiting = [lambda: do(house, "complete what is planned")]

        def stamped_late(self: Loading, value: Any, read: Any, view: Any, **more: Any) -> Entry:
            entry = compute(self, value, read, view, **more)
            if value is DASHBOARD_TASKS and waiting:
                waiting.pop()()
                with house.database.read() as newer:
                    return dataclasses.replace(entry, as_of=newer.seq, token=newer.token)
            return entry

        scene.patch.setattr(Loading, "_compute", stamped_late)
        house.manager.get_or_load(DASHBOARD_TASKS, house.user)
        return audited(house)


def key_without_its_day(scene: Scene) -> Auditor:
    scene.patch.setitem(SUMMARY_DAILY.__dict__, "varies", Varies.NEVER)  # the class is frozen
    with scene.open() as house:
        read_all(house)
        house.clock.advance(days=1)
        return audited(house)


def stored_for_the_neighbour(scene: Scene) -> Auditor:
    keep = MemoryStore.set

    def also(self: MemoryStore, place: Place, entry: Entry) -> bool:
        other = Place(user=OTHER, key=place.key, shape=place.shape, value_type=place.value_type)
        return keep(self, place, entry) and (place.user == OTHER or keep(self, other, entry))

    scene.patch.setattr(MemoryStore, "set", also)
    with scene.open() as house:
        do(house, "create a task")
        read_all(house)
        house.manager.get_or_load(DASHBOARD_TASKS, OTHER)
        return audited(house, OTHER)


def old_value_under_a_new_stamp(keep: Any) -> Any:
    first: dict[Place, Any] = {}

    def set_(self: MemoryStore, place: Place, entry: Entry) -> bool:
        value = first.setdefault(place, entry.value)
        return bool(keep(self, place, dataclasses.replace(entry, value=value)))

    return set_


def a_tier_that_keeps_what_it_had(scene: Scene) -> Auditor:
    scene.patch.setattr(MemoryStore, "set", old_value_under_a_new_stamp(MemoryStore.set))
    with scene.open() as house:
        read_all(house)
        do(house, "complete what is planned")
        read_all(house)
        return audited(house)


def a_row_of_the_log_is_skipped(send: Any) -> Any:
    def skip(self: Feed, watch: Any) -> None:
        self.seq, self._token = watch.newest()

    return skip


def nobody_listens(scene: Scene) -> Auditor:
    scene.patch.setattr(Bus, "on_event", lambda self, receiver, *classes: lambda: None)
    with scene.open() as house:
        read_all(house)
        do(house, "complete what is planned")
        return audited(house)


def a_restart_forgets(scene: Scene) -> Auditor:
    with scene.open(backend=CacheBackend.FILE) as house:
        read_all(house)
    alone = Database(f"sqlite:///{scene.folder}/state/reprieve.db", clock=Clock(START))
    alone.open()
    COMMANDS["complete what is planned"](Stage(database=alone, user=UserId(1), clock=Clock(START), look=lambda: None))
    alone.close()

    def nothing_before(self: Generations, user: UserId, read: Any) -> None:
        self._complete[user] = self._raised.setdefault(user, {})

    scene.patch.setattr(Generations, "_recover", nothing_before)
    with scene.open(backend=CacheBackend.FILE) as house:
        house.manager.missing(house.user)
        return audited(house)


def the_event_is_somebody_elses(scene: Scene) -> Auditor:
    with scene.open() as house:
        read_all(house)

        def command(transaction: Any) -> None:
            task = tasks.get(transaction.session, house.user, stage.task())
            task.name = "Renamed"
            transaction.record(TaskEdited(user=OTHER, at=transaction.now, task=stage.task(), changed=("name",)))

        stage = Stage(database=house.database, user=house.user, clock=house.clock, look=lambda: None)
        house.database.write(command)
        return audited(house)


def a_version_is_not_raised(scene: Scene) -> Auditor:
    with scene.open(backend=CacheBackend.FILE) as house:
        read_all(house)
    load = ANALYTICS_DISTRIBUTION.loader

    def load_without_categories(read: Any, view: Any) -> Any:
        return msgspec.structs.replace(load(read, view), by_category=())

    scene.patch.setitem(ANALYTICS_DISTRIBUTION.__dict__, "loader", load_without_categories)
    with scene.open(backend=CacheBackend.FILE) as house:
        house.manager.missing(house.user)
        return audited(house)


def a_shelf_of_the_neighbour(scene: Scene) -> Auditor:
    """Readers are given what was judged for another user."""
    shelf = CacheManager._shelf
    with scene.open() as house:
        read_all(house)
        scene.patch.setattr(CacheManager, "_shelf", lambda self, user, read, now: shelf(self, house.user, read, now))
        return audited(house, OTHER)


def a_shelf_is_kept_over_midnight(scene: Scene) -> Auditor:
    with scene.open() as house:
        read_all(house)
        scene.patch.setattr(Shelf, "holds_at", lambda self, now: True)
        house.clock.advance(days=1)
        return audited(house)


def the_zone_is_ignored(scene: Scene) -> Auditor:
    """Midnight is that of London for everybody."""
    at = Viewpoint.at

    def in_utc(user: UserId, profile: Profile, now: datetime) -> Viewpoint:
        return msgspec.structs.replace(at(user, profile, now), today=now.date())

    with scene.open() as house:
        preferences.change(house.database, house.user, time_zone="Pacific/Auckland")
        scene.patch.setattr(Viewpoint, "at", in_utc)
        read_all(house)
        return audited(house)


def preferences_of_the_neighbour(scene: Scene) -> Auditor:
    view = lookup.Lookup.view

    def of_the_neighbour(self: lookup.Lookup, user: UserId, read: Any, now: datetime) -> Viewpoint:
        return msgspec.structs.replace(view(self, OTHER, read, now), user=user)

    with scene.open() as house:
        preferences.change(house.database, OTHER, time_zone="Pacific/Auckland")
        scene.patch.setattr(lookup.Lookup, "view", of_the_neighbour)
        read_all(house)
        return audited(house)


def never_fresh_again(of: Any) -> Any:
    return lambda self, user, key: self._complete.get(user, {}).get(key, 0)


FROM_THE_WRONG_PLACE: dict[str, Callable[[Scene], Auditor]] = {
    "a shelf of another user": a_shelf_of_the_neighbour,
    "a shelf is kept over midnight": a_shelf_is_kept_over_midnight,
    "a zone is ignored": the_zone_is_ignored,
    "another user's preferences": preferences_of_the_neighbour,
}

MISTAKES: dict[str, Callable[[Scene], Auditor]] = {
    "no rule: completed, metrics": dropped_rule(TaskCompleted, 0, "dashboard.metrics", "complete what is planned"),
    "no rule: completed, tasks": dropped_rule(TaskCompleted, 0, "dashboard.tasks", "complete what is planned"),
    "no rule: completed, analytics": dropped_rule(TaskCompleted, 0, "analytics.*", "complete what is planned"),
    "no rule: completed afterwards, summary": dropped_rule(TaskCompleted, 1, "summary.daily", "complete afterwards"),
    "no rule: created, tasks": dropped_rule(TaskCreated, 0, "dashboard.tasks", "create a task"),
    "no rule: edited, analytics": dropped_rule(TaskEdited, 1, "analytics.*", "edit name of a task"),
    "no rule: started, metrics": dropped_rule(InstanceStarted, 0, "dashboard.metrics", "start what is planned"),
    "no rule: started, recommendations": dropped_rule(
        InstanceStarted, 0, "analytics.recommendations", "start what is planned"
    ),
    "a condition never holds": condition_never_holds,
    "wrong scope": broken(Generations, "apply", wrong_scope),
    "swapped order": broken(Generations, "raise_to", swapped_order, "start what is planned"),
    "late store": late_store,
    "shelves are not thrown away": broken(CacheManager, "_drop_shelves", lambda _: lambda self, user: None),
    "everything is judged fresh": broken(lookup, "is_fresh", lambda _: lambda *_: True),
    "wider prefixes are not looked at": broken(Generations, "of", never_fresh_again),
    "events of the log are skipped": broken(Feed, "_send_new", a_row_of_the_log_is_skipped),
    "a key lacks its day": key_without_its_day,
    "stored under another user": stored_for_the_neighbour,
    "a tier keeps what it had": a_tier_that_keeps_what_it_had,
    "nobody listens": nobody_listens,
    "a restart forgets": a_restart_forgets,
    "an event of another user": the_event_is_somebody_elses,
    "a version is not raised": a_version_is_not_raised,
    **FROM_THE_WRONG_PLACE,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found_with_the_events_that_led_to_it(
    mistake: str, scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "cache.auditor"):
        report = MISTAKES[mistake](scene).report()
    assert report.differed > 0, report.sentence
    assert report.differed == len(report.differences)
    for found in report.differences:
        assert found.place
        assert " -> " in found.example
        assert found.trail or mistake == "stored under another user"
        assert found.key in caplog.text


@pytest.mark.parametrize("mistake", FROM_THE_WRONG_PLACE)
def test_who_looks_from_the_wrong_place_is_named(mistake: str, scene: Scene) -> None:
    report = FROM_THE_WRONG_PLACE[mistake](scene).report()
    assert "viewpoint" in {found.key for found in report.differences}
    assert {found.place for found in report.differences if found.key == "viewpoint"} <= {
        "user",
        "today",
        "profile.time_zone",
    }


def test_there_are_twenty_mistakes_at_least() -> None:
    assert len(MISTAKES) >= 20


# --- and in truth


def test_nothing_differs_in_the_true_system(tmp_path: Path) -> None:
    """A short one of the 100,000 checks of `python -m tests.audit`."""
    made, differed = audit.run(500, seed=random.randrange(2**32), folder=tmp_path)
    assert made >= 500
    assert differed == 0


def test_what_is_wrong_is_thrown_away_and_pages_are_told(scene: Scene) -> None:
    with scene.open(without(RULES, row(TaskCreated), TaskCreated, "dashboard.tasks")) as house:
        read_all(house)
        do(house, "create a task")
        told: list[Reloaded] = []
        stop = house.bus.on_reloaded(told.append)
        auditor = audited(house)
        stop()
        assert auditor.report().sentence.endswith(" checked, 1 differed")
        assert [(one.user, one.prefixes) for one in told] == [(house.user, ("dashboard.tasks",))]
        assert "New" in {task.name for task in house.manager.get_or_load(DASHBOARD_TASKS, house.user).templates}
        assert audited(house).report().differed == 0


def test_the_trail_says_what_each_event_invalidated(scene: Scene) -> None:
    with scene.open(without(RULES, row(TaskCreated), TaskCreated, "dashboard.tasks")) as house:
        read_all(house)
        do(house, "create a task")
        (found,) = audited(house).report().differences
    assert found.trail[0].event == "task.created"
    assert found.trail[0].invalidates == ("analytics.recommendations",)
    assert found.as_of < found.trail[0].seq == found.seq
    assert found.generation <= found.as_of
    assert found.place == "templates (how many)"


def test_who_is_here_is_checked_by_chance_and_nobody_else(scene: Scene) -> None:
    with scene.open() as house:
        auditor = Auditor(house.manager)
        assert not auditor.look_once()
        read_all(house)
        for _ in range(30):
            assert auditor.look_once()
        assert auditor.report().sentence == "30 checked, 0 differed"


def test_a_value_that_cannot_be_loaded_is_no_difference(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with scene.open() as house:
        read_all(house)
        scene.patch.setitem(DASHBOARD_TASKS.__dict__, "loader", lambda *_: 1 / 0)
        report = audited(house).report()
    assert (report.failed, report.differed) == (1, 0)
    assert "dashboard.tasks of user 1 could not be audited" in caplog.text


def test_an_audit_is_no_hit(scene: Scene) -> None:
    with scene.open() as house:
        read_all(house)
        before = house.manager.activity()
        audited(house)
        assert house.manager.activity() == before


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.auditor.QUIET_SECONDS", 0.02)
    monkeypatch.setattr("cache.auditor.SHORTEST_PAUSE_SECONDS", 0.001)


def started(house: House, **settings: Any) -> Auditor:
    house.manager.settings = dataclasses.replace(house.manager.settings, **settings)
    auditor = Auditor(house.manager)
    auditor.start()
    auditor.start()
    return auditor


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_it_checks_by_itself_until_it_is_stopped(scene: Scene, quick: None) -> None:
    with scene.open() as house:
        read_all(house)
        auditor = started(house, audit_percent=100)
        until(lambda: auditor.report().checked >= 3)
        auditor.stop()
        auditor.stop()
        checked = auditor.report().checked
        time.sleep(0.1)
        assert auditor.report().checked == checked


def test_it_holds_still_while_anybody_reads_unless_it_is_told_otherwise(
    scene: Scene, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.open() as house:
        read_all(house)
        looks = iter(range(10**9))
        monkeypatch.setattr(house.manager, "activity", lambda: next(looks))
        auditor = started(house, audit_percent=100)
        until(lambda: next(looks) > 5)
        auditor.stop()
        assert auditor.report().checked == 0
        auditor = started(house, audit_percent=100, audit_when=AuditWhen.ALWAYS)
        until(lambda: auditor.report().checked >= 3)
        auditor.stop()


def test_no_percent_is_never() -> None:
    class Manager:
        settings = CacheSettings(audit_percent=0)

    auditor = Auditor(Manager())  # type: ignore[arg-type]
    auditor.start()
    assert auditor._thread is None
