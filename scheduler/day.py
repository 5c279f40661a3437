"""The look at the clock: starts the day of every user whose local date has advanced, and plans routines.

What is found is recorded by `data.days` and `data.routines`, once per user and date. No job runs at midnight: some days
have none, and a job that was asleep then would be lost. Dates are compared instead. What is made ready for a day that
has started is up to `warmth`.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime

from cache.manager import CacheManager
from data import routines
from data.database import Database
from data.days import start_in_batches
from events.catalog import UserId
from scheduler.jobs import Work
from scheduler.warmth import Warmth

log = logging.getLogger(__name__)


class DayWatch:
    """Looks for days that are due, and for routines. Safe from any thread; what another process did is not done again.

    Each method blocks for one read and for one transaction per batch of users or routines, and ends early, between two
    of these, once *stopping* is set. *started* is told after each transaction whose day it started, and must not block.
    """

    def __init__(self, database: Database, started: Callable[[Iterable[UserId]], object] = lambda users: None) -> None:
        self._database = database
        self._started = started
        self._seen: tuple[int, datetime, datetime | None] | None = None  # seq and time of the last plan, and the next

    def look(self, stopping: threading.Event | None = None) -> list[tuple[UserId, date]]:
        """Start the days that are due, then plan routines; return what was started.

        Raises:
            DataError: the database cannot be used now; the next look finds what this one did not.
        """
        started = []
        for batch in start_in_batches(self._database):
            for user, day in batch:
                log.info("day started user=%s day=%s", user, day)
            started += batch
            self._started(user for user, _ in batch)
            if stopping is not None and stopping.is_set():
                return started
        self.plan(stopping)
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


def work(database: Database, manager: CacheManager) -> dict[str, Work]:
    """Return what does the jobs that belong to a day, by name: it starts, it has its routines, and it is made ready."""
    warmth = Warmth(database, manager)
    watch = DayWatch(database, started=warmth.expect)
    return {"day": watch.look, "routines": watch.plan, "warmth": warmth.warm}
