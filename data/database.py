"""The database of record: one queue of writers, a pool of readers, and the moment after a commit.

A command is a function of a `Transaction`; it changes tables and records what happened in one immediate transaction,
and whoever follows the log is told before `write` returns. Readers get a `ReadTransaction`: one unchanging state with
the log's `seq` of that state. Which tables there are is in `models`, what the log holds in `log`.
"""

import contextlib
import functools
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from data import backup, check, connections, migrations
from data import log as event_log
from data.connections import Share
from data.errors import (
    DatabaseBusyError,
    DatabaseUnusableError,
    UnrecordedChangeError,
)
from data.files import Files, as_sentence, damaged, sentences
from data.pieces import Piece, Pieces, anew
from data.sqlite import sqlite
from data.watch import Watch
from events.catalog import Event

if TYPE_CHECKING:
    from data.viewpoint import Viewpoint

log = logging.getLogger(__name__)

T = TypeVar("T")
P = TypeVar("P", Engine, Files)
Clock = Callable[[], datetime]

READERS = 8
LOADERS = 4

STAGED = "staged"
"""What a command calls the second file that `Database.write` attaches for it."""


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


class Transaction:
    """What a command works with: a session inside one immediate transaction, and the log."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self._recorded = 0

    def record(self, *happened: Event) -> None:
        """Write what *happened* to the event log, in this order, in this transaction."""
        event_log.append(self.session, *happened)
        self._recorded += len(happened)

    def waive_event(self) -> None:
        """Say that this command may go without an event: what it changes is housekeeping, and in no value."""
        self._recorded += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTransaction:
    """One unchanging state of the database.

    `seq` is the newest log row of that state (0 if the log is empty) and `token` that row's token. `pieces` is where
    parts of long calculations come from: computed anew, unless somebody keeps them. `share`
    says who closes it. It is of one reader, who looks from one viewpoint.
    """

    connection: Connection
    seq: int
    token: int
    share: Share
    pieces: Pieces = anew
    found: dict[tuple[Piece, str], Any] = field(default_factory=dict)

    def piece(self, piece: Piece, view: "Viewpoint", part: str) -> Any:
        """Return one part of a calculation of the user of *view*, as of this state; looked for once."""
        return self.parts(piece, view, (part,))[0]

    def parts(self, piece: Piece, view: "Viewpoint", parts: Sequence[str]) -> list[Any]:
        """Return several parts at once, in this order."""
        missing = [part for part in parts if (piece, part) not in self.found]
        if missing:
            for part, found in zip(missing, self.pieces(piece, self, view, missing), strict=True):
                self.found[piece, part] = found
        return [self.found[piece, part] for part in parts]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep it open for this `with`, also if whoever opened it leaves: for a thread that reads in it for them."""
        self.share.take()
        try:
            yield
        finally:
            self.share.leave()

    def abandon(self) -> None:
        """Stop the statement that is running, from any thread, and let nobody else have the connection afterwards.

        One that begins later is not stopped: call it again until whoever reads has noticed. Does nothing once it is
        closed.
        """
        self.share.interrupt()


