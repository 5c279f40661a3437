"""How Python's garbage is collected without anybody having to wait for it.

The collector stops all threads, for longer the more it looks through: two million objects, which is what a hundred open
pages come to, take it two seconds. So it looks through what is new only, some thousands of objects at a time, and never
again through what it has seen (`gc.freeze`). What falls out of use later is freed at once all the same, unless it hangs
together in a circle. Pages and their lines do not (`pages.controls.Ending`, `pages.thrift`); what libraries leave of
each does, a few small objects, and waits for the `Sweeper`.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator

COLLECT_AFTER = (3_000, 1, 1_000)
"""The thresholds of `gc`: at how many new objects it looks at these, how often it does so before it looks at all that
came since it spared the last, and what would have it look through everything, which is never reached."""
QUIET_SECONDS = 1_800.0
BUSY_SECONDS = 3_600.0


@contextlib.contextmanager
def spared() -> Iterator[None]:
    """Spare the collector what there is already, and in this `with` also all that it has looked through once."""
    before = gc.get_threshold()
    look_through_everything()
    gc.set_threshold(*COLLECT_AFTER)
    gc.callbacks.append(_spare)
    try:
        yield
    finally:
        gc.callbacks.remove(_spare)
        gc.set_threshold(*before)
        gc.unfreeze()


def look_through_everything() -> int:
    """Collect what is garbage, spare the rest; return how many objects were in circles that nobody needs."""
    gc.unfreeze()
    found = gc.collect()
    gc.freeze()
    return found


def _spare(phase: str, looked: dict[str, int]) -> None:
    """Is called by the collector, in whichever thread it runs."""
    if phase == "stop" and looked["generation"] > 0:
        gc.freeze()


class Sweeper:
    """Looks through everything once in a while: half an hour after the last time if nobody is there, else an hour."""

    def __init__(self, is_anybody_there: Callable[[], bool], seconds: Callable[[], float] = time.monotonic) -> None:
        self._is_anybody_there = is_anybody_there
        self._seconds = seconds
        self._swept_at = seconds()

    def sweep(self) -> int | None:
        """Do it if it is due; return what `look_through_everything` does, None if it was not due."""
        rest = BUSY_SECONDS if self._is_anybody_there() else QUIET_SECONDS
        if self._seconds() - self._swept_at < rest:
            return None
        found = look_through_everything()
        self._swept_at = self._seconds()
        return found
