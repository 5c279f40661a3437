"""Checks what was read from files and takes it, every row or none. What the files hold is in `columns`.

Rows are matched by their id: those that the user has already are replaced, the others added, none is removed; so
importing the same files twice is the same as once.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, delete, select

from data import bulk, fields, preferences, scratch
from data.bulk import Meter, Progress, Stage
from data.database import Database, Transaction
from data.days import moving
from data.errors import ImportRefusedError, InvalidInputError, shown
from data.models import FEELINGS, RoutineMark, State, Task
from data.transfer.columns import FILES, INSTANCES, PREFERENCES, TASKS, Column, Counts, TableFile
from data.transfer.csv_rows import CsvRows
from data.transfer.files import Format, open_all
from data.transfer.findings import Findings
from data.transfer.json_rows import JsonRows
from events.catalog import DataImported, UserId

Rows = CsvRows | JsonRows

_READERS: dict[Format, type[CsvRows] | type[JsonRows]] = {Format.CSV: CsvRows, Format.JSON: JsonRows}
_ROW_ENDS = {Format.CSV: b"\n", Format.JSON: b"}"}
_MAX_KNOWN = 500  # most columns hold few values: looking them up halves the time that reading takes
_UNKNOWN = object()
_ONLY_WHEN = {
    "completed_at": State.COMPLETED,
    "cancelled_at": State.CANCELLED,
    "cancel_reason": State.CANCELLED,
    "resumed_at": State.ACTIVE,
}
_COMPLETED_ONLY = (*(f"actual_{feeling}" for feeling in FEELINGS), "actual_minutes", "completion_percent")


def import_from(database: Database, user: UserId, folder: Path, progress: Progress | None = None) -> Counts:
    """Take those of the files of tasks, instances and preferences that *folder* holds, CSV or JSON, in one transaction.

    All rows are checked, and stored in a file of their own, before the write lock is taken; so it is held for the
    copying alone. Records one `DataImported`, also when nothing differs.

    Raises:
        ImportRefusedError: there is none of these files, or something in them cannot be taken. Lists every problem
            (the first `MAX_PROBLEMS`) with file, line and column; nothing was written.
        UnknownRecordError: there is no such user.
    """
    found = Findings()
    with ExitStack() as stack:
        format_, streams = open_all(folder, stack, found)
        found.refuse_if_any()
        with database.read() as read:
            preferences.load(read, user)
            known_tasks = _task_ids(read.connection, user)
        rows = sum(_rows_at_most(stream, _ROW_ENDS[format_]) for stream in streams.values())
        meter = Meter(progress, 2 * rows)
        scratch_folder = stack.enter_context(scratch.folder(database.file))
        tables = [file.table for file in FILES]
        stage = stack.enter_context(Stage(scratch_folder / "import.db", tables))
        taking = _Taking(found, meter, stage, known_tasks)
        for file in FILES:
            if file in streams:
                taking.take(file, _READERS[format_](file, streams[file], found))
        found.refuse_if_any()
        stage.seal()
        meter.reach_half()
        staged = max(sum(stage.counts.values()), 1)

        def wrote(count: int) -> None:
            meter.advance(rows * count / staged)

        def command(transaction: Transaction) -> Counts:
            gone = taking.tasks_of_database - _task_ids(transaction.session.connection(), user)
            if gone:
                raise ImportRefusedError((f"{INSTANCES.stem}: task {min(gone)!r} was removed meanwhile: try again",))
            with moving(transaction, user):
                for table in tables:
                    bulk.write(transaction.session, table, user, replace=True, wrote=wrote)
                # A routine that came from elsewhere has missed nothing here: it is looked after from now on.
                transaction.session.execute(delete(RoutineMark).where(RoutineMark.user_id == user))
            tasks, instances, wishes = (stage.counts[table.name] for table in tables)
            transaction.record(
                DataImported(user=user, at=transaction.now, source="files", tasks=tasks, instances=instances)
            )
            return Counts(tasks=tasks, instances=instances, preferences=wishes)

        counts = database.write(command, staged=stage.path)
    meter.finish()
    return counts


class _Taking:
    """Checks the rows of the files one after the other, tasks first; good ones go to the stage, problems are noted."""

    def __init__(self, found: Findings, meter: Meter, stage: Stage, known_tasks: set[str]) -> None:
        self.tasks_of_database: set[str] = set()
        """Tasks that instances of the files need, and only the database has."""
        self._found = found
        self._meter = meter
        self._stage = stage
        self._known_tasks = known_tasks
        self._known_values: defaultdict[tuple[str, str], dict[Any, Any]] = defaultdict(dict)
        self._file_tasks: set[str] = set()
        self._has_all_tasks = True

    def take(self, file: TableFile, rows: Rows) -> None:
        """Check one file."""
        before = self._found.count
        seen: dict[str, int] = {}
        count = 0
        for line, written in rows:
            count += 1
            self._meter.advance(1)
            if file is PREFERENCES and count > 1:
                self._found.add(rows.name, line, None, "a second row: expected one row of preferences")
                continue
            row = self._values(file, rows, line, written)
            self._note_id(file, rows, line, written, seen)
            if row is None:
                continue
            for column, problem in _CONTRADICTIONS.get(file, _none)(row):
                self._found.add(rows.name, line, column, problem)
            if file is INSTANCES:
                self._need_task(rows, line, row["task_id"])
            self._stage.add(file.table, list(row.values()))
        if file is PREFERENCES and count == 0 and self._found.count == before:
            self._found.add(rows.name, None, None, "no row: expected one row of preferences")
        if file is TASKS:
            self._has_all_tasks = rows.is_whole  # where rows were skipped, instances are not to blame

    def _values(self, file: TableFile, rows: Rows, line: int, written: dict[str, Any]) -> dict[str, Any] | None:
        row: dict[str, Any] | None = {}
        is_json = isinstance(rows, JsonRows)
        for column in file.columns:
            cell = written[column.name]
            known = self._known_values[file.stem, column.name]
            # With its type, since 1, 1.0 and true are one key otherwise, and only some of them are right.
            key = None if isinstance(cell, list | dict) else (type(cell), cell)
            value = _UNKNOWN if key is None else known.get(key, _UNKNOWN)
            if value is _UNKNOWN:
                try:
                    value = column.from_json(cell) if is_json else column.from_cell(cell)
                except InvalidInputError as error:
                    self._found.add(rows.name, line, column.name, _without_name(str(error), column))
                    row = None
                    continue
                if key is not None and len(known) < _MAX_KNOWN and not (isinstance(cell, str) and len(cell) > 100):
                    known[key] = value
            if row is not None:
                row[column.name] = value
        return row

    def _note_id(self, file: TableFile, rows: Rows, line: int, written: dict[str, Any], seen: dict[str, int]) -> None:
        identity = written.get("id")
        if not identity or not isinstance(identity, str):
            return
        if identity in seen:
            problem = f"{shown(identity)}: expected each id once, line {seen[identity]} has it too"
            self._found.add(rows.name, line, "id", problem)
        else:
            seen[identity] = line
        if file is TASKS:
            self._file_tasks.add(identity)

    def _need_task(self, rows: Rows, line: int, task: str) -> None:
        if task in self._file_tasks:
            return
        if task in self._known_tasks:
            self.tasks_of_database.add(task)
        elif self._has_all_tasks:
            others = rows.name.replace(INSTANCES.stem, TASKS.stem)
            problem = f"{shown(task)}: expected the id of a task in {others} or of one that is there already"
            self._found.add(rows.name, line, "task_id", problem)


def _of_task(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what cannot be true together in one task, as `_of_instance` does."""
    yield from _out_of_order(row, "created_at", "updated_at")


