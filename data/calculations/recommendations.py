"""Recommendations: what to do next, ranked by what similar attempts were like and by how soon it is due.

Filters (category, kind, minutes there are) are applied to the result by whoever shows it: scores and ranks are those
among all candidates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import BindParameter, and_, bindparam, func, literal, select

from data.calculations.averages import checked_weights, percentile_ranks, weighted_mean
from data.calculations.past import read_past
from data.calculations.sums import EXPECTED, Sums, fading
from data.database import ReadTransaction
from data.models import Instance, State, Task
from data.viewpoint import Viewpoint

PRIOR_WEIGHT = 3.0
URGENCY_HOURS = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """What one of the sub-scores is called and made of; more is better."""

    label: str
    formula: str
    unit: str
    tooltip: str


SUB_SCORES = {
    "gain": Criterion(
        label="Gain",
        formula="expected relief − expected stress",
        unit="points",
        tooltip="Expected relief minus expected stress.",
    ),
    "pace": Criterion(
        label="Pace",
        formula="expected relief points / expected hours",
        unit="points per hour",
        tooltip="Expected relief points per hour.",
    ),
    "ease": Criterion(
        label="Ease", formula="100 − expected aversion", unit="of 100", tooltip="100 minus expected aversion."
    ),
    "urgency": Criterion(
        label="Urgency",
        formula=f"100 × exp(−hours until due / {URGENCY_HOURS:g})",
        unit="of 100",
        tooltip="100 when it is overdue, less the further the due time is away, 0 without one.",
    ),
}
"""The four sub-scores."""


class SubScore(msgspec.Struct, frozen=True):
    """One of the four. `value` is in its own unit; `rank` is its percentile rank among the candidates, 0-100."""

    name: str
    value: float | None
    rank: float | None


class Recommendation(msgspec.Struct, frozen=True):
    """A candidate. `score` is the weighted mean of the ranks, 0-100. Expected values are None without any data.

    `instance_id` is None in the mode of templates. `completions` counts the task's attempts behind the expectation.
    """

    task_id: str
    instance_id: str | None
    name: str
    kind: str
    categories: tuple[str, ...]
    estimate_minutes: float | None
    due_at: datetime | None
    completions: int
    expected_relief: float | None
    expected_stress: float | None
    expected_minutes: float | None
    expected_aversion: float | None
    score: float | None
    sub_scores: tuple[SubScore, ...]

    @property
    def likely_minutes(self) -> float | None:
        """How long it will probably take: what history says, and of a task that has none, the estimate.

        Else whichever of the two there is: what is expected of a task without history is the user's mean.
        """
        first, second = self.expected_minutes, self.estimate_minutes
        if not self.completions:
            first, second = second, first
        return second if first is None else first


class Recommendations(msgspec.Struct, frozen=True):
    """Both modes, best first (equal scores by id): tasks that are not archived, and instances that are planned."""

    templates: tuple[Recommendation, ...]
    planned: tuple[Recommendation, ...]


class _Numbers(NamedTuple):
    """What an attempt is expected to be like, in the order of `EXPECTED`."""

    relief: float | None
    stress: float | None
    minutes: float | None
    aversion: float | None
    points: float | None


class _Seen(NamedTuple):
    """What is known of a task: how often it was completed, and (weighted sum, sum of weights) of each number."""

    completions: int
    sums: tuple[tuple[float, float], ...]


_NEVER = _Seen(0, ((0.0, 0.0),) * len(EXPECTED))


class _Candidate(NamedTuple):
    task_id: str
    instance_id: str | None
    name: str
    kind: str
    categories: tuple[str, ...]
    estimate_minutes: float | None
    due_at: datetime | None
    stated_aversion: int | None


def load_recommendations(read: ReadTransaction, view: Viewpoint) -> Recommendations:
    """Return the ranked candidates of both modes.

    An expected number is (sum of weight * value + 3 * m) / (sum of weights + 3) over the task's completed instances up
    to today, with weight = 0.5 ^ (age in local days / 30) and m the user's plain mean over all their instances. Where
    the user has no history at all there is none. Of aversion, m is what the user stated, if they did: for the planned
    instance, else for the task. `pace` is expected relief points per expected hour.

    Raises:
        ValueError: a weight is negative or not a finite number.
    """
    weights = checked_weights(SUB_SCORES, dict(view.profile.recommendation_weights))
    past = read_past(read, view, view.today)
    history, usual = _seen(past, fading((view.today - past.once_on).days)), _usual(past)
    return Recommendations(
        templates=_ranked(_read_templates(read, view), history, usual, weights, view.hour),
        planned=_ranked(_read_planned(read, view), history, usual, weights, view.hour),
    )


def urgency(due_at: datetime | None, now: datetime) -> float:
    """Return 100 * exp(-hours to due / 48): 100 when overdue, 0 without a due time."""
    if due_at is None:
        return 0.0
    hours = max(0.0, (due_at - now) / timedelta(hours=1))
    return 100 * math.exp(-hours / URGENCY_HOURS)


def expected(total: float, weight: float, usual: float | None) -> float | None:
    """Return the mean *total* / *weight*, shrunk towards *usual* as if that had been seen 3 times.

    None if there is neither a value nor a usual one.
    """
    if usual is not None:
        return (total + usual * PRIOR_WEIGHT) / (weight + PRIOR_WEIGHT)
    return total / weight if weight else None


def fitting(
    ranked: Sequence[Recommendation],
    *,
    category: str | None = None,
    kind: str | None = None,
    minutes: float | None = None,
) -> list[Recommendation]:
    """Return those of *ranked* that are in *category*, of *kind*, and take no more than *minutes*, in their order.

    What takes how long is said by `likely_minutes`; where nobody knows, it fits.
    """

    def fits(one: Recommendation) -> bool:
        takes = one.likely_minutes
        return (
            (category is None or category in one.categories)
            and (kind is None or one.kind == kind)
            and (minutes is None or takes is None or takes <= minutes)
        )

    return [one for one in ranked if fits(one)]


def _ranked(
    candidates: Sequence[_Candidate],
    history: Mapping[str, _Seen],
    usual: _Numbers,
    weights: Mapping[str, float],
    now: datetime,
) -> tuple[Recommendation, ...]:
    numbers = [_expect(candidate, history.get(candidate.task_id, _NEVER), usual) for candidate in candidates]
    values = [_values(each, candidate, now) for each, candidate in zip(numbers, candidates, strict=True)]
    ranks = [percentile_ranks([each[name] for each in values]) for name in SUB_SCORES]
    found = []
    for place, (candidate, each) in enumerate(zip(candidates, numbers, strict=True)):
        sub_scores = tuple(
            SubScore(name, values[place][name], of_all[place]) for name, of_all in zip(SUB_SCORES, ranks, strict=True)
        )
        found.append(
            Recommendation(
                task_id=candidate.task_id,
                instance_id=candidate.instance_id,
                name=candidate.name,
                kind=candidate.kind,
                categories=candidate.categories,
                estimate_minutes=candidate.estimate_minutes,
                due_at=candidate.due_at,
                completions=history.get(candidate.task_id, _NEVER).completions,
                expected_relief=each.relief,
                expected_stress=each.stress,
                expected_minutes=each.minutes,
                expected_aversion=each.aversion,
                score=weighted_mean((sub.rank, weights[sub.name]) for sub in sub_scores),
                sub_scores=sub_scores,
            )
        )
    return tuple(sorted(found, key=_by_score))


def _by_score(one: Recommendation) -> tuple[bool, float, str]:
    return (one.score is None, -(one.score or 0.0), one.instance_id or one.task_id)


def _expect(candidate: _Candidate, seen: _Seen, usual: _Numbers) -> _Numbers:
    if candidate.stated_aversion is not None:
        usual = usual._replace(aversion=float(candidate.stated_aversion))
    return _Numbers(*(expected(*sums, mean) for sums, mean in zip(seen.sums, usual, strict=True)))


def _values(numbers: _Numbers, candidate: _Candidate, now: datetime) -> dict[str, float | None]:
    pace = 60 * numbers.points / numbers.minutes if numbers.points is not None and numbers.minutes else None
    return {
        "gain": None if numbers.relief is None or numbers.stress is None else numbers.relief - numbers.stress,
        "pace": pace,
        "ease": None if numbers.aversion is None else 100 - numbers.aversion,
        "urgency": urgency(candidate.due_at, now),
    }


def _seen(past: Sums, scale: float) -> dict[str, _Seen]:
    completions = past.of_tasks("completed").astype(int).tolist()
    columns = [
        list(zip(*((past.of_tasks(f"{part}_{name}") * scale).tolist() for part in ("decayed", "weight")), strict=True))
        for name in EXPECTED
    ]
    return {
        task: _Seen(count, sums)
        for task, count, *sums_of in zip(past.tasks, completions, *columns, strict=True)
        for sums in (tuple(sums_of),)
    }


def _usual(past: Sums) -> _Numbers:
    """Return the user's plain means."""
    pairs = [[float(past.of_tasks(f"{part}_{name}").sum()) for part in ("sum", "count")] for name in EXPECTED]
    return _Numbers(*(total / count if count else None for total, count in pairs))


