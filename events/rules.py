"""The rules: which event makes which cached values stale. A literal table and nothing else.

How a row is read is in `ruleset`. Keys are those of `cache/values.py`; a pattern that covers none of them stops the
start, and so does an event of the catalog without a row.
"""

from events.catalog import (
    AccountChanged,
    CancellationUndone,
    ClockCorrected,
    CompletionUndone,
    DataImported,
    DataRemoved,
    DataRestored,
    DayStarted,
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
    TouchesDays,
    UserCreated,
)
from events.ruleset import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceCancelled, CancellationUndone, InstanceEdited),
        invalidates=("dashboard.metrics", "dashboard.tasks", "analytics.*"),
        keeps={"summary.*": "it covers finished days only; the next row says which look back at the day concerned"},
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceCancelled, CancellationUndone, InstanceEdited),
        parts=TouchesDays.later_days,
        invalidates=("summary.daily",),
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceEdited),
        parts=TouchesDays.months_touched,
        invalidates=("pieces.months",),
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceEdited),
        parts=TouchesDays.years_touched,
        invalidates=("pieces.years",),
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceEdited),
        when=TouchesDays.touches_earlier,
        invalidates=("pieces.before",),
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceEdited),
        when=TouchesDays.touches_past,
        invalidates=("pieces.past",),
    ),
    Rule(
        on=(TaskCompleted, CompletionUndone, InstanceEdited),
        when=TouchesDays.changes_a_beginning,
        invalidates=("pieces.beginnings",),
    ),
    Rule(on=(InstancePlanned,), parts=InstancePlanned.months_around, invalidates=("pieces.counts",)),
    Rule(on=(PlanUndone,), parts=PlanUndone.months_counted, invalidates=("pieces.counts",)),
    Rule(
        on=(InstanceCancelled, CancellationUndone),
        parts=TouchesDays.first_month_touched,
        invalidates=("pieces.counts",),
    ),
    Rule(on=(InstanceEdited,), when=InstanceEdited.moves_planning, invalidates=("pieces.counts",)),
    Rule(
        on=(InstancePlanned, PlanUndone, InstanceStarted, StartUndone, InstancePaused, InstanceResumed),
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
        on=(TaskEdited,),
        when=TaskEdited.changes_kind,
        invalidates=("pieces.months", "pieces.years", "pieces.before", "pieces.past"),
    ),
    Rule(
        on=(DayStarted,),
        invalidates=("summary.*", "dashboard.metrics", "analytics.*"),
        keeps={
            "dashboard.tasks": "it holds instants; what is overdue is decided when it is drawn",
            "pieces.*": "sums of a month do not depend on which day it is",
        },
    ),
    Rule(
        on=(RoutineMissed,),
        invalidates=("dashboard.tasks",),
        keeps={"analytics.*": "nothing was planned", "summary.*": "it is made of what was finished or given up"},
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
    Rule(on=(ClockCorrected, DataImported, DataRemoved, DataRestored, EventUnreadable), invalidates=("*",)),
    # The number of a new user may have been that of one whom a restored backup does not know.
    Rule(on=(UserCreated,), invalidates=("*",)),
)
