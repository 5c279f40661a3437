"""Means, ranks and weights: statistics that know nothing about tasks. No data is None, never 0."""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence


def mean(values: Iterable[float | None]) -> float | None:
    """Return the arithmetic mean of what is not None; None if nothing is."""
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else None


def weighted_mean(parts: Iterable[tuple[float | None, float]]) -> float | None:
    """Return the mean of (value, weight) pairs; a None value drops out, so the other weights count for more.

    None if no value is left, or none with a weight above 0. Lies between the least and the greatest value.
    """
    total = weights = 0.0
    least, most = math.inf, -math.inf
    for value, weight in parts:
        if value is not None and weight > 0:
            total += value * weight
            weights += weight
            if value < least:
                least = value
            if value > most:
                most = value
    return min(max(total / weights, least), most) if weights else None  # a rounding error must not leave the scale


def percentile_ranks(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return each value's percentile rank among those that are not None, 0-100 exclusive; None stays None.

    100 * (number below + half the number equal, itself included) / n: equal values share a rank, a single one has 50.
    Values count as equal up to 9 decimals: a rounding error must not put one before another.
    """
    values = [None if value is None else round(value, 9) for value in values]
    ordered = sorted(value for value in values if value is not None)
    return tuple(
        None
        if value is None
        else 50 * (bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value)) / len(ordered)
        for value in values
    )


def checked_weights(names: Iterable[str], chosen: Mapping[str, float]) -> dict[str, float]:
    """Return a weight for each of *names*, in their order: the chosen one, or 1. The largest is scaled to 1.

    Names in *chosen* that are not asked for are ignored. All 0 if all were chosen so.

    Raises:
        ValueError: a weight is negative or not a finite number.
    """
    weights = {name: float(chosen.get(name, 1.0)) for name in names}
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"The weight of {name} is {weight:g}: expected a number that is not negative.")
    largest = max(weights.values(), default=0.0)
    return {name: weight / largest for name, weight in weights.items()} if largest else weights
