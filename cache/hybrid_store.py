"""Memory before disk: what was read once is in memory, what was computed once survives a restart."""

from collections.abc import Iterable
from datetime import datetime

from cache.entries import Entry
from cache.file_store import FileStore
from cache.memory_store import MemoryStore
from cache.store import IsOutdated, Place, TierStats
from events.catalog import UserId


class HybridStore:
    """Two tiers as one store. They may be shared with stores that use one of them alone."""

    is_shared = True

    def __init__(self, front: MemoryStore, back: FileStore) -> None:
        self._front = front
        self._back = back
        back.is_used_elsewhere = front.is_used  # what memory answers for, the disk is never asked for

    def get(self, place: Place, least_as_of: int = 0, *, loaded_since: datetime | None = None) -> Entry | None:
        """Return what memory has, or, if that is of before *least_as_of* or *loaded_since*, what the disk has.

        What comes from the disk is in memory afterwards: another process, or this one before a restart, computed it.
        """
        entry = self._front.get(place, least_as_of)
        if entry is not None and entry.as_of >= least_as_of and (not loaded_since or entry.loaded_at >= loaded_since):
            return entry
        # Not read and decoded if it is the same, as after each invalidation: both tiers were set at once.
        found = self._back.get(place, least_as_of, beyond=entry)
        if found is None:
            return entry
        self._front.set(place, found)
        return found

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry* in both tiers."""
        kept_in_front = self._front.set(place, entry)
        return self._back.set(place, entry) or kept_in_front

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys of both tiers."""
        return {*self._front.keys(user), *self._back.keys(user)}

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop from both tiers; counts an entry once for each tier it was in."""
        return self._front.clear(user, prefix) + self._back.clear(user, prefix)

    def reclaim(self, is_outdated: IsOutdated, most: int = 500) -> int:
        """Drop what *is_outdated* among the next *most* entries of each tier."""
        return self._front.reclaim(is_outdated, most) + self._back.reclaim(is_outdated, most)

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of both tiers."""
        return self._front.stats() + self._back.stats()

    def close(self) -> None:
        """Close both tiers."""
        self._front.close()
        self._back.close()
