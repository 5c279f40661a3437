"""A folder beside the database for the files of one job, such as rows that wait to be imported.

Beside it, and not where the system keeps temporary files: these hold what people wrote, and need as much room as the
database. A job that was killed leaves its folder behind; later ones sweep it away.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = ".scratch-"
_ABANDONED_SECONDS = 86_400.0


@contextlib.contextmanager
def folder(database: Path) -> Iterator[Path]:
    """Give a new folder beside the file *database*, readable by its owner only, and remove it afterwards.

    Raises:
        OSError: it cannot be made.
    """
    _sweep(database.parent)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=database.parent) as name:
        yield Path(name)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        try:
            is_abandoned = left.stat().st_mtime < time.time() - _ABANDONED_SECONDS
        except FileNotFoundError:  # its job has just ended
            continue
        if is_abandoned:
            shutil.rmtree(left, ignore_errors=True)
