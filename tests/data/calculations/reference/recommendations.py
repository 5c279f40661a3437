"""Recommendations, read from all rows each time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, literal, select

from data.calculations.averages import checked_weights, percentile_ranks, weighted_mean
from data.calculations.recommendations import (
    PRIOR_WEIGHT,
    SUB_SCORES,
    Recommendation,
    Recommendations,
    SubScore,
    urgency,
)
from data.database import ReadTransaction
from data.models import Instance, State, Task
from data.viewpoint import Viewpoint
from tests.data.calculations.reference import formulas
from tests.data.calculations.reference.attempts import COMPLETED_AT, completed_within, days_of
from tests.data.calculations.reference.averages import mean

HALF_LIFE_DAYS = 30.0

"""The four sub-scores, each with its sentence for a tooltip."""


class _Numbers(NamedTuple):
    """What one attempt was like, or is expected to be like."""

    relief: float | None
    stress: float | None
    minutes: float | None
    aversion: float | None
    points: float | None


class _Attempt(NamedTuple):
    weight: float  # 0..1, by age
    numbers: _Numbers


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
    history = _read_history(read, view)
    everything = [attempt.numbers for attempts in history.values() for attempt in attempts]
    usual = _Numbers(*(mean(column) for column in zip(*everything, strict=True))) if everything else _NOTHING
    return Recommendations(
        templates=_ranked(_read_templates(read, view), history, usual, weights, view.hour),
        planned=_ranked(_read_planned(read, view), history, usual, weights, view.hour),
    )


_NOTHING = _Numbers(None, None, None, None, None)


def expected(values: Iterable[tuple[float, float | None]], usual: float | None) -> float | None:
    """Return the mean of (weight, value) pairs, shrunk towards *usual* as if that had been seen 3 times.

    None if there is neither a value nor a usual one.
    """
    pairs = [(value, weight) for weight, value in values if value is not None]
    if usual is not None:
        pairs.append((usual, PRIOR_WEIGHT))
    return weighted_mean(pairs)


def _ranked(
    candidates: Sequence[_Candidate],
    history: Mapping[str, Sequence[_Attempt]],
    usual: _Numbers,
    weights: Mapping[str, float],
    now: datetime,
) -> tuple[Recommendation, ...]:
    numbers = [_expect(candidate, history.get(candidate.task_id, ()), usual) for candidate in candidates]
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
                completions=len(history.get(candidate.task_id, ())),
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


def _expect(candidate: _Candidate, attempts: Sequence[_Attempt], usual: _Numbers) -> _Numbers:
    if candidate.stated_aversion is not None:
        usual = usual._replace(aversion=float(candidate.stated_aversion))
    return _Numbers(
        *(
            expected(((attempt.weight, attempt.numbers[place]) for attempt in attempts), usual[place])
            for place in range(len(_Numbers._fields))
        )
    )


def _values(numbers: _Numbers, candidate: _Candidate, now: datetime) -> dict[str, float | None]:
    pace = 60 * numbers.points / numbers.minutes if numbers.points is not None and numbers.minutes else None
    return {
        "gain": formulas.net_wellbeing(numbers.relief, numbers.stress),
        "pace": pace,
        "ease": None if numbers.aversion is None else 100 - numbers.aversion,
        "urgency": urgency(candidate.due_at, now),
    }


def _read_history(read: ReadTransaction, view: Viewpoint) -> dict[str, list[_Attempt]]:
    """Return `{task_id: attempts}` of everything completed up to today."""
    rows = read.connection.execute(
        select(
            COMPLETED_AT,
            Instance.task_id,
            Instance.actual_relief,
            Instance.actual_mental_load,
            Instance.actual_emotional_load,
            Instance.actual_physical_load,
            Instance.actual_aversion,
            Instance.actual_minutes,
            Instance.completion_percent,
        )
        .where(completed_within(view, last=view.today))
        .order_by(COMPLETED_AT, Instance.id)
    ).all()
    days = days_of((row[0] for row in rows), view.profile.calendar)
    weight_of = {day: 0.5 ** ((view.today - day).days / HALF_LIFE_DAYS) for day in set(days)}
    history: defaultdict[str, list[_Attempt]] = defaultdict(list)
    for (_, task_id, relief, mental, emotional, physical, aversion, minutes, percent), day in zip(
        rows, days, strict=True
    ):
        stress = formulas.stress(mental, emotional, physical)
        points = formulas.relief_points(relief, minutes, percent)
        history[task_id].append(_Attempt(weight_of[day], _Numbers(relief, stress, minutes, aversion, points)))
    return dict(history)


def _read_templates(read: ReadTransaction, view: Viewpoint) -> list[_Candidate]:
    rows = read.connection.execute(
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
        .where(Task.user_id == view.user, Task.archived.is_(False))
        .order_by(Task.id)
    )
    return [_Candidate(*row) for row in rows]


def _read_planned(read: ReadTransaction, view: Viewpoint) -> list[_Candidate]:
    rows = read.connection.execute(
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
        .where(Instance.user_id == view.user, Instance.state == State.PLANNED)
        .order_by(Instance.id)
    )
    return [_Candidate(*row) for row in rows]
