"""What the CSV files hold: one file per table, one column per column of its model, each value as one cell.

Cells are separated by commas, lines end with CRLF, the text is UTF-8. Columns may stand in any order but are all there.

| value      | cell                                                                                                  |
|------------|-------------------------------------------------------------------------------------------------------|
| None       | empty. No column can hold both None and empty text, so an empty cell is never ambiguous               |
| text       | as it is, line breaks included. Before text that a spreadsheet would run as a formula (it begins with |
|            | = + - @ tab CR LF or a full-width form of these), and before an apostrophe, stands one apostrophe     |
| number     | the shortest decimal that gives the same number again (`30.0`, `1e-05`)                               |
| yes or no  | `true`, `false`                                                                                       |
| instant    | ISO 8601 in UTC, with microseconds if there are any: `2026-11-22T14:03:05.120000Z`                    |
| list       | JSON array: `["home", "money"]`                                                                       |
| weights    | JSON object: `{"avg_relief": 2.0}`                                                                    |
"""

import functools
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import Boolean, Float, Integer, String, Table
from sqlalchemy import Column as TableColumn

from data import bulk, fields, instances, preferences, tasks
from data.errors import InvalidInputError, shown
from data.models import CancelReason, Instance, Instant, Preferences, State, Task, Weights, Words

Check = Callable[[Any], Any]

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width = + - @
MAX_VERSION = 1_000_000_000

_ESCAPED = re.compile(f"'(?=[{re.escape(FORMULA_STARTS)}'])")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows were written or taken."""

    tasks: int
    instances: int
    preferences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file: how its values become cells, and cells values."""

    name: str
    is_optional: bool
    to_cell: Callable[[Any], str]
    """Writes a value that is not None."""
    from_cell: Callable[[str], Any]
    """Reads a cell; where it is of another shape, `check` is given the text and refuses it."""
    check: Check
    """Returns a value as it is stored. Raises `InvalidInputError`."""

    def value(self, cell: str) -> Any:
        """Return the value that *cell* stands for.

        Raises:
            InvalidInputError: the cell cannot be read so, or the column may not hold that value.
        """
        if not cell and self.is_optional:
            return None
        return self.check(self.from_cell(cell))


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """One of the files, and the table behind it. The columns are in the order of the table."""

    name: str
    table: Table
    columns: tuple[Column, ...]


