"""Everything there is to say about the values of one user at this moment. Loads nothing."""

from datetime import timedelta

import msgspec

from cache.counts import KeyStats
from cache.manager import CacheManager
from cache.values import VALUES
from cache.why import Why
from events.catalog import UserId


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """One value: what it is called, why it is fresh or stale for this user, and what all users' reads of it came to."""

    label: str
    why: Why
    stats: KeyStats
    age: timedelta | None
    """How long ago it was computed; None if nothing is kept."""

    @property
    def hit_rate(self) -> float | None:
        """Hits among all reads, 0 to 1; None before the first."""
        reads = self.stats.hits + self.stats.misses + self.stats.stale
        return self.stats.hits / reads if reads else None


def inspect(manager: CacheManager, user: UserId) -> tuple[Inspected, ...]:
    """Return all values in the order of the table, judged in one state.

    Raises:
        LoadError: there is no such user.
    """
    stats = {one.key: one for one in manager.get_cache_stats().keys}
    with manager.snapshot(user) as snapshot:
        whys = [(value, snapshot.why(value)) for value in VALUES]
        now = snapshot.now
    return tuple(
        Inspected(
            label=value.label,
            why=why,
            stats=stats[value.key],
            age=None if why.loaded_at is None else now - why.loaded_at,
        )
        for value, why in whys
    )
