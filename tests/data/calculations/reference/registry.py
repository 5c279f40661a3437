"""The metrics of the registry, each with the slow calculation of `windows`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from data.calculations import registry
from tests.data.calculations.reference import windows
from tests.data.calculations.reference.history import History

LONGEST_SPAN = registry.LONGEST_SPAN


def calculation(name: str):
    """Return the slow function of one metric."""
    return windows.mean_of(name.removeprefix("avg_")) if name.startswith("avg_") else getattr(windows, name)


METRICS = tuple(replace(metric, calculate=calculation(metric.name)) for metric in registry.METRICS)


def values_by_day(history: History, days: Sequence[date]) -> dict[str, list[float | None]]:
    """Return each metric's value on each of *days*, by name. The history begins `LONGEST_SPAN` - 1 days before them."""
    found = {length: [history.window(day, length) for day in days] for length in {metric.days for metric in METRICS}}
    return {metric.name: [metric.calculate(window) for window in found[metric.days]] for metric in METRICS}