def _of_instance(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what cannot be true together in one instance, with the column to look at.

    Only what no sequence of commands can lead to: a backup is never refused.
    """
    state = row["state"]
    for column, only in _ONLY_WHEN.items():
        if row[column] is None and state == only:
            yield column, f"empty: expected a value, because the state is {state}"
        elif row[column] is not None and state != only:
            yield column, f"{shown(row[column])}: expected nothing, because the state is {state}"
    if state == State.PAUSED and row["paused_at"] is None:
        yield "paused_at", "empty: expected a value, because the state is paused"
    if row["undo_state"] is not None and state not in (State.COMPLETED, State.CANCELLED):
        yield "undo_state", f"{shown(row['undo_state'])}: expected nothing, because the state is {state}"
    if state != State.COMPLETED:
        for column in _COMPLETED_ONLY:
            if row[column] is not None:
                yield column, f"{shown(row[column])}: expected nothing, because the state is {state}"
    minutes = row["actual_minutes"]
    if minutes is not None and minutes > fields.MAX_MINUTES and minutes != row["timed_minutes"]:
        yield "actual_minutes", f"{minutes!r}: expected at most {fields.MAX_MINUTES:,.0f} minutes"
    yield from _out_of_order(
        row, "created_at", "started_at", "cancelled_at" if state == State.CANCELLED else "completed_at"
    )
    yield from _out_of_order(row, "created_at", "paused_at")
    if row["paused_at"] is not None and row["completed_at"] is not None and row["paused_at"] > row["completed_at"]:
        limit = f"completed_at ({shown(row['completed_at'])})"
        yield "paused_at", f"{shown(row['paused_at'])}: expected a time that is not after {limit}"


def _out_of_order(row: dict[str, Any], *columns: str) -> Iterator[tuple[str, str]]:
    """Yield each time that lies before the one that it follows."""
    times = [(name, row[name]) for name in columns if row.get(name) is not None]
    for (earlier, first), (later, second) in itertools.pairwise(times):
        if first > second:
            yield later, f"{shown(second)}: expected a time that is not before {earlier} ({shown(first)})"


def _none(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return iter(())


_CONTRADICTIONS: dict[TableFile, Callable[[dict[str, Any]], Iterator[tuple[str, str]]]] = {
    TASKS: _of_task,
    INSTANCES: _of_instance,
}


def _rows_at_most(stream: BinaryIO, end: bytes) -> int:
    """Return how many rows *stream* may hold: texts can hold what ends a row as well."""
    count = 0
    while piece := stream.read(1_000_000):
        count += piece.count(end)
    stream.seek(0)
    return count


def _task_ids(connection: Connection, user: UserId) -> set[str]:
    return set(connection.scalars(select(Task.id).where(Task.user_id == user)))


def _without_name(problem: str, column: Column) -> str:
    """Return *problem* without the name of the column, which stands before it anyway."""
    return problem.removeprefix(column.name.replace("_", " ")).lstrip(" :")
