"""The files that an open database is made of: are they still those that were opened?

SQLite goes on with a file that somebody removed or replaced, as if nothing had happened: what it commits then is in a
file that has no name, or beside one that another process writes. So whoever commits or reads asks here first.
"""

import os
from pathlib import Path

from data import backup
from data.errors import DatabaseUnusableError

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database: the write-ahead log, and its index."""


class Files:
    """The files of one database, as they are when this is made: after SQLite has opened them. Safe from any thread.

    None of them is opened for this: closing it again would drop all locks that this process holds on it (POSIX).
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._paths = (str(database), *(f"{database}{suffix}" for suffix in BESIDE))
        self._opened = [_identity(path) for path in self._paths]

    def refuse_others(self) -> None:
        """Do nothing if all are in their places. Takes some microseconds.

        Raises:
            DatabaseUnusableError: one of them was removed or replaced; says what to do.
        """
        for path, opened in zip(self._paths, self._opened, strict=True):
            if _identity(path) != opened:
                remedy = "stop the program and start it again"
                if path == self._paths[0]:
                    remedy = f"stop the program, then {backup.put_back(self._database)}"
                raise DatabaseUnusableError(f"{path} was removed or replaced while the program runs: {remedy}")

    @property
    def has_lost_index(self) -> bool:
        """Whether the index of the write-ahead log is another one: then other processes do not see our locks."""
        return _identity(self._paths[2]) != self._opened[2]


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path would cost as much again, on every read
    except OSError:
        return None
    return found.st_dev, found.st_ino
