"""Checks CSV files and takes them, every row or none. What they look like is in `columns`.

Rows are matched by their id: those that the user has already are replaced, the others added, none is removed; so
importing the same files twice is the same as once.
"""

import csv
import itertools
import stat
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, delete, select

from data import bulk, fields, preferences
from data.bulk import Meter, Progress, Spool
from data.database import Database, Transaction
from data.days import moving
from data.errors import ImportRefusedError, InvalidInputError, shown
from data.models import FEELINGS, RoutineMark, State, Task
from data.transfer.columns import FILES, INSTANCES, PREFERENCES, TASKS, Column, Counts, CsvFile
from events.catalog import DataImported, UserId
from events.patterns import did_you_mean

MAX_PROBLEMS = 1000
"""How many problems a refusal lists; of the others it says how many there are."""

MAX_CELL = 10 * fields.MAX_TEXT
MAX_LINE_BYTES = 64_000_000

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
    """Take those of `tasks.csv`, `instances.csv` and `user_preferences.csv` that *folder* holds, in one transaction.

    All rows are checked before the write lock is taken. Records one `DataImported`, also when nothing differs.

    Raises:
        ImportRefusedError: there is none of these files, or something in them cannot be taken. Lists every problem
            (the first `MAX_PROBLEMS`) with file, line and column; nothing was written.
        UnknownRecordError: there is no such user.
    """
    found = Findings()
    with ExitStack() as stack:
        streams = _open(folder, stack, found)
        found.refuse_if_any()
        sizes = sum(_size(stream) for stream in streams.values())
        # Half of the way is reading; the other half is writing.
        meter = Meter(progress, 2 * sizes)
        spools = {file.name: stack.enter_context(Spool()) for file in FILES}
        with database.read() as read:
            preferences.load(read, user)
            known_tasks = _task_ids(read.connection, user)
        reader = _Reader(found, meter, spools, known_tasks)
        for file in FILES:
            if file.name in streams:
                reader.take(file, streams[file.name])
        found.refuse_if_any()
        rows = max(sum(spool.count for spool in spools.values()), 1)

        def command(transaction: Transaction) -> Counts:
            gone = reader.tasks_of_database - _task_ids(transaction.session.connection(), user)
            if gone:
                raise ImportRefusedError((f"{INSTANCES.name}: task {min(gone)!r} was removed meanwhile: try again",))
            with moving(transaction, user):
                for file in FILES:
                    bulk.write(
                        transaction.session,
                        file.table,
                        user,
                        spools[file.name],
                        replace=True,
                        wrote=lambda count: meter.advance(sizes * count / rows),
                    )
                # A routine that came from elsewhere has missed nothing here: it is looked after from now on.
                transaction.session.execute(delete(RoutineMark).where(RoutineMark.user_id == user))
            counts = Counts(
                tasks=spools[TASKS.name].count,
                instances=spools[INSTANCES.name].count,
                preferences=spools[PREFERENCES.name].count,
            )
            transaction.record(
                DataImported(
                    user=user, at=transaction.now, source="files", tasks=counts.tasks, instances=counts.instances
                )
            )
            return counts

        counts = database.write(command)
    meter.finish()
    return counts


class Findings:
    """What is wrong with the files, in the words that the user gets."""

    def __init__(self) -> None:
        self.count = 0
        self._problems: list[str] = []

    def add(self, file: str, line: int | None, column: str | None, problem: str) -> None:
        """Note a problem and where it is."""
        self.count += 1
        if self.count <= MAX_PROBLEMS:
            where = file + (f" line {line}" if line else "") + (f", column {column}" if column else "")
            self._problems.append(f"{where}: {problem}")

    def refuse_if_any(self) -> None:
        """Raise the refusal, if there is anything to refuse.

        Raises:
            ImportRefusedError: there is.
        """
        if self.count > MAX_PROBLEMS:
            self._problems.append(f"and {self.count - MAX_PROBLEMS:,} more")
        if self.count:
            raise ImportRefusedError(tuple(self._problems))


