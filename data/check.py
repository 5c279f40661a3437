"""Looks whether a database file is sound: as SQLite sees it, as a log, and as rows that can be read. Changes nothing.

Works on files, of the running app or of a backup. Those of another version than this program's are not read row by row.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from data import log as event_log
from data import migrations
from data.errors import DatabaseDamagedError, DatabaseUnusableError
from data.models import Base, EventRow
from data.sqlite import sqlite
from events.catalog import DataRestored, EventUnreadable

MAX_PROBLEMS = 100

_DIALECT = SQLiteDialect_pysqlite()
# Rows are missing where the log was pruned, which is at its beginning, and where a restored backup ended.
_GAPS = """
    SELECT previous, seq FROM (SELECT seq, name, lag(seq) OVER (ORDER BY seq) AS previous FROM events)
    WHERE seq > previous + 1 AND name <> ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a look at one file found: nothing in `problems` means sound. Each is a sentence."""

    file: Path
    problems: tuple[str, ...]
    version: str | None
    """Of the tables, as in `migrations`; None in a file that is none of ours."""
    seq: int
    rows: dict[str, int]
    """How many rows were read, per table. Empty after a quick look."""


def check(file: Path, *, quick: bool = False) -> Report:
    """Look at *file*, which may be open elsewhere. Blocks for seconds where there are a million rows.

    A *quick* look leaves out whether indexes agree with their tables, and whether every row can be read.

    Raises:
        DatabaseUnusableError: there is no such file, or it cannot be opened.
    """
    rows: dict[str, int] = {}
    version, seq = None, 0
    with opened(file) as connection:
        problems = damage(connection, quick=quick)
        if not problems:
            version = version_of(connection)
            if version is None:
                problems = [f"{file} is no database of Reprieve"]
            else:
                problems = list(_log_problems(connection))
                seq = event_log.newest_raw(connection)[0]
                if not quick and version == migrations.head():
                    rows, unreadable = _read_all(connection)
                    problems += unreadable
    return Report(file=file, problems=tuple(problems[:MAX_PROBLEMS]), version=version, seq=seq, rows=rows)


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Any]:
    """Open *file* for reading, in one unchanging state.

    Raises:
        DatabaseDamagedError: what SQLite meets in it cannot be read.
        DatabaseUnusableError: there is no such file, or it cannot be opened.
    """
    if not file.is_file():
        raise DatabaseUnusableError(f"{file}: expected the file of a database, there is none")
    try:
        # Not `mode=ro`: SQLite knows no CHECK constraints in a file that it may not write.
        with contextlib.closing(
            sqlite.connect(file.resolve().as_uri() + "?mode=rw", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN")
            yield connection
    except sqlite.DatabaseError as error:
        if is_damage(error):
            raise DatabaseDamagedError(f"{file} is damaged: {error}") from error
        raise DatabaseUnusableError(f"{file}: {error}") from error


def is_damage(error: BaseException) -> bool:
    """Whether an error of SQLite says that the file is not what was written."""
    return "malformed" in str(error) or "not a database" in str(error)


def damage(connection: Any, *, quick: bool) -> list[str]:
    """Return what SQLite itself finds wrong, at most `MAX_PROBLEMS` findings; empty if nothing is."""
    pragma = "quick_check" if quick else "integrity_check"
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({MAX_PROBLEMS})") if row[0] != "ok"]
        if not found:
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(MAX_PROBLEMS)
            found = [
                f"row {row} of {table} belongs to a row of {parent} that is missing"
                for table, row, parent, _ in orphans
            ]
    except sqlite.DatabaseError as error:
        if not is_damage(error):
            raise
        return [str(error)]
    return found


def version_of(connection: Any) -> str | None:
    """Return the version of the tables; None if these are none of ours."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
    return None if row is None else str(row[0])


def refuse_other_version(file: Path) -> None:
    """Refuse a *file* that would be changed, or not understood, by opening it as a database.

    Raises:
        DatabaseUnusableError: its tables are of another version than this program's, or none of ours.
    """
    with opened(file) as connection:
        version = version_of(connection)
    if version is None:
        raise DatabaseUnusableError(f"{file} is no database of Reprieve: start the application once")
    if version != migrations.head():
        raise DatabaseUnusableError(
            f"{file} is of version {version}, and this program reads version {migrations.head()}: "
            "start the application once, which brings an older one up to date"
        )


def _log_problems(connection: Any) -> Iterator[str]:
    for before, after in connection.execute(_GAPS, (DataRestored.name,)).fetchmany(MAX_PROBLEMS):
        yield f"the event log has no rows between {before} and {after}"
    newest = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    highest = given[0] if given else 0
    if newest is not None and newest != highest:
        yield f"the event log ends with row {newest}, but numbers were given out up to {highest}"


def _read_all(connection: Any) -> tuple[dict[str, int], list[str]]:
    """Read every row of every table as the program does; return how many there were, and those that cannot be read."""
    counts: dict[str, int] = {}
    problems: list[str] = []
    connection.text_factory = lambda stored: stored.decode("utf-8", "surrogateescape")
    for table in Base.metadata.sorted_tables:
        names = [column.name for column in table.columns]
        decoders = [*enumerate([_check_text] * len(names)), *_decoders(table)]
        counts[table.name] = 0
        for row in connection.execute(f"SELECT {', '.join(names)} FROM {table.name}"):
            counts[table.name] += 1
            for position, decode in decoders:
                try:
                    decode(row[position])
                except (ValueError, TypeError, OverflowError, RecursionError) as error:
                    key = ", ".join(str(row[names.index(column.name)]) for column in table.primary_key)
                    problems.append(f"row {key} of {table.name}, column {names[position]} cannot be read: {error}")
    for row in connection.execute(event_log.NEWER_SQL, (0, -1)):
        event = event_log.from_raw(row).event
        if isinstance(event, EventUnreadable):
            problems.append(f"row {row[0]} of events, a {event.stored_name!r}, cannot be read")
    return counts, problems


def _check_text(cell: Any) -> None:
    if isinstance(cell, str):
        cell.encode()  # refuses what stands for bytes that are no UTF-8


def _decoders(table: Table) -> list[tuple[int, Callable[[Any], Any]]]:
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for position, column in enumerate(table.columns):
        decode = column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
        if decode is not None and table.name != EventRow.__tablename__:  # read as events, which tells more
            found.append((position, decode))
    return found
