"""Means, correlation, ranks and weights: statistics that know nothing about tasks. No data is None, never 0."""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, compress
from operator import and_, mul


def mean(values: Iterable[float | None]) -> float | None:
    """Return the arithmetic mean of what is not None; None if nothing is."""
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else None


def sample_deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation with n - 1 in the denominator; None under 2 values."""
    if len(values) < 2:
        return None
    centre = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


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


def trailing_means(values: Sequence[float | None], length: int) -> tuple[float | None, ...]:
    """Return, for each place, the mean of the values at it and the `length - 1` places before it."""
    return tuple(mean(values[max(0, end - length) : end]) for end in range(1, len(values) + 1))


def percentile_ranks(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return each value's percentile rank among those that are not None, 0-100 exclusive; None stays None.

    100 * (number below + half the number equal, itself included) / n: equal values share a rank, a single one has 50.
    """
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


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Return Pearson's product-moment correlation, -1..1; None under 3 pairs or where either never varies."""
    if len(xs) < 3:
        return None
    left, right = _standardized(xs), _standardized(ys)
    return None if left is None or right is None else _dot(left, right)


def correlation_table(columns: Sequence[Sequence[float | None]]) -> dict[tuple[int, int], tuple[float | None, int]]:
    """Return `{(i, j): (r, n)}` for all columns i < j: `pearson` over the n rows in which both have a value.

    Columns are of equal length. What pairs have in common is computed once, so k columns with few patterns of missing
    values cost about k standardizations and k * k / 2 products.
    """
    present = [bytes(value is not None for value in column) for column in columns]
    joint: dict[tuple[bytes, bytes], bytes] = {}
    ready: dict[tuple[int, bytes], list[float] | None] = {}

    def rows_of_both(i: int, j: int) -> bytes:
        pair = (present[i], present[j])
        if pair not in joint:
            joint[pair] = bytes(map(and_, *pair))
        return joint[pair]

    def standardized(i: int, rows: bytes) -> list[float] | None:
        if (i, rows) not in ready:
            ready[i, rows] = _standardized([value for value in compress(columns[i], rows) if value is not None])
        return ready[i, rows]

    table: dict[tuple[int, int], tuple[float | None, int]] = {}
    for i, j in combinations(range(len(columns)), 2):
        rows = rows_of_both(i, j)
        n = rows.count(1)
        left, right = standardized(i, rows), standardized(j, rows)
        table[i, j] = (None if n < 3 or left is None or right is None else _dot(left, right), n)
    return table


def _standardized(values: Sequence[float]) -> list[float] | None:
    """Return the values minus their mean, scaled to a sum of squares of 1; None if they never vary."""
    if not values or min(values) == max(values):
        return None
    centre = math.fsum(values) / len(values)
    centred = [value - centre for value in values]
    norm = math.sqrt(math.fsum(map(mul, centred, centred)))
    return [value / norm for value in centred] if norm else None


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return max(-1.0, min(1.0, float(sum(map(mul, left, right)))))
