"""Loaders of the analytics that look at days and at pairs of attributes, and of what time went into.

The relief summary is in `relief`, recommendations are in `recommendations`. What looks at all completed instances does
not depend on the day.
"""

from datetime import date

import msgspec
import numpy as np

from data.calculations.beginnings import Beginnings, load_beginnings
from data.calculations.completed import read_labels
from data.calculations.composite import COMPOSITE_DAYS, Composite, combine, components_of, scores_of
from data.calculations.formulas import Numbers
from data.calculations.past import read_past
from data.calculations.registry import METRICS, values_by_day
from data.calculations.series import Several, dates, known, read_series, read_whole
from data.calculations.sums import ATTRIBUTES, MOMENTS, RECORDED, Sums
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import Kind
from data.viewpoint import Viewpoint

COMPOSITE_HISTORY_DAYS = 30
TREND_DAYS = 90
TREND_MEAN_DAYS = 7
WINDOW_DAYS = (7, 30, 90)


class DayScore(msgspec.Struct, frozen=True):
    """The composite score of the 7 days that end with `day`."""

    day: date
    score: float | None


class CompositeScores(msgspec.Struct, frozen=True):
    """The composite of the 7 days `first_day` to `today`, and its history: 30 days that end today, oldest first."""

    first_day: date
    today: date
    composite: Composite
    history: tuple[DayScore, ...]


class Trend(msgspec.Struct, frozen=True):
    """One metric by day, and the mean of the values of the 7 days that end with each.

    `windows` is the metric of all that was completed within the last 7, 30 and 90 days, and ever; `before` that of the
    7, 30 and 90 days before those.
    """

    metric: str
    daily: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    windows: tuple[float | None, ...]
    before: tuple[float | None, ...]


class Trends(msgspec.Struct, frozen=True):
    """Daily series over the 90 `days` that end today, oldest first, one per metric in the registry's order.

    `whole_days` is how long the window of everything is: from the first completion or cancellation to today.
    """

    days: tuple[date, ...]
    whole_days: int
    series: tuple[Trend, ...]

    def of(self, metric: str) -> Trend:
        """Return the series of one metric."""
        return next(trend for trend in self.series if trend.metric == metric)


class Correlation(msgspec.Struct, frozen=True):
    """Pearson's r of two attributes, -1..1, over the `n` completed instances that have both.

    None under 3 instances or where one of the two never varies.
    """

    first: str
    second: str
    r: float | None
    n: int


class Correlations(msgspec.Struct, frozen=True):
    """All pairs of `attributes`, each once, in the attributes' order."""

    attributes: tuple[str, ...]
    pairs: tuple[Correlation, ...]


class Portion(msgspec.Struct, frozen=True):
    """What went into one task, kind or category. `key` is a task's id, else the same as `label`.

    `minutes` are as recorded (sleep in full). `share` is of the list's minutes, percent; None if there are none.
    """

    key: str
    label: str
    completed: int
    minutes: float
    share: float | None


class Distribution(msgspec.Struct, frozen=True):
    """Completed instances and their minutes, each list with the most minutes first.

    `by_task` and `by_kind` add up to the totals. A task in several categories counts in full in each, one in none
    in none; the shares are of all minutes.
    """

    completed: int
    minutes: float
    by_task: tuple[Portion, ...]
    by_kind: tuple[Portion, ...]
    by_category: tuple[Portion, ...]


def load_composite_scores(read: ReadTransaction, view: Viewpoint) -> CompositeScores:
    """Return the composite score of the 7 days that end today, and what it was on each of the last 30 days."""
    days = dates(view.today - ONE_DAY * (COMPOSITE_HISTORY_DAYS - 1), view.today)
    series = read_series(read, view, days[0] - ONE_DAY * (COMPOSITE_DAYS - 1), view.today)
    weights = dict(view.profile.composite_weights)
    components = components_of(series.windows(days[0], view.today, COMPOSITE_DAYS))
    return CompositeScores(
        first_day=view.today - ONE_DAY * (COMPOSITE_DAYS - 1),
        today=view.today,
        composite=combine({name: values[-1] for name, values in components.items()}, weights),
        history=tuple(map(DayScore, days, scores_of(components, weights))),
    )


def load_trends(read: ReadTransaction, view: Viewpoint) -> Trends:
    """Return daily series of all metrics that finished instances make (`Metric.in_trends`), and their windows."""
    before, today = TREND_MEAN_DAYS - 1, view.today
    first = today - ONE_DAY * (TREND_DAYS - 1 + before)
    series = read_series(read, view, today - ONE_DAY * (2 * TREND_DAYS - 1), today)  # so that 90 days lie before 90
    metrics = [metric for metric in METRICS if metric.in_trends]
    values = values_by_day(series, first, today)
    means = trailing_means(np.array([values[metric.name] for metric in metrics], dtype=np.float64), TREND_MEAN_DAYS)
    whole = read_whole(read, view, series)
    latest = [series.windows(today, today, length) for length in WINDOW_DAYS]
    ends = [today - ONE_DAY * length for length in WINDOW_DAYS]
    earlier = [series.windows(end, end, length) for end, length in zip(ends, WINDOW_DAYS, strict=True)]
    windows = Several([*latest, whole, *earlier])
    calculated = [tuple(known(metric.calculate(windows))) for metric in metrics]
    return Trends(
        tuple(dates(first + ONE_DAY * before, today)),
        int(whole.lengths[0]),
        tuple(
            Trend(
                metric.name,
                tuple(values[metric.name][before:]),
                tuple(known(mean[before:])),
                of_windows[: len(latest) + 1],
                of_windows[len(latest) + 1 :],
            )
            for metric, mean, of_windows in zip(metrics, means, calculated, strict=True)
        ),
    )


