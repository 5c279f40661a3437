"""Backups: whole copies of the database, made while it is in use, and the folder in which they are kept.

Putting one back is in `restore`; whether a file is sound, in `check`.
"""

import itertools
import os
import shlex
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data import check
from data.errors import BackupRefusedError, DatabaseDamagedError

if TYPE_CHECKING:  # it makes a backup itself, before an upgrade
    from data.database import Database


def backup(database: "Database", target: Path) -> Path:
    """Write the present state of *database* to the new file *target*, prove that it can be read, and return its path.

    Readers and writers go on meanwhile, in all processes. The file appears when it is complete and on disk; it is
    readable by its owner only, and its folder is made if it is missing. Blocks for about a second per 100 MB.

    Raises:
        BackupRefusedError: there is a file of that name already.
        DatabaseDamagedError: what would be kept cannot be read.
        DatabaseUnusableError: it cannot be read, or the disk is full.
        OSError: the folder cannot be written.
    """
    return copy(database.file, target)


def folder_of(database: Path) -> Path:
    """Return where the backups of the file *database* are kept if nobody says otherwise."""
    return database.parent / "backups"


def path_for(database: Path, reason: str, now: datetime) -> Path:
    """Return a free path in the usual folder that says why and when: names of one reason sort by time (UTC)."""
    stem = f"{reason}-{now:%Y%m%dT%H%M%S%f}Z"
    numbers = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    paths = (folder_of(database) / f"{stem}{number}.db" for number in numbers)
    return next(path for path in paths if not path.exists())


def remedy(database: Path) -> str:
    """Return what to do when the file *database* is damaged."""
    return f"stop the program, keep the file, and {put_back(database)}"


def put_back(database: Path) -> str:
    """Return how a backup is put in the place of the file *database*, naming the newest one if there is one."""
    backups = sorted(folder_of(database).glob("*.db"), key=lambda path: path.stat().st_mtime)
    sound = [path for path in backups if not path.name.startswith("damaged-")]
    where = f".venv/bin/python -m data restore {shlex.quote(str(sound[-1])) if sound else 'FILE'}"
    newest = "the newest backup" if sound else f"a backup (there is none in {folder_of(database)})"
    return f"put {newest} in its place with: {where}"


def copy(file: Path, target: Path) -> Path:
    """Do as `backup` for the database in *file*."""
    if os.path.lexists(target):
        raise BackupRefusedError(f"{target} exists already: expected the name of a new file")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        with check.opened(file) as connection:
            connection.execute("COMMIT")  # SQLite copies in a transaction of its own
            connection.execute("VACUUM INTO ?", (str(part),))
        with check.opened(part) as connection:
            problems = check.damage(connection, quick=False)
        if problems:
            raise DatabaseDamagedError(f"{file} is damaged: {problems[0]}")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        _put(part, target)
    finally:
        part.unlink(missing_ok=True)
    keep_names(target.parent)
    return target


def keep_names(folder: Path) -> None:
    """Bring the new names in *folder* to the disk, where the system has a way to ask for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _put(part: Path, target: Path) -> None:
    try:
        target.hardlink_to(part)  # unlike renaming, this never replaces a file
    except FileExistsError:
        raise BackupRefusedError(f"{target} exists already: expected the name of a new file") from None
    except OSError:  # a file system without links
        part.rename(target)
