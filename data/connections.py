"""How connections to the database file are made, and who closes one that several threads read from.

What is done with them, and how many there are, is in `database`.
"""

import contextlib
import ctypes
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

from data.sqlite import sqlite

BUSY_TIMEOUT_SECONDS = 5.0
READER_TIMEOUT_SECONDS = 30.0
WRITER_CACHE_KB = 65_536
"""At most. An import touches pages of every index in turn: with SQLite's own 2 MB it holds the lock a third longer."""


class Share:
    """A connection that whoever opened it shares with those who read for them; the last to leave closes it.

    Safe from any thread. A connection that is closed while another thread runs a statement on it crashes that thread
    or, as SQLite keeps such a connection alive, leaves it running where nobody can stop it any more.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._holders = 1
        self._lock = threading.Lock()

    def take(self) -> None:
        """Hold the connection as well. Only while somebody who holds it already waits for this."""
        with self._lock:
            if not self._holders:
                raise RuntimeError("the read transaction is closed already")
            self._holders += 1

    def leave(self) -> None:
        """Hold it no longer; the last one ends the transaction and gives the connection back."""
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self.connection.close()  # which rolls back: nothing was written

    def interrupt(self) -> None:
        """Stop the statement that is running, and keep the connection from being given back to the pool.

        For the next one would be stopped in its place, by whoever still wants to stop this one.
        """
        with self._lock:
            if self._holders:
                pooled: Any = self.connection.connection
                if not pooled.is_detached:
                    self.connection.detach()
                pooled.dbapi_connection.interrupt()


def engine(url: str, *, begin: str, pool_size: int, read_only: bool = False) -> Engine:
    """Return an engine for the file of *url*, which has to be there: it is never made by opening it."""
    address = Path(make_url(url).database or "").resolve().as_uri() + "?mode=rw"
    made = create_engine(
        url,
        module=sqlite,
        creator=lambda: sqlite.connect(address, uri=True, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=READER_TIMEOUT_SECONDS,
        hide_parameters=True,  # errors are logged, and what people wrote is not
    )

    @event.listens_for(made, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below: the driver's own is deferred and too late
        cursor = connection.cursor()
        _switch_to_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
            connection.create_function("casefold", 1, _casefold, deterministic=True)
        else:
            cursor.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KB}")
        cursor.close()

    @event.listens_for(made, "begin")
    def start(connection: Connection) -> None:
        with contextlib.closing(connection.connection.cursor()) as cursor:  # SQLAlchemy would take four times as long
            cursor.execute(begin)

    return made


def leave_open(made: Engine) -> None:
    """Keep one connection of *made* from ever being closed, also when the process ends.

    The last connection to close empties the write-ahead log into the database and removes it. One whose index is
    another than that of other processes would throw away what they have written.
    """
    pooled: Any = made.raw_connection()
    pooled.detach()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(pooled.dbapi_connection))


def _casefold(text: str | None) -> str:
    """What readers may compare text by: SQLite's own functions know the case of ASCII letters only."""
    return (text or "").casefold()


def _switch_to_wal(cursor: Any) -> None:
    # SQLite does not wait in this statement, whatever the timeout: of two that make a new file, one would fail at once.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
