"""The tier in this process: entries themselves, handed out without a copy, bounded by the memory that they take, least
recently used first to go. Values are immutable, so nobody can poison what the next reader gets.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cache import footprint
from cache.entries import Entry
from cache.store import IsOutdated, Place, TierStats
from events.catalog import UserId
from events.patterns import covers

ENTRY_OVERHEAD_BYTES = 560
"""About what an entry costs besides its value: the entry, its address and its place in the table."""


@dataclass(slots=True)
class _Slot:
    shape: int
    entry: Entry
    cost: int  # in bytes
    ranked_at: float = 0.0  # the use of the entry that its place in the order is of
    told_at: float = 0.0  # the use that the tier on disk has been told of


class MemoryStore:
    """An LRU, bounded by an estimate of what it takes. A value larger than a quarter of the bound is not kept."""

    is_shared = False

    def __init__(self, max_size_bytes: int) -> None:
        self._max = max_size_bytes
        self._slots: OrderedDict[tuple[UserId, str], _Slot] = OrderedDict()
        self._size = 0
        self._hits = self._misses = self._evictions = 0
        self._to_look_at: list[tuple[UserId, str]] = []
        self._looked_at: dict[int, tuple[int, int]] = {}  # per shape: bytes as encoded, and in memory
        self._lock = threading.Lock()

    def get(self, place: Place, least_as_of: int = 0, *, loaded_since: datetime | None = None) -> Entry | None:
        """Return what is kept there; the object itself, not a copy."""
        where = (place.user, place.key)
        with self._lock:
            slot = self._slots.get(where)
            if slot is None or slot.shape != place.shape:
                self._misses += 1
                return None
            self._slots.move_to_end(where)
            slot.ranked_at = slot.entry.used_at = time.monotonic()
            self._hits += 1
            return slot.entry

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry*, unless one of a later state is there already or it is too large.

        It is taken to be like the last of its shape that was looked at, if it is about as long when encoded.
        """
        where = (place.user, place.key)
        encoded, size = self._looked_at.get(place.shape, (0, 0))
        if abs(encoded - entry.size_bytes) * 10 > encoded or not encoded:
            encoded, size = max(entry.size_bytes, 1), footprint.of(entry.value)
            self._looked_at[place.shape] = encoded, size
        cost = size * entry.size_bytes // encoded + ENTRY_OVERHEAD_BYTES
        with self._lock:
            existing = self._slots.get(where)
            if existing is not None:
                if existing.shape == place.shape and existing.entry.as_of > entry.as_of:
                    return False
                self._forget(where)
            if cost > self._max // 4:
                return False
            self._slots[where] = _Slot(place.shape, entry, cost, ranked_at=entry.used_at, told_at=entry.used_at)
            self._size += cost
            self._evict(where)
            return True

    def is_used(self, user: UserId, key: str) -> bool:
        """Whether what is kept there was handed out, by this or by a shelf, since this was asked last."""
        slot = self._slots.get((user, key))
        if slot is None:
            return False
        told, slot.told_at = slot.told_at, slot.entry.used_at
        return slot.told_at > told

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys that are kept for *user*."""
        with self._lock:
            return [key for owner, key in self._slots if owner == user]

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop what lies below *prefix*, of one user or of all."""
        with self._lock:
            gone = [at for at in self._slots if user in (None, at[0]) and covers(prefix, at[1])]
            for where in gone:
                self._forget(where)
            return len(gone)

    def reclaim(self, is_outdated: IsOutdated, most: int = 500) -> int:
        """Drop what *is_outdated* among the next *most* entries."""
        if not self._to_look_at:
            self._to_look_at = list(self._slots)
        batch, self._to_look_at = self._to_look_at[:most], self._to_look_at[most:]
        dropped = 0
        for where in batch:
            slot = self._slots.get(where)
            if slot is not None and is_outdated(*where, slot.entry.as_of, slot.entry.loaded_at):
                with self._lock:
                    if self._slots.get(where) is slot:
                        self._forget(where)
                        dropped += 1
        return dropped

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of this tier."""
        with self._lock:
            return (
                TierStats(
                    tier="memory",
                    entries=len(self._slots),
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

    def _evict(self, newest: tuple[UserId, str]) -> None:
        """Give up the least recently used until the rest fits; never *newest*."""
        spares = True
        while self._size > self._max:
            where, slot = next(iter(self._slots.items()))
            if where == newest:
                spares = False
                self._slots.move_to_end(where)
            elif spares and slot.entry.used_at > slot.ranked_at:  # a shelf handed it out, without asking here
                slot.ranked_at = slot.entry.used_at
                self._slots.move_to_end(where)
            else:
                self._forget(where)
                self._evictions += 1

    def _forget(self, where: tuple[UserId, str]) -> None:
        self._size -= self._slots.pop(where).cost