# Made once, as in `dashboard`.
_USER: BindParameter[int] = bindparam("user")
_TEMPLATES = (
    select(
        Task.id,
        literal(None),
        Task.name,
        Task.kind,
        Task.categories,
        Task.estimate_minutes,
        Task.due_at,
        Task.default_aversion,
    )
    .where(Task.user_id == _USER, Task.archived.is_(False))
    .order_by(Task.id)
)
_PLANNED = (
    select(
        Task.id,
        Instance.id,
        Task.name,
        Task.kind,
        Task.categories,
        Instance.estimate_minutes,
        Instance.due_at,
        func.coalesce(Instance.predicted_aversion, Task.default_aversion),
    )
    .join_from(Instance, Task, and_(Task.user_id == Instance.user_id, Task.id == Instance.task_id))
    .where(Instance.user_id == _USER, Instance.state == State.PLANNED)
)


def _read_templates(read: ReadTransaction, view: Viewpoint) -> list[_Candidate]:
    return [_Candidate(*row) for row in read.connection.execute(_TEMPLATES, {"user": view.user})]


def _read_planned(read: ReadTransaction, view: Viewpoint) -> list[_Candidate]:
    rows = read.connection.execute(_PLANNED, {"user": view.user})
    # Sorted here: asked for the order by id, SQLite goes through all instances in that order.
    return sorted((_Candidate(*row) for row in rows), key=lambda one: one.instance_id or "")
