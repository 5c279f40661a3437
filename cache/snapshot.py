"""What a reader gets: one state of one user's data, and looks at values in it.

Finding, judging and loading is done by `lookup`; what was judged already is on the `shelf`.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from cache.entries import Entry
from cache.errors import LoadError
from cache.lookup import Found, Lookup
from cache.shelf import Shelf
from cache.values import Value
from cache.why import Why, explain
from data import log as event_log
from data.database import ReadTransaction
from data.pieces import anew
from data.viewpoint import Viewpoint
from events.catalog import Logged

T = TypeVar("T")


def _nothing() -> None:
    """Stands in for the reference to an entry that there is not."""


class Look(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A value with what a page may want to say about it.

    `key` is the full key that it was found under, `as_of` the seq of the state that it was computed from, `loaded_at`
    when that was and `load_seconds` how long it took. A fresh value has no `problem` and none that `is_loading`;
    otherwise it is the last good one, because newer numbers could not be computed (`problem` says why) or because that
    is still going on: `Reloaded` tells when they are there.
    """

    value: T
    key: str
    as_of: int
    loaded_at: datetime
    load_seconds: float
    problem: str | None = None
    is_loading: bool = False

    @property
    def is_fresh(self) -> bool:
        """Whether it is what a reader of that state was to see."""
        return self.problem is None and not self.is_loading


class Snapshot:
    """One reader's view of one state: all values read through it belong together.

    Made by `CacheManager.snapshot`, for one thread, and only inside its `with` block.
    """

    __slots__ = ("_found", "_judged", "_lookup", "_missed", "_read", "_shelf", "_taken", "now", "seq", "view")

    def __init__(self, lookup: Lookup, read: ReadTransaction, shelf: Shelf, now: datetime) -> None:
        self._lookup = lookup
        self._read = read
        self._shelf = shelf
        self._judged = shelf.judged
        self.now = now
        self._taken: dict[Value[Any], Entry] = {}  # from the shelf
        self._found: dict[Value[Any], Found] = {}  # all others, by `lookup`
        self._missed: set[Value[Any]] = set()
        self.view: Viewpoint = shelf.view
        """From which local day the values are seen."""
        self.seq = read.seq
        """The newest event that this state contains."""

    def get(self, value: Value[T]) -> T:
        """Return *value* as of this state, from the cache or computed now.

        Raises:
            LoadError: it could not be computed. What was good before is never returned as if it were fresh.
        """
        entry = self._taken.get(value)
        if entry is None:  # spelt out, and not in methods of their own: pages read little else
            entry = self._judged.get(value, _nothing)()
            if entry is None or (self._found and value in self._found):
                entry = self._fresh(value)
            else:
                self._taken[value] = entry
        kept: T = entry.value
        return kept

    def look(self, value: Value[T], *, patience: float | None = None) -> Look[T]:
        """Return *value* as of this state, or the last good one, labelled, if that cannot be had.

        An older one of the same day is good enough if the load fails, or takes longer than *patience* (seconds; by
        default the value's `soft_timeout`; 0: what is kept is shown at once). The load goes on meanwhile.

        Raises:
            LoadError: it could not be computed and no older one of the same day is kept.
        """
        look = self.glance(value, patience=patience, hold=None)
        assert look is not None  # or it would have failed
        return look

    def glance(self, value: Value[T], *, hold: float | None, patience: float | None = None) -> Look[T] | None:
        """Return what `look` does, but None where nothing is kept and it takes longer than *hold* (seconds).

        The load goes on meanwhile, and a second look joins it.

        Raises:
            LoadError: it could not be computed and no older one of the same day is kept.
        """
        if patience is None:
            patience = value.soft_timeout.total_seconds()
        found = self._found.get(value) or self._find(value, patience, hold)
        if found is None:
            return None
        return Look(
            value=found.entry.value,
            key=value.key_for(self.view),
            as_of=found.entry.as_of,
            loaded_at=found.entry.loaded_at,
            load_seconds=found.entry.load_seconds,
            problem=found.problem,
            is_loading=found.is_loading,
        )

    def is_current(self, value: Value[Any], look: Look[Any]) -> bool:
        """Whether *look*, of an earlier snapshot, still holds in this state and on this day."""
        key = value.key_for(self.view)
        return look.is_fresh and look.key == key and look.as_of >= self._lookup.generations.of(self.view.user, key)

    def why(self, value: Value[Any]) -> Why:
        """Say why *value* is fresh or stale in this state. Loads nothing."""
        lookup = self._lookup
        return explain(value, self._read, self.view, lookup, lookup.generations, self.now)

    def kept(self, value: Value[Any]) -> Entry | None:
        """Return what a reader of this state would be shown without any loading; None if that is nothing."""
        return self._shelf.get(value) or self._lookup.kept(value, self.seq, self._shelf, self.now)

    def trail(self, limit: int) -> list[tuple[Logged, tuple[str, ...]]]:
        """Return the user's newest events up to this state, newest first, with the prefixes that each made stale."""
        latest = event_log.latest(self._read.connection, self.view.user, limit)
        return [(logged, self._lookup.generations.prefixes_of(logged.event)) for logged in latest]

    def load(self, value: Value[T], view: Viewpoint | None = None) -> T:
        """Compute *value* from this state, whatever is kept, as seen from *view*: what `get` must agree with."""
        return value.loader(replace(self._read, pieces=anew, found={}), view or self.view)

    def query(self, question: Callable[[ReadTransaction, Viewpoint], T]) -> T:
        """Return what *question* reads from this state, past the cache; nothing of it is kept."""
        return question(self._read, self.view)

    def end(self) -> list[str]:
        """Take note of what was read off the shelf, and return the keys: hits that nobody has counted yet."""
        now = time.monotonic()
        for entry in self._taken.values():
            entry.used_at = now  # its tier was not asked, and would take it for unused
        return [value.key for value in self._taken if value not in self._missed]

    def _fresh(self, value: Value[Any]) -> Entry:
        found = self._found.get(value)
        if found is None or found.is_loading:
            found = self._find(value)
            assert found is not None  # or it would have failed
        if found.problem is not None:
            raise LoadError(value.key, RuntimeError(found.problem))
        return found.entry

    def _find(self, value: Value[Any], patience: float | None = None, hold: float | None = None) -> Found | None:
        entry = self._taken.get(value) or self._shelf.get(value)
        if entry is not None:
            self._taken[value] = entry
            self._found.pop(value, None)
            return Found(entry)
        is_again = value in self._missed
        found = self._lookup.find(value, self._read, self._shelf, self.now, patience, hold, is_again)
        if found is None:
            self._missed.add(value)
        else:
            self._found[value] = found
        return found
