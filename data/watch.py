"""Asks SQLite whether anything was committed, so cheaply that every read can afford it.

In WAL mode every commit of every process changes the header of the wal-index, a file that all of them have mapped; we
look where SQLite has mapped it and compare 48 bytes (https://sqlite.org/walformat.html, "The WAL-Index File Format").
That says what `PRAGMA data_version` says and takes a tenth of its time; where that place is not found, the pragma is
asked.
"""

import ctypes
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from data import log as event_log
from data.files import Files, sentences

FILES_SECONDS = 0.1
"""How often it looks whether the files are still those of the database: what it maps would tell no news."""

_HEADER_BYTES = 48
_FORMAT = (3007000).to_bytes(4, sys.byteorder)
"""How the header begins in all versions of SQLite that have it."""


class Watch:
    """Tells whether anybody has committed since the last time. Not for several threads at once."""

    def __init__(self, readers: Engine, files: Files) -> None:
        self._files = files
        self._looks_at = time.monotonic()
        self._pooled = readers.raw_connection()
        self._pooled.detach()
        self._cursor: Any = self._pooled.cursor()
        self._version = -1
        self._cursor.execute("SELECT 1 FROM events LIMIT 1").fetchall()  # makes SQLite map the wal-index
        self._index = _find_index(self._cursor)
        self._header = b""

    def has_news(self) -> bool:
        """Whether anything was committed since the last call; True at the first. Below 1 us if there is nothing.

        Raises:
            DatabaseUnusableError: one of the files was removed or replaced, at the latest `FILES_SECONDS` ago.
        """
        now = time.monotonic()
        if now >= self._looks_at:
            self._files.refuse_others()
            self._looks_at = now + FILES_SECONDS
        if self._index is not None:
            header = self._index.raw
            if header == self._header:
                return False
            self._header = header
            return True
        (version,) = self._cursor.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return False
        self._version = version
        return True

    def forget(self) -> None:
        """Make the next `has_news` True, for a caller that could not finish reading what was new."""
        self._version = -1
        self._header = b""

    def newer_than(self, seq: int, limit: int) -> list[Any]:
        """Return up to *limit* raw log rows above *seq*, oldest first."""
        with sentences(self._files.database):
            return list(self._cursor.execute(event_log.NEWER_SQL, (seq, limit)))

    def newest(self) -> tuple[int, int]:
        """Return seq and token of the newest log row; (0, lineage) if the log is empty."""
        with sentences(self._files.database):
            return event_log.newest_raw(self._cursor)

    def token_at(self, seq: int) -> int | None:
        """Return the token of log row *seq*; None if there is no such row (any more)."""
        with sentences(self._files.database):
            return event_log.token_at_raw(self._cursor, seq)

    def close(self) -> None:
        """Let go of the connection."""
        self._index = None  # before SQLite takes the mapping away
        self._pooled.close()


def _find_index(cursor: Any) -> "ctypes.Array[ctypes.c_char] | None":
    """Return the header of the wal-index where SQLite has it in memory as long as the cursor's connection is open.

    None where that cannot be found out. The file is not opened for this: closing a file drops all locks that this
    process holds on it (POSIX), those of SQLite's writers included, and two processes would write at once.
    """
    path = next((row[2] for row in cursor.execute("PRAGMA database_list") if row[1] == "main"), "")
    try:
        maps = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    except OSError:  # another system than Linux
        return None
    for line in maps:
        area, _, offset, _, _, *name = line.split(maxsplit=5)
        if name == [f"{path}-shm"] and int(offset, 16) == 0:
            index = (ctypes.c_char * _HEADER_BYTES).from_address(int(area.partition("-")[0], 16))
            return index if index.raw.startswith(_FORMAT) else None
    return None
