"""Each command, on a rich past: what it wrote is in every value that it concerns, and what need not be computed is not.

The first test is the oracle without chance: warm all values, run one command, compare each with a fresh load. The
second takes a row of the rules away, an event and a prefix at a time, and asks that the first one notices.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cache.pieces import BEGINNINGS, COUNTS, MONTHS, PAST, YEARS
from cache.values import SUMMARY_DAILY, VALUES
from data import backup, demo, instances, preferences, restore, tasks
from data.days import start_due
from data.fields import Feelings
from data.models import Instance, State
from data.preferences import AccountTier, CacheBackend
from data.routines import plan_due
from events.catalog import (
    CATALOG,
    DataRestored,
    DayStarted,
    Event,
    EventUnreadable,
    InstanceId,
    InstancePaused,
    InstanceResumed,
    RefreshRequested,
    TaskId,
    UserCreated,
)
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from tests.house import Clock, House, open_house

NOON = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)
FELT = Feelings(relief=99, mental_load=3, emotional_load=2, physical_load=1, aversion=97)

Command = Callable[[House, "Past"], object]

PARTS = tuple(
    row.of(part)
    for row, parts in {
        MONTHS: ("2026-02", "2026-03", "2026-04", "2026-05"),
        YEARS: ("2025", "2026"),
        PAST: ("all",),
        COUNTS: ("2026-02", "2026-03", "2026-04", "2026-05"),
        BEGINNINGS: ("all",),
    }.items()
    for part in parts
)
"""Of what is kept in parts, those that the past of these tests reaches."""


class Past:
    """Where to find something to change: instances by state, the latest first."""

    def __init__(self, house: House) -> None:
        with house.database.read() as read:
            rows = read.connection.execute(
                select(Instance.id, Instance.task_id, Instance.state, Instance.completed_at)
                .where(Instance.user_id == house.user)
                .order_by(Instance.created_at.desc())
            ).all()
        self._rows = rows

    def instance(self, state: State) -> InstanceId:
        return InstanceId(next(row.id for row in self._rows if row.state == state))

    def finished(self, days_ago: int) -> InstanceId:
        day = (NOON - timedelta(days=days_ago)).date()
        return InstanceId(next(row.id for row in self._rows if row.completed_at and row.completed_at.date() == day))

    def first(self) -> InstanceId:
        """The very first that was completed, so its task's first as well."""
        return InstanceId(min((row.completed_at, row.id) for row in self._rows if row.completed_at)[1])

    def task(self) -> TaskId:
        return TaskId(next(row.task_id for row in self._rows if row.state == State.COMPLETED))

    def planned(self, house: House, ago: timedelta = timedelta()) -> InstanceId:
        now = house.clock.now
        house.clock.now = now - ago
        planned = instances.plan(house.database, house.user, self.task(), predicted=Feelings(relief=5))
        house.clock.now = now
        return planned


def _prefer(**values: Any) -> Command:
    return lambda house, past: preferences.change(house.database, house.user, **values)


def _edit_task(**values: Any) -> Command:
    return lambda house, past: tasks.edit(house.database, house.user, past.task(), **values)


def _edit(days_ago: int, **values: Any) -> Command:
    return lambda house, past: instances.edit(house.database, house.user, past.finished(days_ago), **values)


def _next_day(house: House, past: Past) -> None:
    house.clock.advance(days=1)
    start_due(house.database)


def _refresh(house: House, past: Past) -> None:
    house.database.write(
        lambda transaction: transaction.record(
            RefreshRequested(user=house.user, at=transaction.now, prefix="analytics.trends")
        )
    )


def _open(house: House, past: Past, act: Callable[..., object], state: State, **values: Any) -> None:
    act(house.database, house.user, past.instance(state), **values)


def _complete_new(house: House) -> None:
    task = tasks.create(house.database, house.user, name="New")
    planned = instances.plan(house.database, house.user, task)
    instances.complete(house.database, house.user, planned, actual=Feelings(aversion=50))


def _cancel_after_the_clock_was_set_back(house: House, past: Past) -> None:
    """Today began, its summary was made, and then it is yesterday again."""
    now = house.clock.now
    planned = past.planned(house, ago=timedelta(days=2))
    start_due(house.database)
    house.manager.get_or_load(SUMMARY_DAILY, house.user)
    house.clock.advance(days=-1)
    instances.cancel(house.database, house.user, planned)
    house.clock.now = now


def _restore(house: House, past: Past) -> None:
    restore.restore(house.database, backup.backup(house.database, house.folder / "backup.db"))


def _routine(house: House, past: Past, routine: str, weekdays: tuple[str, ...] = ()) -> None:
    """A routine's turn comes on the next day, Thursday, and the look is two days late."""
    tasks.edit(house.database, house.user, past.task(), routine=routine, routine_weekdays=weekdays, routine_at="08:00")
    start_due(house.database)
    house.clock.advance(days=3)
    start_due(house.database)
    with house.manager.snapshot(house.user) as snapshot:
        for value in VALUES:
            snapshot.get(value)
    plan_due(house.database)


