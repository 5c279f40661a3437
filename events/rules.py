"""The rules: which event makes which cached values stale. A literal table and nothing else.

How a row is read is in `ruleset`. Keys are those of `cache/values.py`; a pattern that covers none of them stops the
start, and so does an event of the catalog without a row.
"""

from events.catalog import (
    AccountChanged,
    CancellationUndone,
    CompletionUndone,
    DataImported,
    DataRemoved,
    DayStarted,
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
    TouchesDays,
    UserCreated,
)
from events.ruleset import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceCancelled, CancellationUndone, InstanceEdited),
        invalidates=("dashboard.metrics", "dashboard.tasks", "analytics.*"),
        keeps={"summary.*": "it covers finished days only; the next row says when one of those is concerned"},
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceCancelled, CancellationUndone, InstanceEdited),
        when=TouchesDays.touches_finished_day,
        invalidates=("summary.*",),
    ),
    Rule(
        on=(InstancePlanned, InstanceStarted, InstancePaused, InstanceResumed),
        invalidates=("dashboard.tasks", "dashboard.metrics", "analytics.recommendations"),
        keeps={
            "summary.*": "it is made of completed and cancelled instances only",
            "analytics.composite_scores": "made of completed and cancelled instances only",
            "analytics.relief_summary": "made of completed instances only",
            "analytics.trends": "made of completed instances only",
            "analytics.correlations": "made of completed instances only",
            "analytics.distribution": "made of completed instances only",
        },
    ),
    Rule(
        on=(TaskCreated, TaskEdited, TaskArchived),
        invalidates=("dashboard.tasks", "analytics.recommendations"),
        keeps=dict.fromkeys(
            (
                "summary.*",
                "dashboard.metrics",
                "analytics.composite_scores",
                "analytics.relief_summary",
                "analytics.trends",
                "analytics.correlations",
                "analytics.distribution",
            ),
            "numbers of the past do not depend on the list of tasks; names have a row of their own",
        ),
    ),
    Rule(
        on=(TaskEdited,),
        when=TaskEdited.changes_label,
        invalidates=("dashboard.metrics", "analytics.*", "summary.*"),
    ),
    Rule(
        on=(DayStarted,),
        invalidates=("summary.*", "dashboard.metrics", "analytics.*"),
        keeps={"dashboard.tasks": "it holds instants; what is overdue is decided when it is drawn"},
    ),
    Rule(on=(RefreshRequested,), carried=True),
    Rule(on=(PreferencesChanged, AccountChanged), invalidates=("preferences.*",)),
    Rule(on=(PreferencesChanged,), when=PreferencesChanged.moves_days, invalidates=("*",)),
    Rule(
        on=(PreferencesChanged,),
        when=PreferencesChanged.changes_monitoring,
        invalidates=("dashboard.metrics",),
    ),
    Rule(
        on=(PreferencesChanged,),
        when=PreferencesChanged.changes_composite,
        invalidates=("analytics.composite_scores", "analytics.trends", "summary.*"),
    ),
    Rule(
        on=(PreferencesChanged,),
        when=PreferencesChanged.changes_ranking,
        invalidates=("analytics.recommendations",),
    ),
    Rule(on=(DataImported, DataRemoved, EventUnreadable), invalidates=("*",)),
    Rule(on=(UserCreated,), invalidates=(), keeps={"*": "a new user has nothing yet, and is nobody else"}),
)
