"""The tier on disk: what survives a restart and is shared by processes.

The folder is disposable and not trusted: entries are bytes in our own format, judged when they are read. What is
damaged is thrown away with one warning, and what cannot be reached is a miss: this tier never raises and never waits
long. How rows are kept and evicted is in `rows`.
"""

import contextlib
import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cache import entries
from cache.entries import DamagedEntryError, Entry
from cache.rows import DATABASE, FILES, LOCK_TIMEOUT_SECONDS, Bounds, CrowdedError, ForeignFolderError, Rows
from cache.store import IsOutdated, Place, TierStats
from events.catalog import UserId
from events.patterns import covers

log = logging.getLogger(__name__)

MOST_DIGITS = 18
YEAR_9999 = 253_370_764_800.0
_LEASE = "lease/"
LEASE_KEPT_SECONDS = 60.0
"""After that a lease that nobody gave back is swept away."""

REST_SECONDS = 1.0
"""For that long nothing is stored where another process held the lock, and what did not open is not tried again."""

WARN_EVERY_SECONDS = 600.0
KEPT_MARKS = 100_000

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_OUT_OF_REACH = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL,
}
_CUT = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS}
"""The files can be reached and are damaged, though SQLite counts these among the others."""


class FileStore:
    """One folder of entries, bounded in size; what was not read lately goes first.

    *belongs* says whether an entry's `as_of` and `token` are of the log that is in use: entries of another timeline (a
    restored backup, another database) are misses.
    """

    is_shared = True

    def __init__(self, folder: Path, max_size_bytes: int, belongs: Callable[[int, int], bool]) -> None:
        self._folder = folder
        self._file = str(folder / DATABASE)
        self._max = max_size_bytes
        self._bounds = Bounds(max_size_bytes)
        self._belongs = belongs
        self._lock = threading.RLock()
        self._rows: Rows | None = None
        self._opened_file: tuple[int, int] | None = None
        self._rests_until = 0.0
        self._warns_from = 0.0
        self._marks: set[str] = set()
        self._hits = self._misses = self._errors = self._evictions = 0
        self.is_used_elsewhere: Callable[[UserId, str], bool] = lambda _user, _key: False
        """Whether a tier before this one has handed that entry out since it was asked last."""

    def get(
        self,
        place: Place,
        least_as_of: int = 0,
        *,
        loaded_since: datetime | None = None,
        beyond: Entry | None = None,
    ) -> Entry | None:
        """Return what is kept there, if it is whole, of this log, and newer or loaded later than *beyond*."""
        address = place.address
        known = None if beyond is None else (beyond.as_of, beyond.loaded_at.timestamp())
        stored = self._try(lambda rows: rows.read(address, known))
        entry = None
        if stored is not None:
            try:
                entry = entries.decode(stored, address, place.shape, place.value_type)
            except DamagedEntryError as error:
                self._failed(error)
        if entry is not None and not self._belongs(entry.as_of, entry.token):
            entry = None
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        if len(self._marks) >= KEPT_MARKS:
            self._marks.clear()
        self._marks.add(address)
        return entry

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry*, if its value has a form on disk, the folder takes it, and none of a later state is there."""
        address = place.address
        stored = entries.encode(entry, address, place.shape)
        if len(stored) > self._bounds.largest_value or time.monotonic() < self._rests_until:
            return False
        self._reopen_if_replaced()
        stored_at = entry.loaded_at.timestamp()

        def write(rows: Rows) -> bool:
            row = address, entry.as_of, stored_at, stored
            if rows.write(*row):
                return True
            # What a row is said to be newer by may be of anybody: where no entry of this log bears it out, it goes.
            there = entries.origin(rows.read(address) or b"")
            is_newer = there is not None and there[0] > entry.as_of and self._belongs(*there)
            return not is_newer and rows.write(*row, over_any=True)

        return bool(self._try(write))

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys that are kept for *user*."""
        owned = self._try(lambda rows: [address for _, address in rows.keys(f"{user}/")]) or ()
        return [address.partition("/")[2] for address in owned]

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop what lies below *prefix*, of one user or of all."""

        def drop(rows: Rows) -> int:
            if user is None and not prefix:
                return rows.drop_all(but=_LEASE)  # who loads goes on, and what it brings is wanted
            found = rows.keys("" if user is None else f"{user}/")
            return rows.drop([rowid for rowid, address in found if covers(prefix, address.partition("/")[2])])

        dropped = self._try(drop) or 0
        if dropped:
            self._try(lambda rows: rows.shrink())
        return dropped

    def reclaim(self, is_outdated: IsOutdated, most: int = 500) -> int:
        """Drop what *is_outdated* among the next *most* entries, without reading their values."""

        def outdated(address: str, as_of: int, loaded_at: float) -> bool:
            if address.startswith(_LEASE):
                return abs(time.time() - loaded_at) > LEASE_KEPT_SECONDS
            owner, _, key = address.partition("/")
            if not _is_number(owner) or len(owner) > MOST_DIGITS or not 0 <= loaded_at < YEAR_9999:
                return True  # a row that this program did not write
            return is_outdated(UserId(int(owner)), key, as_of, datetime.fromtimestamp(loaded_at, UTC))

        return self._try(lambda rows: rows.sweep(outdated, most)) or 0

    def newest(self) -> tuple[int, int] | None:
        """Return the `as_of` and token of the entry that was computed from the latest state; None if there is none."""
        stored = self._try(lambda rows: rows.newest())
        return entries.origin(stored) if isinstance(stored, bytes) else None

    def exchange(self, address: str, change: Callable[[bytes | None], bytes | None]) -> bool | None:
        """Put what *change* makes of a lease's row in its place, in one transaction; see `leases.Board`."""

        swapped: bool | None = self._try(lambda rows: rows.exchange(_LEASE + address, change))
        return swapped

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of this tier; the size is that of its files."""
        count = self._try(lambda rows: rows.number()) or 0
        rows = self._rows
        return (
            TierStats(
                tier="file",
                entries=count,
                size_bytes=self._size_bytes(),
                max_size_bytes=self._max,
                hits=self._hits,
                misses=self._misses,
                evictions=self._evictions + (0 if rows is None else rows.evictions),
                errors=self._errors,
            ),
        )

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            rows, self._rows = self._rows, None
            if rows is not None:
                self._evictions += rows.evictions
                rows.close()

    def _try(self, act: Callable[[Rows], Any], again: bool = True) -> Any:
        """Do *act* on the open folder, once more if it was damaged and is new now; None if that fails."""
        try:
            rows = self._open() if self._rows is None else self._rows
            return None if rows is None else act(rows)
        except CrowdedError:
            return None  # to miss is quicker than to wait
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            kind = code & 0xFF  # without its details
            if code in _CUT:
                return self._start_over(error, act if again else None)
            if kind in _LOCKED:
                self._rests_until = time.monotonic() + REST_SECONDS
            elif kind in _OUT_OF_REACH:
                self._failed(error)
                if kind != sqlite3.SQLITE_FULL:  # one can still read
                    self.close()
            else:
                return self._start_over(error, act if again else None)
        except (ForeignFolderError, DamagedEntryError) as error:
            return self._start_over(error, act if again else None)
        except OSError as error:
            self._failed(error)
        return None

    def _open(self) -> Rows | None:
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise CrowdedError
        try:
            if self._rows is not None:
                return self._rows
            if time.monotonic() < self._rests_until:
                return None
            self._rests_until = time.monotonic() + REST_SECONDS
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _keep_others_out(self._folder)
            _refuse_links(self._folder)
            try:
                self._rows = Rows(self._folder, self._bounds, self._is_used)
            except (sqlite3.Error, OSError):
                raise
            except Exception as error:  # diskcache stumbles over a damaged folder in any way there is
                raise ForeignFolderError(str(error)) from error
            self._opened_file = self._file_on_disk()
            self._rests_until = 0.0
            return self._rows
        finally:
            self._lock.release()

    def _is_used(self, address: str) -> bool:
        """Whether an entry was read, here or from the memory before it, since this was asked last."""
        owner, _, key = address.partition("/")
        used_elsewhere = _is_number(owner) and self.is_used_elsewhere(UserId(int(owner)), key)
        if address in self._marks:
            self._marks.discard(address)
            return True
        return used_elsewhere

    def _file_on_disk(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = os.stat(self._file)  # noqa: PTH116  # a Path would cost as much again, on every set
            return found.st_dev, found.st_ino
        return None

    def _reopen_if_replaced(self) -> None:
        """Notice that the folder was removed or begun anew by somebody: we would go on alone with unlinked files."""
        if self._rows is not None and self._file_on_disk() != self._opened_file:
            self.close()

    def _start_over(self, error: Exception, act: Callable[[Rows], Any] | None) -> Any:
        """Remove our files, and no others: the folder may be one that somebody keeps other things in. Then *act*."""
        self._failed(error)
        with self._lock:
            self.close()
            for name in FILES:
                with contextlib.suppress(OSError):
                    (self._folder / name).unlink()
            if self._file_on_disk() is not None:
                return None
            self._rests_until = 0.0
        return None if act is None else self._try(act, again=False)

    def _failed(self, error: Exception) -> None:
        self._errors += 1
        now = time.monotonic()
        level = logging.WARNING if now >= self._warns_from else logging.DEBUG
        if level == logging.WARNING:
            self._warns_from = now + WARN_EVERY_SECONDS
        log.log(level, "the cache folder %s is of no use at the moment, or was damaged: %s", self._folder, error)

    def _size_bytes(self) -> int:
        with contextlib.suppress(OSError):
            return sum(file.stat().st_size for file in self._folder.iterdir())
        return 0


def _is_number(owner: str) -> bool:
    return owner.isascii() and owner.isdigit()


def _keep_others_out(folder: Path) -> None:
    """Refuse a folder of another owner, and shut one of our own that others could look or write into.

    One that is not ours alone is refused instead: shutting it would take it away from whoever shares it.
    """
    if not hasattr(os, "geteuid"):
        return
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(f"it belongs to user {found.st_uid}, not to {os.geteuid()} who runs this")
    if found.st_mode & 0o077:
        if folder.is_symlink() or not {file.name for file in folder.iterdir()} <= set(FILES):
            raise PermissionError(
                "others may look into it, and it is a link or holds other things as well: shut it with chmod 700, or "
                "set CACHE_DIR to a folder of its own"
            )
        folder.chmod(0o700)


def _refuse_links(folder: Path) -> None:
    """Refuse files that are none, or have another name as well: it may be that of the database of record.

    To open and close that one drops the locks of those who write it (POSIX).
    """
    for name in FILES:
        with contextlib.suppress(FileNotFoundError):
            found = (folder / name).lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                raise ForeignFolderError(f"{name} is no file of its own")
