"""The relief summary: how much relief there was, of what, when, and how well it had been foreseen."""

import msgspec
import numpy as np

from data.calculations.completed import Label, read_labels
from data.calculations.formulas import Numbers
from data.calculations.past import read_past
from data.calculations.sums import FELT, OF_RATED, Sums
from data.database import ReadTransaction
from data.models import Kind
from data.viewpoint import Viewpoint

BEST_AND_WORST = 5
PRIOR_WEIGHT = 3.0
"""How many average instances are mixed with a task's own before ranking, so that one lucky try does not lead."""


class KindRelief(msgspec.Struct, frozen=True):
    """Relief of one kind of task. `relief_points` and `avg_relief` are None without data."""

    kind: str
    completed: int
    relief_points: float | None
    avg_relief: float | None
    avg_net_wellbeing: float | None


class Side(msgspec.Struct, frozen=True):
    """How many instances had a net wellbeing on one side of 0, and their sum (0 if there are none)."""

    count: int
    total: float


class Foresight(msgspec.Struct, frozen=True):
    """Predicted against actual relief, over the `n` instances that have both.

    `bias` is the mean of predicted - actual, above 0 when hopes were too high.
    """

    n: int
    predicted: float | None
    actual: float | None
    bias: float | None


class PredictedRelief(msgspec.Struct, frozen=True):
    """The instances whose predicted relief was `least` to `most`, with the means of what was predicted and felt."""

    least: int
    most: int
    foresight: Foresight


class HourRelief(msgspec.Struct, frozen=True):
    """One hour of the week: how many were completed in it, the mean relief, and the relief points."""

    completed: int
    avg_relief: float | None
    relief_points: float | None


class TaskRelief(msgspec.Struct, frozen=True):
    """How one task did. `score` ranks it: its mean net wellbeing, mixed with 3 average instances."""

    task_id: str
    name: str
    kind: str
    completed: int
    avg_relief: float | None
    avg_net_wellbeing: float
    relief_points: float | None
    score: float


class Spread(msgspec.Struct, frozen=True):
    """How one feeling was spread over the `n` instances that have it, 0-100: the exact quartiles of all of them.

    A quartile between two instances is their mean. None without any.
    """

    feeling: str
    n: int
    lower: float | None
    median: float | None
    upper: float | None


class ReliefSummary(msgspec.Struct, frozen=True):
    """Relief over all completed instances. Does not depend on the day.

    `grid[weekday][hour]` is 7 x 24, Monday first: weekday of the user's day, hour of the wall clock in their zone. So
    with days that start at 03:00, one o'clock on a Tuesday night stands under Monday. `best` and `worst` hold up to
    5 tasks each, no task twice.
    """

    completed: int
    relief_points: float | None
    by_kind: tuple[KindRelief, ...]
    positive: Side
    negative: Side
    neutral: int
    foresight: Foresight
    by_prediction: tuple[PredictedRelief, ...]
    grid: tuple[tuple[HourRelief, ...], ...]
    best: tuple[TaskRelief, ...]
    worst: tuple[TaskRelief, ...]
    spreads: tuple[Spread, ...]


def load_relief_summary(read: ReadTransaction, view: Viewpoint) -> ReliefSummary:
    """Return the relief summary of all completed instances."""
    totals = read_past(read, view)
    labels = read_labels(read, view) if totals.tasks else {}
    positive, positive_sum, negative, negative_sum, neutral = totals.of("sides").tolist()
    foresight = totals.of("foresight")
    ranked = _ranked_tasks(totals, labels)
    best = ranked[:BEST_AND_WORST]
    return ReliefSummary(
        completed=int(totals.of_tasks("completed").sum()),
        relief_points=_known(totals.of_tasks("sum_relief_points").sum(), totals.of_tasks("count_relief_points").sum()),
        by_kind=_by_kind(totals, labels),
        positive=Side(int(positive), float(positive_sum)),
        negative=Side(int(negative), float(negative_sum)),
        neutral=int(neutral),
        foresight=_foresight(foresight.sum(axis=1)),
        by_prediction=tuple(
            PredictedRelief(10 * ten, 100 if ten == 9 else 10 * ten + 9, _foresight(foresight[:, ten]))
            for ten in range(10)
            if foresight[0, ten]
        ),
        grid=_grid(totals.of("by_hour")),
        best=tuple(best),
        worst=tuple(reversed(ranked[len(best) :][-BEST_AND_WORST:])),
        spreads=_spreads(totals.of("histograms")),
    )


