"""A folder beside the database for the files of one job, such as rows that wait to be imported.

Beside it, and not where the system keeps temporary files: these hold what people wrote, and need as much room as the
database. Each folder holds a file that its process keeps locked, so whoever comes next can tell what a killed one left
behind, and sweeps it away.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there, only age tells
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".scratch-"
_LOCK = "lock"
_BEGUN_PREFIX = ".begun-scratch-"
"""Of a folder that has no lock yet, and nothing else in it either."""
_ABANDONED_SECONDS = 86_400.0
"""After this, a folder is nobody's of which no lock can tell."""


@contextlib.contextmanager
def folder(database: Path) -> Iterator[Path]:
    """Give a new folder beside the file *database*, readable by its owner only, and remove it afterwards.

    Raises:
        OSError: it cannot be made.
    """
    sweep(database)
    begun = Path(tempfile.mkdtemp(prefix=_BEGUN_PREFIX, dir=database.parent))
    made = begun.with_name(begun.name.replace(_BEGUN_PREFIX, _PREFIX, 1))
    with contextlib.ExitStack() as held:
        for path in (begun, made):
            held.callback(shutil.rmtree, path, ignore_errors=True)
        if fcntl is not None:
            handle = os.open(begun / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            held.callback(os.close, handle)
            _lock(handle)
        begun.rename(made)  # not before it is locked: a sweep would take it for abandoned
        yield made


def sweep(database: Path) -> None:
    """Remove the folders beside the file *database* whose processes are gone."""
    for left in database.parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:  # its job may just end
            if _is_abandoned(left, held):
                shutil.rmtree(left, ignore_errors=True)
    for left in database.parent.glob(f"{_BEGUN_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_old(left):
                shutil.rmtree(left, ignore_errors=True)


def _is_abandoned(left: Path, held: contextlib.ExitStack) -> bool:
    """Whether the folder is nobody's any more; its lock is held until *held* ends, so that only one removes it."""
    try:
        handle = os.open(left / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return _is_old(left)
    held.callback(os.close, handle)
    try:
        return _lock(handle) or _is_old(left)
    except BlockingIOError:
        return False


def _is_old(left: Path) -> bool:
    return left.stat().st_mtime < time.time() - _ABANDONED_SECONDS


def _lock(handle: int) -> bool:
    """Lock the file until *handle* is closed or the process dies. False where that cannot be.

    Raises:
        BlockingIOError: somebody else holds it.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some network drives have no locks
        return False
    return True
