"""The statistics under the metrics, against Python's own and by hand."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calculations.averages import checked_weights, mean, percentile_ranks, weighted_mean
from tests.data.calculations.reference.averages import correlation_table, pearson, sample_deviation, trailing_means

scores = st.none() | st.floats(0, 100)
numbers = st.integers(-1000, 1000).map(float)


def test_a_mean_leaves_out_what_is_missing() -> None:
    assert mean([10, None, 20]) == 15
    assert mean([None]) is None
    assert mean([]) is None


def test_a_weighted_mean_rescales_the_weights_of_what_is_there() -> None:
    assert weighted_mean([(10, 1), (40, 2), (None, 5)]) == 30
    assert weighted_mean([(10, 0)]) is None
    assert weighted_mean([(None, 1)]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(scores, st.floats(0, 1)), max_size=12))
def test_a_weighted_mean_lies_between_its_values(parts: list[tuple[float | None, float]]) -> None:
    present = [value for value, weight in parts if value is not None and weight > 0]
    result = weighted_mean(parts)
    assert (result is None) == (not present)
    assert result is None or min(present) <= result <= max(present)


@settings(deadline=None)
@given(st.lists(numbers, min_size=2))
def test_the_deviation_is_the_samples(values: list[float]) -> None:
    assert sample_deviation(values) == pytest.approx(statistics.stdev(values))


def test_one_value_has_no_deviation() -> None:
    assert sample_deviation([5.0]) is None


def test_a_trailing_mean_looks_at_the_places_before() -> None:
    assert trailing_means([None, 2, 4, None, None, None], 3) == (None, 2, 3, 3, 4, None)


def test_equal_values_share_a_percentile_rank() -> None:
    assert percentile_ranks([10, 20, 20, 40]) == (12.5, 50, 50, 87.5)
    assert percentile_ranks([7]) == (50,)
    assert percentile_ranks([None, 7, None, 8]) == (None, 25, None, 75)
    assert percentile_ranks([]) == ()


@settings(deadline=None)
@given(st.lists(scores))
def test_percentile_ranks_keep_the_order_and_average_fifty(values: list[float | None]) -> None:
    ranks = percentile_ranks(values)
    pairs = sorted((value, rank) for value, rank in zip(values, ranks, strict=True) if value is not None and rank)
    assert [rank for _, rank in pairs] == sorted(rank for _, rank in pairs)
    assert all(0 < rank < 100 for _, rank in pairs)
    assert not pairs or mean(ranks) == pytest.approx(50)


def test_a_weight_that_nobody_chose_is_one() -> None:
    assert checked_weights(["a", "b"], {"b": 2.0, "unknown": -5.0}) == {"a": 0.5, "b": 1.0}
    assert checked_weights(["a"], {"a": 0.0}) == {"a": 0.0}


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_that_cannot_be_is_refused_with_a_sentence(weight: float) -> None:
    with pytest.raises(ValueError, match=r"The weight of b is .*: expected a number that is not negative"):
        checked_weights(["a", "b"], {"b": weight})


def test_huge_and_tiny_weights_are_no_trouble() -> None:
    weights = checked_weights(["a", "b"], {"a": 1.7e308, "b": 1.7e308})
    assert weighted_mean([(10, weights["a"]), (20, weights["b"])]) == 15
    tiny = checked_weights(["a"], {"a": 5e-324})
    assert weighted_mean([(10, tiny["a"])]) == 10


def test_correlation_by_hand() -> None:
    # deviations -1 0 1 and -2 1 1: 3 / sqrt(2 * 6)
    assert pearson([1, 2, 3], [1, 4, 4]) == pytest.approx(3 / math.sqrt(12))
    assert pearson([1, 2, 3], [6, 4, 2]) == pytest.approx(-1)


def test_correlation_needs_three_pairs_that_vary() -> None:
    assert pearson([1, 2], [2, 1]) is None
    assert pearson([1, 1, 1], [1, 2, 3]) is None
    assert pearson([0.1, 0.1, 0.1], [1, 2, 3]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=3))
def test_correlation_is_that_of_the_standard_library(pairs: list[tuple[float, float]]) -> None:
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    r = pearson(xs, ys)
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert r is None
    else:
        assert r == pytest.approx(statistics.correlation(xs, ys), abs=1e-9)
        assert -1 <= r <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.none() | numbers] * 4), max_size=20))
def test_the_table_holds_each_pairs_own_correlation(rows: list[tuple[float | None, ...]]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    table = correlation_table(columns)
    assert len(table) == 6
    for (i, j), (r, n) in table.items():
        both = [(row[i], row[j]) for row in rows if row[i] is not None and row[j] is not None]
        assert n == len(both)
        expected = pearson([x for x, _ in both if x is not None], [y for _, y in both if y is not None])
        assert r == (None if expected is None else pytest.approx(expected, abs=1e-12))
