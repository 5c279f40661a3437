"""Composite history, trends, correlations and distribution, read from all rows each time."""

import math
from collections import defaultdict
from datetime import date
from operator import attrgetter

from sqlalchemy import func, select

from data.calculations.analytics import (
    COMPOSITE_HISTORY_DAYS,
    TREND_DAYS,
    TREND_MEAN_DAYS,
    CompositeScores,
    Correlation,
    Correlations,
    DayScore,
    Distribution,
    Portion,
    Trend,
    Trends,
)
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import Instance, Kind
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.attempts import COMPLETED_AT, completed_within, read_attempts, read_labels
from tests.data.calculations.reference.averages import correlation_table, trailing_means
from tests.data.calculations.reference.composite import COMPOSITE_DAYS, composite_of
from tests.data.calculations.reference.history import dates, read_history
from tests.data.calculations.reference.measures import measure
from tests.data.calculations.reference.registry import LONGEST_SPAN, METRICS, values_by_day


def load_composite_scores(read: ReadTransaction, view: Viewpoint) -> CompositeScores:
    """Return the composite score of the 7 days that end today, and what it was on each of the last 30 days."""
    days = dates(view.today - ONE_DAY * (COMPOSITE_HISTORY_DAYS - 1), view.today)
    history = read_history(read, view, days[0] - ONE_DAY * (COMPOSITE_DAYS - 1), view.today)
    weights = dict(view.profile.composite_weights)
    composites = [composite_of(history.window(day, COMPOSITE_DAYS), weights) for day in days]
    return CompositeScores(
        first_day=view.today - ONE_DAY * (COMPOSITE_DAYS - 1),
        today=view.today,
        composite=composites[-1],
        history=tuple(DayScore(day, each.score) for day, each in zip(days, composites, strict=True)),
    )


def load_trends(read: ReadTransaction, view: Viewpoint) -> Trends:
    """Return daily series of all metrics that finished instances make (`Metric.in_trends`), with 7-day means."""
    before = TREND_MEAN_DAYS - 1
    days = dates(view.today - ONE_DAY * (TREND_DAYS - 1 + before), view.today)
    history = read_history(read, view, days[0] - ONE_DAY * (LONGEST_SPAN - 1), view.today)
    values = values_by_day(history, days)
    everything = read_history(read, view, _first_day(read, view), view.today)
    windows = [read_history(read, view, *span).window(span[1], 1_000_000) for span in _spans(view.today, 0)]
    earlier = [read_history(read, view, *span).window(span[1], 1_000_000) for span in _spans(view.today, 1)]
    windows.append(everything.window(view.today, 1_000_000))
    series = []
    for metric in METRICS:
        if metric.in_trends:
            daily = tuple(values[metric.name])
            means = trailing_means(daily, TREND_MEAN_DAYS)
            figures, before_them = ([metric.calculate(one) for one in each] for each in (windows, earlier))
            series.append(Trend(metric.name, daily[before:], means[before:], tuple(figures), tuple(before_them)))
    return Trends(tuple(days[before:]), len(everything.days), tuple(series))


def _spans(today: date, windows_ago: int) -> list[tuple[date, date]]:
    ends = [(length, today - ONE_DAY * length * windows_ago) for length in (7, 30, 90)]
    return [(end - ONE_DAY * (length - 1), end) for length, end in ends]


def _first_day(read: ReadTransaction, view: Viewpoint) -> date:
    """Return the day of the first completion or cancellation, or today if there was none before."""
    moments = read.connection.execute(
        select(func.min(Instance.completed_at), func.min(Instance.cancelled_at)).where(Instance.user_id == view.user)
    ).one()
    return min([view.today, *(view.profile.calendar.day_of(moment) for moment in moments if moment is not None)])


_OF_MEASURES = (
    "relief",
    "mental_load",
    "emotional_load",
    "physical_load",
    "aversion",
    "motivation",
    "stress",
    "net_wellbeing",
    "difficulty",
    "surprise",
    "aversion_drop",
    "delay_minutes",
    "time_accuracy",
    "relief_points",
)
_OF_ATTEMPT = (
    "predicted_relief",
    "predicted_aversion",
    "estimate_minutes",
    "actual_minutes",
    "completion_percent",
)
ATTRIBUTES = _OF_MEASURES + _OF_ATTEMPT
"""What correlations compare: numbers of single instances, under the glossary's names."""


def load_correlations(read: ReadTransaction, view: Viewpoint) -> Correlations:
    """Return how all pairs of numeric attributes go together, over all completed instances."""
    of_measures, of_attempt = attrgetter(*_OF_MEASURES), attrgetter(*_OF_ATTEMPT)
    rows = [of_measures(measure(attempt)) + of_attempt(attempt) for attempt in read_attempts(read, view)]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(ATTRIBUTES)
    table = correlation_table(columns)
    pairs = [Correlation(ATTRIBUTES[i], ATTRIBUTES[j], r, n) for (i, j), (r, n) in table.items()]
    return Correlations(ATTRIBUTES, tuple(pairs))


def load_distribution(read: ReadTransaction, view: Viewpoint) -> Distribution:
    """Return where all completed instances and their minutes went: by task, kind and category."""
    rows = read.connection.execute(
        select(Instance.task_id, Instance.actual_minutes)
        .where(completed_within(view))
        .order_by(COMPLETED_AT, Instance.id)
    ).all()
    labels = read_labels(read, view)
    by_task: defaultdict[str, list[float]] = defaultdict(list)
    for task_id, minutes in rows:
        by_task[task_id].append(minutes or 0.0)
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    by_category: defaultdict[str, list[float]] = defaultdict(list)
    for task_id, spent in by_task.items():
        by_kind[labels[task_id].kind] += spent
        for category in dict.fromkeys(labels[task_id].categories):
            by_category[category] += spent
    total = math.fsum(minutes for spent in by_task.values() for minutes in spent)
    return Distribution(
        completed=len(rows),
        minutes=total,
        by_task=_portions(by_task, total, {key: label.name for key, label in labels.items()}),
        by_kind=_portions(by_kind, total, {kind.value: kind.value for kind in Kind}),
        by_category=_portions(by_category, total, {category: category for category in by_category}),
    )


def _portions(spent: dict[str, list[float]], total: float, labels: dict[str, str]) -> tuple[Portion, ...]:
    portions = [
        Portion(key, labels[key], len(parts), minutes, 100 * minutes / total if total else None)
        for key, parts in spent.items()
        for minutes in (math.fsum(parts),)
    ]
    return tuple(sorted(portions, key=lambda part: (-part.minutes, -part.completed, part.label, part.key)))