def load_correlations(read: ReadTransaction, view: Viewpoint) -> Correlations:
    """Return how all pairs of numeric attributes go together, over all completed instances."""
    past = read_past(read, view)
    beginnings: Beginnings = read.piece(load_beginnings, view, "all")
    moments = with_drops(past, beginnings.first_aversions(past.tasks))
    count = moments[0].astype(int).tolist()
    pairs = [
        Correlation(ATTRIBUTES[i], ATTRIBUTES[j], r, count[i][j])
        for i, row in enumerate(map(known, pearson(moments)))
        for j, r in enumerate(row)
        if i < j
    ]
    return Correlations(ATTRIBUTES, tuple(pairs))


def load_distribution(read: ReadTransaction, view: Viewpoint) -> Distribution:
    """Return where all completed instances and their minutes went: by task, kind and category."""
    totals = read_past(read, view)
    labels = read_labels(read, view)
    members: dict[str, dict[str, list[int]]] = {"kind": {}, "category": {}}
    for place, task_id in enumerate(totals.tasks):
        label = labels[task_id]
        members["kind"].setdefault(label.kind, []).append(place)
        for category in dict.fromkeys(label.categories):
            members["category"].setdefault(category, []).append(place)
    minutes = float(totals.of_tasks("sum_actual_minutes").sum())
    return Distribution(
        completed=int(totals.of_tasks("completed").sum()),
        minutes=minutes,
        by_task=_portions(
            totals,
            {task_id: [place] for place, task_id in enumerate(totals.tasks)},
            {key: label.name for key, label in labels.items()},
        ),
        by_kind=_portions(totals, members["kind"], {kind.value: kind.value for kind in Kind}),
        by_category=_portions(totals, members["category"], {category: category for category in members["category"]}),
    )


def with_drops(past: Sums, first_aversions: Numbers) -> Numbers:
    """Return the moments of all ATTRIBUTES, as `SHAPES` describes those of RECORDED: aversion_drop is added.

    *first_aversions* are of the tasks of *past*. A task's drops are one number minus its aversions, so what sums they
    have follows from those of the aversions; the instances of a task without that number have no drop.
    """
    compared = ~np.isnan(first_aversions)
    first = first_aversions[compared, None]
    count, total, squares, aversions, aversion_squares, products = past.against_aversion()[:, compared]
    drops = first * count - aversions
    drop_squares = first**2 * count - 2 * first * aversions + aversion_squares
    drop_products = first * total - products
    own = ATTRIBUTES.index("aversion_drop")
    others = [place for place in range(len(ATTRIBUTES)) if place != own]
    found = np.zeros((len(MOMENTS), len(ATTRIBUTES), len(ATTRIBUTES)))
    found[np.ix_(range(len(MOMENTS)), others, others)] = past.of("moments")
    with_others = [each.sum(axis=0) for each in (count, drops, drop_squares, drop_products)]
    found[:, own, others] = with_others
    found[:, others, own] = [each.sum(axis=0) for each in (count, total, squares, drop_products)]
    with_itself = np.array(with_others)[:, RECORDED.index("aversion")]
    found[:, own, own] = with_itself[[0, 1, 2, 2]]
    return found


def pearson(moments: Numbers) -> Numbers:
    """Return Pearson's r for all pairs of attributes, -1..1, from sums as `SHAPES` describes them.

    NaN under 3 instances, and where one of the two never varies: a variance below 1e-11 of the mean square is what
    rounding leaves of none.
    """
    count, total, squares, products = moments
    some = np.where(count >= 3, count, np.nan)
    mean = total / some
    variance = squares / some - mean**2
    variance = np.where(variance > 1e-11 * squares / some, variance, np.nan)
    covariance = products / some - mean * mean.T
    found: Numbers = np.clip(covariance / np.sqrt(variance * variance.T), -1.0, 1.0)
    return found


def trailing_means(rows: Numbers, length: int) -> Numbers:
    """Return, for each place of each row, the mean of what is known at it and the `length - 1` places before it."""
    padded = np.pad(rows, ((0, 0), (length - 1, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)
    present = ~np.isnan(windows)
    count = present.sum(axis=2)
    found: Numbers = np.where(present, windows, 0.0).sum(axis=2) / np.where(count > 0, count, np.nan)
    return found


def _portions(totals: Sums, members: dict[str, list[int]], labels: dict[str, str]) -> tuple[Portion, ...]:
    minutes, completed = totals.of_tasks("sum_actual_minutes"), totals.of_tasks("completed")
    everything = float(minutes.sum())
    portions = []
    for key, places in members.items():
        spent = float(minutes[places].sum())
        share = 100 * spent / everything if everything else None
        portions.append(Portion(key, labels[key], int(completed[places].sum()), spent, share))
    return tuple(sorted(portions, key=lambda part: (-part.minutes, -part.completed, part.label, part.key)))
