"""Everything there is to say about the values of one user at this moment. Loads nothing."""

from collections import Counter
from datetime import timedelta

import msgspec

from cache.counts import KeyStats
from cache.journal import Happened
from cache.manager import CacheManager
from cache.pieces import PIECES
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
        return hit_rate(self.stats)


class InspectedParts(msgspec.Struct, frozen=True, kw_only=True):
    """A value that is kept in parts: how many parts are kept for this user, and what all users' reads came to."""

    label: str
    key: str
    kept: int
    stats: KeyStats


def inspect_parts(manager: CacheManager, user: UserId) -> tuple[InspectedParts, ...]:
    """Return what is kept in parts, in the order of its table."""
    stats = {one.key: one for one in manager.get_cache_stats().keys}
    kept = Counter(value.key for value in manager.kept_parts(user))
    return tuple(
        InspectedParts(label=row.label, key=row.key, kept=kept[row.key], stats=stats[row.key]) for row in PIECES
    )


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


def recent(manager: CacheManager, user: UserId, most: int) -> tuple[Happened, ...]:
    """Return the last events of *user*, newest first. Of those before the start nobody knows any more what they had
    loaded or redrawn.
    """
    with manager.snapshot(user) as snapshot:
        trail = snapshot.trail(most)
    known = {one.seq: one for one in manager.journal.latest(user)}
    of_the_log = {
        logged.seq: Happened(
            seq=logged.seq,
            event=logged.event.name,
            at=logged.event.at,
            prefixes=tuple(prefix or "*" for prefix in prefixes),
            loads=(),
            redraws=(),
        )
        for logged, prefixes in trail
    }
    return tuple(one for _, one in sorted({**of_the_log, **known}.items(), reverse=True)[:most])


def hit_rate(stats: KeyStats) -> float | None:
    """Return hits among all reads, 0 to 1; None before the first."""
    reads = stats.hits + stats.misses + stats.stale
    return stats.hits / reads if reads else None
