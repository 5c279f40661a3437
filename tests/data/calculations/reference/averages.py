"""Means, deviations and correlation, one value at a time."""

import math
from collections.abc import Iterable, Sequence
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


def trailing_means(values: Sequence[float | None], length: int) -> tuple[float | None, ...]:
    """Return, for each place, the mean of the values at it and the `length - 1` places before it."""
    return tuple(mean(values[max(0, end - length) : end]) for end in range(1, len(values) + 1))


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
