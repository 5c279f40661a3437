"""Writes one user's data as CSV or JSON files. How values are written is in `cells`."""

import contextlib
import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select

from data import preferences
from data.backup import keep_names
from data.bulk import BATCH
from data.database import Database, ReadTransaction
from data.transfer.columns import FILES, INSTANCES, PREFERENCES, TASKS, Counts, TableFile
from data.transfer.files import Format, name_of
from events.catalog import UserId


def export_to(database: Database, user: UserId, folder: Path, format_: Format = Format.CSV) -> Counts:
    """Write `tasks`, `instances` and `user_preferences` into *folder*, which is made if it is missing.

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
                name = name_of(file, format_)
                handle, part = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
                parts.append((Path(part), folder / name))
                counts[file.stem] = _write(read, user, file, format_, handle)
        for written, final in parts:
            written.replace(final)
    except BaseException:
        for written, _ in parts:
            written.unlink(missing_ok=True)
        raise
    keep_names(folder)
    return Counts(tasks=counts[TASKS.stem], instances=counts[INSTANCES.stem], preferences=counts[PREFERENCES.stem])


def _write(read: ReadTransaction, user: UserId, file: TableFile, format_: Format, handle: int) -> int:
    table = file.table.columns
    order = [table[name] for name in ("created_at", "id") if name in table]
    rows = read.connection.execute(
        select(*(table[column.name] for column in file.columns)).where(table.user_id == user).order_by(*order),
        execution_options={"yield_per": BATCH},
    )
    with open(handle, "w", encoding="utf-8", newline="") as stream, contextlib.closing(rows):
        count = _WRITERS[format_](file, rows, stream)
        stream.flush()
        os.fsync(stream.fileno())
    return count


def _write_csv(file: TableFile, rows: Iterable[Sequence[Any]], stream: TextIO) -> int:
    cells = [column.shape.to_cell for column in file.columns]
    count = 0
    # With another end of line, Python before 3.13 leaves a lone CR unquoted.
    out = csv.writer(stream, lineterminator="\r\n")
    quoting = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    out.writerow([column.name for column in file.columns])
    for row in rows:
        written = ["" if value is None else cell(value) for value, cell in zip(row, cells, strict=True)]
        everything = "".join(written)
        # For whoever splits at these as well as at commas: `csv` itself would leave such cells unquoted.
        (quoting if ";" in everything or "\t" in everything else out).writerow(written)
        count += 1
    return count


def _write_json(file: TableFile, rows: Iterable[Sequence[Any]], stream: TextIO) -> int:
    names = [column.name for column in file.columns]
    shapes = [column.shape.to_json for column in file.columns]
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    count = 0
    stream.write("[")
    for row in rows:
        stream.write(",\n" if count else "\n")
        values = (None if value is None else shape(value) for value, shape in zip(row, shapes, strict=True))
        stream.write(encode(dict(zip(names, values, strict=True))))
        count += 1
    stream.write("\n]\n")
    return count


_WRITERS: dict[Format, Callable[[TableFile, Iterable[Sequence[Any]], TextIO], int]] = {
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
}
