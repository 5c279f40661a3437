"""Many rows on their way into a table, and how far they are. Who makes the rows is in `transfer` and `demo`.

Rows are made and checked before the write lock is taken, and wait in a file of their own, in the form in which the
tables will hold them. Under the lock SQLite copies them from file to file: that takes a fifth of the time that handing
them over one by one would take, and a million rows do not need a million rows' worth of memory.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import Session

from data.database import STAGED
from data.sqlite import sqlite
from events.catalog import UserId

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is, in rows that each count twice: when made or checked, and when
written. Called from the thread that works, about two hundred times in all. What it raises stops the work, and nothing
is written."""

BATCH = 2000

COPIED_AT_ONCE = 5000
_DIALECT = SQLiteDialect_pysqlite()


class Meter:
    """Counts work that is done and tells a `Progress`, if there is one, whenever half a percent more is."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = max(total, 1)
        self._done = 0.0
        self._told = 0

    def advance(self, amount: float) -> None:
        """Count *amount* more of the total."""
        self._done += amount
        self._tell(min(int(self._done), self._total - 1))

    def reach_half(self) -> None:
        """Say that every row was made or checked, however many there are."""
        self.advance(max(self._total / 2 - self._done, 0))

    def finish(self) -> None:
        """Say that everything is done, whatever was counted."""
        self._tell(self._total)

    def _tell(self, done: int) -> None:
        if self._progress is not None and (done - self._told >= self._total / 200 or done == self._total != self._told):
            self._told = done
            self._progress(done, self._total)


class Stage:
    """Rows that wait, in the file *path* that is made for them. Use it in a `with`; `seal` it before they are written.

    The file has one table without types and constraints for each of *tables*. It is of use to this process only, and
    worth nothing after a crash.
    """

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        self.path = path
        self.counts = {table.name: 0 for table in tables}
        self._connection = sqlite.connect(str(path), isolation_level=None)
        self._batches: dict[str, list[Sequence[Any]]] = {table.name: [] for table in tables}
        self._inserts: dict[str, str] = {}
        self._encoders: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        for table in tables:
            names = columns(table)
            self._connection.execute(f"CREATE TABLE {table.name} ({', '.join(names)})")
            self._inserts[table.name] = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(names))})"
            self._encoders[table.name] = _encoders(table)
        self._connection.execute("BEGIN")

    def add(self, table: Table, row: Sequence[Any]) -> None:
        """Append a row: the values of *table*'s columns in order, without `user_id`."""
        encoded = list(row)
        for position, encode in self._encoders[table.name]:
            encoded[position] = encode(encoded[position])
        self.counts[table.name] += 1
        batch = self._batches[table.name]
        batch.append(encoded)
        if len(batch) == BATCH:
            self._store(table.name)

    def seal(self) -> None:
        """Let go of the file, so that `Database.write` can attach it. No row can be added any more."""
        for name in self._batches:
            self._store(name)
        self._connection.execute("COMMIT")
        self._connection.close()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _store(self, name: str) -> None:
        batch = self._batches[name]
        with closing(self._connection.cursor()) as cursor:
            cursor.executemany(self._inserts[name], batch)
        batch.clear()


def write(session: Session, table: Table, user: UserId, *, replace: bool, wrote: Callable[[int], None]) -> None:
    """Insert all rows of *table* that wait in the attached `Stage`, as *user*'s.

    Where a row of that key is there already, it is replaced if *replace* says so, and left alone otherwise. *wrote* is
    told the number of rows after every few thousand.
    """
    connection = session.connection()
    names = columns(table)
    keys = [column.name for column in table.primary_key]
    set_all = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    conflict = f"DO UPDATE SET {set_all}" if replace else "DO NOTHING"
    statement = (
        f"INSERT INTO main.{table.name} (user_id, {', '.join(names)}) "
        f"SELECT ?, {', '.join(names)} FROM {STAGED}.{table.name} WHERE rowid > ? AND rowid <= ? "
        f"ON CONFLICT ({', '.join(keys)}) {conflict}"
    )
    count = connection.exec_driver_sql(f"SELECT count(*) FROM {STAGED}.{table.name}").scalar_one()
    for start in range(0, count, COPIED_AT_ONCE):
        end = min(start + COPIED_AT_ONCE, count)
        connection.exec_driver_sql(statement, (user, start, end))
        wrote(end - start)


def columns(table: Table) -> list[str]:
    """Return the names of a table's columns in order, without `user_id`."""
    return [column.name for column in table.columns if column.name != "user_id"]


def _encoders(table: Table) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return, for the columns that need one, their position and what makes a value what SQLite holds."""
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for position, name in enumerate(columns(table)):
        encode = table.columns[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        if encode is not None:
            found.append((position, encode))
    return found
