"""Warmth: makes ready what users who have everything preloaded will see first on a day that has started.

A job of its own, beside the look that starts days and one user after another, so that nobody's day, command or page
waits for it. Users who are looking need it least: `cache.warming` loads again what went stale for them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from cache.errors import CacheError
from cache.manager import CacheManager
from cache.values import SUMMARY_DAILY
from data import preferences
from data.database import Database
from data.errors import DataError
from data.preferences import CacheMode
from events.catalog import UserId

log = logging.getLogger(__name__)


class Warmth:
    """Whose summary is still to be made ready. Safe from any thread."""

    def __init__(self, database: Database, manager: CacheManager, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._manager = manager
        self._clock = clock
        self._expected: dict[UserId, None] = {}
        self._lock = threading.Lock()

    def expect(self, users: Iterable[UserId]) -> None:
        """Say that the day of *users* has started. Costs nothing now; `warm` finds out whom it concerns."""
        with self._lock:
            self._expected.update(dict.fromkeys(users))

    def warm(self, stopping: threading.Event) -> None:
        """Make ready the summaries of those in mode `full` whose day has started since it was done last.

        Rests after each for as long as that took: readers have at least half of the time to themselves. Ends early,
        between two users, once *stopping* is set.

        Raises:
            DataError: the database cannot be used now; the next call finds whom this one did not.
        """
        with self._lock:
            expected = list(self._expected)
        if not expected:
            return
        full = preferences.users_in(self._database, CacheMode.FULL, default=self._manager.settings.mode)
        for user in expected:
            with self._lock:  # before it is done: another day may start meanwhile
                self._expected.pop(user, None)
            if user in full:
                began = self._clock()
                self._warm(user)
                if stopping.wait(self._clock() - began):
                    return

    def _warm(self, user: UserId) -> None:
        try:
            self._manager.get_or_load(SUMMARY_DAILY, user)
        except (CacheError, DataError):  # whoever looks at it will see why
            log.warning("nothing was warmed for user %s", user, exc_info=True)
