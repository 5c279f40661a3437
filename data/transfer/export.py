"""Writes one user's data as CSV files. What they look like is in `columns`."""

import contextlib
import csv
import os
import tempfile
from pathlib import Path

from sqlalchemy import select

from data import preferences
from data.bulk import BATCH
from data.database import Database, ReadTransaction
from data.transfer.columns import FILES, INSTANCES, PREFERENCES, TASKS, Counts, CsvFile
from events.catalog import UserId


def export_to(database: Database, user: UserId, folder: Path) -> Counts:
    """Write `tasks.csv`, `instances.csv` and `user_preferences.csv` into *folder*, which is made if it is missing.

    All three show one moment. Files of these names are replaced, each at once and only when all three are complete on
    disk; whoever reads one meanwhile reads the old or the new one. They are readable by their owner only.

    Raises:
        UnknownRecordError: there is no such user.
        OSError: the folder cannot be written; the old files are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    parts: list[tuple[Path, Path]] = []
    try:
        with database.read() as read:
            preferences.load(read, user)
            for file in FILES:
                handle, part = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=folder)
                parts.append((Path(part), folder / file.name))
                counts[file.name] = _write(read, user, file, handle)
        for written, final in parts:
            written.replace(final)
    except BaseException:
        for written, _ in parts:
            written.unlink(missing_ok=True)
        raise
    _keep_names(folder)
    return Counts(tasks=counts[TASKS.name], instances=counts[INSTANCES.name], preferences=counts[PREFERENCES.name])


def _write(read: ReadTransaction, user: UserId, file: CsvFile, handle: int) -> int:
    table = file.table.columns
    order = [table[name] for name in ("created_at", "id") if name in table]
    rows = read.connection.execute(
        select(*(table[column.name] for column in file.columns)).where(table.user_id == user).order_by(*order),
        execution_options={"yield_per": BATCH},
    )
    writers = [column.to_cell for column in file.columns]
    count = 0
    with open(handle, "w", encoding="utf-8", newline="") as stream, contextlib.closing(rows):
        out = csv.writer(
            stream, lineterminator="\r\n"
        )  # with another one, Python before 3.13 leaves a lone CR unquoted
        out.writerow([column.name for column in file.columns])
        for row in rows:
            out.writerow(["" if value is None else write(value) for value, write in zip(row, writers, strict=True)])
            count += 1
        stream.flush()
        os.fsync(stream.fileno())
    return count


def _keep_names(folder: Path) -> None:
    """Bring the renamed entries of *folder* to the disk, where the system has a way to ask for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
