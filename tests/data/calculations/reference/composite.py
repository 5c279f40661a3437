"""The composite score of one window."""

from collections.abc import Mapping

from data.calculations.composite import COMPOSITE_DAYS as COMPOSITE_DAYS
from data.calculations.composite import Composite, combine
from tests.data.calculations.reference import formulas, windows
from tests.data.calculations.reference.history import Window


def low_stress(window: Window) -> float | None:
    """Return 100 - mean stress, 0-100."""
    stress = _avg_stress(window)
    return None if stress is None else 100 - stress


def net_wellbeing_normalized(window: Window) -> float | None:
    """Return 50 + mean net wellbeing / 2, 0-100."""
    return formulas.net_wellbeing_normalized(_avg_net_wellbeing(window))


def stress_efficiency_score(window: Window) -> float | None:
    """Return 100 * se / (1 + se) of the mean stress efficiency se, 0-100; 50 where relief and stress are equal."""
    efficiency = _avg_stress_efficiency(window)
    return None if efficiency is None else 100 * efficiency / (1 + efficiency)


_avg_stress = windows.mean_of("stress")
_avg_net_wellbeing = windows.mean_of("net_wellbeing")
_avg_stress_efficiency = windows.mean_of("stress_efficiency")


COMPONENTS = {
    "tracking_consistency": windows.tracking_consistency,
    "low_stress": low_stress,
    "net_wellbeing_normalized": net_wellbeing_normalized,
    "stress_efficiency_score": stress_efficiency_score,
    "avg_relief": windows.mean_of("relief"),
    "work_volume": windows.work_volume,
    "work_consistency": windows.work_consistency,
    "life_balance": windows.life_balance,
    "weekly_relief": windows.weekly_relief,
    "completion_rate": windows.completion_rate,
    "self_care_frequency": windows.self_care_frequency,
    "avg_execution": windows.mean_of("execution"),
}


def composite_of(window: Window, weights: Mapping[str, float]) -> Composite:
    """Return the composite score of the days in *window*, which are 7 by its definition.

    Components without data drop out and the other weights are rescaled. A component that *weights* does not name
    weighs 1.

    Raises:
        ValueError: a weight is negative or not a finite number.
    """
    return combine({name: calculate(window) for name, calculate in COMPONENTS.items()}, weights)