class Database:
    """The database behind one URL. `open` before use, `close` after; both may be called again."""

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self.url = url
        self.clock = clock
        self.after_commit: list[Callable[[], None]] = []
        """Called by the thread that called `write`, after each commit and before `write` returns. Errors are logged."""
        self._commands: queue.SimpleQueue[tuple[Callable[[Transaction], Any], Path | None, Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._writer: threading.Thread | None = None
        self._write_engine: Engine | None = None
        self._read_engine: Engine | None = None
        self._load_engine: Engine | None = None
        self._files: Files | None = None
        self._lock = threading.Lock()

    @functools.cached_property
    def file(self) -> Path:
        """The file behind the URL."""
        return Path(make_url(self.url).database or "")

    @property
    def is_open(self) -> bool:
        """Whether it can be used in this process."""
        return self._writer is not None

    def open(self, *, look: bool = False) -> None:
        """Create the file if there is none, bring its tables to this version, and start the writer.

        A copy of the file is kept before an upgrade. *look* says to look first whether the file is sound (0.2 s per
        100 MB); before an upgrade this is done anyway.

        Raises:
            DatabaseBusyError: another process kept the write lock for 5 s.
            DatabaseDamagedError: the file is damaged; says what to do.
            DatabaseUnusableError: the path cannot be used, or the file is of a newer version.
        """
        with self._lock:
            if self._writer is not None:
                return
            self._write_engine = self._open_engine(look=look)
            self._files = Files(self.file)
            self._read_engine = connections.engine(self.url, begin="BEGIN", pool_size=READERS, read_only=True)
            self._load_engine = connections.engine(self.url, begin="BEGIN", pool_size=LOADERS, read_only=True)
            self._writer = threading.Thread(target=self._serve_commands, name="database-writer", daemon=True)
            self._writer.start()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Open it for a `with`, and close it afterwards. Raises as `open` does."""
        self.open()
        try:
            yield
        finally:
            self.close()

    def upgrade(self) -> None:
        """Do what `open` does to the file, and let go of it."""
        self._open_engine(look=False).dispose()

    def _open_engine(self, *, look: bool) -> Engine:
        make_file(self.file)
        engine = connections.engine(self.url, begin="BEGIN IMMEDIATE", pool_size=1)
        try:
            if look:
                self._refusedamaged()
            migrations.upgrade(engine, before=self._keep_copy)
        except (sqlite.DatabaseError, DBAPIError) as error:
            engine.dispose()
            raise as_sentence(error, self.file) from error
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _refusedamaged(self) -> None:
        if self.file.exists() and self.file.stat().st_size:
            with check.opened(self.file) as connection:
                problems = check.damage(connection, quick=True)
            if problems:
                raise damaged(problems[0], self.file)

    def _keep_copy(self, version: str) -> None:
        self._refusedamaged()
        kept = backup.copy(self.file, backup.path_for(self.file, f"before-upgrade-of-{version}", self.clock()))
        log.info("kept a copy of the database before its upgrade: %s", kept)

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
            if self._files and self._write_engine and self._files.has_lost_index:
                connections.leave_open(self._write_engine)
            for engine in (self._write_engine, self._read_engine, self._load_engine):
                if engine is not None:
                    engine.dispose()
            self._write_engine = self._read_engine = self._load_engine = self._files = None

    def write(self, command: Callable[[Transaction], T], *, staged: Path | None = None) -> T:
        """Run *command* in one transaction, after those that wait already; return its result once it is on disk.

        The command can read the tables of the SQLite file *staged*, if one is given, as `staged.NAME`.

        Blocks the calling thread (never call it on an event loop). When it returns, every reader that starts later,
        in any process, sees the change and its event. What *command* raises reaches the caller, and nothing was
        written.

        Raises:
            DatabaseBusyError: another process kept the write lock for 5 s.
            DatabaseUnusableError: the database is not open (a forked child has to open its own), or the disk is full;
                or one of its files was removed or replaced while it was open: what was written may be lost.
            UnrecordedChangeError: the command changed rows but recorded no event.
        """
        if threading.current_thread() is self._writer:
            raise RuntimeError("a command cannot run another command: it would wait for itself")
        done: Future[T] = Future()
        with self._lock:  # or `close` could send the writer away in between, and nobody would ever run the command
            if self._writer is None or not self._writer.is_alive():
                raise DatabaseUnusableError(f"{self.file} is not open in this process")
            self._commands.put((command, staged, done))
        result = done.result()
        for told in tuple(self.after_commit):
            try:
                told()
            except Exception:  # it is on disk: an error now would make a person do it again
                log.exception("%r failed after a commit", told)
        return result

    @contextlib.contextmanager
    def read(self, *, for_load: bool = False) -> Iterator[ReadTransaction]:
        """Open a read transaction: everything read in it is of one state, whatever is committed meanwhile.

        Waits while all readers of the pool are taken. Keep it short: an open one keeps the WAL from being recycled.
        What others wait for inside of a read transaction of their own reads *for_load*, from a second pool.

        Raises:
            DatabaseBusyError: all readers of the pool were taken for 30 s.
            DatabaseDamagedError: what is read is damaged.
            DatabaseUnusableError: it is not open, or cannot be read; or one of its files was removed or replaced.
        """
        engine = self._opened(self._load_engine if for_load else self._read_engine)
        self._opened(self._files).refuse_others()
        with sentences(self.file):
            try:
                share = Share(engine.connect())
            except PoolTimeoutError as error:
                raise DatabaseBusyError(
                    f"all {LOADERS if for_load else READERS} readers have been taken for "
                    f"{connections.READER_TIMEOUT_SECONDS:g} s: try again"
                ) from error
            try:
                connection = share.connection
                connection.begin()
                seq, token = event_log.newest(connection)  # the first read fixes the state
                yield ReadTransaction(connection=connection, seq=seq, token=token, share=share)
            finally:
                share.leave()

    def watch(self) -> Watch:
        """Return a cheap way to ask whether anything was committed, by any process."""
        return Watch(self._opened(self._read_engine), self._opened(self._files))

    def _opened(self, part: P | None) -> P:
        if part is None:
            raise DatabaseUnusableError(f"{self.file} is not open in this process")
        return part

    def _serve_commands(self) -> None:
        while (item := self._commands.get()) is not None:
            command, staged, done = item
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(self._run(command, staged))
            except BaseException as error:  # noqa: BLE001  # handed over: `done.result()` raises it in the caller
                done.set_exception(error)

    def _run(self, command: Callable[[Transaction], T], staged: Path | None = None) -> T:
        engine, files = self._opened(self._write_engine), self._opened(self._files)
        files.refuse_others()
        with (
            sentences(self.file),
            _attached(engine, staged),
            _CommandSession(engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            before = _changed_rows(session)
            transaction = Transaction(session, self.clock())
            result = command(transaction)
            session.flush()
            if _changed_rows(session) != before and not transaction._recorded:
                raise UnrecordedChangeError(f"{command!r} changed rows but recorded no event")
        files.refuse_others()  # once more: a commit to a file that nobody finds is none
        return result


def make_file(file: Path) -> None:
    """Create *file* and its folder, unless they exist, for their owner only; SQLite makes those beside it alike."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):  # is not opened: closing it again would drop SQLite's locks on it
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise DatabaseUnusableError(f"{error.filename} of the database cannot be made: {error.strerror}") from error


@contextlib.contextmanager
def _attached(engine: Engine, file: Path | None) -> Iterator[None]:
    """Attach *file* to the one connection of *engine*. SQLite detaches nothing inside a transaction."""
    if file is None:
        yield
        return
    migrations.outside_transaction(engine, f"ATTACH ? AS {STAGED}", str(file))
    try:
        yield
    finally:
        migrations.outside_transaction(engine, f"DETACH {STAGED}")


class _CommandSession(Session):
    """A session that a command cannot commit: the change would be on record without its event."""

    def commit(self) -> None:
        raise RuntimeError("a command commits by itself: leave that to `Database.write`, which wants an event as well")


def _changed_rows(session: Session) -> int:
    return int(session.connection().connection.dbapi_connection.total_changes)  # type: ignore[union-attr]
