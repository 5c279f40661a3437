"""The formulas and metrics twice at once: an example that is worked by hand holds for the fast ones and the slow ones.

`formulas`, `windows` and `composite_of` are called like the slow ones, with None for no data; each call compares the
two, and returns the slow one's answer.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from data.calculations import composite as fast_composite
from data.calculations import formulas as fast_formulas
from data.calculations import registry
from data.calculations import windows as fast_windows
from data.calculations.series import COLUMNS, Sliding, Windows, known
from data.calculations.sums import AVERAGED, derived
from data.models import Kind
from tests.data.calculations.reference import composite as slow_composite
from tests.data.calculations.reference import formulas as slow_formulas
from tests.data.calculations.reference import registry as slow_registry
from tests.data.calculations.reference import windows as slow_windows
from tests.data.calculations.reference.history import Tally, Window
from tests.data.calculations.reference.windows import median_minutes


def agreed(fast: float | None, slow: float | None) -> float | None:
    """Return *slow*, with which *fast* has to agree."""
    if slow is None or fast is None:
        assert fast is slow, f"{fast} is not {slow}"
    else:
        assert math.isclose(fast, slow, rel_tol=1e-9, abs_tol=1e-9), f"{fast} is not {slow}"
    return slow


def as_windows(window: Window) -> Windows:
    """Return one window as the fast metrics want it."""
    daily: dict[str, Any] = {
        "completed": [day.completed for day in window.days],
        "cancelled": [day.cancelled for day in window.days],
        "created": [day.created for day in window.days],
        "self_care_completed": [day.self_care_completed for day in window.days],
        "median_minutes": [_median(day) for day in window.days],
        "timed": [len(day.minutes) for day in window.days],
        **{f"minutes_{kind}": [day.minutes_of(kind) for day in window.days] for kind in Kind},
        **{f"sum_{name}": [day.sum_of(name)[0] for day in window.days] for name in AVERAGED},
        **{f"count_{name}": [day.sum_of(name)[1] for day in window.days] for name in AVERAGED},
    }
    columns = {name: np.array(column, dtype=np.float64) for name, column in daily.items()}
    columns |= derived(columns)
    made = Sliding(
        np.array([columns[name] for name in COLUMNS]),
        np.array([minutes for day in window.days for minutes in day.minutes], dtype=np.float64),
        len(window.days),
        np.array([float(window.streak_days)]),
        window.target_minutes_per_day,
    )
    if window.active is not None:
        made.active[-1] = window.active
    return made


def _median(day: Tally) -> float:
    found = median_minutes(Window((day,), 0, 0.0))
    return math.nan if found is None else found


def both(fast: Callable[[Windows], Any], slow: Callable[[Window], float | None]) -> Any:
    """Return a function of a slow window that asks both."""

    def calculate(window: Window) -> float | None:
        return agreed(known(fast(as_windows(window)))[0], slow(window))

    return calculate


class _Windows:
    def __getattr__(self, name: str) -> Any:
        fast, slow = getattr(fast_windows, name), getattr(slow_windows, name)
        if name in ("mean_of", "minutes_of"):
            return lambda argument: both(fast(argument), slow(argument))
        return both(fast, slow)


class _Formulas:
    def __init__(self, fast: ModuleType, slow: ModuleType) -> None:
        self._fast, self._slow = fast, slow

    def __getattr__(self, name: str) -> Any:
        slow = getattr(self._slow, name)
        fast = getattr(self._fast, name, None)

        def calculate(*arguments: Any) -> Any:
            if fast is None:  # `delay_minutes` is read, not calculated
                return slow(*arguments)
            floats = [np.float64(math.nan if argument is None else argument) for argument in arguments]
            return agreed(known(np.array([fast(*floats)], dtype=np.float64))[0], slow(*arguments))

        return calculate


windows: Any = _Windows()
METRICS = tuple(
    replace(slow, calculate=both(fast.calculate, slow.calculate))
    for fast, slow in zip(registry.METRICS, slow_registry.METRICS, strict=True)
)
formulas: Any = _Formulas(fast_formulas, slow_formulas)


def composite_of(window: Window, weights: dict[str, float]) -> Any:
    """Ask both for the composite score."""
    slow = slow_composite.composite_of(window, weights)
    components = fast_composite.components_of(as_windows(window))
    fast = fast_composite.combine({name: value for name, (value,) in components.items()}, weights)
    assert fast_composite.scores_of(components, weights) == [fast.score]
    agreed(fast.score, slow.score)
    for left, right in zip(fast.parts, slow.parts, strict=True):
        assert (left.name, left.weight) == (right.name, right.weight)
        for field in ("value", "share", "contribution"):
            agreed(getattr(left, field), getattr(right, field))
    return slow
