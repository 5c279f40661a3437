"""The files that an open database is made of: are they still those that were opened, and what can be wrong with them?

SQLite goes on with a file that somebody removed or replaced, as if nothing had happened: what it commits then is in a
file that has no name, or beside one that another process writes. So whoever commits or reads asks here first.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError, OperationalError

from data import backup, check, connections
from data.errors import DatabaseBusyError, DatabaseDamagedError, DatabaseUnusableError, DataError
from data.sqlite import sqlite

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database: the write-ahead log, and its index."""


class Files:
    """The files of one database, as they are when this is made: after SQLite has opened them. Safe from any thread.

    None of them is opened for this: closing it again would drop all locks that this process holds on it (POSIX).
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        # SQLite keeps the others beside the file itself, also where the database is a link to it.
        self._paths = (str(database.absolute()), *(f"{database.resolve()}{suffix}" for suffix in BESIDE))
        self._opened = {path: _identity(path) for path in self._paths}

    def refuse_others(self) -> None:
        """Do nothing if all are in their places. Takes some microseconds.

        Raises:
            DatabaseUnusableError: one of them was removed or replaced; says what to do.
        """
        for path in self._paths:
            if self._is_another(path):
                remedy = "stop the program and start it again"
                if path == self._paths[0]:
                    remedy = f"stop the program, then {backup.put_back(self.database)}"
                raise DatabaseUnusableError(f"{path} was removed or replaced while the program runs: {remedy}")

    @property
    def has_lost_index(self) -> bool:
        """Whether the index of the write-ahead log is another one: then other processes do not see our locks."""
        return self._is_another(self._paths[2])

    def _is_another(self, path: str) -> bool:
        try:
            return _identity(path) != self._opened[path]
        except OSError:  # it cannot be looked at, which is no sign that it is another
            return False


@contextlib.contextmanager
def sentences(file: Path) -> Iterator[None]:
    """Let what SQLite says of *file*, rather than of a statement's rows, be raised as an error of ours."""
    try:
        yield
    except (sqlite.DatabaseError, DBAPIError) as error:
        if isinstance(error, sqlite.OperationalError | OperationalError) or check.is_damage(error):
            raise as_sentence(error, file) from error
        raise


def as_sentence(error: Exception, file: Path) -> DataError:
    """Return the error of ours that says what *error*, of SQLite, means for *file*."""
    cause = (error.orig if isinstance(error, DBAPIError) else error) or error
    if "locked" in str(cause):
        return DatabaseBusyError(
            f"another process has been writing for {connections.BUSY_TIMEOUT_SECONDS:g} s: "
            "nothing was changed, try again"
        )
    return damaged(str(cause), file) if check.is_damage(cause) else DatabaseUnusableError(f"{file}: {cause}")


def damaged(finding: str, file: Path) -> DatabaseDamagedError:
    """Return the error that says what was found in *file*, and what to do."""
    return DatabaseDamagedError(f"{file} is damaged ({finding}): {backup.remedy(file)}")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path would cost as much again, on every read
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