def _correct_the_clock(house: House, past: Past) -> None:
    """Days have been started, and routines missed, by a clock that was ten years ahead."""
    _routine(house, past, "weekly", ("thu",))
    house.clock.advance(days=3653)
    start_due(house.database)
    plan_due(house.database)
    house.clock.advance(days=-3656)
    with house.manager.snapshot(house.user) as snapshot:
        for value in VALUES:
            snapshot.get(value)
    start_due(house.database)


COMMANDS: dict[str, Command] = {
    "create a task": lambda house, past: tasks.create(house.database, house.user, name="New", default_aversion=1),
    "rename a task": _edit_task(name="Renamed"),
    "a task of another kind": _edit_task(kind="other"),
    "a task in other categories": _edit_task(categories=("elsewhere",)),
    "a task of another estimate": _edit_task(estimate_minutes=7.0),
    "a task due": _edit_task(due_at=NOON),
    "archive a task": lambda house, past: tasks.archive(house.database, house.user, past.task()),
    "plan": lambda house, past: past.planned(house),
    "start": lambda house, past: _open(house, past, instances.start, State.PLANNED),
    "pause": lambda house, past: _open(house, past, instances.pause, State.ACTIVE),
    "resume": lambda house, past: _open(house, past, instances.resume, State.PAUSED),
    "complete": lambda house, past: _open(
        house, past, instances.complete, State.PLANNED, actual=FELT, actual_minutes=50.0
    ),
    "complete afterwards": lambda house, past: instances.complete(
        house.database,
        house.user,
        past.planned(house, ago=timedelta(days=2)),
        actual=FELT,
        actual_minutes=600.0,
        at=NOON - timedelta(days=1),
    ),
    "complete a task for the first time": lambda house, past: _complete_new(house),
    "cancel": lambda house, past: _open(house, past, instances.cancel, State.PLANNED, reason="no_time"),
    "cancel after the clock was set back": _cancel_after_the_clock_was_set_back,
    "undo a completion of today": lambda house, past: instances.undo(house.database, house.user, past.finished(0)),
    "undo a completion of yesterday": lambda house, past: instances.undo(house.database, house.user, past.finished(1)),
    "undo the first completion": lambda house, past: instances.undo(house.database, house.user, past.first()),
    "undo a cancellation": lambda house, past: _open(house, past, instances.undo, State.CANCELLED),
    "edit an instance of today": _edit(0, actual_relief=1, actual_minutes=333.0),
    "edit an instance of yesterday": _edit(1, actual_relief=1, actual_minutes=333.0),
    "edit an old instance": _edit(40, actual_relief=1, actual_aversion=100, actual_minutes=333.0),
    "edit the first instance of a task": lambda house, past: instances.edit(
        house.database, house.user, past.first(), actual_aversion=99
    ),
    "move the first instance of a task": lambda house, past: instances.edit(
        house.database, house.user, past.first(), completed_at=NOON
    ),
    "move an instance to another day": _edit(1, completed_at=NOON),
    "edit when it was planned": _edit(40, created_at=NOON - timedelta(days=55)),
    "edit what is planned": lambda house, past: _open(
        house, past, instances.edit, State.PLANNED, due_at=NOON, estimate_minutes=3.0, predicted_relief=1
    ),
    "another time zone": _prefer(time_zone="Pacific/Auckland"),
    "another day start": _prefer(day_start="06:00"),
    "another target": _prefer(target_minutes_per_day=20.0),
    "other weights of the composite": _prefer(composite_weights={"avg_relief": 9.0}),
    "other weights of recommendations": _prefer(recommendation_weights={"ease": 9.0}),
    "other metrics monitored": _prefer(monitored_metrics=("cancelled",)),
    "another baseline": _prefer(baseline="all"),
    "another theme": _prefer(theme="dark"),
    "another goal": _prefer(goal_hours_per_week=12.5),
    "another backend": _prefer(cache_backend="file"),
    "another account tier": lambda house, past: preferences.set_account_tier(
        house.database, house.user, AccountTier.PREMIUM
    ),
    "refresh": _refresh,
    "the next day": _next_day,
    "a routine has its turn": lambda house, past: _routine(house, past, "daily"),
    "a routine has missed its turn": lambda house, past: _routine(house, past, "weekly", ("thu",)),
    "the clock is corrected": _correct_the_clock,
    "add other demo data": lambda house, past: demo.add(house.database, house.user, days=9, per_day=3, seed=2),
    "remove the demo data": lambda house, past: demo.remove(house.database, house.user),
    "restore a backup": _restore,
}


def past_of(folder: Path) -> None:
    """Make 60 days of data in *folder*, with something open in every state, finished today and cancelled yesterday."""
    with open_house(folder, clock=Clock(NOON - timedelta(days=1))) as house:
        user = house.user
        demo.add(house.database, user, days=60, per_day=4, seed=1)
        task = Past(house).task()
        for finish in (instances.complete, instances.cancel):
            finish(house.database, user, instances.plan(house.database, user, task))
        house.clock.advance(days=1)
        for _ in range(2):
            one = instances.plan(house.database, user, task)
            instances.start(house.database, user, one)
            house.clock.advance(minutes=20)
            instances.complete(house.database, user, one, actual=Feelings(relief=40, aversion=20))
        active, paused, _ = (instances.plan(house.database, user, task) for _ in range(3))
        for one in (active, paused):
            instances.start(house.database, user, one)
        house.clock.advance(minutes=5)
        instances.pause(house.database, user, paused)


