"""Each row of the table, without being told about it: what it names goes stale in a real cache, all else stays fresh.

Whoever adds a row gets these tests for it. The second half tests the helper with which one writes one's own.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cache.pieces import BEGINNINGS, COUNTS, MONTHS, PAST, YEARS
from cache.values import VALUES
from data.preferences import CacheBackend
from events.catalog import (
    Event,
    InstanceStarted,
    PreferencesChanged,
    RefreshRequested,
    TaskCompleted,
    TaskEdited,
    UserCreated,
    UserId,
)
from events.patterns import covers, parse
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from tests.expect import TODAY, expect, specimen
from tests.house import House, open_house


@pytest.fixture(scope="module")
def empty_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house"), backend=CacheBackend.MEMORY) as house:
        house.new_user("another")
        yield house


CANDIDATES: tuple[dict[str, Any], ...] = (
    {},
    {"earliest_day": TODAY - timedelta(days=1)},
    *({"changed": (name,)} for name in ("name", "kind", "created_at", "time_zone", "baseline")),
    *({"changed": (name,)} for name in ("composite_weights", "recommendation_weights")),
)
"""What an event may hold so that a condition comes true. A condition that needs something else adds it here."""


PARTS = (MONTHS.of("2026-05"), YEARS.of("2026"), PAST.of("all"), COUNTS.of("2026-05"), BEGINNINGS.of("all"))
KEPT = {value.key: value for value in VALUES} | {f"{value.key}.{value.part}": value for value in PARTS}
"""All values, and some of what is kept in parts."""


def example_of(row: Rule, event_class: type[Event], user: UserId) -> Event:
    """Return an event for which *row* holds."""
    for fields in CANDIDATES:
        try:
            event = specimen(event_class, user=user, **fields)
        except TypeError:
            continue
        if row.holds(event):
            return event
    raise AssertionError(f"{row.where}: no candidate makes the condition of {event_class.name} come true; add one")


def fresh(house: House, user: UserId) -> set[str]:
    return {key for key, value in KEPT.items() if house.manager.why(value, user).state == "fresh"}


@pytest.mark.parametrize(
    ("row", "event_class"),
    [
        pytest.param(row, event_class, id=f"{event_class.name} at {row.where}")
        for row in RULES
        for event_class in row.on
    ],
)
def test_a_row_makes_stale_what_it_names_and_nothing_that_it_keeps(
    row: Rule, event_class: type[Event], empty_house: House
) -> None:
    house, user, other = empty_house, empty_house.user, UserId(2)
    keys = set(KEPT)
    for someone in (user, other):
        with house.manager.snapshot(someone) as snapshot:
            for value in KEPT.values():
                snapshot.get(value)
    assert fresh(house, user) == fresh(house, other) == keys

    event = example_of(row, event_class, user)
    house.database.write(lambda transaction: transaction.record(event))

    left = fresh(house, user)
    named = {key for key in keys for prefix in row.prefixes(event) if covers(prefix, key)}
    kept = {key for key in keys for pattern in row.keeps if covers(parse(pattern), key)}
    by_any_row = {key for key in keys for prefix in Ruleset(RULES).prefixes(event) if covers(prefix, key)}
    # Reading the preferences is how one gets to the others: they are loaded again at once.
    seen = keys - {"preferences.profile"}
    assert not (named & left & seen), f"{row.where}: {event.name} left {named & left} fresh"
    assert (kept - by_any_row) <= left, f"{row.where}: {event.name} made {kept - left} stale"
    assert left & seen == (keys - by_any_row) & seen
    assert fresh(house, other) == keys, "another user's values went stale"


# --- the helper


def test_a_rule_can_be_tested_in_one_line() -> None:
    expect(TaskCompleted).drops("dashboard.metrics", "analytics.*").keeps("summary.*").redraws("/")
    expect(TaskCompleted, earliest_day=TODAY - timedelta(days=1)).drops("summary.*").redraws("/", "/summary")
    expect(TaskEdited, changed=("notes",)).drops("dashboard.tasks").keeps("summary.*").leaves("/summary")
    expect(RefreshRequested, prefix="summary.*").drops("summary.daily").keeps("analytics.*").leaves("/")
    expect(UserCreated, rules=[Rule(on=(UserCreated,))]).drops_nothing()
    expect(specimen(PreferencesChanged, changed=("time_zone",))).drops("*")


def complaint(act: Any) -> str:
    with pytest.raises(AssertionError) as failed:
        act()
    return str(failed.value)


def test_a_rule_that_is_missing_is_explained() -> None:
    said = complaint(lambda: expect(InstanceStarted).drops("analytics.*"))
    row = next(rule for rule in RULES if InstanceStarted in rule.on)
    assert said.startswith("instance.started should make analytics.relief_summary, ")
    assert f"  {row.where}: invalidates {', '.join(row.invalidates)}" in said
    assert f"    keeps summary.*: {row.keeps['summary.*']}" in said
    assert "Add 'analytics.*' to `invalidates`" in said


def test_a_condition_that_does_not_hold_is_said() -> None:
    said = complaint(lambda: expect(TaskCompleted, is_early=False).drops("pieces.beginnings"))
    assert ", if it changes a beginning: invalidates pieces.beginnings  (its condition does not hold)" in said


def test_a_rule_that_says_too_much_is_explained() -> None:
    assert complaint(lambda: expect(TaskCompleted).keeps("analytics.trends")).startswith(
        "task.completed should keep analytics.trends, and a rule makes that stale."
    )


def test_a_page_that_is_not_redrawn_says_what_stands_there() -> None:
    said = complaint(lambda: expect(TaskCompleted).redraws("/summary"))
    assert "task.completed should redraw /summary, and nothing there shows what it makes stale." in said
    assert "Score (summary.daily)" in said
    assert "Pages are" in complaint(lambda: expect(TaskCompleted).redraws("/nowhere"))
    assert "should not redraw /." in complaint(lambda: expect(TaskCompleted).leaves("/"))


def test_what_the_test_itself_misspells_is_said() -> None:
    assert complaint(lambda: expect(TaskCompleted).drops("analytic.*")) == (
        "'analytic.*' covers no value; did you mean 'analytics'?"
    )
    assert "is not a pattern" in complaint(lambda: expect(TaskCompleted).drops("Analytics"))
    with pytest.raises(TypeError, match=r"task\.edited has no field 'change'; did you mean 'changed'\?"):
        expect(TaskEdited, change=("name",))
