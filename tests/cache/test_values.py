"""The table of values: what is wrong with one is found, and what is handed out cannot be changed by who gets it."""

import enum
import types
import typing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cache import values
from cache.pieces import PIECES, ROWS, Parted
from cache.values import VALUES, Value
from data.preferences import Profile
from data.viewpoint import Viewpoint
from events.catalog import UserId
from tests.cache.probes import probe

SCALARS = (str, bytes, int, float, bool, date, datetime, type(None))


def mutable_parts(kind: Any, path: str) -> list[str]:
    """Where in *kind* something could be changed in place."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = [] if kind.__struct_config__.frozen else [path]
        for field in msgspec.structs.fields(kind):
            found += mutable_parts(field.type, f"{path}.{field.name}")
        return found
    if origin is tuple:
        return [part for index in arguments if index is not ... for part in mutable_parts(index, path + "[]")]
    if origin in (typing.Union, types.UnionType):
        return [part for choice in arguments for part in mutable_parts(choice, path)]
    if origin is typing.Literal or isinstance(kind, typing.NewType):
        return []
    if isinstance(kind, type) and issubclass(kind, (*SCALARS, enum.Enum)):
        return []
    return [f"{path}: {kind}"]


@pytest.mark.parametrize("value", [*VALUES, *PIECES], ids=lambda value: value.key)
def test_every_value_is_immutable_through_and_through(value: Value[Any] | Parted[Any]) -> None:
    assert mutable_parts(value.kind, value.kind.__name__) == []


def faults(*probes: Value[Any]) -> list[str]:
    return [finding.sentence for finding in values.check(probes)]


def test_the_table_is_sound() -> None:
    assert values.check(ROWS) == []


@pytest.mark.parametrize("key", ["analytics", "Analytics.trends", "analytics..trends", "analytics.*", "", "a b.c"])
def test_a_key_that_is_none_is_found(key: str) -> None:
    assert faults(probe(key=key)) == [
        f"{key!r} is no key: expected dotted lower-case segments such as 'analytics.trends'"
    ]


def test_a_key_that_stands_twice_is_found_with_both_places() -> None:
    first, second = probe(), probe()
    (finding,) = values.check([first, second])
    assert finding.where == second.where
    assert finding.sentence == f"'analytics.probe' stands here and at {first.where}"


@pytest.mark.parametrize("keys", [("a.b", "a.b.c"), ("a.b.c", "a.b")])
def test_a_key_below_another_is_found(keys: tuple[str, str]) -> None:
    (fault,) = faults(*(probe(key=key) for key in keys))
    assert "one lies below the other" in fault
    assert faults(probe(key="a.b"), probe(key="a.bc")) == []


def test_an_age_that_nothing_reaches_is_found() -> None:
    (fault,) = faults(probe(ttl=timedelta()))
    assert "expected more" in fault


def test_the_day_and_the_hour_are_part_of_the_keys_that_depend_on_them() -> None:
    hour = datetime(2026, 5, 13, 9, tzinfo=UTC)
    view = Viewpoint(user=UserId(1), profile=Profile(), today=date(2026, 5, 13), hour=hour)
    keys = [probe(varies=varies).key_for(view) for varies in values.Varies]
    assert keys == ["analytics.probe", "analytics.probe.2026-05-13", "analytics.probe.2026-05-13.20260513t09"]


def test_the_shape_changes_with_the_version_and_with_the_type() -> None:
    assert probe().shape == probe().shape
    assert probe().shape != probe(version=2).shape
    assert probe().shape != probe(kind=Profile).shape


def test_a_value_is_too_old_beyond_its_ttl_on_either_side() -> None:
    now = datetime(2026, 5, 13, tzinfo=UTC)
    value = probe(ttl=timedelta(hours=1))
    assert [value.is_too_old(now - timedelta(minutes=minutes), now) for minutes in (59, 61, -59, -61)] == [
        False,
        True,
        False,
        True,
    ]
