"""The look at the clock: starts the day of every user whose local date has advanced, plans routines, warms summaries.

What is found is recorded by `data.days` and `data.routines`, once per user and date. No job runs at midnight: some days
have none, and a job that was asleep then would be lost. Dates are compared instead.
"""

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime

from cache.errors import CacheError
from cache.manager import CacheManager
from cache.values import PREFERENCES, SUMMARY_DAILY
from data import routines
from data.database import Database
from data.days import start_in_batches
from data.errors import DataError
from data.preferences import CacheMode
from events.catalog import UserId

log = logging.getLogger(__name__)

Warm = Callable[[UserId], object]
"""Makes ready what a user will see first on a new day. Called in the look's thread, after all days have started."""


class DayWatch:
    """Looks for days that are due, and for routines. Safe from any thread; what another process did is not done again.

    Each method blocks for one read and for one transaction per hundred users, and ends early, between two of these,
    once *stopping* is set.
    """

    def __init__(self, database: Database, warm: Warm = lambda user: None) -> None:
        self._database = database
        self._warm = warm
        self._seen: tuple[int, datetime, datetime | None] | None = None  # seq and time of the last plan, and the next

    def look(self, stopping: threading.Event | None = None) -> list[tuple[UserId, date]]:
        """Start the days that are due, then plan routines, then warm; return what was started.

        Raises:
            DataError: the database cannot be used now; the next look finds what this one did not.
        """
        started = []
        for batch in start_in_batches(self._database):
            for user, day in batch:
                log.info("day started user=%s day=%s", user, day)
            started += batch
            if stopping is not None and stopping.is_set():
                return started
        self.plan(stopping)
        for user in dict.fromkeys(user for user, _ in started):
            if stopping is not None and stopping.is_set():
                break
            try:
                self._warm(user)
            except (CacheError, DataError):  # whoever looks at it will see why
                log.warning("nothing was warmed for user %s", user, exc_info=True)
        return started

    def plan(self, stopping: threading.Event | None = None) -> None:
        """Plan the routines that are due. Costs a look at the log until the next one is, or something has changed.

        Raises:
            DataError: the database cannot be used now; the next look finds what this one did not.
        """
        now = self._database.clock()
        with self._database.read() as read:
            seq = read.seq
        if self._seen is not None:
            seen_seq, seen_at, next_turn = self._seen
            if seq == seen_seq and seen_at <= now and (next_turn is None or now < next_turn):
                return
        for batch in routines.plan_in_batches(self._database):
            for planned in batch:
                log.info("routine planned user=%s task=%s day=%s", planned.user, planned.task, planned.day)
            if stopping is not None and stopping.is_set():
                return
        self._seen = (seq, now, routines.next_turn(self._database))


def warm_summary(manager: CacheManager, default_mode: CacheMode) -> Warm:
    """Return what makes the new day's summary ready for users who have everything preloaded."""

    def warm(user: UserId) -> None:
        mode = manager.get_or_load(PREFERENCES, user).cache_mode or default_mode
        if mode is CacheMode.FULL:
            manager.get_or_load(SUMMARY_DAILY, user)

    return warm
