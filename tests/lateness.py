"""By how much an event loop is late, how much of that is its own doing, and how that is counted."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One look: the loop came back so many seconds late, of which `own` were no waiting for a processor."""

    seconds: float
    own: float


def waits() -> dict[str, int]:
    """Return, by thread, the nanoseconds for which it could have run while other programs did; none if nobody says."""
    found = {}
    for thread in Path("/proc/self/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has just ended
            found[thread.parent.name] = int(thread.read_text().split()[1])
    return found


async def look(rest: float) -> Late:
    """Sleep for *rest* seconds, and return by how much longer that took.

    On a machine that others use, a part was spent waiting for a processor, by the loop or by who held it up: at least
    as long as the one of them that waited most.
    """
    before = waits()
    began = time.perf_counter()
    await asyncio.sleep(rest)
    seconds = max(0.0, time.perf_counter() - began - rest)
    waited = max((now - before.get(thread, now) for thread, now in waits().items()), default=0) / 1e9
    return Late(seconds=seconds, own=max(0.0, seconds - waited))


async def watch(rest: float, seen: Callable[[Late], None]) -> None:
    """Look again and again."""
    while True:
        seen(await look(rest))


def by_time(late: Sequence[float], rest: float) -> list[float]:
    """Return what would have been seen by one who comes every *rest* seconds, also while the loop stands still.

    Whoever comes in the middle of a stall waits for the rest of it; a loop that looks for itself counts it once only,
    however long it was.
    """
    seen = []
    for seconds in late:
        left = seconds
        seen.append(left)
        while left > rest:
            left -= rest
            seen.append(left)
    return seen


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of *values* do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0