def to_text_cell(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula."""
    return "'" + text if text and text[0] in _NEEDS_APOSTROPHE else text


def from_text_cell(cell: str) -> str:
    """Undo `to_text_cell`. An apostrophe that it would not have written belongs to the text ('tis)."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def to_instant_cell(moment: datetime) -> str:
    """Return an aware UTC time as ISO 8601."""
    return moment.isoformat().replace("+00:00", "Z")


def from_instant_cell(cell: str) -> datetime:
    """Return the aware time; an offset is required, because without it nobody could say when it was.

    Raises:
        InvalidInputError: it is not written so.
    """
    if _INSTANT.fullmatch(cell):
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            pass
    raise InvalidInputError(f"{shown(cell)}: expected a time with its offset from UTC, such as 2026-11-22T14:03:05Z")


def from_number_cell(cell: str) -> Any:
    """Return the number, whole if it is written so."""
    if _INTEGER.fullmatch(cell):
        return int(cell)
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def from_flag_cell(cell: str) -> Any:
    """Return the yes or no; spreadsheets write it in capitals."""
    return {"true": True, "false": False}.get(cell.lower(), cell)


def from_words_cell(cell: str) -> list[str]:
    """Return the list; an empty cell is an empty one.

    Raises:
        InvalidInputError: it is not a JSON array of strings.
    """
    try:
        return msgspec.json.decode(cell, type=list[str]) if cell else []
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidInputError(f'{shown(cell)}: expected a JSON array of texts, such as ["home", "money"]') from None


def from_weights_cell(cell: str) -> dict[str, float]:
    """Return the weights; an empty cell means none.

    Raises:
        InvalidInputError: it is not a JSON object of numbers.
    """
    try:
        return msgspec.json.decode(cell, type=dict[str, float]) if cell else {}
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidInputError(
            f'{shown(cell)}: expected a JSON object of numbers, such as {{"avg_relief": 2}}'
        ) from None


_NEEDS_APOSTROPHE = frozenset(FORMULA_STARTS + "'")

_SHAPES: tuple[tuple[type[Any], Callable[[Any], str], Callable[[str], Any]], ...] = (
    (Instant, to_instant_cell, from_instant_cell),
    (Words, lambda words: json.dumps(list(words), ensure_ascii=False), from_words_cell),
    (Weights, lambda weights: json.dumps(weights, sort_keys=True), from_weights_cell),
    (Boolean, lambda flag: "true" if flag else "false", from_flag_cell),
    (Integer, str, from_number_cell),
    (Float, repr, from_number_cell),
    (String, to_text_cell, from_text_cell),
)


def _id(value: Any) -> str:
    if not _ID.fullmatch(value):
        raise InvalidInputError(f"{shown(value)}: expected 1 to 64 letters, digits, dots, hyphens or underscores")
    return str(value)


def _version(value: Any) -> int:
    if isinstance(value, str) or value != value // 1 or not 1 <= value <= MAX_VERSION:
        raise InvalidInputError(f"{shown(value)}: expected a whole number from 1 to {MAX_VERSION:,}")
    return int(value)


def _timed(value: Any) -> float:
    # A timer that somebody forgot may have run for longer than anybody may type in.
    if isinstance(value, str) or not math.isfinite(value) or value < 0:
        raise InvalidInputError(f"{shown(value)}: expected minutes, 0 or more")
    return float(value)


def _of(name: str, check: Callable[[Any, str], Any]) -> Check:
    return lambda value: check(value, name)


def _undo_state(value: Any) -> str:
    if value not in (State.PLANNED, State.ACTIVE, State.PAUSED):
        raise InvalidInputError(f"{shown(value)}: expected one of planned, active, paused")
    return str(value)


_TASK_CHECKS: dict[str, Check] = {
    **tasks.CHECKS,
    "id": _id,
    "archived": _of("archived", fields.flag),
    "demo": _of("demo", fields.flag),
    "version": _version,
    "created_at": _of("created_at", fields.instant),
    "updated_at": _of("updated_at", fields.instant),
}

_INSTANCE_CHECKS: dict[str, Check] = {
    **{name: _of(name, check) for name, check in instances.CHECKS.items()},
    "id": _id,
    "task_id": _id,
    "state": lambda value: fields.choice(value, State, "state").value,
    "actual_minutes": _timed,  # the rest of its rule spans two columns, see `imports`
    "timed_minutes": _timed,
    "paused_at": _of("paused_at", fields.instant),
    "resumed_at": _of("resumed_at", fields.instant),
    "cancelled_at": _of("cancelled_at", fields.instant),
    "cancel_reason": lambda value: fields.choice(value, CancelReason, "cancel_reason").value,
    "undo_state": _undo_state,
    "demo": _of("demo", fields.flag),
}

_PREFERENCE_CHECKS: dict[str, Check] = {name: functools.partial(preferences.check, name) for name in preferences.FIELDS}


def _file(name: str, model: type[Any], checks: dict[str, Check]) -> CsvFile:
    table = cast(Table, model.__table__)
    return CsvFile(
        name=name,
        table=table,
        columns=tuple(_column(table.columns[column], checks) for column in bulk.columns(table)),
    )


def _column(column: "TableColumn[Any]", checks: dict[str, Check]) -> Column:
    to_cell, from_cell = next(pair for kind, *pair in _SHAPES if isinstance(column.type, kind))
    return Column(
        name=column.name,
        is_optional=bool(column.nullable),
        to_cell=to_cell,
        from_cell=from_cell,
        check=checks[column.name],  # a KeyError here: the model has a column that nobody said how to check
    )


TASKS = _file("tasks.csv", Task, _TASK_CHECKS)
INSTANCES = _file("instances.csv", Instance, _INSTANCE_CHECKS)
PREFERENCES = _file("user_preferences.csv", Preferences, _PREFERENCE_CHECKS)

FILES = (TASKS, INSTANCES, PREFERENCES)
"""In the order in which they are written: an instance needs its task."""
