"""How far prefixes have been invalidated: raised by events, found again in the log after a restart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from cache import generations
from cache.generations import Generations
from data import instances, preferences, tasks
from events.catalog import InstancePlanned, RefreshRequested, TaskCreated, TaskEdited, UserId
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from tests.house import House

KEYS = ("dashboard.tasks", "dashboard.metrics.2026-05-13", "analytics.recommendations", "summary.daily.2026-05-13")


def recovered(house: House, *rules: Rule) -> Generations:
    """Generations of a process that has seen nothing happen."""
    return Generations(Ruleset(rules or RULES))


def live(house: House) -> Generations:
    """Those of the running house, which has seen everything."""
    return house.manager._generations


def numbers(house: House, found: Generations, user: UserId | None = None) -> dict[str, int]:
    with house.database.read() as read:
        found.recover(user or house.user, read)
    return {key: found.of(user or house.user, key) for key in KEYS}


def test_an_event_raises_what_its_rules_name_and_nothing_else(house: House) -> None:
    before = numbers(house, live(house))
    tasks.create(house.database, house.user, name="A")
    after = numbers(house, live(house))
    assert {key for key in KEYS if after[key] != before[key]} == {"dashboard.tasks", "analytics.recommendations"}
    assert after["dashboard.tasks"] == house.feed.seq


def test_a_restart_finds_the_same_numbers_in_the_log(house: House) -> None:
    task = tasks.create(house.database, house.user, name="A")
    one = instances.plan(house.database, house.user, task)
    instances.start(house.database, house.user, one)
    instances.complete(house.database, house.user, one)
    house.clock.advance(days=2)
    instances.edit(house.database, house.user, one, note="of a finished day")
    tasks.edit(house.database, house.user, task, name="B")
    tasks.edit(house.database, house.user, task, notes="no label")
    preferences.change(house.database, house.user, theme="dark")
    assert numbers(house, recovered(house)) == numbers(house, live(house))


@given(events=st.lists(st.sampled_from(["label", "notes", "refresh analytics", "refresh *"]), max_size=8))
def test_what_is_found_in_the_log_is_never_lower_than_what_was_seen(events: list[str]) -> None:
    """Against a log held in memory: each condition, each order."""
    seen = Generations(Ruleset(RULES))
    log: list[Any] = []
    for seq, name in enumerate(events, start=1):
        common: dict[str, Any] = {"user": UserId(1), "at": None}
        event = (
            RefreshRequested(prefix=name.split()[1], **common)
            if name.startswith("refresh")
            else TaskEdited(task="t", changed=("name" if name == "label" else "notes",), **common)
        )
        logged = generations.Logged(seq=seq, event=event)
        log.append(logged)
        seen.apply(logged)
    found: dict[str, int] = {}
    for event_class in (RefreshRequested, TaskEdited):
        newest_first = (logged for logged in reversed(log) if isinstance(logged.event, event_class))
        for prefix, seq in generations._newest(Ruleset(RULES).rows(event_class), newest_first):
            found[prefix] = max(seq, found.get(prefix, 0))
    assert found == seen._raised.get(UserId(1), {})


def test_a_search_that_would_go_too_deep_takes_the_condition_for_fulfilled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tasks.create(house.database, house.user, name="A")
    for number in range(5):
        tasks.edit(house.database, house.user, task, notes=str(number))  # fulfils no condition
    assert numbers(house, recovered(house))["summary.daily.2026-05-13"] == 1  # the user was created
    monkeypatch.setattr(generations, "SEARCH_DEPTH", 3)
    found = numbers(house, recovered(house))["summary.daily.2026-05-13"]
    assert found == house.feed.seq - 3, "too early is allowed, too late is not"


def test_what_is_older_than_the_log_reaches_back_counts_as_invalidated(house: House) -> None:
    for name in "ABC":
        tasks.create(house.database, house.user, name=name)
    house.database.write(
        lambda transaction: (
            transaction.session.execute(text("DELETE FROM events WHERE seq < 4")),
            transaction.record(TaskCreated(user=house.user, at=transaction.now, task="t")),  # type: ignore[arg-type]
        )
    )
    assert numbers(house, recovered(house))["summary.daily.2026-05-13"] == 3


def test_an_event_name_of_another_version_invalidates_everything(house: House) -> None:
    house.database.write(
        lambda transaction: transaction.record(TaskCreated(user=house.user, at=transaction.now, task="t"))  # type: ignore[arg-type]
    )
    house.database.write(
        lambda transaction: (
            transaction.session.execute(text("UPDATE events SET name = 'task.pinned' WHERE name = 'task.created'")),
            transaction.record(InstancePlanned(user=house.user, at=transaction.now, task="t", instance="i")),  # type: ignore[arg-type]
        )
    )
    assert numbers(house, recovered(house))["summary.daily.2026-05-13"] == house.feed.seq - 1


def test_before_the_past_of_a_user_is_known_nothing_is_fresh(house: House) -> None:
    assert recovered(house).of(house.user, "dashboard.tasks") > house.feed.seq


def test_one_users_events_raise_nothing_of_anothers(house: House) -> None:
    other = house.new_user("other")
    before = numbers(house, live(house), other)
    tasks.create(house.database, house.user, name="A")
    assert numbers(house, live(house), other) == before
    assert numbers(house, recovered(house), other) == before


def test_a_row_that_cannot_be_read_invalidates_everything_after_a_restart_as_well(house: House) -> None:
    """Its name is known and its rule has a condition, but there is nothing to ask the condition of."""
    task = tasks.create(house.database, house.user, name="A")
    tasks.edit(house.database, house.user, task, name="B")
    house.database.write(
        lambda transaction: (
            transaction.session.execute(text("UPDATE events SET body = '{}' WHERE name = 'task.edited'")),
            transaction.record(TaskCreated(user=house.user, at=transaction.now, task="t")),  # type: ignore[arg-type]
        )
    )
    assert numbers(house, recovered(house))["summary.daily.2026-05-13"] == house.feed.seq - 1
