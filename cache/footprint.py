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

LOOKED_AT = 8
"""Elements of each container."""

_SHARED = (type(None), bool, type, Enum)
"""Made once, whoever holds them."""
_PLAIN = (float, str, bytes, complex)


def of(value: Any) -> int:
    """Return about how many bytes go with *value* and all that it alone refers to."""
    return _of(value, set())


def _of(value: Any, seen: set[int]) -> int:
    kind: Any = type(value)
    if kind is float:
        return 24
    if kind is int:
        return 0 if -5 <= value <= 256 else sys.getsizeof(value)
    if id(value) in seen or isinstance(value, _SHARED):
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if isinstance(value, _PLAIN):
        return size
    if isinstance(value, dict):
        return size + _of_each(value, seen) + _of_each(value.values(), seen)
    if isinstance(value, tuple | list | set | frozenset):
        return size + _of_each(value, seen)
    if isinstance(value, msgspec.Struct):
        return size + sum(_of(part, seen) for part in _parts_of(kind)(value))
    return size


def _of_each(elements: Collection[Any], seen: set[int]) -> int:
    count = len(elements)
    if count <= LOOKED_AT:
        return sum(_of(element, seen) for element in elements)
    step = count // LOOKED_AT
    chosen: Iterable[Any] = elements[::step] if isinstance(elements, tuple | list) else islice(elements, 0, None, step)
    first, *others = (_of(element, seen) for element in chosen)
    # The first one comes with what all of them share, such as the keys of rows.
    return first + sum(others) * (count - 1) // len(others)


@lru_cache(maxsize=1024)
def _parts_of(kind: type[msgspec.Struct]) -> Callable[[Any], tuple[Any, ...]]:
    names = kind.__struct_fields__
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda value: (get(value),)
