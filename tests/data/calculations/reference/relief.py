"""The relief summary: how much relief there was, of what, when, and how well it had been foreseen."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
from data.calculations.attempts import Attempt, Label, read_attempts, read_labels
from data.calculations.measures import Measures, measure

from data.calculations.averages import mean
from data.database import ReadTransaction
from data.models import Kind
from data.viewpoint import Viewpoint

BEST_AND_WORST = 5
PRIOR_WEIGHT = 3.0
"""How many average instances are mixed with a task's own before ranking, so that one lucky try does not lead."""

_Measured = tuple[Attempt, Measures]


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


def load_relief_summary(read: ReadTransaction, view: Viewpoint) -> ReliefSummary:
    """Return the relief summary of all completed instances."""
    measured = [(attempt, measure(attempt)) for attempt in read_attempts(read, view)]
    labels = read_labels(read, view) if measured else {}
    nets = [measures.net_wellbeing for _, measures in measured if measures.net_wellbeing is not None]
    ranked = _ranked_tasks(measured, labels)
    best = ranked[:BEST_AND_WORST]
    return ReliefSummary(
        completed=len(measured),
        relief_points=_points(measured),
        by_kind=_by_kind(measured),
        positive=_side([net for net in nets if net > 0]),
        negative=_side([net for net in nets if net < 0]),
        neutral=sum(net == 0 for net in nets),
        foresight=_foresight(measured),
        by_prediction=_by_prediction(measured),
        grid=_grid(measured, view),
        best=tuple(best),
        worst=tuple(reversed(ranked[len(best) :][-BEST_AND_WORST:])),
    )


def _points(measured: Iterable[_Measured]) -> float | None:
    points = [measures.relief_points for _, measures in measured if measures.relief_points is not None]
    return math.fsum(points) if points else None


def _avg(measured: Iterable[_Measured], name: str) -> float | None:
    return mean(getattr(measures, name) for _, measures in measured)


def _by_kind(measured: Iterable[_Measured]) -> tuple[KindRelief, ...]:
    found: defaultdict[str, list[_Measured]] = defaultdict(list)
    for pair in measured:
        found[pair[0].kind].append(pair)
    return tuple(
        KindRelief(
            kind.value,
            len(found[kind]),
            _points(found[kind]),
            _avg(found[kind], "relief"),
            _avg(found[kind], "net_wellbeing"),
        )
        for kind in Kind
        if kind in found
    )


def _side(nets: Sequence[float]) -> Side:
    return Side(len(nets), math.fsum(nets))


def _foresight(measured: Iterable[_Measured]) -> Foresight:
    both = [
        (attempt.predicted_relief, attempt.relief)
        for attempt, _ in measured
        if attempt.predicted_relief is not None and attempt.relief is not None
    ]
    predicted, actual = mean(hoped for hoped, _ in both), mean(felt for _, felt in both)
    bias = None if predicted is None or actual is None else predicted - actual
    return Foresight(len(both), predicted, actual, bias)


def _by_prediction(measured: Iterable[_Measured]) -> tuple[PredictedRelief, ...]:
    """Return the ten ranges 0-9, 10-19, ... 90-100 that have any instance with both numbers."""
    found: defaultdict[int, list[_Measured]] = defaultdict(list)
    for pair in measured:
        if pair[0].predicted_relief is not None and pair[0].relief is not None:
            found[min(pair[0].predicted_relief // 10, 9)].append(pair)
    return tuple(
        PredictedRelief(10 * ten, 100 if ten == 9 else 10 * ten + 9, _foresight(found[ten])) for ten in sorted(found)
    )


def _grid(measured: Iterable[_Measured], view: Viewpoint) -> tuple[tuple[HourRelief, ...], ...]:
    zone = view.profile.calendar.zone
    found: defaultdict[tuple[int, int], list[_Measured]] = defaultdict(list)
    for pair in measured:
        found[pair[0].day.weekday(), pair[0].completed_at.astimezone(zone).hour].append(pair)
    empty = HourRelief(0, None, None)
    return tuple(
        tuple(
            HourRelief(len(there), _avg(there, "relief"), _points(there))
            if (there := found.get((weekday, hour)))
            else empty
            for hour in range(24)
        )
        for weekday in range(7)
    )


def _ranked_tasks(measured: Iterable[_Measured], labels: dict[str, Label]) -> list[TaskRelief]:
    """Return the tasks that have a net wellbeing, best first."""
    found: defaultdict[str, list[_Measured]] = defaultdict(list)
    for pair in measured:
        if pair[1].net_wellbeing is not None:
            found[pair[0].task_id].append(pair)
    overall = _avg((pair for pairs in found.values() for pair in pairs), "net_wellbeing")
    tasks = []
    for task_id, pairs in found.items():
        own = _avg(pairs, "net_wellbeing")
        assert own is not None
        assert overall is not None
        tasks.append(
            TaskRelief(
                task_id,
                labels[task_id].name,
                labels[task_id].kind,
                len(pairs),
                _avg(pairs, "relief"),
                own,
                _points(pairs),
                (own * len(pairs) + overall * PRIOR_WEIGHT) / (len(pairs) + PRIOR_WEIGHT),
            )
        )
    return sorted(tasks, key=lambda task: (-task.score, task.task_id))
