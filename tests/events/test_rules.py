"""The rules table, row by row: of the keys that pages really ask for, which does an event drop, which does it keep?"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cache.values import VALUES
from data.preferences import FIELDS
from events.catalog import (
    CATALOG,
    AccountChanged,
    CancellationUndone,
    CompletionUndone,
    DataImported,
    DataRemoved,
    DayStarted,
    Event,
    EventUnreadable,
    InstanceCancelled,
    InstanceEdited,
    InstancePaused,
    InstancePlanned,
    InstanceResumed,
    InstanceStarted,
    PreferencesChanged,
    RefreshRequested,
    TaskArchived,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    UserCreated,
    UserId,
)
from events.patterns import covers
from events.rules import RULES
from events.ruleset import Ruleset, check

TODAY = date(2026, 5, 13)
YESTERDAY = date(2026, 5, 12)
OF_TASK = {"task": "t"}
OF_INSTANCE = {"task": "t", "instance": "i"}

PREFERENCES = frozenset({"preferences.profile"})
METRICS = frozenset({"dashboard.metrics.2026-05-13"})
TASKS = frozenset({"dashboard.tasks"})
SUMMARY = frozenset({"summary.daily.2026-05-13"})
RECOMMENDATIONS = frozenset({"analytics.recommendations.2026-05-13.20260513t10"})
COMPOSITE = frozenset({"analytics.composite_scores.2026-05-13"})
TRENDS = frozenset({"analytics.trends.2026-05-13"})
ANALYTICS = (
    RECOMMENDATIONS
    | COMPOSITE
    | TRENDS
    | {"analytics.relief_summary.2026-05-13", "analytics.correlations", "analytics.distribution"}
)
NOTHING: frozenset[str] = frozenset()
EVERYTHING = PREFERENCES | METRICS | TASKS | SUMMARY | ANALYTICS


def a(kind: type[Event], **values: Any) -> Event:
    return kind(user=UserId(1), at=datetime(2026, 5, 13, 10, 0, tzinfo=UTC), **values)


def edited(*changed: str) -> Event:
    return a(PreferencesChanged, changed=changed)


def touching(kind: type[Event], earliest: date | None, **values: Any) -> Event:
    return a(kind, **OF_INSTANCE, earliest_day=earliest, today=TODAY, **values)


CASES: dict[str, tuple[Event, frozenset[str]]] = {
    "completed today": (touching(TaskCompleted, TODAY), METRICS | TASKS | ANALYTICS),
    "completed yesterday": (touching(TaskCompleted, YESTERDAY), METRICS | TASKS | ANALYTICS | SUMMARY),
    "completion of today undone": (touching(CompletionUndone, TODAY), METRICS | TASKS | ANALYTICS),
    "completion of yesterday undone": (touching(CompletionUndone, YESTERDAY), METRICS | TASKS | ANALYTICS | SUMMARY),
    "cancelled today": (touching(InstanceCancelled, TODAY, reason="no_time"), METRICS | TASKS | ANALYTICS),
    "cancelled on a day that a clock, set back since, had ended": (
        touching(InstanceCancelled, YESTERDAY, reason="no_time"),
        METRICS | TASKS | ANALYTICS | SUMMARY,
    ),
    "cancellation of today undone": (touching(CancellationUndone, TODAY), METRICS | TASKS | ANALYTICS),
    "cancellation of yesterday undone": (
        touching(CancellationUndone, YESTERDAY),
        METRICS | TASKS | ANALYTICS | SUMMARY,
    ),
    "open instance edited": (touching(InstanceEdited, None, changed=("note",)), METRICS | TASKS | ANALYTICS),
    "instance of today edited": (touching(InstanceEdited, TODAY, changed=("note",)), METRICS | TASKS | ANALYTICS),
    "instance of a finished day edited": (
        touching(InstanceEdited, YESTERDAY, changed=("actual_relief",)),
        METRICS | TASKS | ANALYTICS | SUMMARY,
    ),
    "planned": (a(InstancePlanned, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "started": (a(InstanceStarted, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "paused": (a(InstancePaused, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "resumed": (a(InstanceResumed, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "task created": (a(TaskCreated, **OF_TASK), TASKS | RECOMMENDATIONS),
    "task archived": (a(TaskArchived, **OF_TASK, archived=True), TASKS | RECOMMENDATIONS),
    "task brought back": (a(TaskArchived, **OF_TASK, archived=False), TASKS | RECOMMENDATIONS),
    "notes of a task edited": (a(TaskEdited, **OF_TASK, changed=("notes", "due_at")), TASKS | RECOMMENDATIONS),
    "task renamed": (a(TaskEdited, **OF_TASK, changed=("name",)), METRICS | TASKS | ANALYTICS | SUMMARY),
    "task of another kind": (a(TaskEdited, **OF_TASK, changed=("kind",)), METRICS | TASKS | ANALYTICS | SUMMARY),
    "task of other categories": (
        a(TaskEdited, **OF_TASK, changed=("notes", "categories")),
        METRICS | TASKS | ANALYTICS | SUMMARY,
    ),
    "day started": (a(DayStarted, day=TODAY), METRICS | ANALYTICS | SUMMARY),
    "one subsystem refreshed": (a(RefreshRequested, prefix="analytics.*"), ANALYTICS),
    "one value refreshed": (a(RefreshRequested, prefix="analytics.trends"), TRENDS),
    "everything refreshed": (a(RefreshRequested, prefix="*"), EVERYTHING),
    "theme": (edited("theme"), PREFERENCES),
    "cache mode and backend": (edited("cache_mode", "cache_backend"), PREFERENCES),
    "refresh of analytics": (edited("analytics_refresh"), PREFERENCES),
    "first weekday and clock": (edited("first_weekday", "clock_hours"), PREFERENCES),
    "time zone": (edited("time_zone"), EVERYTHING),
    "day start beside others": (edited("theme", "day_start"), EVERYTHING),
    "monitored metrics": (edited("monitored_metrics"), PREFERENCES | METRICS),
    "baseline": (edited("baseline"), PREFERENCES | METRICS),
    "target": (edited("target_minutes_per_day"), PREFERENCES | METRICS | COMPOSITE | TRENDS | SUMMARY),
    "composite weights": (edited("composite_weights"), PREFERENCES | COMPOSITE | TRENDS | SUMMARY),
    "recommendation weights": (edited("recommendation_weights"), PREFERENCES | RECOMMENDATIONS),
    "imported": (a(DataImported, source="csv", tasks=1, instances=2), EVERYTHING),
    "removed": (a(DataRemoved, source="demo", tasks=1, instances=2), EVERYTHING),
    "unreadable": (a(EventUnreadable, stored_name="task.shared"), EVERYTHING),
    "account of another tier": (a(AccountChanged, tier="free"), PREFERENCES),
    "user created": (a(UserCreated), NOTHING),
}


@pytest.mark.parametrize(("event", "dropped"), CASES.values(), ids=CASES)
def test_an_event_drops_what_the_design_says_and_keeps_all_else(event: Event, dropped: frozenset[str]) -> None:
    prefixes = Ruleset(RULES).prefixes(event)
    assert {key for key in EVERYTHING if any(covers(prefix, key) for prefix in prefixes)} == dropped


def test_every_event_of_the_catalog_has_a_case() -> None:
    assert {type(event) for event, _ in CASES.values()} == set(CATALOG)


def test_the_keys_of_these_cases_are_those_of_all_values() -> None:
    bare = {value.key for value in VALUES}
    assert {key for key in bare if not any(covers(key, full) for full in EVERYTHING)} == set()
    assert {full for full in EVERYTHING if not any(covers(key, full) for key in bare)} == set()


def test_every_preference_is_decided_by_some_case() -> None:
    decided = {name for event, _ in CASES.values() if isinstance(event, PreferencesChanged) for name in event.changed}
    assert decided == set(FIELDS)


def test_no_event_is_global() -> None:
    assert [kind.name for kind in CATALOG if kind.is_global] == []


def test_the_table_has_no_fault() -> None:
    assert check(RULES, CATALOG, {value.key: value.where for value in VALUES}) == []