class _Reader:
    """Reads the files one after the other, tasks first; puts good rows into spools and problems into the findings."""

    def __init__(self, found: Findings, meter: Meter, spools: dict[str, Spool], known_tasks: set[str]) -> None:
        self.tasks_of_database: set[str] = set()
        """Tasks that instances of the files need, and only the database has."""
        self._found = found
        self._meter = meter
        self._spools = spools
        self._known_tasks = known_tasks
        self._known_values: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        self._file_tasks: set[str] = set()
        self._has_all_tasks = True

    def take(self, file: CsvFile, stream: BinaryIO) -> None:
        """Read and check one file."""
        before = self._found.count
        seen: dict[str, int] = {}
        count = 0
        for line, cells in self._rows(file, stream):
            if not any(cells.values()):
                continue  # spreadsheets leave such rows behind
            count += 1
            if file is PREFERENCES and count > 1:
                self._found.add(file.name, line, None, "a second row: expected one row of preferences")
                continue
            row = self._values(file, line, cells)
            self._note_id(file, line, cells, seen)
            if row is None:
                continue
            if file is INSTANCES:
                for column, problem in _contradictions(row):
                    self._found.add(file.name, line, column, problem)
                self._need_task(line, row["task_id"])
            self._spools[file.name].add(list(row.values()))
        if file is PREFERENCES and count == 0 and self._found.count == before:
            self._found.add(file.name, None, None, "no row: expected one row of preferences")

    def _values(self, file: CsvFile, line: int, cells: dict[str, str]) -> dict[str, Any] | None:
        row: dict[str, Any] | None = {}
        for column in file.columns:
            cell = cells[column.name]
            known = self._known_values[file.name, column.name]
            value = known.get(cell, _UNKNOWN)
            if value is _UNKNOWN:
                try:
                    value = column.value(cell)
                except InvalidInputError as error:
                    self._found.add(file.name, line, column.name, _without_name(str(error), column))
                    row = None
                    continue
                if len(known) < _MAX_KNOWN and len(cell) < 100:
                    known[cell] = value
            if row is not None:
                row[column.name] = value
        return row

    def _note_id(self, file: CsvFile, line: int, cells: dict[str, str], seen: dict[str, int]) -> None:
        identity = cells.get("id")
        if not identity:
            return
        if identity in seen:
            problem = f"{_shown(identity)}: expected each id once, line {seen[identity]} has it too"
            self._found.add(file.name, line, "id", problem)
        else:
            seen[identity] = line
        if file is TASKS:
            self._file_tasks.add(identity)

    def _need_task(self, line: int, task: str) -> None:
        if task in self._file_tasks:
            return
        if task in self._known_tasks:
            self.tasks_of_database.add(task)
        elif self._has_all_tasks:
            problem = f"{_shown(task)}: expected the id of a task in {TASKS.name} or of one that is there already"
            self._found.add(INSTANCES.name, line, "task_id", problem)

    def _rows(self, file: CsvFile, stream: BinaryIO) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the number of each row's first line, and its cells by column."""
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        reader = csv.reader(self._lines(file, stream), strict=True)
        line = 1
        is_whole = False
        try:
            header = next(reader, [])
            is_whole = self._is_header_right(file, header)
            if is_whole:
                line = reader.line_num + 1
                for row in reader:
                    if len(row) == len(header):
                        yield line, dict(zip(header, row, strict=True))
                    elif row:
                        is_whole = False
                        expected = f"expected {len(header)}, as many as in the first line"
                        self._found.add(file.name, line, None, f"{len(row)} cells: {expected}")
                    line = reader.line_num + 1
        except csv.Error as error:
            is_whole = False
            reason = next((ours for theirs, ours in _REASONS.items() if str(error).startswith(theirs)), str(error))
            self._found.add(file.name, line, None, f"{reason}: {_EXPECTED_CSV}")
        if file is TASKS:
            self._has_all_tasks = is_whole  # where rows were skipped, instances are not to blame

    def _is_header_right(self, file: CsvFile, header: list[str]) -> bool:
        before = self._found.count
        names = [column.name for column in file.columns]
        if len(header) == 1:
            for separator, word in ((";", "semicolons"), ("\t", "tabs")):
                if separator in header[0]:
                    self._found.add(file.name, 1, None, f"columns separated by {word}: expected commas")
                    return False
        if len(header) > 10 * len(names):
            self._found.add(file.name, 1, None, f"{len(header):,} columns: expected {','.join(names)}")
            return False
        missing = [name for name in names if name not in header]
        if len(missing) == len(names):
            self._found.add(file.name, 1, None, f"no column names: expected {','.join(names)}")
            return False
        for position, name in enumerate(header):
            if name in header[:position]:
                self._found.add(file.name, 1, None, f"column {_shown(name)} twice: expected each column once")
            elif name not in names:
                hint = did_you_mean(name[:100], missing or names)
                self._found.add(file.name, 1, None, f"column {_shown(name)} is unknown{hint}")
        for name in missing:
            self._found.add(file.name, 1, None, f"column {name!r} is missing")
        return self._found.count == before

    def _lines(self, file: CsvFile, stream: BinaryIO) -> Iterator[str]:
        position = number = 0
        while raw := stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(raw) == MAX_LINE_BYTES:
                raise csv.Error(f"a line longer than {MAX_LINE_BYTES // 1_000_000} MB")
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                text = raw.decode("utf-8", "replace")
                what = f"byte {position + error.start + 1:,} of the file is 0x{raw[error.start]:02X}"
                hint = "expected UTF-8 (in a spreadsheet: save as 'CSV UTF-8')"
                self._found.add(file.name, number, None, f"{what}: {hint}")
            if "\0" in text:
                what = f"byte {position + raw.index(0) + 1:,} of the file is NUL"
                self._found.add(file.name, number, None, f"{what}: expected UTF-8 text")
                text = text.replace("\0", "\ufffd")
            position += len(raw)
            self._meter.advance(len(raw))
            yield text.removeprefix("\ufeff") if number == 1 else text


