"""The relief summary, read from all rows each time."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from data.calculations.relief import (
    BEST_AND_WORST,
    PRIOR_WEIGHT,
    Foresight,
    HourRelief,
    KindRelief,
    PredictedRelief,
    ReliefSummary,
    Side,
    Spread,
    TaskRelief,
)
from data.database import ReadTransaction
from data.models import Kind
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.attempts import Attempt, Label, read_attempts, read_labels
from tests.data.calculations.reference.averages import mean
from tests.data.calculations.reference.measures import Measures, measure

"""How many average instances are mixed with a task's own before ranking, so that one lucky try does not lead."""

_Measured = tuple[Attempt, Measures]


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
        spreads=tuple(_spread(measured, feeling) for feeling in FELT),
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


FELT = ("relief", "mental_load", "emotional_load", "physical_load", "aversion")


def _spread(measured: Iterable[_Measured], feeling: str) -> Spread:
    """Quartiles as in "the mean of the two, if the share falls between two instances"."""
    felt = sorted(value for _, measures in measured if (value := getattr(measures, feeling)) is not None)
    quartiles: list[float | None] = []
    for quarter in (1, 2, 3):
        place, rest = divmod(quarter * len(felt), 4)
        quartiles.append(None if not felt else felt[place] if rest else (felt[place - 1] + felt[place]) / 2)
    return Spread(feeling, len(felt), *quartiles)
