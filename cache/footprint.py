"""How much memory a value takes: an estimate that costs microseconds, as it is made whenever something is kept.

Of long containers some elements are looked at, evenly spread, and the others taken to be like them.
"""

import sys
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

LOOKED_AT = 4
"""Elements of each container."""

_FLOAT = sys.getsizeof(1.0)
_SHARED = (type(None), bool, type, Enum)
"""Made once, whoever holds them."""
_SEQUENCES = (tuple, list)


def of(value: Any) -> int:
    """Return about how many bytes go with *value* and all that it alone refers to."""
    return _of_all((value,), set())


def _of_all(values: Iterable[Any], seen: set[int]) -> int:
    """The sum of each. A loop, and the most frequent kinds first: whole pages of numbers go through here."""
    size = 0
    for value in values:
        kind: Any = type(value)
        if kind is float:
            size += _FLOAT
        elif value is None or id(value) in seen:
            continue
        elif kind is int:
            size += 0 if -5 <= value <= 256 else sys.getsizeof(value)
        elif kind is str:
            seen.add(id(value))
            size += sys.getsizeof(value)
        elif not isinstance(value, _SHARED):
            seen.add(id(value))
            size += sys.getsizeof(value) + _inside(value, kind, seen)
    return size


def _inside(value: Any, kind: Any, seen: set[int]) -> int:
    if isinstance(value, msgspec.Struct):
        return _of_all(_parts_of(kind)(value), seen)
    if isinstance(value, dict):
        return _of_some(value, seen) + _of_some(value.values(), seen)
    if isinstance(value, tuple | list | set | frozenset):
        return _of_some(value, seen)
    return 0


def _of_some(elements: Collection[Any], seen: set[int]) -> int:
    count = len(elements)
    if count <= LOOKED_AT:
        return _of_all(elements, seen)
    step = count // LOOKED_AT
    chosen: Iterable[Any] = elements[::step] if isinstance(elements, _SEQUENCES) else islice(elements, 0, None, step)
    first, *others = chosen
    # The first one comes with what all of them share, such as the keys of rows.
    return _of_all((first,), seen) + _of_all(others, seen) * (count - 1) // len(others)


@lru_cache(maxsize=1024)
def _parts_of(kind: type[msgspec.Struct]) -> Callable[[Any], tuple[Any, ...]]:
    names = kind.__struct_fields__
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda value: (get(value),)
