"""Many rows on their way into a table, and how far they are. Who makes the rows is in `transfer` and `demo`.

Rows are made and checked before the write lock is taken, and wait in a `Spool`: so the lock is held for the writing
alone, and a million rows do not need a million rows' worth of memory.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from events.catalog import UserId

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is; only their ratio means anything. Called from the thread that
works, about two hundred times in all. What it raises stops the work, and nothing is written."""

BATCH = 2000
_MEMORY_BYTES = 32_000_000


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

    def finish(self) -> None:
        """Say that everything is done, whatever was counted."""
        self._tell(self._total)

    def _tell(self, done: int) -> None:
        if self._progress is not None and (done - self._told >= self._total / 200 or done == self._total != self._told):
            self._told = done
            self._progress(done, self._total)


class Spool:
    """Rows that wait, packed, in memory up to 32 MB and in a temporary file beyond. Close it, or use it in a `with`."""

    def __init__(self) -> None:
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115  # closed by `close`
        self._sizes: list[int] = []
        self._batch: list[Sequence[Any]] = []

    def add(self, row: Sequence[Any]) -> None:
        """Append a row: its values in an order that the reader knows."""
        self.count += 1
        self._batch.append(row)
        if len(self._batch) == BATCH:
            self._pack()

    def batches(self) -> Iterator[list[Sequence[Any]]]:
        """Yield all rows in order, up to `BATCH` at a time. Tuples come back as lists."""
        if self._batch:
            self._pack()
        self._file.seek(0)
        for size in self._sizes:
            yield msgspec.msgpack.decode(self._file.read(size))

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pack(self) -> None:
        packed = msgspec.msgpack.encode(self._batch)
        self._file.write(packed)
        self._sizes.append(len(packed))
        self._batch = []


def write(
    session: Session, table: Table, user: UserId, spool: Spool, *, replace: bool, wrote: Callable[[int], None]
) -> None:
    """Insert all rows of *spool* for *user*; its values are the table's columns in order, without `user_id`.

    Where a row of that key is there already, it is replaced if *replace* says so, and left alone otherwise. *wrote* is
    told the number of rows after each batch.
    """
    names = columns(table)
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    if replace:
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in names if name not in keys}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    for batch in spool.batches():
        session.execute(statement, [dict(zip(names, row, strict=True), user_id=user) for row in batch])
        wrote(len(batch))


def columns(table: Table) -> list[str]:
    """Return the names of a table's columns in order, without `user_id`."""
    return [column.name for column in table.columns if column.name != "user_id"]
