"""The numbers of one completed instance: small pure functions, one per name of the glossary.

Feelings are 0-100, minutes are floats >= 0, times are aware. A missing argument is None; unless a function says
otherwise the result is None if anything it needs is missing. Sums over days are in `windows`.
"""

import math
from datetime import datetime, timedelta

from data.calculations.averages import weighted_mean

MINUTES_PER_DAY = 1440.0
EXECUTION_WEIGHTS = (0.35, 0.25, 0.20, 0.20)
"""Of difficulty, time accuracy, promptness and completion, in this order."""

_MINUTE = timedelta(minutes=1)


def stress(mental_load: float | None, emotional_load: float | None, physical_load: float | None) -> float | None:
    """Return (mental + emotional + physical load) / 3, all felt, 0-100, less is better.

    None unless all three are given: the mean of two would be another quantity.

    Source: the glossary's formula.
    """
    if mental_load is None or emotional_load is None or physical_load is None:
        return None
    return (mental_load + emotional_load + physical_load) / 3


def net_wellbeing(relief: float | None, stress: float | None) -> float | None:
    """Return relief - stress, -100..100.

    Source: the glossary's formula.
    """
    return None if relief is None or stress is None else relief - stress


def net_wellbeing_normalized(net_wellbeing: float | None) -> float | None:
    """Return 50 + net_wellbeing / 2, 0-100; 50 is where relief and stress are equal.

    Source: the glossary's formula.
    """
    return None if net_wellbeing is None else 50 + net_wellbeing / 2


def stress_efficiency(relief: float | None, stress: float | None) -> float | None:
    """Return relief / max(stress, 1), a ratio 0..100: points of relief for each point of stress.

    Source: the glossary's formula.
    """
    return None if relief is None or stress is None else relief / max(stress, 1.0)


def difficulty(mental_load: float | None, emotional_load: float | None, aversion: float | None) -> float | None:
    """Return (mental load + emotional load + aversion) / 3, all felt, 0-100. None unless all three are given.

    Source: the glossary's formula.
    """
    if mental_load is None or emotional_load is None or aversion is None:
        return None
    return (mental_load + emotional_load + aversion) / 3


def time_accuracy(actual_minutes: float | None, estimate_minutes: float | None) -> float | None:
    """Return 100 * (1 - |actual - estimate| / max(actual, estimate)), 0-100.

    None if either is 0 or missing: there was nothing to compare.

    Source: the glossary's formula.
    """
    if not actual_minutes or not estimate_minutes:
        return None
    longer = max(actual_minutes, estimate_minutes)
    return 100 * (1 - abs(actual_minutes - estimate_minutes) / longer)


def delay_minutes(created_at: datetime, started_at: datetime | None, completed_at: datetime) -> float:
    """Return the minutes from planning to starting (to completing, if it was never started), less is better.

    0 where the times say that it began before it was planned: something logged afterwards was not put off.

    Source: the glossary's formula.
    """
    begun = completed_at if started_at is None else started_at
    return max(0.0, (begun - created_at) / _MINUTE)


def promptness(delay_minutes: float) -> float:
    """Return 100 * exp(-delay_minutes / 1440), 0-100: 100 at once, 37 after a day.

    Source: the glossary's formula.
    """
    return 100 * math.exp(-delay_minutes / MINUTES_PER_DAY)


def surprise(relief: float | None, predicted_relief: float | None) -> float | None:
    """Return actual - predicted relief, -100..100.

    Source: the glossary's formula.
    """
    return None if relief is None or predicted_relief is None else relief - predicted_relief


def serendipity(surprise: float | None) -> float | None:
    """Return max(0, surprise), 0-100: relief beyond what was hoped for.

    Source: the glossary's formula.
    """
    return None if surprise is None else max(0.0, surprise)


def disappointment(surprise: float | None) -> float | None:
    """Return max(0, -surprise), 0-100: relief that was hoped for and did not come.

    Source: the glossary's formula.
    """
    return None if surprise is None else max(0.0, -surprise)


def aversion_drop(first_aversion: float | None, aversion: float | None) -> float | None:
    """Return the aversion at the task's first completed instance - aversion now, -100..100; 0 for the first itself.

    None if either was not given; a later instance does not stand in for the first.

    Source: the glossary's formula.
    """
    return None if first_aversion is None or aversion is None else first_aversion - aversion


def relief_points(relief: float | None, actual_minutes: float | None, completion_percent: float | None) -> float | None:
    """Return relief * actual_minutes / 60 * completion_percent / 100, points >= 0.

    An hour at relief 100 with all done that was planned makes 100 points.

    Source: the glossary's formula.
    """
    if relief is None or actual_minutes is None or completion_percent is None:
        return None
    return relief * actual_minutes / 60 * completion_percent / 100


def execution(
    difficulty: float | None,
    time_accuracy: float | None,
    promptness: float | None,
    completion_percent: float | None,
) -> float | None:
    """Return 0.35 difficulty + 0.25 time_accuracy + 0.20 promptness + 0.20 min(completion_percent, 100), 0-100.

    Missing parts drop out and the remaining weights are rescaled; None if all are missing.

    Source: the glossary's formula.
    """
    done = None if completion_percent is None else min(completion_percent, 100.0)
    return weighted_mean(zip((difficulty, time_accuracy, promptness, done), EXECUTION_WEIGHTS, strict=True))


def grit(aversion: float | None, disappointment: float | None, earlier_completions: int) -> float | None:
    """Return 0.5 aversion + 0.3 disappointment + 0.2 min(100, 10 * earlier completions of this task), 0-100.

    None if aversion or disappointment is missing.

    Source: the glossary's formula.
    """
    if aversion is None or disappointment is None:
        return None
    return 0.5 * aversion + 0.3 * disappointment + 0.2 * min(100, 10 * earlier_completions)
