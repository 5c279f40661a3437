"""Applies the formulas to one completed instance. The formulas themselves are in `formulas`."""

import msgspec

from tests.data.calculations.reference import formulas
from tests.data.calculations.reference.attempts import Attempt


class Measures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Every number of one completed instance, under the glossary's names; None where something it needs is missing.

    `relief_bias` and `aversion_bias` are predicted minus actual; `rated_minutes` are the minutes behind
    `relief_points`, None without points.
    """

    relief: float | None
    stress: float | None
    net_wellbeing: float | None
    stress_efficiency: float | None
    aversion: float | None
    mental_load: float | None
    emotional_load: float | None
    physical_load: float | None
    motivation: float | None
    delay_minutes: float
    time_accuracy: float | None
    execution: float | None
    grit: float | None
    serendipity: float | None
    disappointment: float | None
    relief_bias: float | None
    aversion_bias: float | None
    difficulty: float | None
    surprise: float | None
    aversion_drop: float | None
    relief_points: float | None
    rated_minutes: float | None


def measure(attempt: Attempt) -> Measures:
    """Return all numbers of *attempt*."""
    stress = formulas.stress(attempt.mental_load, attempt.emotional_load, attempt.physical_load)
    difficulty = formulas.difficulty(attempt.mental_load, attempt.emotional_load, attempt.aversion)
    surprise = formulas.surprise(attempt.relief, attempt.predicted_relief)
    disappointment = formulas.disappointment(surprise)
    delay_minutes = formulas.delay_minutes(attempt.created_at, attempt.started_at, attempt.completed_at)
    time_accuracy = formulas.time_accuracy(attempt.actual_minutes, attempt.estimate_minutes)
    points = formulas.relief_points(attempt.relief, attempt.actual_minutes, attempt.completion_percent)
    return Measures(
        relief=attempt.relief,
        stress=stress,
        net_wellbeing=formulas.net_wellbeing(attempt.relief, stress),
        stress_efficiency=formulas.stress_efficiency(attempt.relief, stress),
        aversion=attempt.aversion,
        mental_load=attempt.mental_load,
        emotional_load=attempt.emotional_load,
        physical_load=attempt.physical_load,
        motivation=attempt.motivation,
        delay_minutes=delay_minutes,
        time_accuracy=time_accuracy,
        execution=formulas.execution(
            difficulty, time_accuracy, formulas.promptness(delay_minutes), attempt.completion_percent
        ),
        grit=formulas.grit(attempt.aversion, disappointment, attempt.earlier_completions),
        serendipity=formulas.serendipity(surprise),
        disappointment=disappointment,
        relief_bias=None if surprise is None else -surprise,
        aversion_bias=formulas.surprise(attempt.predicted_aversion, attempt.aversion),
        difficulty=difficulty,
        surprise=surprise,
        aversion_drop=formulas.aversion_drop(attempt.first_aversion, attempt.aversion),
        relief_points=points,
        rated_minutes=None if points is None else attempt.actual_minutes,
    )
