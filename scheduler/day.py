"""The look at the clock: starts the day of every user whose local date has advanced, and plans routines.

What is found is recorded by `data.days` and `data.routines`, once per user and date. No job runs at midnight: some days
have none, and a job that was asleep then would be lost. Dates are compared instead. What is made ready for a day that
has started is up to `warmth`.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
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
    of these, once *stopping* is set. Nobody without a page open waits for a day, so there is a rest after each batch of
    users, for as long as it took. *started* is told after each transaction whose day it started, and must not block.
    Whom *waiting* names, at the beginning of a look, has a page open, and comes before all others.
    """

    def __init__(
        self,
        database: Database,
        started: Callable[[Iterable[UserId]], object] = lambda users: None,
        waiting: Callable[[], Collection[UserId]] = frozenset,
    ) -> None:
        self._database = database
        self._started = started
        self._waiting = waiting
        self._seen: tuple[int, datetime, datetime | None] | None = None  # seq and time of the last plan, and the next

    def look(self, stopping: threading.Event | None = None) -> list[tuple[UserId, date]]:
        """Start the days that are due, then plan routines; return what was started.

        Raises:
            DataError: the database cannot be used now; the next look finds what this one did not.
        """
        stopping = stopping or threading.Event()
        started = []
        began = time.monotonic()
        for batch in start_in_batches(self._database, self._waiting()):
            for user, day in batch:
                log.info("day started user=%s day=%s", user, day)
            started += batch
            self._started(user for user, _ in batch)
            if stopping.wait(time.monotonic() - began):
                return started
            began = time.monotonic()
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
        for batch in routines.plan_in_batches(self._database, self._waiting()):
            for planned in batch:
                log.info("routine planned user=%s task=%s day=%s", planned.user, planned.task, planned.day)
            if stopping is not None and stopping.is_set():
                return
        self._seen = (seq, now, routines.next_turn(self._database))


def work(
    database: Database, manager: CacheManager, waiting: Callable[[], Collection[UserId]] = frozenset
) -> dict[str, Work]:
    """Return what does the jobs that belong to a day, by name: it starts, it has its routines, and it is made ready.

    *waiting* returns who has a page open; it is called by the workers.
    """
    warmth = Warmth(database, manager)
    watch = DayWatch(database, started=warmth.expect, waiting=waiting)
    return {"day": watch.look, "routines": watch.plan, "warmth": warmth.warm}
