"""The address language: which prefix covers which key, and what is no pattern at all."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.errors import EventsError, PatternError
from events.patterns import EVERYTHING, covers, did_you_mean, parse, prefixes

segments = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,3}", fullmatch=True)
keys = st.lists(segments, min_size=1, max_size=5).map(".".join)
short_keys = st.lists(st.sampled_from(["a", "b", "ab", "a-b"]), min_size=1, max_size=4).map(".".join)


@given(prefix=short_keys | st.just(EVERYTHING), key=short_keys)
@example(prefix="a.b", key="a.bc")
@example(prefix="a.b", key="a.b.c")
@example(prefix="a", key="a")
def test_a_prefix_covers_exactly_the_keys_that_list_it_among_their_prefixes(prefix: str, key: str) -> None:
    assert covers(prefix, key) == (prefix in prefixes(key))


@given(key=keys)
def test_the_prefixes_of_a_key_run_from_everything_to_itself_one_segment_at_a_time(key: str) -> None:
    found = prefixes(key)
    assert found[0] == EVERYTHING
    assert found[-1] == key
    assert [len(prefix.split(".")) for prefix in found[1:]] == list(range(1, key.count(".") + 2))
    assert all(covers(wider, narrower) for wider, narrower in itertools.pairwise(found))


@given(key=keys, tail=segments)
def test_a_key_covers_its_descendants_and_not_its_longer_named_neighbours(key: str, tail: str) -> None:
    assert covers(key, f"{key}.{tail}")
    assert not covers(key, f"{key}{tail}")
    assert not covers(f"{key}.{tail}", key)


def test_dashboard_metric_does_not_cover_dashboard_metrics() -> None:
    assert not covers("dashboard.metric", "dashboard.metrics")


@given(key=keys)
def test_a_bare_pattern_and_one_with_a_star_name_the_same_prefix(key: str) -> None:
    assert parse(key) == parse(f"{key}.*") == key


def test_a_lone_star_names_everything() -> None:
    assert parse("*") == EVERYTHING
    assert covers(EVERYTHING, "any.key")


@pytest.mark.parametrize(
    "pattern",
    [
        "", ".", "a.", ".a", "a..b", "*.a", "a.*.b", "a*", "a.b*", "**", "*.*", ".*", "A.b", "a b", "a.b\n", "\n",
        "_a", "-a", "a/b", "ä", "a.\ud800", "a\0", "a.*.*", " a",
    ],
)  # fmt: skip
def test_what_is_not_dotted_lower_case_segments_is_refused_by_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match="is not a pattern: expected dotted lower-case segments") as refused:
        parse(pattern)
    assert isinstance(refused.value, EventsError)
    assert isinstance(refused.value, ValueError)


def test_a_suggestion_is_made_only_when_one_is_near() -> None:
    assert did_you_mean("analytic", ["analytics", "summary"]) == "; did you mean 'analytics'?"
    assert did_you_mean("xyz", ["analytics", "summary"]) == ""
    assert did_you_mean("xyz", []) == ""
