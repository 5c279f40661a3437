"""The table in the cache folder: one row per entry, bounded in pages. The only module that knows diskcache.

diskcache makes and opens the database and keeps a connection per thread; rows are read and written by statements of
ours on it, since its own would write each set in eight statements, trust what a row claims about pickles and files (see
CVE-2025-69872), and wait for a lock for a minute. Errors of SQLite are raised as they are; `file_store` answers them.

A folder that is opened by processes must not be carried across a fork: start them with `spawn`.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from diskcache import DEFAULT_SETTINGS, Cache, Disk
from diskcache.core import ENOVAL, METADATA

FORMAT = 2
"""`user_version` of the database; of any other it is begun anew."""

DATABASE = "cache.db"
FILES = (DATABASE, "cache.db-wal", "cache.db-shm", "cache.db-journal")
LOCK_TIMEOUT_SECONDS = 0.25
_LOCK_TIMEOUT_MS = round(LOCK_TIMEOUT_SECONDS * 1000)
PAGE_BYTES = 4096
EVICTION_SEARCH = 256
"""How many rows in use are passed over for one that is not, before the next is taken whatever it is."""

_AT_ONCE = 256
"""Rows per transaction when many are dropped, so that a writer waits for milliseconds only."""

_SPLIT_PAGES = 16
"""What a write may take besides its value, when the trees have to be split."""

_READ = "SELECT value FROM Cache WHERE key = ? AND raw = 1 AND mode = 1 AND filename IS NULL AND typeof(value) = 'blob'"
_READ_BEYOND = f"{_READ} AND (tag, store_time) > (?, ?)"
_WRITE = (
    "INSERT INTO Cache (key, raw, store_time, access_time, tag, mode, value) VALUES (?, 1, ?, 0, ?, 1, ?)"
    " ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time, tag = excluded.tag,"
    " size = 0, mode = 1, filename = NULL, value = excluded.value"
)
_WRITE_OVER_OLDER = f"{_WRITE} WHERE excluded.tag >= tag"
_KEYS = "SELECT rowid, key FROM Cache WHERE key >= ? AND key < ? AND typeof(key) = 'text' ORDER BY key LIMIT ?"
_OTHERS = "SELECT rowid FROM Cache WHERE typeof(key) != 'text' OR key < ? OR key >= ? LIMIT ?"
_NEWEST = "SELECT value FROM Cache WHERE raw = 1 AND mode = 1 AND filename IS NULL ORDER BY tag DESC LIMIT 1"
_LISTED = "SELECT rowid, key, tag, store_time FROM Cache WHERE rowid > ? ORDER BY rowid LIMIT ?"
_EVICTABLE = "SELECT rowid, key, length(value) FROM Cache WHERE rowid > ? ORDER BY rowid LIMIT ?"


class ForeignFolderError(ValueError):
    """The folder holds what this version of the program did not make. Inside this package only."""


class CrowdedError(Exception):
    """Other threads of this process are writing for longer than anybody should wait. Inside this package only."""


class LockedError(sqlite3.OperationalError):
    """Another process is in the way for longer than anybody should wait. Inside this package only."""

    sqlite_errorcode = sqlite3.SQLITE_BUSY


class Bounds:
    """How the bound of the folder is divided between its files, so that all of them together stay within it."""

    def __init__(self, max_bytes: int) -> None:
        self.largest_value = max(max_bytes // 16, min(max_bytes // 4, 2**20))
        """In bytes, as stored: the write-ahead log has to have room for it as well."""
        self.checkpoint_pages = min(max(max_bytes // 32 // PAGE_BYTES, 24), 256)
        self.log_bytes = self.largest_value + (self.checkpoint_pages + 24) * (PAGE_BYTES + 24)
        self.pages = max((max_bytes - self.log_bytes - 32 * 1024) // PAGE_BYTES, 32)
        """Of the database: what the write-ahead log and its index leave."""
        self.spare_pages = min(self.pages // 256, 16)
        """How many more than it takes are evicted at a time. Few: each row that goes may be on a page of its own."""


class _NoFiles(Disk):  # type: ignore[misc]  # diskcache has no types; they end in this file
    """What of diskcache would still come here is refused: no pickle is read, no file touched."""

    def get(self, key: Any, raw: bool) -> str:
        raise ForeignFolderError("diskcache was asked to decode a key")

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        raise ForeignFolderError("diskcache was asked to decode a value")

    def remove(self, file_path: str) -> None:
        """Leave it alone: diskcache would remove any path that a row names, also one outside of the folder."""


class Rows(Cache):  # type: ignore[misc]
    """Bytes by text key, each with an integer (`tag`) and a time that can be read without them. Safe from any thread.

    `is_used` says whether the entry of a key was read lately: such rows are evicted after the others.
    """

    def __init__(self, folder: Path, bounds: Bounds, is_used: Callable[[str], bool]) -> None:
        """Open or make it.

        Raises:
            ForeignFolderError: something else is there, or a database beyond the bound.
            sqlite3.Error: it is damaged, locked by somebody, or cannot be written.
        """
        settings = {
            "statistics": 0,
            "tag_index": 0,
            "eviction_policy": "none",  # no index to be written with each row: rows are evicted in their own order
            "size_limit": bounds.pages * PAGE_BYTES,
            "cull_limit": 0,
            "sqlite_user_version": FORMAT,
            "sqlite_auto_vacuum": 2,  # incremental: only when much was dropped
            "sqlite_cache_size": 512,
            "sqlite_mmap_size": 0,  # reading a mapped file that somebody cuts ends the process
            "sqlite_secure_delete": 0,  # some builds write each freed page once more, with zeros
            "sqlite_synchronous": 0,  # after a power cut it may be damaged, which is found, and it is disposable
            "sqlite_max_page_count": bounds.pages,
            "sqlite_wal_autocheckpoint": bounds.checkpoint_pages,
            "sqlite_journal_size_limit": bounds.checkpoint_pages * PAGE_BYTES,
            "disk_min_file_size": 2**40,
        }
        self._bounds = bounds
        self._is_used = is_used
        self._room = 0  # pages that are free, when it was looked last
        self._log_file = folder / "cache.db-wal"
        self._log_bytes = 0  # of the write-ahead log, at the most
        self._turn = threading.Lock()
        self._hand = 0  # the row that was looked at last for eviction
        self._seen = 0  # the row that was looked at last for being outdated
        self.evictions = 0
        _refuse_cut(folder)
        with contextlib.closing(_connect(folder)) as connection:
            _check(connection, bounds, known={*DEFAULT_SETTINGS, *METADATA, *settings})
            super().__init__(str(folder), timeout=LOCK_TIMEOUT_SECONDS, disk=_NoFiles, **settings)

    @property
    def _sql_retry(self) -> Any:
        """What diskcache opens with: it would try again for a minute, where a miss is all that is lost."""
        connection = self._con
        connection.execute(f"PRAGMA busy_timeout = {_LOCK_TIMEOUT_MS}")
        return connection.execute

    def reset(self, key: str, value: Any = ENOVAL, update: bool = True) -> Any:
        """Set a pragma in as little time, where diskcache would wait for its lock for a minute as well."""
        if value is ENOVAL or not key.startswith("sqlite_"):
            return super().reset(key, value, update)
        if update:
            self._sql_retry("UPDATE Settings SET value = ? WHERE key = ?", (value, key))
        pragma, give_up_at = key.removeprefix("sqlite_"), time.monotonic() + LOCK_TIMEOUT_SECONDS
        while True:
            try:  # of some, SQLite does not wait for the lock itself, whatever the timeout
                if self._sql(f"PRAGMA {pragma}").fetchall() != [(value,)]:
                    self._sql(f"PRAGMA {pragma} = {value}").fetchall()
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= give_up_at:
                    raise
                time.sleep(0.001)
        setattr(self, key, value)
        return value

    def read(self, key: str, beyond: tuple[int, float] | None = None) -> Any:
        """Return the value of *key*, None if there is no row of ours, or its tag and time are not *beyond* those."""
        asked = (_READ, (key,)) if beyond is None else (_READ_BEYOND, (key, *beyond))
        found = self._con.execute(*asked).fetchall()
        return found[0][0] if found else None

    def newest(self) -> Any:
        """Return the value with the greatest tag, None if there is no row of ours. Goes through all there is."""
        found = self._con.execute(_NEWEST).fetchall()
        return found[0][0] if found else None

    def write(self, key: str, tag: int, time: float, value: bytes, *, over_any: bool = False) -> bool:
        """Keep *value* under *key*, after as many others were evicted as it takes; return whether it is kept.

        A row with a greater tag stays, unless it goes *over_any*.
        """
        row, statement = (key, time, tag, memoryview(value)), _WRITE if over_any else _WRITE_OVER_OLDER
        try:
            return self._put(statement, row, len(value))
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_FULL or self._room <= 0:
                raise
            self._room = 0  # other processes have taken it
            return self._put(statement, row, len(value))

    def _put(self, statement: str, row: tuple[Any, ...], size: int) -> bool:
        with self._writing(size) as sql:
            return self._make_room(sql, size) and bool(sql(statement, row).rowcount)

    def exchange(self, key: str, change: Callable[[bytes | None], bytes | None]) -> bool:
        """Put what *change* makes of the value of *key* in its place, in one transaction; return whether it did.

        None leaves it as it is, an empty value removes it.
        """
        with self._writing() as sql:
            found = sql(_READ, (key,)).fetchall()
            value = change(found[0][0] if found else None)
            if value is None:
                return False
            if not value:
                sql("DELETE FROM Cache WHERE key = ? AND raw = 1", (key,))
            elif self._make_room(sql, len(value)):
                sql(_WRITE, (key, time.time(), 0, memoryview(value)))
        return True

    def keys(self, below: str = "") -> Iterator[tuple[int, str]]:
        """Yield the rows that hold a text key which begins with *below*, in batches: no transaction stays open."""
        least, beyond = below, below[:-1] + chr(ord(below[-1]) + 1) if below else b""  # all bytes are beyond all text
        while found := self._con.execute(_KEYS, (least, beyond, _AT_ONCE)).fetchall():
            yield from found
            least = found[-1][1] + "\0"

    def drop(self, rowids: Sequence[int]) -> int:
        """Drop these rows; return how many there were."""
        dropped = 0
        for at in range(0, len(rowids), _AT_ONCE):
            with self._writing() as sql:
                dropped += _delete(sql, rowids[at : at + _AT_ONCE])
        return dropped

    def drop_all(self, but: str) -> int:
        """Drop every row, whoever wrote it, but those whose key begins with *but*; return how many there were."""
        dropped = 0
        while True:
            with self._writing() as sql:
                found = sql(_OTHERS, (but, but[:-1] + chr(ord(but[-1]) + 1), _AT_ONCE)).fetchall()
                dropped += _delete(sql, [rowid for (rowid,) in found])
            if not found:
                return dropped

    def shrink(self) -> None:
        """Give the pages of dropped rows back to the file system, in small steps."""
        sql = self._con.execute
        left, before = self._pragma(sql, "freelist_count"), -1
        while left and left != before:
            sql(f"PRAGMA incremental_vacuum({self._bounds.checkpoint_pages})").fetchall()
            left, before = self._pragma(sql, "freelist_count"), left
        sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def sweep(self, is_outdated: Callable[[str, int, float], bool], most: int) -> int:
        """Look at the next *most* rows and drop those of which *is_outdated* (key, tag, time); return how many.

        A row that was written meanwhile has another tag and stays. Begins again after the last.
        """
        found = self._con.execute(_LISTED, (self._seen, most)).fetchall()
        self._seen = found[-1][0] if len(found) == most else 0
        outdated = [
            (rowid, tag)
            for rowid, key, tag, time in found
            if not (isinstance(key, str) and isinstance(tag, int) and isinstance(time, float))
            or is_outdated(key, tag, time)
        ]
        dropped = 0
        for at in range(0, len(outdated), _AT_ONCE):
            with self._writing() as sql:
                for row in outdated[at : at + _AT_ONCE]:
                    dropped += sql("DELETE FROM Cache WHERE rowid = ? AND tag IS ?", row).rowcount
        return dropped

    def number(self) -> int:
        """Return how many rows there are."""
        return int(self._con.execute("SELECT count(*) FROM Cache").fetchone()[0])

    def _writing(self, size: int = 0) -> "_Writing":
        return _Writing(self._turn, self._con, partial(self._make_room_in_log, size))

    def _make_room(self, sql: Callable[..., Any], size: int) -> bool:
        """Evict until *size* bytes fit: rows in their order, like the hand of a clock, but not those in use."""
        needed = size // (PAGE_BYTES - 4) + 2
        self._room -= needed
        if self._room >= 0:
            return True
        passed = laps = 0
        while True:
            free = self._bounds.pages - self._pragma(sql, "page_count") + self._pragma(sql, "freelist_count")
            self._room = free - _SPLIT_PAGES - needed
            if self._room >= 0:
                return True
            found = sql(_EVICTABLE, (self._hand, 64)).fetchall()
            if not found:
                laps += 1
                if laps == 3:
                    return False
                self._hand = 0
            gone, bytes_to_go = [], (self._bounds.spare_pages - self._room) * PAGE_BYTES  # and some for the next
            for rowid, key, held in found:
                self._hand = rowid
                if passed < EVICTION_SEARCH and isinstance(key, str) and self._is_used(key):
                    passed += 1
                    continue
                gone.append(rowid)
                bytes_to_go -= held or 0
                if bytes_to_go <= 0:
                    break
            self.evictions += _delete(sql, gone)
            self._log_bytes += 2 * len(gone) * PAGE_BYTES  # a row and its line in the index

    def _make_room_in_log(self, size: int) -> None:
        """See that the write-ahead log can take *size* bytes more; it cannot while somebody reads an old state."""
        needed = size + 16 * PAGE_BYTES
        self._log_bytes += needed
        if self._log_bytes <= self._bounds.log_bytes:  # at the most: it is begun anew time and again
            return
        self._log_bytes = needed
        with contextlib.suppress(FileNotFoundError):
            self._log_bytes += self._log_file.stat().st_size
        if self._log_bytes > self._bounds.log_bytes:
            ((is_busy, _, _),) = self._con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if is_busy:
                raise LockedError("somebody reads an old state")
            self._log_bytes = needed

    @staticmethod
    def _pragma(sql: Callable[..., Any], name: str) -> int:
        return int(sql(f"PRAGMA {name}").fetchone()[0])


class _Writing:
    """One transaction that writes; one thread's at a time, which is fairer than SQLite, where waiting is sleeping."""

    __slots__ = ("_before", "_connection", "_turn")

    def __init__(self, turn: threading.Lock, connection: sqlite3.Connection, before: Callable[[], None]) -> None:
        self._turn = turn
        self._connection = connection
        self._before = before

    def __enter__(self) -> Callable[..., Any]:
        if not self._turn.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise CrowdedError
        try:
            self._before()
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._turn.release()
            raise
        return self._connection.execute

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._turn.release()


