"""Single flight: of many readers that miss the same value at the same generation, one computes and the rest wait.

Nobody joins a flight that began before the last invalidation of its key. If the loader raises, all who wait get the
error, and the next caller tries again.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from cache.entries import Entry
from cache.errors import LoadError
from events.catalog import UserId


class Flights:
    """The loads under way in this process. Safe from any thread; a waiter blocks its own thread only."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[UserId, str, int], Future[Entry]] = {}
        self._lock = threading.Lock()

    def join(self, user: UserId, key: str, generation: int, load: Callable[[], Entry]) -> Entry:
        """Return the entry of this generation: by calling *load*, or by waiting for whoever is calling it already."""
        flight = (user, key, generation)
        with self._lock:
            other = self._under_way.get(flight)
            if other is None:
                own: Future[Entry] = Future()
                self._under_way[flight] = own
        if other is not None:
            return other.result()
        try:
            entry = load()
        except BaseException as error:
            self._land(flight)
            stopped = LoadError(key, RuntimeError("it was stopped"))  # by its own reader, who speaks for nobody else
            own.set_exception(error if isinstance(error, Exception) else stopped)
            raise
        self._land(flight)
        own.set_result(entry)
        return entry

    def _land(self, flight: tuple[UserId, str, int]) -> None:
        with self._lock:
            del self._under_way[flight]