def _known(total: float, count: float) -> float | None:
    return float(total) if count else None


def _mean(total: float, count: float) -> float | None:
    return float(total) / float(count) if count else None


def _by_kind(totals: Sums, labels: dict[str, Label]) -> tuple[KindRelief, ...]:
    kinds = np.array([labels[task].kind for task in totals.tasks])
    found = []
    for kind in Kind:
        if not (own := kinds == kind.value).any():
            continue

        def total(name: str, own: Numbers = own) -> float:
            return float(totals.of_tasks(name)[own].sum())

        found.append(
            KindRelief(
                kind.value,
                int(total("completed")),
                _known(total("sum_relief_points"), total("count_relief_points")),
                _mean(total("sum_relief"), total("count_relief")),
                _mean(total("sum_net_wellbeing"), total("count_net_wellbeing")),
            )
        )
    return tuple(found)


def _foresight(sums: Numbers) -> Foresight:
    count, predicted, actual = sums.tolist()
    if not count:
        return Foresight(0, None, None, None)
    return Foresight(int(count), predicted / count, actual / count, predicted / count - actual / count)


def _grid(by_hour: Numbers) -> tuple[tuple[HourRelief, ...], ...]:
    hours = [
        HourRelief(int(completed), _mean(relief, rated), _known(points, pointed))
        for completed, relief, rated, points, pointed in by_hour.T.tolist()
    ]
    return tuple(tuple(hours[24 * weekday : 24 * weekday + 24]) for weekday in range(7))


def _ranked_tasks(totals: Sums, labels: dict[str, Label]) -> list[TaskRelief]:
    """Return the tasks that have a net wellbeing, best first."""
    nets, counts = totals.of_tasks("sum_net_wellbeing"), totals.of_tasks("count_net_wellbeing")
    overall = _mean(nets.sum(), counts.sum())
    rated = [totals.of_tasks(f"{part}_rated_{name}").tolist() for name in OF_RATED for part in ("sum", "count")]
    tasks = []
    for task_id, net, count, relief, reliefs, points, pointed in zip(
        totals.tasks, nets.tolist(), counts.tolist(), *rated, strict=True
    ):
        if count:
            assert overall is not None
            tasks.append(
                TaskRelief(
                    task_id,
                    labels[task_id].name,
                    labels[task_id].kind,
                    int(count),
                    _mean(relief, reliefs),
                    net / count,
                    _known(points, pointed),
                    (net + overall * PRIOR_WEIGHT) / (count + PRIOR_WEIGHT),
                )
            )
    return sorted(tasks, key=lambda task: (-task.score, task.task_id))


def _spreads(histograms: Numbers) -> tuple[Spread, ...]:
    found = []
    for feeling, histogram in zip(FELT, histograms, strict=True):
        up_to = histogram.cumsum()
        n = int(up_to[-1])
        quartiles = [quantile(up_to, share) if n else None for share in (0.25, 0.5, 0.75)]
        found.append(Spread(feeling, n, *quartiles))
    return tuple(found)


def quantile(up_to: Numbers, share: float) -> float:
    """Return the value below which *share* of the instances lie; *up_to* counts them up to each of 0-100.

    Where the share falls between two instances, their mean.
    """
    place = share * up_to[-1]
    least, most = np.searchsorted(up_to, [place, np.floor(place) + 1])
    return float(least + most) / 2 if place == np.floor(place) else float(most)
