"""The composite score: twelve components on a scale of 0-100, weighted by the user. Callers say of which days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from data.calculations import formulas, windows
from data.calculations.averages import checked_weights, weighted_mean
from data.calculations.formulas import Numbers
from data.calculations.series import Windows, known
from data.calculations.windows import Calculation

COMPOSITE_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One of the twelve: more is better, 0-100. The formula of a metric is in the registry, and empty here."""

    name: str
    label: str
    tooltip: str
    calculate: Calculation
    formula: str = ""


class Part(msgspec.Struct, frozen=True):
    """A component's share in one composite score.

    `value` is 0-100, None without data. `weight` is the user's, `share` that weight among those with data (0-1,
    together 1), `contribution` is value * share; both None if the component dropped out. Contributions add up to the
    score.
    """

    name: str
    value: float | None
    weight: float
    share: float | None
    contribution: float | None


class Composite(msgspec.Struct, frozen=True):
    """The composite score, 0-100, and its parts; None if no component with a weight has data."""

    score: float | None
    parts: tuple[Part, ...]


def low_stress(windows: Windows) -> Numbers:
    """Return 100 - mean stress, 0-100."""
    return 100 - _avg_stress(windows)


def net_wellbeing_normalized(windows: Windows) -> Numbers:
    """Return 50 + mean net wellbeing / 2, 0-100."""
    return formulas.net_wellbeing_normalized(_avg_net_wellbeing(windows))


def stress_efficiency_score(windows: Windows) -> Numbers:
    """Return 100 * se / (1 + se) of the mean stress efficiency se, 0-100; 50 where relief and stress are equal."""
    efficiency = _avg_stress_efficiency(windows)
    return 100 * efficiency / (1 + efficiency)


_avg_stress = windows.mean_of("stress")
_avg_net_wellbeing = windows.mean_of("net_wellbeing")
_avg_stress_efficiency = windows.mean_of("stress_efficiency")

COMPONENTS: tuple[Component, ...] = (
    Component(
        name="tracking_consistency",
        label="Tracking",
        tooltip="How much of your days you recorded.",
        calculate=windows.tracking_consistency,
    ),
    Component(
        name="low_stress",
        label="Low stress",
        formula="100 − mean stress",
        tooltip="100 minus your average stress.",
        calculate=low_stress,
    ),
    Component(
        name="net_wellbeing_normalized",
        label="Wellbeing",
        formula="50 + mean net wellbeing / 2",
        tooltip="Relief against stress; 50 is where both are equal.",
        calculate=net_wellbeing_normalized,
    ),
    Component(
        name="stress_efficiency_score",
        label="Stress efficiency",
        formula="100 × se / (1 + se), se being the mean stress efficiency",
        tooltip="Relief for each point of stress, on a scale to 100.",
        calculate=stress_efficiency_score,
    ),
    Component(
        name="avg_relief",
        label="Relief",
        tooltip="How relieved you felt afterwards, on average.",
        calculate=windows.mean_of("relief"),
    ),
    Component(
        name="work_volume",
        label="Work volume",
        tooltip="Your work against the target that you set.",
        calculate=windows.work_volume,
    ),
    Component(
        name="work_consistency",
        label="Work consistency",
        tooltip="How evenly your work was spread over the days.",
        calculate=windows.work_consistency,
    ),
    Component(
        name="life_balance",
        label="Balance",
        tooltip="How even work and rest were.",
        calculate=windows.life_balance,
    ),
    Component(
        name="weekly_relief",
        label="Weekly relief",
        tooltip="How much relief the 7 days brought in all.",
        calculate=windows.weekly_relief,
    ),
    Component(
        name="completion_rate",
        label="Completion rate",
        tooltip="Of what came to an end, the share that was finished.",
        calculate=windows.completion_rate,
    ),
    Component(
        name="self_care_frequency",
        label="Self-care",
        tooltip="How often you looked after yourself.",
        calculate=windows.self_care_frequency,
    ),
    Component(
        name="avg_execution",
        label="Execution",
        tooltip="How well you carried things out: hard ones, on time, soon, and fully.",
        calculate=windows.mean_of("execution"),
    ),
)


def components_of(windows: Windows) -> dict[str, list[float | None]]:
    """Return the components of each window, which is of 7 days by its definition; None without data."""
    return {component.name: known(component.calculate(windows)) for component in COMPONENTS}


def scores_of(components: Mapping[str, Sequence[float | None]], weights: Mapping[str, float]) -> list[float | None]:
    """Return the score alone that `combine` gives each window of *components*."""
    scaled = checked_weights(components, weights).values()
    return [weighted_mean(zip(values, scaled, strict=True)) for values in zip(*components.values(), strict=True)]


def combine(values: Mapping[str, float | None], weights: Mapping[str, float]) -> Composite:
    """Return the weighted mean of *values* by component, and each one's part in it.

    Components without data drop out and the other weights are rescaled. A component that *weights* does not name
    weighs 1.

    Raises:
        ValueError: a weight is negative or not a finite number.
    """
    scaled = checked_weights(values, weights)
    total = sum(scaled[name] for name, value in values.items() if value is not None)
    parts = []
    for name, value in values.items():
        share = scaled[name] / total if value is not None and total else None
        contribution = value * share if value is not None and share is not None else None
        parts.append(Part(name, value, weights.get(name, 1.0), share, contribution))
    return Composite(weighted_mean((value, scaled[name]) for name, value in values.items()), tuple(parts))
