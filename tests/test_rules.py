"""Each command, on a rich past: what it wrote is in every value that it concerns, and what need not be computed is not.

The first test is the oracle without chance: warm all values, run one command, compare each with a fresh load. The
others ask `cache.rulebook`: it finds nothing in the true table, and misses each row that is taken away.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cache.pieces import BEFORE, BEGINNINGS, COUNTS, MONTHS, PAST, ROWS, YEARS
from cache.rulebook.judging import judge, misses, without
from cache.rulebook.observing import Observed
from cache.values import VALUES
from data.preferences import CacheBackend
from data.rehearsal import COMMANDS, START, Command, Stage, live
from events.catalog import (
    CATALOG,
    DataRestored,
    DayStarted,
    EventUnreadable,
    InstancePaused,
    InstanceResumed,
    UserCreated,
)
from events.rules import RULES
from tests.house import Clock, House, open_house

PARTS = tuple(
    row.of(part)
    for row, parts in {
        MONTHS: ("2025-11", "2026-02", "2026-03", "2026-04", "2026-05"),
        YEARS: ("2025", "2026"),
        BEFORE: ("2026-05",),
        PAST: ("all",),
        COUNTS: ("2026-02", "2026-03", "2026-04", "2026-05"),
        BEGINNINGS: ("all",),
    }.items()
    for part in parts
)
"""Of what is kept in parts, those that the past of these tests reaches."""


@pytest.fixture(scope="module")
def past_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    with open_house(folder, clock=(clock := Clock(START))) as house:
        live(house.database, clock, house.user)
    return folder


@pytest.fixture
def lived_in(past_folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """Open a copy of the past."""
    numbers = itertools.count()

    def open_copy() -> Any:
        folder = tmp_path / str(next(numbers))
        (folder / "state").mkdir(parents=True)
        (folder / "state" / "reprieve.db").write_bytes((past_folder / "state" / "reprieve.db").read_bytes())
        return open_house(folder, clock=Clock(START), backend=CacheBackend.MEMORY)

    return open_copy


def stale_after(house: House, command: Command) -> set[str]:
    """Warm all values, run *command*, and return the keys whose cached value differs from a fresh load."""

    everything = (*VALUES, *PARTS)

    def look() -> None:
        with house.manager.snapshot(house.user) as snapshot:
            for value in everything:
                snapshot.get(value)

    look()
    command(Stage(database=house.database, user=house.user, clock=house.clock, look=look))
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


def test_the_true_table_is_as_what_was_observed(observed: Observed) -> None:
    found = judge(RULES, CATALOG, ROWS, observed)
    assert [str(finding) for finding in found.findings] == []
    assert found.compared > len(COMMANDS) * len(VALUES)


NOT_FOR_TRUTH = {
    # The date is part of these keys: the rows are there so that open pages redraw at once.
    (DayStarted.name, "summary.*"),
    (DayStarted.name, "dashboard.metrics"),
    (DayStarted.name, "analytics.*"),
    # What is paused is no candidate, before or after; the rows follow the design and cost one small load.
    (InstancePaused.name, "analytics.recommendations"),
    (InstanceResumed.name, "analytics.recommendations"),
    # No command writes it: see tests/cache/test_freshness.py.
    (EventUnreadable.name, "*"),
    # A log that goes back drops everything anyway. The rows are for what comes late: see tests/cache/test_restore.py.
    (DataRestored.name, "*"),
    (UserCreated.name, "*"),
}


@pytest.mark.parametrize(
    ("row", "event", "pattern"),
    [
        pytest.param(rule, event, pattern, id=f"{event.name} {pattern}")
        for rule in RULES
        for event in rule.on
        for pattern in rule.invalidates
    ],
)
def test_a_rule_that_is_taken_away_is_missed(row: Any, event: Any, pattern: str, observed: Observed) -> None:
    found = misses(without(RULES, row, event, pattern), ROWS, observed)
    if (event.name, pattern) in NOT_FOR_TRUTH:
        assert not found, "it made a difference after all: take it off the list"
        return
    assert found
    for finding in found:
        assert finding.where == row.where or finding.where.startswith("events/rules.py:")
        assert " changed " in finding.sentence
        assert " -> " in finding.sentence


def test_rules_that_never_mattered_are_said_for_information(observed: Observed) -> None:
    idle = judge(RULES, CATALOG, ROWS, observed).idle
    assert {(one.event, one.pattern) for one in idle} == NOT_FOR_TRUTH