@pytest.fixture(scope="module")
def past_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    past_of(folder)
    return folder


@pytest.fixture
def lived_in(past_folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """Open a copy of the past, with the given rules."""
    numbers = itertools.count()

    def open_copy(rules: tuple[Rule, ...] = RULES) -> Any:
        folder = tmp_path / str(next(numbers))
        (folder / "state").mkdir(parents=True)
        (folder / "state" / "reprieve.db").write_bytes((past_folder / "state" / "reprieve.db").read_bytes())
        clock = Clock(NOON + timedelta(minutes=50))
        return open_house(folder, clock=clock, backend=CacheBackend.MEMORY, ruleset=Ruleset(rules))

    return open_copy


def stale_after(house: House, command: Command) -> set[str]:
    """Warm all values, run *command*, and return the keys whose cached value differs from a fresh load."""
    past = Past(house)
    everything = (*VALUES, *PARTS)
    with house.manager.snapshot(house.user) as snapshot:
        for value in everything:
            snapshot.get(value)
    command(house, past)
    with house.manager.snapshot(house.user) as snapshot:
        # What is kept of a part, not what another value has made of it since.
        cached = {value: snapshot.get(value) for value in reversed(everything)}
        view = snapshot.view
    with house.database.read() as read:
        return {value.key for value, found in cached.items() if found != value.loader(read, view)}


@pytest.mark.parametrize("name", COMMANDS)
def test_after_a_command_no_value_is_stale(name: str, lived_in: Any) -> None:
    with lived_in() as house:
        assert stale_after(house, COMMANDS[name]) == set()


def without(event: type[Event], pattern: str) -> tuple[Rule, ...]:
    """The table in which *event* does not invalidate *pattern* by a row that names it."""
    table: list[Rule] = []
    for rule in RULES:
        if event not in rule.on or pattern not in rule.invalidates:
            table.append(rule)
            continue
        others = tuple(other for other in rule.on if other is not event)
        table += [replace(rule, on=others)] if others else []
        table.append(replace(rule, on=(event,), invalidates=tuple(p for p in rule.invalidates if p != pattern)))
    return tuple(table)


PAIRS = [
    (event, pattern)
    for event in CATALOG
    for pattern in dict.fromkeys(itertools.chain(*(rule.invalidates for rule in RULES if event in rule.on)))
]

NOT_FOR_TRUTH = {
    # The date is part of these keys: the rows are there so that open pages redraw at once.
    (DayStarted, "summary.*"),
    (DayStarted, "dashboard.metrics"),
    (DayStarted, "analytics.*"),
    # What is paused is no candidate, before or after; the rows follow the design and cost one small load.
    (InstancePaused, "analytics.recommendations"),
    (InstanceResumed, "analytics.recommendations"),
    # No command writes it: see tests/cache/test_freshness.py.
    (EventUnreadable, "*"),
    # A log that goes back drops everything anyway. The rows are for what comes late: see tests/cache/test_restore.py.
    (DataRestored, "*"),
    (UserCreated, "*"),
}


@pytest.fixture(scope="module")
def commands_of(past_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[type[Event], list[Command]]:
    """Which commands record which events."""
    found: dict[type[Event], list[Command]] = {}
    for command in COMMANDS.values():
        folder = tmp_path_factory.mktemp("copy")
        (folder / "state").mkdir()
        (folder / "state" / "reprieve.db").write_bytes((past_folder / "state" / "reprieve.db").read_bytes())
        with open_house(folder, clock=Clock(NOON + timedelta(minutes=50))) as house:
            recorded: set[type[Event]] = set()
            disconnect = house.bus.on_event(lambda logged, seen=recorded: seen.add(type(logged.event)))  # type: ignore[misc]
            command(house, Past(house))
            disconnect()
        for event in recorded:
            found.setdefault(event, []).append(command)
    return found


@pytest.mark.parametrize(("event", "pattern"), PAIRS, ids=lambda part: getattr(part, "name", part))
def test_a_rule_that_is_taken_away_is_missed(
    event: type[Event], pattern: str, lived_in: Any, commands_of: dict[type[Event], list[Command]]
) -> None:
    noticed = set()
    for command in commands_of.get(event, []):
        with lived_in(without(event, pattern)) as house:
            noticed = stale_after(house, command)
        if noticed:
            break
    assert bool(noticed) != ((event, pattern) in NOT_FOR_TRUTH), noticed


def test_every_event_of_the_catalog_is_recorded_by_some_command(
    commands_of: dict[type[Event], list[Command]],
) -> None:
    assert set(CATALOG) - set(commands_of) == {UserCreated, EventUnreadable}
