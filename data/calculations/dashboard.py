"""Loaders of the dashboard: today's metrics against their baseline, and the lists of tasks and instances.

What is overdue, and what a running timer shows, is decided when the lists are drawn: nothing here knows a clock.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Select, and_, bindparam, select

from data.calculations.averages import mean, sample_deviation
from data.calculations.metric import Direction, Metric
from data.calculations.registry import LONGEST_SPAN, METRICS, monitored, values_by_day
from data.calculations.series import read_active, read_first_day, read_series
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import Instance, RoutineDay, State, Task
from data.viewpoint import Viewpoint

SPARKLINE_DAYS = 30
BASELINE_DAYS = {"week": 7, "month": 30, "quarter": 90}
MOST_BASELINE_DAYS = 3653
"""The baseline "all" looks back ten years at most, so that one mistyped date cannot make the page slow."""
RECENTLY_COMPLETED = 10
RECENTLY_MISSED = 50

FEWEST_TO_JUDGE = 5
"""With fewer days to compare with there is no "usual", and no verdict."""
POINTS_STEP = 5.0
RELATIVE_STEP = 0.1
ROUNDING = 1e-9
NEGLIGIBLE = 1e-6
"""A difference in any unit that nobody can see or log: no reason for a colour."""
_SCALES_OF_100 = frozenset({"of 100", "percent", "points"})


class Band(StrEnum):
    """A value's colour."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    NONE = "none"


class MetricCard(msgspec.Struct, frozen=True):
    """One metric today. `baseline` is the mean of its values on the baseline's days, `difference` value - baseline.

    `sparkline` holds the values of the 30 days that end today, oldest first. None is no data.
    """

    name: str
    value: float | None
    baseline: float | None
    difference: float | None
    band: Band
    sparkline: tuple[float | None, ...]


class DashboardMetrics(msgspec.Struct, frozen=True):
    """Every metric of the registry, in its order. `monitored` names those to show, in the order to show them.

    `baseline_days` is how many days the baseline really covers: days before the user's first record are not counted.
    """

    today: date
    baseline_days: int
    monitored: tuple[str, ...]
    cards: tuple[MetricCard, ...]

    def card(self, name: str) -> MetricCard:
        """Return the card of one metric."""
        return next(card for card in self.cards if card.name == name)


class Template(msgspec.Struct, frozen=True):
    """A task that can be planned. `due_at` is of its next occurrence."""

    id: str
    name: str
    description: str
    kind: str
    categories: tuple[str, ...]
    estimate_minutes: float | None
    default_aversion: int | None
    routine: str
    routine_weekdays: tuple[str, ...]
    routine_at: str | None
    due_at: datetime | None
    demo: bool


class OpenInstance(msgspec.Struct, frozen=True):
    """An instance that is planned, active or paused. The feelings are predictions.

    The timer shows `timed_minutes`, and while it runs also the time since `resumed_at` (None while it stands).
    """

    id: str
    task_id: str
    name: str
    kind: str
    categories: tuple[str, ...]
    state: str
    relief: int | None
    mental_load: int | None
    emotional_load: int | None
    physical_load: int | None
    aversion: int | None
    motivation: int | None
    estimate_minutes: float | None
    due_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    paused_at: datetime | None
    resumed_at: datetime | None
    timed_minutes: float
    note: str


class CompletedInstance(msgspec.Struct, frozen=True):
    """An instance that was completed. The feelings are actual ones."""

    id: str
    task_id: str
    name: str
    kind: str
    categories: tuple[str, ...]
    state: str
    relief: int | None
    mental_load: int | None
    emotional_load: int | None
    physical_load: int | None
    aversion: int | None
    estimate_minutes: float | None
    actual_minutes: float | None
    completion_percent: float | None
    completed_at: datetime
    note: str


class MissedTurn(msgspec.Struct, frozen=True):
    """A day on which a task's routine had its turn while nothing ran: nothing was planned."""

    task_id: str
    name: str
    day: date


class DashboardTasks(msgspec.Struct, frozen=True):
    """The lists. Templates by name; planned by due time, those without one last; active and paused by start; the last
    10 completed and the last 50 missed, newest first."""

    templates: tuple[Template, ...]
    planned: tuple[OpenInstance, ...]
    active: tuple[OpenInstance, ...]
    paused: tuple[OpenInstance, ...]
    completed: tuple[CompletedInstance, ...]
    missed: tuple[MissedTurn, ...]


def load_metrics(read: ReadTransaction, view: Viewpoint) -> DashboardMetrics:
    """Return today's value of every metric, with baseline, colour band and sparkline.

    A metric's value on a day is that of the day alone, or of the 7 days that end with it (`Metric.days`). Days before
    the user's first record have no value; a day since then on which nothing happened has its zeros. The baseline is
    the mean of the values on the days of the user's choice, ending yesterday.
    """
    today = view.today
    record = min(read_first_day(read, view) or today, today)
    reach = BASELINE_DAYS.get(view.profile.baseline, MOST_BASELINE_DAYS)
    first_of_baseline = max(record, today - ONE_DAY * reach)
    first_of_sparkline = max(record, today - ONE_DAY * (SPARKLINE_DAYS - 1))
    first = min(first_of_baseline, first_of_sparkline)
    series = read_series(read, view, first - ONE_DAY * (LONGEST_SPAN - 1), today, with_created=True)
    by_day = values_by_day(series, first, today, read_active(read, view))
    days_shown = (today - first_of_sparkline).days + 1
    days_compared = (today - first_of_baseline).days
    cards = []
    for metric in METRICS:
        values = by_day[metric.name]
        compared = [value for value in values[len(values) - 1 - days_compared : -1] if value is not None]
        baseline = mean(compared)
        shown = values[len(values) - days_shown :]
        missing = (None,) * (SPARKLINE_DAYS - len(shown))
        value = values[-1]
        difference = None if value is None or baseline is None else value - baseline
        colour = band(metric, value, baseline, sample_deviation(compared) or 0.0)
        if len(compared) < FEWEST_TO_JUDGE:
            colour = Band.NONE
        cards.append(MetricCard(metric.name, value, baseline, difference, colour, (*missing, *shown)))
    return DashboardMetrics(today, days_compared, monitored(view.profile.monitored_metrics), tuple(cards))


