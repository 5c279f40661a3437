"""What a reader gets: one state of one user's data, and looks at values in it.

Finding, judging and loading is done by `lookup`; what was judged already is on the `shelf`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from cache.entries import Entry
from cache.errors import LoadError
from cache.lookup import Lookup
from cache.shelf import Shelf
from cache.values import Value
from cache.why import Why, explain
from data.database import ReadTransaction
from data.viewpoint import Viewpoint

T = TypeVar("T")


class Look(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A value with what a page may want to say about it.

    `key` is the full key that it was found under, `as_of` the seq of the state that it was computed from, `loaded_at`
    when that was. `problem` is None for a fresh value; otherwise newer numbers could not be computed, it says why, and
    the value is the last good one.
    """

    value: T
    key: str
    as_of: int
    loaded_at: datetime
    problem: str | None = None


class Snapshot:
    """One reader's view of one state: all values read through it belong together.

    Made by `CacheManager.snapshot`, for one thread, and only inside its `with` block.
    """

    __slots__ = ("_found", "_lookup", "_now", "_problems", "_read", "_shelf", "hits", "seq", "view")

    def __init__(self, lookup: Lookup, read: ReadTransaction, shelf: Shelf, now: datetime) -> None:
        self._lookup = lookup
        self._read = read
        self._shelf = shelf
        self._now = now
        self._found: dict[Value[Any], Entry] = {}
        self._problems: dict[Value[Any], str] = {}
        self.hits: list[str] = []
        """Keys that were found without a look into the stores; counted when the snapshot ends."""
        self.view: Viewpoint = shelf.view
        """From which local day the values are seen."""
        self.seq = read.seq
        """The newest event that this state contains."""

    def get(self, value: Value[T]) -> T:
        """Return *value* as of this state, from the cache or computed now.

        Raises:
            LoadError: it could not be computed. What was good before is never returned as if it were fresh.
        """
        entry = self._found.get(value)
        if entry is None:
            entry = self._find(value)
        if self._problems and value in self._problems:
            raise LoadError(value.key, RuntimeError(self._problems[value]))
        found: T = entry.value
        return found

    def look(self, value: Value[T]) -> Look[T]:
        """Return *value* as of this state; if it cannot be computed, the last good one with the problem.

        Raises:
            LoadError: it could not be computed and no older one of the same day is kept.
        """
        entry = self._found.get(value) or self._find(value)
        return Look(
            value=entry.value,
            key=value.key_for(self.view),
            as_of=entry.as_of,
            loaded_at=entry.loaded_at,
            problem=self._problems.get(value),
        )

    def is_current(self, value: Value[Any], look: Look[Any]) -> bool:
        """Whether *look*, of an earlier snapshot, still holds in this state and on this day."""
        key = value.key_for(self.view)
        return (
            look.problem is None and look.key == key and look.as_of >= self._lookup.generations.of(self.view.user, key)
        )

    def why(self, value: Value[Any]) -> Why:
        """Say why *value* is fresh or stale in this state. Loads nothing."""
        lookup = self._lookup
        return explain(value, self._read, self.view, lookup, lookup.generations, self._now)

    def load(self, value: Value[T]) -> T:
        """Compute *value* from this state, whatever is kept: what `get` must agree with."""
        return self.query(value.loader)

    def query(self, question: Callable[[ReadTransaction, Viewpoint], T]) -> T:
        """Return what *question* reads from this state, past the cache; nothing of it is kept."""
        return question(self._read, self.view)

    def _find(self, value: Value[Any]) -> Entry:
        entry = self._shelf.get(value, self._now)
        if entry is not None:
            self.hits.append(value.key)
        else:
            entry, problem = self._lookup.find(value, self._read, self._shelf, self._now)
            if problem is not None:
                self._problems[value] = problem
        self._found[value] = entry
        return entry
