"""Reads one user's completed instances as columns of numbers, and applies the formulas to them.

Also the two small things that whoever reads instances needs: the condition that one was completed on certain days, and
what tasks are called.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, select, type_coerce

from data.calculations import formulas
from data.calculations.formulas import Numbers
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import EPOCH, Instance, Instant, Kind, Task
from data.viewpoint import Viewpoint

COMPLETED_AT = type_coerce(Instance.completed_at, Instant())
"""When an instance was completed; to be read of completed ones only, where it is never None."""

MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_MINUTE = 60_000_000

_FELT = (
    "predicted_relief",
    "predicted_aversion",
    "predicted_motivation",
    "actual_relief",
    "actual_mental_load",
    "actual_emotional_load",
    "actual_physical_load",
    "actual_aversion",
)
_MEASURED = ("estimate_minutes", "actual_minutes", "completion_percent")

_UNSAID = 101
_BITS = 15
"""Of a digit: one character below the surrogates, which are none."""


def _digits(expression: str, count: int) -> str:
    """Return SQL for the lowest *count* digits of a number >= 0, the highest first; no digit is the character NUL."""
    lowest = f"({expression} & 32767) + 1"
    return ", ".join(
        [*(f"(({expression}) >> {_BITS * place} & 32767) + 1" for place in range(count - 1, 0, -1)), lowest]
    )


_SINCE_DIGITS, _DELAY_DIGITS = 3, 4
_CHARACTERS = len(_FELT) + _SINCE_DIGITS + _DELAY_DIGITS
_WHERE = "FROM instances WHERE user_id = :user AND completed_at >= :since AND completed_at < :until"
_IN_ORDER = f"{_WHERE} ORDER BY completed_at, rowid"  # as the index has them
_WHOLE_SQL = f"""
    SELECT group_concat(whole, ''), group_concat(task_id, ' ') FROM (SELECT task_id, char(
        {", ".join(f"ifnull({column}, {_UNSAID}) + 1" for column in _FELT)},
        {_digits("(completed_at - :since)", _SINCE_DIGITS)},
        {_digits("max(0, ifnull(started_at, completed_at) - created_at)", _DELAY_DIGITS)}) AS whole {_IN_ORDER})"""  # nosec B608  # names of our own tables and columns
_MEASURED_SQL = f"SELECT {', '.join(f'ifnull({column}, -1.0)' for column in _MEASURED)} {_IN_ORDER}"
_IDS_SQL = f"SELECT json_group_array(id) FROM (SELECT id {_IN_ORDER})"  # nosec B608  # names of our own tables and columns
_KINDS_SQL = "SELECT id, kind FROM tasks WHERE user_id = ? AND id IN (SELECT value FROM json_each(?))"


class Completed(msgspec.Struct, frozen=True):
    """Completed instances in the order of completion, ties by id; the same place is the same instance in every array.

    `at` is in microseconds since 1970. `task` is a place in `tasks`, which are ids in ascending order; `kind` a place
    among the kinds. `recorded` holds the columns by the table's names.
    """

    at: NDArray[np.int64]
    task: NDArray[np.intp]
    tasks: tuple[str, ...]
    kind: NDArray[np.intp]
    delay_minutes: Numbers
    recorded: dict[str, Numbers]


class Label(msgspec.Struct, frozen=True):
    """What a task is called and where it belongs."""

    task_id: str
    name: str
    kind: str
    categories: tuple[str, ...]


def completed_years(read: ReadTransaction, view: Viewpoint) -> list[int]:
    """Return the years in which anything was completed. A seek each: one mistyped date adds no years before it."""
    found: list[int] = []
    (day,) = days_at(read, view, "min(completed_at)")
    while day is not None:
        found.append(day.year)
        since = microseconds(view.profile.calendar.starts(date(day.year + 1, 1, 1)))
        (day,) = days_at(read, view, "min(completed_at)", since=since)
    return found


def days_at(read: ReadTransaction, view: Viewpoint, *ends: str, since: int | None = None) -> list[date | None]:
    """Return the local day of each of *ends*, such as `min(created_at)`; None without any. Costs a seek each.

    With *since*, of what was completed from then on.
    """
    later = "" if since is None else " AND completed_at >= :since"
    asked = ", ".join(f"(SELECT {end} FROM instances WHERE user_id = :user{later})" for end in ends)  # nosec B608  # names of our own tables and columns
    row = read.connection.exec_driver_sql(f"SELECT {asked}", {"user": view.user, "since": since}).one()
    day_of = view.profile.calendar.day_of
    return [None if moment is None else day_of(EPOCH + MICROSECOND * moment) for moment in row]


def microseconds(instant: datetime) -> int:
    """Return *instant* as the tables hold it."""
    return (instant - EPOCH) // MICROSECOND


def read_completed(read: ReadTransaction, view: Viewpoint, since: datetime, until: datetime) -> Completed:
    """Return what was completed from *since* to before *until*, which is at most a year later.

    What is whole numbers comes as one string of a few characters per instance, since a row of Python objects would cost
    several times as much, and hold the interpreter's lock meanwhile.
    """
    bounds = {"user": view.user, "since": microseconds(since), "until": microseconds(until)}
    cursor = read.connection.connection.cursor()
    try:
        whole, tasks = cursor.execute(_WHOLE_SQL, bounds).fetchone()
        measured = np.fromiter(chain.from_iterable(cursor.execute(_MEASURED_SQL, bounds)), np.float64)
        characters = _characters(whole)
        passed = _number(characters[len(_FELT) : -_DELAY_DIGITS])
        is_tied = bool((passed[1:] == passed[:-1]).any())  # several at one instant, after an import perhaps
        own_ids = msgspec.json.decode(cursor.execute(_IDS_SQL, bounds).fetchone()[0]) if is_tied else []
        task_ids = tasks.split(" ") if tasks else []
        ids = tuple(sorted(set(task_ids)))
        kinds = dict(cursor.execute(_KINDS_SQL, (view.user, msgspec.json.encode(ids).decode())).fetchall())
    finally:
        cursor.close()
    place_of = {task_id: place for place, task_id in enumerate(ids)}
    task = np.array([place_of[task_id] for task_id in task_ids], dtype=np.intp)
    felt = characters[: len(_FELT)].astype(np.float64) - 1
    felt[felt == _UNSAID] = np.nan
    measured = measured.reshape(-1, len(_MEASURED)).T
    measured = np.where(measured < 0, np.nan, measured)
    if is_tied:
        order = np.lexsort((np.array(own_ids), passed))
        passed, task, characters = passed[order], task[order], characters[:, order]
        felt, measured = felt[:, order], measured[:, order]
    kind_of = list(Kind)
    return Completed(
        at=bounds["since"] + passed,
        task=task,
        tasks=ids,
        kind=np.array([kind_of.index(Kind(kinds[task_id])) for task_id in ids], dtype=np.intp)[task],
        delay_minutes=_number(characters[-_DELAY_DIGITS:]) / MICROSECONDS_PER_MINUTE,
        recorded=dict(zip((*_FELT, *_MEASURED), (*felt, *measured), strict=True)),
    )


def _characters(whole: str | None) -> NDArray[np.uint16]:
    """Return the characters of all instances: one row for each character of an instance."""
    return np.ascontiguousarray(np.frombuffer((whole or "").encode("utf-16-le"), np.uint16).reshape(-1, _CHARACTERS).T)


def _number(digits: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return the number that `_digits` wrote."""
    found = np.zeros(digits.shape[1], dtype=np.int64)
    for digit in digits:
        found = (found << _BITS) + (digit.astype(np.int64) - 1)
    return found


