"""The rules table, row by row: of the keys that pages really ask for, which does an event drop, which does it keep?"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cache.pieces import KEYS, ROWS
from data.preferences import FIELDS
from events.catalog import (
    CATALOG,
    AccountChanged,
    CancellationUndone,
    ClockCorrected,
    CompletionUndone,
    DataImported,
    DataRemoved,
    DataRestored,
    DayStarted,
    Event,
    EventUnreadable,
    InstanceCancelled,
    InstanceEdited,
    InstancePaused,
    InstancePlanned,
    InstanceResumed,
    InstanceStarted,
    PlanUndone,
    PreferencesChanged,
    RefreshRequested,
    RoutineMissed,
    StartUndone,
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
MAY, JUNE = frozenset({"pieces.months.2026-05"}), frozenset({"pieces.months.2026-06"})
BEFORE = frozenset({"pieces.before.2026-06"})
SUMS = MAY | JUNE | BEFORE | {"pieces.years.2026", "pieces.past.all"}
OF_MAY = SUMS - JUNE - BEFORE
COUNTS_OF_MAY, COUNTS_OF_JUNE = frozenset({"pieces.counts.2026-05"}), frozenset({"pieces.counts.2026-06"})
BEGINNINGS = frozenset({"pieces.beginnings.all"})
PIECES = SUMS | COUNTS_OF_MAY | COUNTS_OF_JUNE | BEGINNINGS
NOTHING: frozenset[str] = frozenset()
EVERYTHING = PREFERENCES | METRICS | TASKS | SUMMARY | ANALYTICS | PIECES


def a(kind: type[Event], **values: Any) -> Event:
    return kind(user=UserId(1), at=datetime(2026, 5, 13, 10, 0, tzinfo=UTC), **values)


def edited(*changed: str) -> Event:
    return a(PreferencesChanged, changed=changed)


def touching(kind: type[Event], earliest: date | None, **values: Any) -> Event:
    return a(kind, **OF_INSTANCE, earliest_day=earliest, today=TODAY, **values)


MAY_ONLY: dict[str, Any] = {"months": ("2026-05",), "is_early": False, "newest_month": "2026-05"}
NO_MONTH: dict[str, Any] = {"months": (), "is_early": False}
ALL_NUMBERS = METRICS | TASKS | ANALYTICS

CASES: dict[str, tuple[Event, frozenset[str]]] = {
    "completed today": (touching(TaskCompleted, TODAY, **MAY_ONLY), ALL_NUMBERS | OF_MAY),
    "completed yesterday": (touching(TaskCompleted, YESTERDAY, **MAY_ONLY), ALL_NUMBERS | OF_MAY | SUMMARY),
    "completed as one of the first": (
        touching(TaskCompleted, TODAY, months=("2026-05", "2026-06"), is_early=True),
        ALL_NUMBERS | SUMS | BEGINNINGS,
    ),
    "completed, by a version that did not look at months": (
        touching(TaskCompleted, TODAY),
        ALL_NUMBERS | SUMS | BEGINNINGS,
    ),
    "completion of today undone": (touching(CompletionUndone, TODAY, **MAY_ONLY), ALL_NUMBERS | OF_MAY),
    "completion of yesterday undone": (
        touching(CompletionUndone, YESTERDAY, **MAY_ONLY),
        ALL_NUMBERS | OF_MAY | SUMMARY,
    ),
    "cancelled today": (touching(InstanceCancelled, TODAY, reason="no_time"), ALL_NUMBERS | COUNTS_OF_MAY),
    "cancelled on a day that a clock, set back since, had ended": (
        touching(InstanceCancelled, YESTERDAY, reason="no_time"),
        ALL_NUMBERS | SUMMARY | COUNTS_OF_MAY,
    ),
    "cancellation of today undone": (touching(CancellationUndone, TODAY), ALL_NUMBERS | COUNTS_OF_MAY),
    "cancellation of yesterday undone": (
        touching(CancellationUndone, YESTERDAY),
        ALL_NUMBERS | SUMMARY | COUNTS_OF_MAY,
    ),
    "open instance edited": (touching(InstanceEdited, None, **NO_MONTH, changed=("note",)), ALL_NUMBERS),
    "planned at another time": (
        touching(InstanceEdited, None, **NO_MONTH, changed=("created_at",)),
        ALL_NUMBERS | COUNTS_OF_MAY | COUNTS_OF_JUNE,
    ),
    "instance of today edited": (
        touching(InstanceEdited, TODAY, **MAY_ONLY, changed=("note",)),
        ALL_NUMBERS | OF_MAY,
    ),
    "instance of a finished day edited": (
        touching(InstanceEdited, YESTERDAY, **MAY_ONLY, changed=("actual_relief",)),
        ALL_NUMBERS | OF_MAY | SUMMARY,
    ),
    "instance of a month before the newest one edited": (
        touching(InstanceEdited, YESTERDAY, **MAY_ONLY | {"newest_month": "2026-06"}, changed=("actual_relief",)),
        ALL_NUMBERS | OF_MAY | BEFORE | SUMMARY,
    ),
    "the only completion of its month undone": (
        touching(CompletionUndone, TODAY, **MAY_ONLY | {"newest_month": "2026-04"}),
        ALL_NUMBERS | OF_MAY | BEFORE,
    ),
    "planned": (a(InstancePlanned, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS | COUNTS_OF_MAY),
    "planned where a month begins": (
        InstancePlanned(user=UserId(1), at=datetime(2026, 5, 31, 20, tzinfo=UTC), **OF_INSTANCE),
        METRICS | TASKS | RECOMMENDATIONS | COUNTS_OF_MAY | COUNTS_OF_JUNE,
    ),
    "plan taken back": (
        a(PlanUndone, **OF_INSTANCE, months=("2026-05",)),
        METRICS | TASKS | RECOMMENDATIONS | COUNTS_OF_MAY,
    ),
    "start taken back": (a(StartUndone, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "started": (a(InstanceStarted, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "paused": (a(InstancePaused, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "resumed": (a(InstanceResumed, **OF_INSTANCE), METRICS | TASKS | RECOMMENDATIONS),
    "task created": (a(TaskCreated, **OF_TASK), TASKS | RECOMMENDATIONS),
    "task archived": (a(TaskArchived, **OF_TASK, archived=True), TASKS | RECOMMENDATIONS),
    "task brought back": (a(TaskArchived, **OF_TASK, archived=False), TASKS | RECOMMENDATIONS),
    "notes of a task edited": (a(TaskEdited, **OF_TASK, changed=("notes", "due_at")), TASKS | RECOMMENDATIONS),
    "task renamed": (a(TaskEdited, **OF_TASK, changed=("name",)), METRICS | TASKS | ANALYTICS | SUMMARY),
    "task of another kind": (
        a(TaskEdited, **OF_TASK, changed=("kind",)),
        METRICS | TASKS | ANALYTICS | SUMMARY | SUMS,
    ),
    "task of other categories": (
        a(TaskEdited, **OF_TASK, changed=("notes", "categories")),
        METRICS | TASKS | ANALYTICS | SUMMARY,
    ),
    "day started": (a(DayStarted, day=TODAY), METRICS | ANALYTICS | SUMMARY),
    "clock corrected": (a(ClockCorrected, today=TODAY), EVERYTHING),
    "routine missed": (a(RoutineMissed, task="t", days=(YESTERDAY,)), TASKS),
    "one subsystem refreshed": (a(RefreshRequested, prefix="analytics.*"), ANALYTICS),
    "one value refreshed": (a(RefreshRequested, prefix="analytics.trends"), TRENDS),
    "everything refreshed": (a(RefreshRequested, prefix="*"), EVERYTHING),
    "theme": (edited("theme"), PREFERENCES),
    "cache mode and backend": (edited("cache_mode", "cache_backend"), PREFERENCES),
    "refresh of analytics": (edited("analytics_refresh"), PREFERENCES),
    "first weekday and clock": (edited("first_weekday", "clock_hours"), PREFERENCES),
    "weekly goal": (edited("goal_hours_per_week"), PREFERENCES),
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
    "restored": (a(DataRestored, of_seq=7), EVERYTHING),
    "user created": (a(UserCreated), EVERYTHING),
}


@pytest.mark.parametrize(("event", "dropped"), CASES.values(), ids=CASES)
def test_an_event_drops_what_the_design_says_and_keeps_all_else(event: Event, dropped: frozenset[str]) -> None:
    prefixes = Ruleset(RULES).prefixes(event)
    assert {key for key in EVERYTHING if any(covers(prefix, key) for prefix in prefixes)} == dropped


def test_every_event_of_the_catalog_has_a_case() -> None:
    assert {type(event) for event, _ in CASES.values()} == set(CATALOG)


def test_the_keys_of_these_cases_are_those_of_all_values() -> None:
    bare = set(KEYS)
    assert {key for key in bare if not any(covers(key, full) for full in EVERYTHING)} == set()
    assert {full for full in EVERYTHING if not any(covers(key, full) for key in bare)} == set()


def test_every_preference_is_decided_by_some_case() -> None:
    decided = {name for event, _ in CASES.values() if isinstance(event, PreferencesChanged) for name in event.changed}
    assert decided == set(FIELDS)


def test_no_event_is_global() -> None:
    assert [kind.name for kind in CATALOG if kind.is_global] == []


def test_the_table_has_no_fault() -> None:
    assert check(RULES, CATALOG, {row.key: row.where for row in ROWS}) == []
