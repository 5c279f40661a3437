"""What the files hold: one file per table, one column per column of its model, in any order but all of them.

How a value is written is in `cells`; here is what each column may hold.
"""

import functools
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column as TableColumn
from sqlalchemy import Table

from data import bulk, fields, instances, preferences, tasks
from data.calculations.composite import COMPONENTS
from data.calculations.recommendations import SUB_SCORES
from data.calculations.registry import BY_NAME as METRICS
from data.errors import InvalidInputError, shown
from data.models import CancelReason, Instance, Preferences, State, Task
from data.transfer.cells import Shape, shape_of
from events.patterns import did_you_mean

Check = Callable[[Any], Any]

MAX_VERSION = 1_000_000_000

_MOST_LISTED = 12

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows were written or taken."""

    tasks: int
    instances: int
    preferences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file: how its values are written, and which there may be."""

    name: str
    is_optional: bool
    shape: Shape
    check: Check
    """Returns a value as it is stored. Raises `InvalidInputError`."""

    def from_cell(self, cell: str) -> Any:
        """Return the value that a CSV *cell* stands for.

        Raises:
            InvalidInputError: the cell cannot be read so, or the column may not hold that value.
        """
        if not cell and self.is_optional:
            return None
        return self.check(self.shape.from_cell(cell))

    def from_json(self, found: Any) -> Any:
        """Return the value that something decoded from JSON stands for.

        Raises:
            InvalidInputError: it is of another type, or the column may not hold that value.
        """
        if found is None:
            if self.is_optional:
                return None
            raise InvalidInputError("null: expected a value")
        return self.check(self.shape.from_json(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """One of the files, and the table behind it. The columns are in the order of the table."""

    stem: str
    table: Table
    columns: tuple[Column, ...]


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


def _known(column: str, names: Iterable[str], what: str) -> Check:
    """Return the check of a column that names things: a name that nobody knows would be taken and mean nothing."""
    known = list(names)

    def check(value: Any) -> Any:
        stored = preferences.check(column, value)
        for name in stored:
            if name not in known:
                hint = did_you_mean(name[:100], known) or f": expected {_some_of(known)}"
                raise InvalidInputError(f"{shown(name)} is no {what}{hint}")
        return stored

    return check


def _some_of(names: list[str]) -> str:
    few = len(names) <= _MOST_LISTED
    return f"some of {', '.join(names)}" if few else f"names of the glossary, such as {names[0]}"


_PREFERENCE_CHECKS: dict[str, Check] = {
    **{name: functools.partial(preferences.check, name) for name in preferences.FIELDS},
    "composite_weights": _known(
        "composite_weights", (component.name for component in COMPONENTS), "component of the composite score"
    ),
    "recommendation_weights": _known("recommendation_weights", SUB_SCORES, "sub-score of recommendations"),
    "monitored_metrics": _known("monitored_metrics", METRICS, "metric"),
}


def _file(stem: str, model: type[Any], checks: dict[str, Check]) -> TableFile:
    table = cast(Table, model.__table__)
    return TableFile(
        stem=stem,
        table=table,
        columns=tuple(_column(table.columns[column], checks) for column in bulk.columns(table)),
    )


def _column(column: "TableColumn[Any]", checks: dict[str, Check]) -> Column:
    return Column(
        name=column.name,
        is_optional=bool(column.nullable),
        shape=shape_of(column.type),
        check=checks[column.name],  # a KeyError here: the model has a column that nobody said how to check
    )


TASKS = _file("tasks", Task, _TASK_CHECKS)
INSTANCES = _file("instances", Instance, _INSTANCE_CHECKS)
PREFERENCES = _file("user_preferences", Preferences, _PREFERENCE_CHECKS)

FILES = (TASKS, INSTANCES, PREFERENCES)
"""In the order in which they are written: an instance needs its task."""