_EXPECTED_CSV = (
    "expected cells between commas, in double quotes where they hold commas, quotes (written twice) or line breaks"
)
_REASONS = {
    "unexpected end of data": "a quote that is opened in this row is never closed",
    "',' expected after '\"'": "text after a closing quote",
    "new-line character seen in unquoted field": "a carriage return without a line feed",
    "field larger than field limit": f"a cell of more than {MAX_CELL:,} characters, or a quote that is never closed",
}


def _contradictions(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what cannot be true together in one instance, with the column to look at.

    Only what no sequence of commands can lead to: a backup is never refused.
    """
    state = row["state"]
    for column, only in _ONLY_WHEN.items():
        if row[column] is None and state == only:
            yield column, f"empty: expected a value, because the state is {state}"
        elif row[column] is not None and state != only:
            yield column, f"{_shown(row[column])}: expected nothing, because the state is {state}"
    if state == State.PAUSED and row["paused_at"] is None:
        yield "paused_at", "empty: expected a value, because the state is paused"
    if row["undo_state"] is not None and state not in (State.COMPLETED, State.CANCELLED):
        yield "undo_state", f"{_shown(row['undo_state'])}: expected nothing, because the state is {state}"
    if state != State.COMPLETED:
        for column in _COMPLETED_ONLY:
            if row[column] is not None:
                yield column, f"{_shown(row[column])}: expected nothing, because the state is {state}"
    minutes = row["actual_minutes"]
    if minutes is not None and minutes > fields.MAX_MINUTES and minutes != row["timed_minutes"]:
        yield "actual_minutes", f"{minutes!r}: expected at most {fields.MAX_MINUTES:,.0f} minutes"
    times = [(name, row[name]) for name in ("created_at", "started_at", "completed_at") if row[name] is not None]
    for (earlier, first), (later, second) in itertools.pairwise(times):
        if first > second:
            yield later, f"{_shown(second)}: expected a time that is not before {earlier} ({_shown(first)})"


def _open(folder: Path, stack: ExitStack, found: Findings) -> dict[str, BinaryIO]:
    streams: dict[str, BinaryIO] = {}
    for file in FILES:
        path = folder / file.name
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                found.add(file.name, None, None, "this is no regular file")
                continue
            streams[file.name] = stack.enter_context(path.open("rb"))
        except FileNotFoundError:
            continue
        except OSError as error:
            found.add(file.name, None, None, f"cannot be read: {error.strerror}")
    if not streams and not found.count:
        names = ", ".join(file.name for file in FILES)
        found.add(str(folder), None, None, f"expected a folder with at least one of {names}")
    return streams


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def _task_ids(connection: Connection, user: UserId) -> set[str]:
    return set(connection.scalars(select(Task.id).where(Task.user_id == user)))


def _without_name(problem: str, column: Column) -> str:
    """Return *problem* without the name of the column, which stands before it anyway."""
    return problem.removeprefix(column.name.replace("_", " ")).lstrip(" :")


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else shown(value)