def _connect(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / DATABASE, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None)


def _refuse_cut(folder: Path) -> None:
    """Refuse a database of no bytes beside a log: it was cut, and who has it open still holds locks in the index."""
    with contextlib.suppress(FileNotFoundError):
        if (folder / DATABASE).stat().st_size == 0 and any((folder / name).exists() for name in FILES[1:3]):
            raise ForeignFolderError("its database was cut")


def _check(connection: sqlite3.Connection, bounds: Bounds, known: set[str]) -> None:
    """Refuse what we did not make before diskcache believes its settings, and what somebody holds locked."""
    (pages,), (version,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "user_version"))
    if pages:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version != FORMAT or not {"Cache", "Settings"} <= tables:
            raise ForeignFolderError("it is of another version")
        ((page_bytes,),) = connection.execute("PRAGMA page_size").fetchall()
        if page_bytes != PAGE_BYTES or pages > bounds.pages:
            raise ForeignFolderError("it is larger than it may be by now")
        planted = (
            "type = 'view' OR (type = 'trigger' AND (name NOT LIKE 'Settings\\_%' ESCAPE '\\' OR sql LIKE '%SELECT%'))"
        )
        if connection.execute(f"SELECT 1 FROM sqlite_master WHERE {planted}").fetchall():
            raise ForeignFolderError("it holds triggers or views of somebody else")
        if not {key for (key,) in connection.execute("SELECT key FROM Settings")} <= known:
            raise ForeignFolderError("it holds settings of somebody else")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _delete(sql: Callable[..., Any], rowids: Sequence[int]) -> int:
    if not rowids:
        return 0
    gone = sql(f"DELETE FROM Cache WHERE rowid IN ({','.join(map(str, rowids))})")
    return int(gone.rowcount)