def measure(completed: Completed, first_aversion: Numbers, earlier_completions: Numbers) -> dict[str, Numbers]:
    """Return every number of the instances, under the glossary's names.

    *first_aversion* and *earlier_completions* are of each instance's task. `relief_bias` and `aversion_bias` are
    predicted minus actual; `rated_minutes` are the minutes behind `relief_points`, NaN without points. Source of
    `delay_minutes`: start (completion, if never started) - planning; 0 for what was logged afterwards, which was not
    put off.
    """
    recorded = completed.recorded
    relief, aversion = recorded["actual_relief"], recorded["actual_aversion"]
    mental, emotional = recorded["actual_mental_load"], recorded["actual_emotional_load"]
    physical = recorded["actual_physical_load"]
    minutes, percent = recorded["actual_minutes"], recorded["completion_percent"]
    stress = formulas.stress(mental, emotional, physical)
    difficulty = formulas.difficulty(mental, emotional, aversion)
    surprise = formulas.surprise(relief, recorded["predicted_relief"])
    disappointment = formulas.disappointment(surprise)
    time_accuracy = formulas.time_accuracy(minutes, recorded["estimate_minutes"])
    points = formulas.relief_points(relief, minutes, percent)
    promptness = formulas.promptness(completed.delay_minutes)
    return {
        "relief": relief,
        "mental_load": mental,
        "emotional_load": emotional,
        "physical_load": physical,
        "aversion": aversion,
        "motivation": recorded["predicted_motivation"],
        "predicted_relief": recorded["predicted_relief"],
        "predicted_aversion": recorded["predicted_aversion"],
        "estimate_minutes": recorded["estimate_minutes"],
        "actual_minutes": minutes,
        "completion_percent": percent,
        "stress": stress,
        "net_wellbeing": formulas.net_wellbeing(relief, stress),
        "stress_efficiency": formulas.stress_efficiency(relief, stress),
        "difficulty": difficulty,
        "surprise": surprise,
        "serendipity": formulas.serendipity(surprise),
        "disappointment": disappointment,
        "relief_bias": -surprise,
        "aversion_bias": recorded["predicted_aversion"] - aversion,
        "aversion_drop": formulas.aversion_drop(first_aversion, aversion),
        "delay_minutes": completed.delay_minutes,
        "time_accuracy": time_accuracy,
        "execution": formulas.execution(difficulty, time_accuracy, promptness, percent),
        "grit": formulas.grit(aversion, disappointment, earlier_completions),
        "relief_points": points,
        "rated_minutes": np.where(np.isnan(points), np.nan, minutes),
    }


def read_labels(read: ReadTransaction, view: Viewpoint, ids: Collection[str] | None = None) -> dict[str, Label]:
    """Return `{task_id: label}` of the tasks *ids* (None: of all), archived ones too."""
    wanted = select(Task.id, Task.name, Task.kind, Task.categories).where(Task.user_id == view.user)
    if ids is not None:
        wanted = wanted.where(Task.id.in_(ids))
    return {row[0]: Label(*row) for row in read.connection.execute(wanted.order_by(Task.id))}


def completed_within(view: Viewpoint, first: date | None = None, last: date | None = None) -> ColumnElement[bool]:
    """Return the condition that an instance is this user's and was completed on the days *first* to *last*.

    None is no bound. Only completed instances have the time of completion: asking for the state too would keep SQLite
    from answering counts from an index alone. Asked whether there is a time, besides after when, it would begin to look
    at the very first.
    """
    starts = view.profile.calendar.starts
    condition = Instance.user_id == view.user
    if first is not None:
        condition = and_(condition, starts(first) <= COMPLETED_AT)
    if last is not None:
        condition = and_(condition, starts(last + ONE_DAY) > COMPLETED_AT)
    return condition if first or last else and_(condition, COMPLETED_AT.is_not(None))
