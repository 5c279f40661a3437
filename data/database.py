"""The database of record: one queue of writers, a pool of readers, and the moment after a commit.

A command is a function of a `Transaction`; it changes tables and records what happened in one immediate transaction,
and whoever follows the log is told before `write` returns. Readers get a `ReadTransaction`: one unchanging state with
the log's `seq` of that state. Which tables there are is in `models`, what the log holds in `log`.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from data import log as event_log
from data import migrations
from data.errors import DatabaseBusyError, DatabaseUnusableError, DataError, UnrecordedChangeError
from data.sqlite import sqlite
from data.watch import Watch
from events.catalog import Event

log = logging.getLogger(__name__)

T = TypeVar("T")
Clock = Callable[[], datetime]

BUSY_TIMEOUT_SECONDS = 5.0
READERS = 8
READER_TIMEOUT_SECONDS = 30.0


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


class Transaction:
    """What a command works with: a session inside one immediate transaction, and the log."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self._recorded = 0

    def record(self, happened: Event) -> None:
        """Write *happened* to the event log, in this transaction."""
        event_log.append(self.session, happened)
        self._recorded += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTransaction:
    """One unchanging state of the database.

    `seq` is the newest log row of that state (0 if the log is empty) and `token` that row's token.
    """

    connection: Connection
    seq: int
    token: int


class Database:
    """The database behind one URL. `open` before use, `close` after; both may be called again."""

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self.url = url
        self.clock = clock
        self.after_commit: list[Callable[[], None]] = []
        """Called by the thread that called `write`, after each commit and before `write` returns. Errors are logged."""
        self._commands: queue.SimpleQueue[tuple[Callable[[Transaction], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._write_engine: Engine | None = None
        self._read_engine: Engine | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Create the file if there is none, bring its tables to this version, and start the writer.

        Raises:
            DatabaseBusyError: another process kept the write lock for 5 s.
            DatabaseUnusableError: the path cannot be used, or the file is damaged or of a newer version.
        """
        with self._lock:
            if self._writer is not None:
                return
            make_folder(self.url)
            write_engine = _engine(self.url, begin="BEGIN IMMEDIATE", pool_size=1)
            try:
                migrations.upgrade(write_engine)
            except (sqlite.DatabaseError, DBAPIError) as error:
                write_engine.dispose()
                raise _as_sentence(error, self.url) from error
            except BaseException:
                write_engine.dispose()
                raise
            self._write_engine = write_engine
            self._read_engine = _engine(self.url, begin="BEGIN", pool_size=READERS, read_only=True)
            self._writer = threading.Thread(target=self._serve_commands, name="database-writer", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Finish the commands that wait, then let go of the file."""
        if threading.current_thread() is self._writer:
            raise RuntimeError("a command cannot close the database: it would wait for its own end")
        with self._lock:
            if self._writer is None:
                return
            self._commands.put(None)
            self._writer.join()
            self._writer = None
            for engine in (self._write_engine, self._read_engine):
                if engine is not None:
                    engine.dispose()
            self._write_engine = self._read_engine = None

    def write(self, command: Callable[[Transaction], T]) -> T:
        """Run *command* in one transaction, after those that wait already; return its result once it is on disk.

        Blocks the calling thread (never call it on an event loop). When it returns, every reader that starts later,
        in any process, sees the change and its event. What *command* raises reaches the caller, and nothing was
        written.

        Raises:
            DatabaseBusyError: another process kept the write lock for 5 s.
            DatabaseUnusableError: the database is not open (a forked child has to open its own), or the disk is full.
            UnrecordedChangeError: the command changed rows but recorded no event.
        """
        if threading.current_thread() is self._writer:
            raise RuntimeError("a command cannot run another command: it would wait for itself")
        done: Future[T] = Future()
        with self._lock:  # or `close` could send the writer away in between, and nobody would ever run the command
            if self._writer is None or not self._writer.is_alive():
                raise DatabaseUnusableError(f"{self.url} is not open in this process")
            self._commands.put((command, done))
        result = done.result()
        for told in tuple(self.after_commit):
            try:
                told()
            except Exception:  # it is on disk: an error now would make a person do it again
                log.exception("%r failed after a commit", told)
        return result

    @contextlib.contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        """Open a read transaction: everything read in it is of one state, whatever is committed meanwhile.

        Waits while all readers of the pool are taken. Keep it short: an open one keeps the WAL from being recycled.

        Raises:
            DatabaseBusyError: all readers of the pool were taken for 30 s.
        """
        engine = self._opened_readers()
        try:
            connection = engine.connect()
        except PoolTimeoutError as error:
            raise DatabaseBusyError(
                f"all {READERS} readers have been taken for {READER_TIMEOUT_SECONDS:g} s: try again"
            ) from error
        with connection, connection.begin():
            seq, token = event_log.newest(connection)  # the first read fixes the state
            yield ReadTransaction(connection=connection, seq=seq, token=token)

    def watch(self) -> Watch:
        """Return a cheap way to ask whether anything was committed, by any process."""
        return Watch(self._opened_readers())

    def _opened_readers(self) -> Engine:
        engine = self._read_engine
        if engine is None:
            raise DatabaseUnusableError(f"{self.url} is not open in this process")
        return engine

    def _serve_commands(self) -> None:
        while (item := self._commands.get()) is not None:
            command, done = item
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(self._run(command))
            except BaseException as error:  # noqa: BLE001  # handed over: `done.result()` raises it in the caller
                done.set_exception(error)

    def _run(self, command: Callable[[Transaction], T]) -> T:
        assert self._write_engine is not None
        try:
            with _CommandSession(self._write_engine, expire_on_commit=False) as session, session.begin():
                before = _changed_rows(session)
                transaction = Transaction(session, self.clock())
                result = command(transaction)
                session.flush()
                if _changed_rows(session) != before and not transaction._recorded:
                    raise UnrecordedChangeError(f"{command!r} changed rows but recorded no event")
                return result
        except OperationalError as error:
            raise _as_sentence(error, self.url) from error


def make_folder(url: str) -> None:
    """Create the folder of a SQLite *url*, readable by its owner only."""
    path = make_url(url).database
    if path:
        folder = Path(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DatabaseUnusableError(
                f"the folder {folder} of the database cannot be made: {error.strerror}"
            ) from error


def _engine(url: str, *, begin: str, pool_size: int, read_only: bool = False) -> Engine:
    engine = create_engine(
        url,
        module=sqlite,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=READER_TIMEOUT_SECONDS,
        hide_parameters=True,  # errors are logged, and what people wrote is not
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below: the driver's own is deferred and too late
        cursor = connection.cursor()
        _switch_to_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
            connection.create_function("casefold", 1, _casefold, deterministic=True)
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


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


class _CommandSession(Session):
    """A session that a command cannot commit: the change would be on record without its event."""

    def commit(self) -> None:
        raise RuntimeError("a command commits by itself: leave that to `Database.write`, which wants an event as well")


def _as_sentence(error: Exception, url: str) -> DataError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if "locked" in str(cause):
        return DatabaseBusyError(
            f"another process has been writing for {BUSY_TIMEOUT_SECONDS:g} s: nothing was changed, try again"
        )
    return DatabaseUnusableError(f"{url}: {cause}")


def _changed_rows(session: Session) -> int:
    return int(session.connection().connection.dbapi_connection.total_changes)  # type: ignore[union-attr]
