"""Says which process serves a database, in a file beside it, so that who starts a second one learns of the first.

It does not keep anybody out: any number of processes may use one database. The file is locked as long as its process
lives; what a killed one left behind is not locked, and so says nothing.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from data.errors import DatabaseUnusableError

try:
    import fcntl
except ImportError:  # Windows: nobody learns of anybody there
    fcntl = None  # type: ignore[assignment]


def path_for(database: Path) -> Path:
    """Return the file that speaks of *database*."""
    return database.with_name(f"{database.name}.serving")


def server_of(database: Path) -> str | None:
    """Return who serves *database*, such as `http://127.0.0.1:8080 (process 4711)`; None if nobody does.

    Raises:
        DatabaseUnusableError: the file cannot be read.
    """
    if fcntl is None:
        return None
    try:
        with path_for(database).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(200).decode("ascii", "replace").strip() or "a process that is just starting"
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unusable(database, error) from error
    return None


@contextlib.contextmanager
def announced(database: Path, address: str) -> Iterator[None]:
    """Say for a `with` that this process serves *database* at *address*, unless another one says so already.

    Raises:
        DatabaseUnusableError: the file cannot be written.
    """
    if fcntl is None:
        yield
        return
    # Neither removed nor replaced: who had it open would lock a file that nobody finds any more.
    try:
        handle = os.open(path_for(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(database, error) from error
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.write(handle, f"{address} (process {os.getpid()})\n".encode())
        yield
    finally:
        os.close(handle)


def _unusable(database: Path, error: OSError) -> DatabaseUnusableError:
    return DatabaseUnusableError(f"{path_for(database)} cannot be used: {error.strerror}; remove it, or make it yours")
