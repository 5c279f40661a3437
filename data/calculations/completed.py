"""Reads one user's completed instances as columns of numbers, and applies the formulas to them.

Also the two small things that whoever reads instances needs: the condition that one was completed on certain days, and
what tasks are called.
"""

import contextlib
from datetime import date, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, type_coerce

from data.calculations import formulas
from data.calculations.formulas import Numbers
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import EPOCH, Instance, Instant, Kind, words
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
_WHERE = "FROM instances WHERE user_id = :user AND completed_at >= :since AND completed_at < :until"
_SQL = f"""
    SELECT group_concat(task_id, ' '), CAST(group_concat(felt, '') AS BLOB), group_concat(passed, ','),
        group_concat(delay, ','), group_concat(measured, ',')
    FROM (
        SELECT task_id, completed_at - :since AS passed,
            max(0, ifnull(started_at, completed_at) - created_at) AS delay,
            char({", ".join(f"ifnull({column}, {_UNSAID})" for column in _FELT)}) AS felt,
            printf('{",".join("%!.17g" for _ in _MEASURED)}',
                {", ".join(f"ifnull({column}, -1.0)" for column in _MEASURED)}) AS measured
        {_WHERE} ORDER BY completed_at, rowid)"""  # as the index has them
_numbers = msgspec.json.Decoder(list[float])
_TIES_SQL = """
    SELECT row_number() OVER (ORDER BY completed_at, rowid) - 1 FROM instances
    WHERE user_id = ? AND completed_at IN (SELECT value FROM json_each(?)) ORDER BY completed_at, id"""
_KINDS_SQL = "SELECT id, kind FROM tasks WHERE user_id = ? AND id IN (SELECT value FROM json_each(?))"

_LABELS_SQL = "SELECT id, name, kind, categories FROM tasks WHERE user_id = ?"


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
    while day is not None and day.year not in found[-1:]:  # what lies beyond the last year there is, is of that year
        found.append(day.year)
        since = microseconds(view.profile.calendar.starts(date(day.year + 1, 1, 1)))
        (day,) = days_at(read, view, "min(completed_at)", since=since)
    return found


def days_at(read: ReadTransaction, view: Viewpoint, *ends: str, since: int | None = None) -> list[date | None]:
    """Return the local day of each of *ends*, such as `min(created_at)`; None without any. Costs a seek each.

    With *since*, of what was completed from then on.
    """
    later = "" if since is None else " AND completed_at >= :since"
    asked = ", ".join(f"(SELECT {end} FROM instances WHERE user_id = :user{later})" for end in ends)
    cursor = read.connection.connection.cursor()
    try:
        row = cursor.execute(f"SELECT {asked}", {"user": view.user, "since": since}).fetchone()
    finally:
        cursor.close()
    day_of = view.profile.calendar.day_of
    return [None if moment is None else day_of(EPOCH + MICROSECOND * moment) for moment in row]


def microseconds(instant: datetime) -> int:
    """Return *instant* as the tables hold it."""
    return (instant - EPOCH) // MICROSECOND


def read_completed(read: ReadTransaction, view: Viewpoint, since: datetime, until: datetime) -> Completed:
    """Return what was completed from *since* to before *until*, which is at most some years later.

    They come as strings, since a row of Python objects each would cost twice as much, and hold the interpreter's lock
    meanwhile: feelings with a byte each, and minutes in as many digits as it takes to be exact.
    """
    bounds = {"user": view.user, "since": microseconds(since), "until": microseconds(until)}
    cursor = read.connection.connection.cursor()
    try:
        tasks, felt_bytes, *times, minutes = cursor.execute(_SQL, bounds).fetchone()
        passed, delay = (np.fromstring(text or "", np.int64, sep=",") for text in times)
        measured = np.array(_numbers.decode(f"[{minutes or ''}]"), np.float64).reshape(-1, len(_MEASURED)).T
        tied = passed[1:][passed[1:] == passed[:-1]]  # several at one instant, after an import perhaps
        if len(tied):
            instants = msgspec.json.encode(sorted({bounds["since"] + one for one in tied.tolist()})).decode()
            places = [place for (place,) in cursor.execute(_TIES_SQL, (view.user, instants))]
        task_ids = tasks.split(" ") if tasks else []
        ids = tuple(sorted(set(task_ids)))
        kinds = dict(cursor.execute(_KINDS_SQL, (view.user, msgspec.json.encode(ids).decode())).fetchall())
    finally:
        cursor.close()
    place_of = {task_id: place for place, task_id in enumerate(ids)}
    task = np.fromiter(map(place_of.__getitem__, task_ids), np.intp, len(task_ids))
    felt = np.frombuffer(felt_bytes or b"", np.uint8).reshape(-1, len(_FELT)).T
    measured[measured < 0] = np.nan
    recorded = np.concatenate([felt, measured])  # and so floats
    recorded[: len(_FELT)][felt == _UNSAID] = np.nan
    if len(tied):
        among = np.flatnonzero(np.isin(passed, tied))
        delay[among], task[among] = delay[among[places]], task[among[places]]
        recorded[:, among] = recorded[:, among[places]]
    kind_of = list(Kind)
    return Completed(
        at=bounds["since"] + passed,
        task=task,
        tasks=ids,
        kind=np.array([kind_of.index(Kind(kinds[task_id])) for task_id in ids], dtype=np.intp)[task],
        delay_minutes=delay / MICROSECONDS_PER_MINUTE,
        recorded=dict(zip((*_FELT, *_MEASURED), recorded, strict=True)),
    )


def measure(completed: Completed, earlier_completions: Numbers) -> dict[str, Numbers]:
    """Return every number of the instances, under the glossary's names, but for `aversion_drop`: see `sums`.

    *earlier_completions* are of each instance's task. `relief_bias` and `aversion_bias` are
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
        "delay_minutes": completed.delay_minutes,
        "time_accuracy": time_accuracy,
        "execution": formulas.execution(difficulty, time_accuracy, promptness, percent),
        "grit": formulas.grit(aversion, disappointment, earlier_completions),
        "relief_points": points,
        "rated_minutes": np.where(np.isnan(points), np.nan, minutes),
    }


def read_labels(read: ReadTransaction, view: Viewpoint) -> dict[str, Label]:
    """Return `{task_id: label}` of all tasks, archived ones too."""
    with contextlib.closing(read.connection.connection.cursor()) as cursor:
        rows = cursor.execute(_LABELS_SQL, (view.user,)).fetchall()
    return {task_id: Label(task_id, name, kind, words(listed)) for task_id, name, kind, listed in rows}


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
