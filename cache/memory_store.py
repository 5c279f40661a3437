"""The tier in this process: entries themselves, handed out without a copy, bounded by bytes, least recently used first
to go. Values are immutable, so nobody can poison what the next reader gets.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from cache.entries import Entry
from cache.store import Place, TierStats
from events.catalog import UserId
from events.patterns import covers

ENTRY_OVERHEAD_BYTES = 400
"""About what an entry costs besides its value: the entry, its address and its place in the table."""


class MemoryStore:
    """A byte-bounded LRU. A value larger than a quarter of the bound is not kept."""

    is_shared = False

    def __init__(self, max_size_bytes: int) -> None:
        self._max = max_size_bytes
        self._entries: OrderedDict[tuple[UserId, str], tuple[int, Entry]] = OrderedDict()
        self._size = 0
        self._hits = self._misses = self._evictions = 0
        self._lock = threading.Lock()

    def get(self, place: Place, least_as_of: int = 0) -> Entry | None:
        """Return what is kept there; the object itself, not a copy."""
        where = (place.user, place.key)
        with self._lock:
            found = self._entries.get(where)
            if found is None or found[0] != place.shape:
                self._misses += 1
                return None
            self._entries.move_to_end(where)
            self._hits += 1
            return found[1]

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry*, unless one of a later state is there already or it is too large."""
        where = (place.user, place.key)
        with self._lock:
            existing = self._entries.get(where)
            if existing is not None:
                if existing[0] == place.shape and existing[1].as_of > entry.as_of:
                    return False
                self._forget(where)
            if _cost(entry) > self._max // 4:
                return False
            self._entries[where] = (place.shape, entry)
            self._size += _cost(entry)
            while self._size > self._max:
                self._forget(next(iter(self._entries)))
                self._evictions += 1
            return True

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys that are kept for *user*."""
        with self._lock:
            return [key for owner, key in self._entries if owner == user]

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop what lies below *prefix*, of one user or of all."""
        with self._lock:
            gone = [at for at in self._entries if user in (None, at[0]) and covers(prefix, at[1])]
            for where in gone:
                self._forget(where)
            return len(gone)

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of this tier."""
        with self._lock:
            return (
                TierStats(
                    tier="memory",
                    entries=len(self._entries),
                    size_bytes=self._size,
                    max_size_bytes=self._max,
                    hits=self._hits,
                    misses=self._misses,
                    evictions=self._evictions,
                    errors=0,
                ),
            )

    def close(self) -> None:
        """Drop everything."""
        self.clear()

    def _forget(self, where: tuple[UserId, str]) -> None:
        _, entry = self._entries.pop(where)
        self._size -= _cost(entry)


def _cost(entry: Entry) -> int:
    return entry.size_bytes + ENTRY_OVERHEAD_BYTES
