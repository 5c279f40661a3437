"""By how much an event loop or a process is late, how much of that is its own doing, and how that is counted."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_WAITS = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """One look: the loop came back so many seconds late, and `own` without what its thread waited for a processor."""

    seconds: float
    own: float


async def watch(rest: float, seen: Callable[[Late], None]) -> None:
    """Sleep for *rest* seconds, say by how much longer that took, and begin again."""
    with _waited() as waited:
        while True:
            before, began = waited(), time.perf_counter()
            await asyncio.sleep(rest)
            seconds = max(0.0, time.perf_counter() - began - rest)
            seen(Late(seconds=seconds, own=max(0.0, seconds - (waited() - before))))


@contextlib.contextmanager
def _waited() -> Iterator[Callable[[], float]]:
    """How many seconds this thread could have run while other programs did; always 0 where nobody says.

    One call of the system, no more: after each, the thread has to get hold of Python's lock again.
    """
    try:
        handle = os.open(_WAITS, os.O_RDONLY)
    except OSError:
        yield lambda: 0.0
        return
    try:
        yield lambda: int(os.pread(handle, 100, 0).split()[1]) / 1e9
    finally:
        os.close(handle)


def waits(process: int | str = "self") -> dict[str, int]:
    """Return, by thread, the nanoseconds for which it could have run while other programs did; none if nobody says."""
    found = {}
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has just ended
            found[thread.parent.name] = int(thread.read_text().split()[1])
    return found


def longest_wait(before: dict[str, int], process: int | str = "self") -> float:
    """Return the seconds that the one of its threads which waited most has waited since *before*."""
    return max((now - before.get(thread, now) for thread, now in waits(process).items()), default=0) / 1e9


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
