"""What every place for entries can do. The places are in `memory_store`, `file_store` and `hybrid_store`.

A store keeps, finds, evicts and clears. Whether an entry is fresh is none of its business: that is the manager's.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

import msgspec

from cache.entries import Entry
from events.catalog import UserId


class Place(msgspec.Struct, frozen=True):
    """Where one entry is kept and as what: whose, under which key, and how its bytes are read again.

    `shape` changes with the value's version or type, so that bytes of another shape are a miss.
    """

    user: UserId
    key: str
    shape: int
    value_type: Any

    @property
    def address(self) -> str:
        """User and key in one string; distinct for distinct places."""
        return f"{self.user}/{self.key}"


class TierStats(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier holds and has done since the process began. `evictions` counts entries given up for space."""

    tier: str
    entries: int
    size_bytes: int
    max_size_bytes: int
    hits: int
    misses: int
    evictions: int
    errors: int


IsOutdated = Callable[[UserId, str, int, datetime], bool]
"""Whether what is kept for a user under a key, with this `as_of` and `loaded_at`, will never be asked for again."""


class Store(Protocol):
    """A place for entries. Safe from any thread. No method raises for a damaged or unreachable tier: it misses."""

    is_shared: bool
    """Whether other processes find what is kept here."""

    def get(self, place: Place, least_as_of: int = 0, *, loaded_since: datetime | None = None) -> Entry | None:
        """Return what is kept there, fresh or not; None is a miss (a kept None is an `Entry` with that value).

        A store of several tiers looks on while what it found is of before *least_as_of*, or not *loaded_since* then.
        """

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry* if the tier can; return whether it is kept now. May refuse one older than what is there."""

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys that are kept for *user*, fresh or not. Goes through all there is."""

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop by hand: what lies below *prefix*, of one user or (None) of all; return how many entries went."""

    def reclaim(self, is_outdated: IsOutdated, most: int = 500) -> int:
        """Drop what *is_outdated* among the next *most* entries of each tier; return how many entries went.

        The next call goes on where this one stopped, and begins again after the last. No reader waits for it.
        """

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of each tier."""

    def close(self) -> None:
        """Let go of files. May be called again."""


class NullStore:
    """Keeps nothing: the store of mode `disabled`."""

    is_shared = False

    def get(self, place: Place, least_as_of: int = 0, *, loaded_since: datetime | None = None) -> Entry | None:
        """Miss."""
        return None

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep nothing."""
        return False

    def keys(self, user: UserId) -> Iterable[str]:
        """Return no keys."""
        return ()

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop nothing."""
        return 0

    def reclaim(self, is_outdated: IsOutdated, most: int = 500) -> int:
        """Drop nothing."""
        return 0

    def stats(self) -> tuple[TierStats, ...]:
        """Return no tiers."""
        return ()

    def close(self) -> None:
        """Do nothing."""