def band(metric: Metric, value: float | None, baseline: float | None, spread: float = 0.0) -> Band:
    """Return the colour of *value* against *baseline*: good or poor if it is better or worse by more than one step.

    A step is *spread*, the standard deviation of the baseline's days, so that what happens every few days is called
    usual; and at least 5 points on scales of 100 (scores, percentages, feelings and their differences), else a tenth
    of the baseline. Within a step it is fair. None without data and for metrics where neither more nor less is better;
    also for a sum that is below the baseline by however little: the day is not over.
    """
    if value is None or baseline is None or metric.direction is Direction.NEUTRAL:
        return Band.NONE
    step = max(spread, POINTS_STEP if metric.unit in _SCALES_OF_100 else abs(baseline) * RELATIVE_STEP)
    step += abs(baseline) * ROUNDING + NEGLIGIBLE  # exactly one step away: not to depend on the order of a sum
    if metric.accumulates and value < baseline - NEGLIGIBLE:
        return Band.NONE
    if metric.direction is Direction.ZERO:
        gain = abs(baseline) - abs(value)
    else:
        gain = value - baseline if metric.direction is Direction.MORE else baseline - value
    if gain > step:
        return Band.GOOD
    return Band.POOR if gain < -step else Band.FAIR


def load_tasks(read: ReadTransaction, view: Viewpoint) -> DashboardTasks:
    """Return the task lists of the dashboard."""
    execute, of_user = read.connection.execute, {"user": view.user}
    templates = [Template(*row) for row in execute(_TEMPLATES, of_user)]
    open_ones = [OpenInstance(*row) for row in execute(_OPEN, of_user)]
    completed = [CompletedInstance(*row) for row in execute(_COMPLETED, of_user)]
    in_state = {state: [one for one in open_ones if one.state == state] for state in State}
    return DashboardTasks(
        templates=tuple(sorted(templates, key=lambda task: (task.name.casefold(), task.id))),
        planned=tuple(sorted(in_state[State.PLANNED], key=_by_due)),
        active=_by_start(in_state[State.ACTIVE]),
        paused=_by_start(in_state[State.PAUSED]),
        completed=tuple(completed),
        missed=tuple(MissedTurn(*row) for row in execute(_MISSED, of_user)),
    )


_OF_TASK = frozenset({"name", "kind", "categories"})
_FELT = frozenset({"relief", "mental_load", "emotional_load", "physical_load", "aversion", "motivation"})


def _instances(fields: Iterable[str], felt: str) -> Select[*tuple[Any, ...]]:
    columns = [
        getattr(Task, name) if name in _OF_TASK else getattr(Instance, f"{felt}_{name}" if name in _FELT else name)
        for name in fields
    ]
    return (
        select(*columns)
        .join_from(Instance, Task, and_(Task.user_id == Instance.user_id, Task.id == Instance.task_id))
        .where(Instance.user_id == _USER)
    )


# Made once: to put such a statement together takes longer than to carry it out.
_USER: BindParameter[int] = bindparam("user")
_TEMPLATES = select(*(getattr(Task, name) for name in Template.__struct_fields__)).where(
    Task.user_id == _USER, Task.archived.is_(False)
)
_OPEN = _instances(OpenInstance.__struct_fields__, "predicted").where(
    Instance.state.in_([State.PLANNED, State.ACTIVE, State.PAUSED])
)
_COMPLETED = (
    _instances(CompletedInstance.__struct_fields__, "actual")
    .where(Instance.state == State.COMPLETED)
    .order_by(Instance.completed_at.desc(), Instance.id.desc())
    .limit(RECENTLY_COMPLETED)
)
_MISSED = (
    select(RoutineDay.task_id, Task.name, RoutineDay.day)
    .join_from(RoutineDay, Task, and_(Task.user_id == RoutineDay.user_id, Task.id == RoutineDay.task_id))
    .where(RoutineDay.user_id == _USER, RoutineDay.instance_id.is_(None), Task.archived.is_(False))
    .order_by(RoutineDay.day.desc(), RoutineDay.task_id)
    .limit(RECENTLY_MISSED)
)


def _by_due(instance: OpenInstance) -> tuple[bool, datetime, datetime, str]:
    return (instance.due_at is None, instance.due_at or instance.created_at, instance.created_at, instance.id)


def _by_start(instances: Iterable[OpenInstance]) -> tuple[OpenInstance, ...]:
    return tuple(sorted(instances, key=lambda one: (one.started_at or one.created_at, one.id)))
