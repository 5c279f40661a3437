"""Get and set by name, for what has no row in the table of values: the interface that this system began with.

The same judgement as everywhere: what was set is fresh until an event, or `invalidate`, names a prefix of its key. A
late store is refused here as well: the state that counts for a `set` is that of the `get` that missed before it, which
is in `misses`.
"""

import enum
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from cache.counts import Counts
from cache.entries import Entry
from cache.errors import InvalidArgumentError, UnknownNameError, UnstorableValueError
from cache.generations import Generations
from cache.misses import Misses
from cache.store import Place, Store
from data.database import Clock
from data.feed import Feed
from events.catalog import UserId
from events.errors import PatternError
from events.patterns import EVERYTHING, covers, did_you_mean, parse, prefixes


class Miss(enum.Enum):
    """The type of `MISS`."""

    MISS = "miss"


MISS: Final = Miss.MISS
"""What `get` returns when nothing fresh is kept: never `None`, which is a value one may keep."""

SHAPE = 1
_unlike_text = msgspec.msgpack.Encoder(decimal_format="number", uuid_format="bytes")
"""Differs from the usual one where that would make text of what is none."""

KEPT_NAMES = 10_000
MOST_CHARACTERS = 1_000
"""Of a key."""


class _Kept(msgspec.Struct, frozen=True):
    until: datetime | None
    body: bytes  # encoded, so that everybody gets a copy of their own, from every tier alike


