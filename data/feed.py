"""The one road from the log to the bus: rows after the last one seen, in order, each as a signal.

Own events and those of other processes travel alike. Asked after each own commit, at the start of every read, and by
whoever wants to notice other processes without reading. What receivers do about an event is none of its business.
"""

import logging
import threading
from collections.abc import Callable

from data import log as event_log
from data.database import Database
from data.watch import Watch
from events.bus import Bus
from events.catalog import Logged

log = logging.getLogger(__name__)

BATCH = 1000


class Feed:
    """Reads one database's log onwards and sends each row's event on one bus. Safe from any thread."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._lock = threading.RLock()
        self._watch: Watch | None = None
        self._reading = False
        self.seq = 0
        """The last row that has been sent (or that was there before the feed started)."""
        self._token = 0
        self.on_rewind: list[Callable[[], None]] = []
        """Called when the last row that was sent is gone: a backup was restored under the running app."""

    def start(self) -> None:
        """Begin after the newest row there is now; older rows are for who keeps something from before to judge."""
        with self._lock:
            if self._watch is not None:
                return
            self._watch = self._database.watch()
            self.seq, self._token = self._watch.newest()
            self._database.after_commit.append(self._told)

    def stop(self) -> None:
        """Send no more. May be called again."""
        with self._lock:
            if self._watch is None:
                return
            self._database.after_commit.remove(self._told)
            self._watch.close()
            self._watch = None

    def catch_up(self) -> int:
        """Send every row that is new, oldest first, and return the seq that everything up to has been sent.

        Blocks for about 1 us when nothing is new; otherwise until all receivers have run. Whoever comes while another
        thread is sending waits for it. A receiver that calls this gets the seq before its own event, at once.
        """
        self._take_turn()
        try:
            if self._watch is None or self._reading:
                return self.seq
            if not self._watch.has_news():
                return self.seq
            self._reading = True
            try:
                self._send_new(self._watch)
            except BaseException:
                self._watch.forget()
                raise
            finally:
                self._reading = False
            return self.seq
        finally:
            self._lock.release()

    def token_at(self, seq: int) -> int | None:
        """Return the token of log row *seq*; None if there is no such row (any more). Takes no pooled connection."""
        self._take_turn()
        try:
            return None if self._watch is None else self._watch.token_at(seq)
        finally:
            self._lock.release()

    def _take_turn(self) -> None:
        """Wait for the thread that is sending, however long that takes, but say who keeps it."""
        while not self._lock.acquire(timeout=self._bus.slow_seconds):
            self._bus.report_slow()

    def _told(self) -> None:
        self.catch_up()

    def _send_new(self, watch: Watch) -> None:
        while True:
            rows = watch.newer_than(self.seq, BATCH)
            # Asked after the rows were read, so they follow what was sent. The newest seq alone would not tell: the
            # log of a restored backup may have passed it.
            if watch.token_at(self.seq) != self._token:
                self._start_over(watch)
                return
            for row in rows:
                logged: Logged = event_log.from_raw(row)
                self._bus.send(logged)
                self.seq, self._token = row[:2]
                if self._watch is not watch:  # a receiver stopped the feed
                    return
            if len(rows) < BATCH and not watch.has_news():  # a receiver may have run a command
                return

    def _start_over(self, watch: Watch) -> None:
        newest, token = watch.newest()
        log.error("event %d is gone from the log, its newest is %d: was a backup restored?", self.seq, newest)
        self.seq, self._token = newest, token
        for told in self.on_rewind:
            told()
