"""The numbers of completed instances: small pure functions, one per name of the glossary, over many instances at once.

Feelings are 0-100, minutes floats >= 0. Arguments are arrays of floats, or single floats; a missing number is NaN, and
so is a result unless the function says otherwise, if anything it needs is missing. Sums over days are in `windows`.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
"""Numbers of instances or of days, in order. No data is NaN."""

MINUTES_PER_DAY = 1440.0
EXECUTION_WEIGHTS = (0.35, 0.25, 0.20, 0.20)
"""Of difficulty, time accuracy, promptness and completion, in this order."""
PRACTISED = 10
"""From so many earlier completions on, grit counts no more of them."""


def stress(mental_load: Numbers, emotional_load: Numbers, physical_load: Numbers) -> Numbers:
    """Return (mental + emotional + physical load) / 3, all felt, 0-100, less is better.

    NaN unless all three are given: the mean of two would be another quantity.

    Source: the glossary's formula.
    """
    return (mental_load + emotional_load + physical_load) / 3


def net_wellbeing(relief: Numbers, stress: Numbers) -> Numbers:
    """Return relief - stress, -100..100.

    Source: the glossary's formula.
    """
    return relief - stress


def net_wellbeing_normalized(net_wellbeing: Numbers) -> Numbers:
    """Return 50 + net_wellbeing / 2, 0-100; 50 is where relief and stress are equal.

    Source: the glossary's formula.
    """
    return 50 + net_wellbeing / 2


def stress_efficiency(relief: Numbers, stress: Numbers) -> Numbers:
    """Return relief / max(stress, 1), a ratio 0..100: points of relief for each point of stress.

    Source: the glossary's formula.
    """
    return relief / np.maximum(stress, 1.0)


def difficulty(mental_load: Numbers, emotional_load: Numbers, aversion: Numbers) -> Numbers:
    """Return (mental load + emotional load + aversion) / 3, all felt, 0-100. NaN unless all three are given.

    Source: the glossary's formula.
    """
    return (mental_load + emotional_load + aversion) / 3


def time_accuracy(actual_minutes: Numbers, estimate_minutes: Numbers) -> Numbers:
    """Return 100 * (1 - |actual - estimate| / max(actual, estimate)), 0-100.

    NaN if either is 0 or missing: there was nothing to compare.

    Source: the glossary's formula.
    """
    longer = np.where(
        (actual_minutes > 0) & (estimate_minutes > 0), np.maximum(actual_minutes, estimate_minutes), np.nan
    )
    return 100 * (1 - np.abs(actual_minutes - estimate_minutes) / longer)


def promptness(delay_minutes: Numbers) -> Numbers:
    """Return 100 * exp(-delay_minutes / 1440), 0-100: 100 at once, 37 after a day.

    Source: the glossary's formula.
    """
    return 100 * np.exp(-delay_minutes / MINUTES_PER_DAY)


def surprise(relief: Numbers, predicted_relief: Numbers) -> Numbers:
    """Return actual - predicted relief, -100..100.

    Source: the glossary's formula.
    """
    return relief - predicted_relief


def serendipity(surprise: Numbers) -> Numbers:
    """Return max(0, surprise), 0-100: relief beyond what was hoped for.

    Source: the glossary's formula.
    """
    return np.maximum(0.0, surprise)


def disappointment(surprise: Numbers) -> Numbers:
    """Return max(0, -surprise), 0-100: relief that was hoped for and did not come.

    Source: the glossary's formula.
    """
    return np.maximum(0.0, -surprise)


def aversion_drop(first_aversion: Numbers, aversion: Numbers) -> Numbers:
    """Return the aversion at the task's first completed instance - aversion now, -100..100; 0 for the first itself.

    NaN if either was not given; a later instance does not stand in for the first. Of many instances nobody asks for
    each: `analytics.with_drops` has their sums.

    Source: the glossary's formula.
    """
    return first_aversion - aversion


def relief_points(relief: Numbers, actual_minutes: Numbers, completion_percent: Numbers) -> Numbers:
    """Return relief * actual_minutes / 60 * completion_percent / 100, points >= 0.

    An hour at relief 100 with all done that was planned makes 100 points.

    Source: the glossary's formula.
    """
    return relief * actual_minutes / 60 * completion_percent / 100


def execution(difficulty: Numbers, time_accuracy: Numbers, promptness: Numbers, completion_percent: Numbers) -> Numbers:
    """Return 0.35 difficulty + 0.25 time_accuracy + 0.20 promptness + 0.20 min(completion_percent, 100), 0-100.

    Missing parts drop out and the remaining weights are rescaled; NaN if all are missing.

    Source: the glossary's formula.
    """
    total: Numbers = np.zeros(np.shape(difficulty))
    weights: Numbers = np.zeros(np.shape(difficulty))
    parts = (difficulty, time_accuracy, promptness, np.minimum(completion_percent, 100.0))
    for part, weight in zip(parts, EXECUTION_WEIGHTS, strict=True):
        known = ~np.isnan(part)
        total = total + np.where(known, part, 0.0) * weight
        weights = weights + known * weight
    return np.clip(total / np.where(weights > 0, weights, np.nan), 0.0, 100.0)  # a rounding error stays on the scale


def grit(aversion: Numbers, disappointment: Numbers, earlier_completions: Numbers) -> Numbers:
    """Return 0.5 aversion + 0.3 disappointment + 0.2 min(100, 10 * earlier completions of this task), 0-100.

    NaN if aversion or disappointment is missing.

    Source: the glossary's formula.
    """
    return 0.5 * aversion + 0.3 * disappointment + 0.2 * np.minimum(100.0, 10 * earlier_completions)