class Names:
    """The names that are known: subsystems, and the keys of the table of values."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self._given: dict[str, None] = {}
        self.subsystems = tuple(dict.fromkeys(key.partition(".")[0] for key in self._keys))

    def full_key(self, key: str, subsystem: str) -> str:
        """Return the whole key: `("trends", "analytics")` and `("analytics.trends", "analytics")` are the same.

        Raises:
            UnknownNameError: there is no such subsystem.
            PatternError: *key* is not dotted lower-case segments.
        """
        self.check_subsystem(subsystem)
        _check_text("key", key)
        full = key if key.startswith(subsystem + ".") else f"{subsystem}.{key}"
        if parse(full) != full:
            raise PatternError(f"{key!r} is not a key: expected dotted lower-case segments, without a star")
        return full

    def remember(self, full_key: str) -> None:
        """Take *full_key*, which is being set, for a name that exists from now on."""
        for name in reversed(prefixes(full_key)[1:]):
            self._given.pop(name, None)  # and to the end: what lies above stays as long as what is below
            self._given[name] = None
        while len(self._given) > KEPT_NAMES:
            del self._given[next(iter(self._given))]

    def prefix(self, pattern: str, subsystem: str | None, live: Callable[[], Iterable[str]]) -> str:
        """Return the prefix that *pattern* names, within *subsystem* if one is given.

        Raises:
            UnknownNameError: it covers no value of the table, nothing that was set, and none of the *live* keys.
            PatternError: it is not a pattern.
        """
        _check_text("pattern", pattern)
        if subsystem is not None:
            self.check_subsystem(subsystem)
            if pattern == "*":
                return subsystem
            if pattern not in (subsystem, f"{subsystem}.*") and not pattern.startswith(subsystem + "."):
                pattern = f"{subsystem}.{pattern}"
        prefix = parse(pattern)
        if prefix == EVERYTHING or any(covers(prefix, key) for key in self._keys):
            return prefix
        if prefix in self._given or any(covers(prefix, key) for key in live()):
            return prefix
        near = did_you_mean(prefix, [*self._keys, *self.subsystems])
        raise UnknownNameError(f"{pattern!r} covers no value" + near)

    def check_subsystem(self, subsystem: str) -> None:
        """Refuse an unknown subsystem.

        Raises:
            UnknownNameError: says which there are.
        """
        if subsystem not in self.subsystems:
            raise UnknownNameError(
                f"subsystem {subsystem!r}: expected one of {', '.join(self.subsystems)}"
                + (did_you_mean(subsystem, self.subsystems) if isinstance(subsystem, str) else "")
            )


def _check_text(what: str, given: object) -> None:
    if not isinstance(given, str):
        raise PatternError(f"{what}={given!r}: expected dotted lower-case segments such as 'trends_of_may'")
    if len(given) > MOST_CHARACTERS:
        raise PatternError(f"a {what} of {len(given):,} characters: expected at most {MOST_CHARACTERS:,}")


class ByName:
    """Gets and sets for one application. Safe from any thread."""

    def __init__(
        self,
        *,
        names: Names,
        counts: Counts,
        generations: Generations,
        feed: Feed,
        store_of: Callable[[UserId], Store],
        clock: Clock,
    ) -> None:
        self._names = names
        self._counts = counts
        self._generations = generations
        self._feed = feed
        self._store_of = store_of
        self._clock = clock
        self._misses = Misses()

    def get(self, key: str, subsystem: str, user: UserId) -> Any:
        """Return a copy of what is fresh under *key*, or `MISS`; see `CacheManager.get`."""
        full = self._names.full_key(key, subsystem)
        seq = self._feed.catch_up()
        store = self._store_of(user)
        generation = self._generations.of(user, full)
        now, at = self._clock(), place(user, full)
        entry = store.get(at, generation)
        if entry is not None and _is_too_old(entry, now):  # another process may have set it since
            entry = store.get(at, generation, loaded_since=entry.loaded_at + timedelta.resolution)
        if entry is not None and entry.as_of >= generation and not _is_too_old(entry, now):
            self._counts.add(subsystem, "hits")
            return msgspec.msgpack.decode(entry.value.body)
        self._counts.add(subsystem, "misses")
        self._misses.missed(user, full, seq)
        return MISS

    def set(self, key: str, value: Any, subsystem: str, ttl: timedelta | None, user: UserId, as_of: int | None) -> bool:
        """Keep *value* under *key*, if it does not come late; see `CacheManager.set`."""
        full = self._names.full_key(key, subsystem)
        if as_of is not None and (type(as_of) is not int or not 0 <= as_of < 2**63):
            raise InvalidArgumentError(f"as_of={as_of!r}: expected the number of a log row, as `stamp` returns it")
        missed = None if as_of is not None else self._misses.oldest(user, full)
        now = self._feed.catch_up()
        seq = as_of if as_of is not None else now if missed is None else missed
        store = self._store_of(user)
        token = self._feed.token_at(seq)
        entry = entry_of(full, value, ttl, seq, token or 0, self._clock())
        self._names.remember(full)
        is_late = token is None or seq < self._generations.of(user, full)
        if as_of is None:
            self._misses.answered(user, full, not is_late)
        return not is_late and store.set(place(user, full), entry)


def entry_of(key: str, value: Any, ttl: timedelta | None, as_of: int, token: int, now: datetime) -> Entry:
    """Return the entry that keeps *value* as of a row of the log.

    Raises:
        UnstorableValueError: msgpack has no form for it.
        InvalidArgumentError: *ttl* is none.
    """
    try:
        body = msgspec.msgpack.encode(value)
        if body != _unlike_text.encode(value):
            raise TypeError("a Decimal or UUID in it would come back as text")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnstorableValueError(
            f"a {type(value).__name__} cannot be kept under {key!r} ({error}): expected plain data, "
            "such as numbers, text, lists and dictionaries"
        ) from error
    kept = _Kept(_end(ttl, now), body)
    return Entry(value=kept, as_of=as_of, token=token, loaded_at=now, load_seconds=0.0, size_bytes=len(body))


def _end(ttl: timedelta | None, now: datetime) -> datetime | None:
    try:
        return None if ttl is None else now + ttl
    except (TypeError, OverflowError):
        raise InvalidArgumentError(
            f"ttl={ttl!r}: expected a timedelta such as timedelta(minutes=5) that ends before the year 10000, or None"
        ) from None


def _is_too_old(entry: Entry, now: datetime) -> bool:
    kept: _Kept = entry.value
    return kept.until is not None and now > kept.until


def place(user: UserId, key: str) -> Place:
    """Return where what was set under *key* is kept."""
    return Place(user=user, key=key, shape=SHAPE, value_type=_Kept)
