"""The tier on disk: what survives a restart and is shared by processes. The only module that knows diskcache.

The folder is disposable and not trusted. Entries are single rows in our own format; diskcache's pickles and value
files are never read, written or removed, whatever the folder's database says (see CVE-2025-69872). What is damaged is
thrown away with one warning, and what cannot be reached is a miss: this tier never raises and never waits long.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from diskcache import Cache, Disk, Timeout

from cache import entries
from cache.entries import DamagedEntryError, Entry
from cache.store import Place, TierStats
from events.catalog import UserId
from events.patterns import covers

log = logging.getLogger(__name__)

LOCK_TIMEOUT_SECONDS = 0.25
NEVER_A_FILE = 2**40
_LEASE = "lease/"
_LEASE_KEPT_SECONDS = 60
_ROW = 1  # diskcache.core.MODE_RAW: the value is in the row itself


class _RowsOnly(Disk):  # type: ignore[misc]  # diskcache has no types; they end in this file
    """Text keys and byte values in rows. Everything else that a foreign row may claim is refused or left alone."""

    def put(self, key: str) -> tuple[str, bool]:
        return key, True

    def get(self, key: Any, raw: bool) -> str:
        if not raw or not isinstance(key, str):
            raise DamagedEntryError("a key that this program did not write")
        return key

    def store(self, value: bytes, read: bool, key: object = None) -> tuple[int, int, None, memoryview]:
        return len(value), _ROW, None, memoryview(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        if mode != _ROW or filename is not None or not isinstance(value, bytes):
            raise DamagedEntryError("a row that this program did not write")
        return value

    def remove(self, file_path: str) -> None:
        # diskcache would remove any path that a row names, also one outside of the folder. We never have files.
        log.warning("a row of the cache folder names a file, which is left alone")


class FileStore:
    """One folder of entries, bounded in size, oldest stored first to go.

    *belongs* says whether an entry's `as_of` and `token` are of the log that is in use: entries of another timeline (a
    restored backup, another database) are misses.
    """

    is_shared = True

    def __init__(self, folder: Path, max_size_bytes: int, belongs: Callable[[int, int], bool]) -> None:
        self._folder = folder
        self._file = str(folder / "cache.db")
        self._max = max_size_bytes
        self._belongs = belongs
        self._lock = threading.RLock()
        self._rows: Any = None
        self._opened_file: tuple[int, int] | None = None
        self._warned = False
        self._hits = self._misses = self._errors = 0

    def get(self, place: Place, least_as_of: int = 0) -> Entry | None:
        """Return what is kept there, if it is whole and of this log."""
        stored = self._try(lambda rows: rows.get(place.address))
        entry = None
        if stored is not None:
            try:
                entry = entries.decode(stored, place.address, place.shape, place.value_type)
            except DamagedEntryError as error:
                self._failed(error)
        if entry is not None and not self._belongs(entry.as_of, entry.token):
            entry = None
        if entry is None:
            self._misses += 1
        else:
            self._hits += 1
        return entry

    def set(self, place: Place, entry: Entry) -> bool:
        """Keep *entry*, if its value has a form on disk and the folder takes it."""
        stored = entries.encode(entry, place.address, place.shape)
        if len(stored) > self._max // 4:
            return False
        self._reopen_if_replaced()
        return bool(self._try(lambda rows: rows.set(place.address, stored, retry=False)))

    def keys(self, user: UserId) -> Iterable[str]:
        """Return the keys that are kept for *user*."""

        def owned(rows: Any) -> list[str]:
            return [address.partition("/")[2] for address in rows.iterkeys() if _lies_below(address, user, "")]

        return self._try(owned) or ()

    def clear(self, user: UserId | None = None, prefix: str = "") -> int:
        """Drop what lies below *prefix*, of one user or of all."""

        def drop(rows: Any) -> int:
            gone = [address for address in rows.iterkeys() if _lies_below(address, user, prefix)]
            for address in gone:
                rows.delete(address, retry=False)
            return len(gone)

        return self._try(drop) or 0

    def exchange(self, address: str, change: Callable[[bytes | None], bytes | None]) -> bool | None:
        """Put what *change* makes of a lease's row in its place, in one transaction; see `leases.Board`."""

        def swap(rows: Any) -> bool:
            at = _LEASE + address
            with rows.transact():
                row = change(rows.get(at))
                if row is None:
                    return False
                if row:
                    rows.set(at, row, expire=_LEASE_KEPT_SECONDS)
                else:
                    rows.delete(at)
            return True

        swapped: bool | None = self._try(swap)
        return swapped

    def stats(self) -> tuple[TierStats, ...]:
        """Return the counts of this tier; the size is that of its files."""
        return (
            TierStats(
                tier="file",
                entries=self._try(len) or 0,
                size_bytes=self._size_bytes(),
                max_size_bytes=self._max,
                hits=self._hits,
                misses=self._misses,
                evictions=0,
                errors=self._errors,
            ),
        )

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            rows, self._rows = self._rows, None
            if rows is not None:
                rows.close()

    def _try(self, act: Callable[[Any], Any]) -> Any:
        """Do *act* on the open folder; None if that fails, after what can be mended is mended."""
        try:
            with self._lock:
                rows = self._open() if self._rows is None else self._rows
            return act(rows)
        except Timeout:
            return None  # somebody else is writing: to miss is quicker than to wait
        except sqlite3.OperationalError as error:  # read-only, full, gone
            self._failed(error)
        except (DamagedEntryError, sqlite3.DatabaseError) as error:
            self._failed(error)
            self._start_over()
        except OSError as error:
            self._failed(error)
        return None

    def _open(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        self._rows = Cache(
            str(self._folder),
            timeout=LOCK_TIMEOUT_SECONDS,
            disk=_RowsOnly,
            disk_min_file_size=NEVER_A_FILE,
            size_limit=self._max,
            eviction_policy="least-recently-stored",
            statistics=0,
            tag_index=0,
        )
        self._opened_file = self._file_on_disk()
        return self._rows

    def _file_on_disk(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = os.stat(self._file)  # noqa: PTH116  # a Path would cost as much again, on every set
            return found.st_dev, found.st_ino
        return None

    def _reopen_if_replaced(self) -> None:
        """Notice that the folder was removed or quarantined by somebody: we would go on alone with unlinked files."""
        with self._lock:
            if self._rows is not None and self._file_on_disk() != self._opened_file:
                self.close()

    def _start_over(self) -> None:
        with self._lock:
            self.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _failed(self, error: Exception) -> None:
        self._errors += 1
        level = logging.DEBUG if self._warned else logging.WARNING
        log.log(level, "the cache folder %s is of no use at the moment: %s", self._folder, error)
        self._warned = True

    def _size_bytes(self) -> int:
        with contextlib.suppress(OSError):
            return sum(file.stat().st_size for file in self._folder.iterdir())
        return 0


def _lies_below(address: str, user: UserId | None, prefix: str) -> bool:
    if address.startswith(_LEASE):
        return False
    owner, _, key = address.partition("/")
    return user in (None, int(owner)) and covers(prefix, key)
