"""What happened to each key since the process began: hits, misses, stale finds, loads and how long they took."""

import threading
from collections import Counter, deque

import msgspec

from cache.store import TierStats

KEPT_TIMES = 512
_COUNTED = ("hits", "misses", "stale", "loads", "load_errors", "timeouts")


class KeyStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one key over all users. A *stale* find is one below its generation or beyond its ttl."""

    key: str
    hits: int
    misses: int
    stale: int
    loads: int
    load_errors: int
    timeouts: int
    """Loads that readers did not wait for any longer (soft), and loads that were given up (hard)."""
    load_ms_p50: float | None
    load_ms_p99: float | None
    """Of the last 512 loads, in milliseconds; None before the first."""


class CacheStats(msgspec.Struct, frozen=True, kw_only=True):
    """What happened since the process began: by key (of the table; by subsystem for what is set by name), by tier."""

    keys: tuple[KeyStats, ...]
    tiers: tuple[TierStats, ...]


class Counts:
    """Counters by key. Safe from any thread."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seconds: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def add(self, key: str, what: str) -> None:
        """Count one of `hits`, `misses`, `stale`, `load_errors`, `timeouts`."""
        with self._lock:
            self._counts[key, what] += 1

    def add_hits(self, keys: list[str]) -> None:
        """Count a hit for each of *keys*."""
        with self._lock:
            self._counts.update((key, "hits") for key in keys)

    def loaded(self, key: str, seconds: float) -> None:
        """Count a load that took *seconds*."""
        with self._lock:
            self._counts[key, "loads"] += 1
            self._seconds.setdefault(key, deque(maxlen=KEPT_TIMES)).append(seconds)

    def total(self) -> int:
        """Return how much has happened in all: a number that changes with every read and load."""
        with self._lock:
            return self._counts.total()

    def of(self, key: str) -> KeyStats:
        """Return the counts of *key*."""
        with self._lock:
            counts = {name: self._counts[key, name] for name in _COUNTED}
            times = sorted(self._seconds.get(key, ()))
        return KeyStats(
            key=key,
            **counts,
            load_ms_p50=_quantile_ms(times, 0.50),
            load_ms_p99=_quantile_ms(times, 0.99),
        )


def _quantile_ms(times: list[float], share: float) -> float | None:
    return times[min(int(share * len(times)), len(times) - 1)] * 1000 if times else None
