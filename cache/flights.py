"""Single flight: of many readers that miss the same value at the same generation, one load serves all.

Nobody joins a flight that began before the last invalidation of its key. A flight has an end: who waits may leave
before it, and one that takes too long is given up, so that the next reader tries again. What a load does is in
`loading`; this module knows who waits for which.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from cache.entries import Entry
from cache.errors import LoadError, LoadStoppedError
from data.pieces import Stopped
from events.catalog import UserId

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 5.0

Route = tuple[UserId, str, int]
"""Whose value, under which key, at which generation."""


class Flight:
    """One load under way. Safe from any thread."""

    def __init__(self, route: Route, seconds: float, name: str) -> None:
        self.route = route
        self.name = name
        """The value's own key, without the day."""
        self.ends_at = time.monotonic() + seconds
        self.abandon: Callable[[], None] | None = None
        """Stops what the load is reading; set by the load once there is something to stop, None again at its end."""
        self.stopped: Stopped | None = None
        """Set if whoever began it stopped it, who speaks for nobody else: to the others it failed."""
        self._landed: Future[Entry] = Future()
        self._was_left = False
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether it has landed, failed, or been given up."""
        return self._landed.done()

    @property
    def is_overdue(self) -> bool:
        """Whether it has taken longer than it may."""
        return time.monotonic() >= self.ends_at

    def wait(self, seconds: float | None = None) -> Entry | None:
        """Return what was loaded; None if that takes longer than *seconds*, or (None) than the flight may last.

        Raises:
            LoadError: it failed, or was given up.
        """
        left = max(0.0, self.ends_at - time.monotonic())
        try:
            return self._landed.result(left if seconds is None else min(seconds, left))
        except TimeoutError:
            with self._lock:
                if not self._landed.done():
                    self._was_left = True
                    return None
            return self._landed.result()

    def land(self, entry: Entry) -> bool:
        """Hand *entry* to all who wait; return whether somebody has left before."""
        with self._lock:
            if not self._landed.done():
                self._landed.set_result(entry)
            return self._was_left

    def fail(self, error: BaseException) -> bool:
        """Let all who wait raise *error*; return whether somebody has left before."""
        if isinstance(error, Stopped):
            self.stopped = error
            error = LoadStoppedError(self.route[1])
        with self._lock:
            if not self._landed.done():
                self._landed.set_exception(error)
            return self._was_left


class Flights:
    """The loads under way in this process. Safe from any thread."""

    def __init__(self) -> None:
        self._under_way: dict[Route, Flight] = {}
        self._lock = threading.Lock()

    def find(self, route: Route) -> Flight | None:
        """Return the flight on *route*, if there is one."""
        return self._under_way.get(route)

    def join(self, route: Route, seconds: float, name: str) -> tuple[Flight, bool]:
        """Return the flight on *route*, and whether it is new: then the caller has to begin its load.

        It may last for *seconds*; one that has lasted longer than it might is joined by nobody.
        """
        with self._lock:
            flight = self._under_way.get(route)
            if flight is not None and not flight.is_overdue:
                return flight, False
            flight = self._under_way[route] = Flight(route, seconds, name)
        return flight, True

    def overdue(self) -> list[Flight]:
        """Return those that have taken longer than they may, whoever began them."""
        with self._lock:
            return [flight for flight in self._under_way.values() if flight.is_overdue]

    def give_up(self, flight: Flight) -> tuple[bool, bool]:
        """End *flight* with an error, and stop what it reads.

        Returns whether it was under way until now, and whether somebody has left before.
        """
        self.close(flight)
        if flight.is_over:
            return False, False
        was_left = flight.fail(LoadError(flight.route[1], TimeoutError("it took longer than it may")))
        try:
            threading.Thread(target=_stop, args=(flight,), name="cache-stop", daemon=True).start()
        except RuntimeError:  # there can be no more threads: once is better than not at all
            _stop_once(flight)
        return True, was_left

    def close(self, flight: Flight) -> None:
        """Let nobody join *flight* any more. Before it lands: whoever comes then finds what was kept."""
        with self._lock:
            if self._under_way.get(flight.route) is flight:
                del self._under_way[flight.route]


def _stop(flight: Flight) -> None:
    """Stop what a load reads, again and again, as it may be between two statements; ever more rarely."""
    pause = FIRST_PAUSE_SECONDS
    while _stop_once(flight):
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _stop_once(flight: Flight) -> bool:
    """Return whether there was something to stop."""
    abandon = flight.abandon
    if abandon is None:
        return False
    try:
        abandon()
    except Exception:  # it is closing what it reads at this moment
        log.debug("what %s reads could not be stopped", flight.name, exc_info=True)
    return True
