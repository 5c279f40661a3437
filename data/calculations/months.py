"""The pieces that all numbers of the past are added up from: the sums of one month of local days.

A month's sums depend on what was completed in it, and on how each task began (`Beginning`): grit counts earlier
completions up to ten, and aversion is compared with the first time. So a new completion touches one month, and only
one that changes how a task began touches others; `data.touches` says which. What is made of the days is in `series`;
years are added up in `past`.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from data.calculations.completed import Completed, measure, microseconds, read_completed
from data.calculations.formulas import PRACTISED, Numbers
from data.calculations.sums import (
    ATTRIBUTES,
    EXPECTED,
    FELT,
    HALF_LIFE_DAYS,
    HOURS_OF_WEEK,
    OF_RATED,
    RANGES,
    Sums,
    whole,
)
from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import EPOCH, Kind
from data.viewpoint import Viewpoint

AVERAGED = (
    "relief",
    "stress",
    "net_wellbeing",
    "stress_efficiency",
    "aversion",
    "mental_load",
    "emotional_load",
    "physical_load",
    "motivation",
    "delay_minutes",
    "time_accuracy",
    "execution",
    "grit",
    "serendipity",
    "disappointment",
    "relief_bias",
    "aversion_bias",
    "relief_points",
    "rated_minutes",
)
"""What is summed by day."""

BY_DAY = (
    "completed",
    "self_care_completed",
    "median_minutes",
    *(f"minutes_{kind}" for kind in Kind),
    *(f"sum_{name}" for name in AVERAGED),
    *(f"count_{name}" for name in AVERAGED),
)
_MICROSECONDS_PER_HOUR = 3_600_000_000


class Month(msgspec.Struct, frozen=True):
    """What was completed in one month: its sums, and those of its days, BY_DAY x days, in bytes as in `Sums`."""

    sums: Sums
    by_day: bytes = b""

    def days(self) -> Numbers:
        """Return the table of days."""
        days = (following(self.sums.first) - self.sums.first).days
        if self.by_day:
            return np.frombuffer(self.by_day, dtype=np.float64).reshape(len(BY_DAY), -1)
        empty = np.zeros((len(BY_DAY), days))
        empty[BY_DAY.index("median_minutes")] = np.nan
        return empty


class Counts(msgspec.Struct, frozen=True):
    """How many instances were planned and cancelled on each day of a month."""

    created: tuple[int, ...]
    cancelled: tuple[int, ...]


class Beginning(msgspec.Struct, frozen=True):
    """How a task began: when it was completed for the first ten times, in microseconds since 1970, and what the very
    first one's aversion was."""

    task_id: str
    first_aversion: int | None
    completed_at: tuple[int, ...]


class Beginnings(msgspec.Struct, frozen=True):
    """The beginnings of all tasks that were ever completed, by id."""

    tasks: tuple[Beginning, ...]


def part_of(day: date) -> str:
    """Return the part that holds *day*: `2026-05`."""
    return f"{day:%Y-%m}"


def first_of(part: str) -> date:
    """Return the first day of a part."""
    return date.fromisoformat(f"{part}-01")


def following(first: date) -> date:
    """Return the first day of the month after the one of *first*."""
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1)


def parts_between(first: date, last: date) -> list[str]:
    """Return the parts that hold the days *first* to *last*, oldest first."""
    found = []
    day = first.replace(day=1)
    while day <= last:
        found.append(part_of(day))
        day = following(day)
    return found


def load_month(read: ReadTransaction, view: Viewpoint, part: str) -> Month:
    """Return the sums of the month *part*. Reads its rows, about 3 us each, and the tasks' beginnings."""
    first = first_of(part)
    return tally(read, view, first, following(first) - ONE_DAY)


def tally(read: ReadTransaction, view: Viewpoint, first: date, last: date) -> Month:
    """Return the sums of the month that begins on *first*, of the instances completed up to *last*."""
    calendar = view.profile.calendar
    completed = read_completed(read, view, calendar.starts(first), calendar.starts(last + ONE_DAY))
    if not len(completed.at):
        return Month(Sums(first, first))
    days = [first + ONE_DAY * place for place in range((last - first).days + 1)]
    starts = np.array([microseconds(calendar.starts(day)) for day in (*days, last + ONE_DAY)])
    day = np.searchsorted(starts, completed.at, side="right") - 1
    beginnings: Beginnings = read.piece(load_beginnings, view, "all")
    numbers = measure(completed, *_past(completed, beginnings, int(starts[0])))
    parts = {
        "by_hour": _by_hour(completed, numbers, day, days, calendar),
        "sides": _sides(numbers["net_wellbeing"]),
        "foresight": _foresight(numbers["predicted_relief"], numbers["relief"]),
        "moments": _moments(numbers),
        "histograms": _histograms(numbers),
    }
    by_task = _by_task(completed, numbers, day).T.tobytes()
    sums = Sums(first, first, days[day[-1]], completed.tasks, by_task, whole(parts))
    return Month(sums, _by_day(completed, numbers, day, len(days)).tobytes())


def load_counts(read: ReadTransaction, view: Viewpoint, part: str) -> Counts:
    """Return what was planned and cancelled on each day of the month *part*."""
    first = first_of(part)
    days = (following(first) - first).days
    calendar = view.profile.calendar
    starts = [calendar.starts(first + ONE_DAY * place) for place in range(days + 1)]
    edges = np.array([microseconds(start) for start in starts])
    cursor = read.connection.connection.cursor()
    found = []
    try:
        for column in ("created_at", "cancelled_at"):
            moments = cursor.execute(
                f"SELECT {column} FROM instances WHERE user_id = ? AND {column} >= ? AND {column} < ?",  # nosec B608  # names of our own tables and columns
                (view.user, int(edges[0]), int(edges[-1])),
            )
            at = np.fromiter((moment for (moment,) in moments), np.int64)
            place = np.searchsorted(edges, at, side="right") - 1
            found.append(tuple(np.bincount(place, minlength=days).tolist()))
    finally:
        cursor.close()
    return Counts(created=found[0], cancelled=found[1])


_BEGINNINGS_SQL = f"""
    SELECT began.task_id, began.actual_aversion, began.completed_at
    FROM tasks CROSS JOIN instances AS began ON began.rowid IN (
        SELECT instances.rowid FROM instances
        WHERE instances.user_id = tasks.user_id AND instances.task_id = tasks.id AND instances.completed_at IS NOT NULL
        ORDER BY instances.completed_at, instances.id LIMIT {PRACTISED})
    WHERE tasks.user_id = ?
    ORDER BY began.task_id, began.completed_at, began.id"""  # nosec B608  # names of our own tables and columns


def load_beginnings(read: ReadTransaction, view: Viewpoint, part: str) -> Beginnings:
    """Return how all tasks began; there is one *part*. Reads ten rows per task, whatever the history."""
    cursor = read.connection.connection.cursor()
    try:
        rows = cursor.execute(_BEGINNINGS_SQL, (view.user,)).fetchall()
    finally:
        cursor.close()
    found = []
    for task_id, group in groupby(rows, key=lambda row: row[0]):
        firsts = list(group)
        found.append(Beginning(task_id, firsts[0][1], tuple(row[2] for row in firsts)))
    return Beginnings(tuple(found))


def _past(completed: Completed, beginnings: Beginnings, start: int) -> tuple[Numbers, Numbers]:
    """Return, for each instance, its task's first aversion and how often the task had been completed before, up to
    `PRACTISED` times. *completed* is all since *start*."""
    first_aversion = np.full(len(completed.tasks), np.nan)
    earlier = np.full(len(completed.at), float(PRACTISED))
    place_of = {task_id: place for place, task_id in enumerate(completed.tasks)}
    for beginning in beginnings.tasks:
        place = place_of.get(beginning.task_id)
        if place is None:
            continue
        if beginning.first_aversion is not None:
            first_aversion[place] = beginning.first_aversion
        before = bisect_left(beginning.completed_at, start)
        if before < PRACTISED:
            own = np.flatnonzero(completed.task == place)
            earlier[own] = np.minimum(PRACTISED, before + np.arange(len(own)))
    return first_aversion[completed.task], earlier


def _by_day(completed: Completed, numbers: dict[str, Numbers], day: NDArray[np.intp], days: int) -> Numbers:
    found = np.zeros((len(BY_DAY), days))
    found[0] = np.bincount(day, minlength=days)
    found[1] = np.bincount(day, completed.kind == list(Kind).index(Kind.SELF_CARE), minlength=days)
    minutes = numbers["actual_minutes"]
    known = ~np.isnan(minutes)
    found[2] = _medians(minutes[known], day[known], days)
    cells = day * len(Kind) + completed.kind
    found[3 : 3 + len(Kind)] = (
        np.bincount(cells, np.where(known, minutes, 0.0), minlength=days * len(Kind)).reshape(days, len(Kind)).T
    )
    values = np.array([numbers[name] for name in AVERAGED])
    present = ~np.isnan(values)
    that_day, starts = np.unique(day, return_index=True)  # days rise
    found[-2 * len(AVERAGED) : -len(AVERAGED), that_day] = np.add.reduceat(
        np.where(present, values, 0.0), starts, axis=1
    )
    found[-len(AVERAGED) :, that_day] = np.add.reduceat(present, starts, axis=1, dtype=np.float64)
    return found


def _medians(values: Numbers, day: NDArray[np.intp], days: int) -> Numbers:
    """Return the median of each day's values: of the two in the middle, their mean. NaN for a day without."""
    ordered = values[np.lexsort((values, day))]
    count = np.bincount(day, minlength=days)
    start = np.cumsum(count) - count
    found = np.full(days, np.nan)
    some = count > 0
    low = ordered[(start + (count - 1) // 2)[some]]
    found[some] = (low + ordered[(start + count // 2)[some]]) / 2
    return found


def _by_task(completed: Completed, numbers: dict[str, Numbers], day: NDArray[np.intp]) -> Numbers:
    expected = np.array([numbers[name] for name in (*EXPECTED, "net_wellbeing")])
    rated = np.array([numbers[name] for name in OF_RATED])
    rated[:, np.isnan(numbers["net_wellbeing"])] = np.nan
    weight = 2 ** (day / HALF_LIFE_DAYS)
    rows = [np.ones((1, len(day)))]
    for values in (expected, rated):
        present = ~np.isnan(values)
        rows += [np.where(present, values, 0.0), present.astype(np.float64)]
    usual = slice(0, len(EXPECTED))
    rows += [rows[1][usual] * weight, rows[2][usual] * weight]
    order = np.argsort(completed.task, kind="stable")
    starts = np.searchsorted(completed.task[order], np.arange(len(completed.tasks)))
    return np.add.reduceat(np.concatenate(rows)[:, order], starts, axis=1)


def _by_hour(
    completed: Completed, numbers: dict[str, Numbers], day: NDArray[np.intp], days: Sequence[date], calendar: Calendar
) -> Numbers:
    """Weekday of the local day, hour of the wall clock in the user's zone."""
    zone = calendar.zone
    starts = [calendar.starts(one).astimezone(zone) for one in (*days, days[-1] + ONE_DAY)]
    ahead = [start.utcoffset() or timedelta() for start in starts]
    offset = np.array([microseconds(EPOCH + one) for one in ahead[:-1]])
    hour = (completed.at + offset[day]) // _MICROSECONDS_PER_HOUR % 24
    for place, (before, after) in enumerate(pairwise(ahead)):
        if before != after:  # the clocks change on that day
            for row in np.flatnonzero(day == place):
                moment = EPOCH + timedelta(microseconds=int(completed.at[row]))
                hour[row] = moment.astimezone(zone).hour
    cell = (days[0].weekday() + day) % 7 * 24 + hour
    found: list[Numbers] = [np.bincount(cell, minlength=HOURS_OF_WEEK).astype(np.float64)]
    for name in ("relief", "relief_points"):
        present = ~np.isnan(numbers[name])
        values = np.where(present, numbers[name], 0.0)
        for weights in (values, present):
            found.append(np.bincount(cell, weights, minlength=HOURS_OF_WEEK).astype(np.float64))
    return np.array(found)


def _sides(net: Numbers) -> Numbers:
    positive, negative = net > 0, net < 0
    sums = positive.sum(), net[positive].sum(), negative.sum(), net[negative].sum(), (net == 0).sum()
    return np.array(sums, dtype=np.float64)


def _foresight(predicted: Numbers, actual: Numbers) -> Numbers:
    both = ~np.isnan(predicted + actual)
    predicted, actual = predicted[both], actual[both]
    ten = np.minimum(predicted // 10, 9).astype(np.intp)
    found = [np.bincount(ten, weights, minlength=RANGES) for weights in (np.ones(len(ten)), predicted, actual)]
    return np.array(found, dtype=np.float64)


def _moments(numbers: dict[str, Numbers]) -> Numbers:
    values = np.array([numbers[name] for name in ATTRIBUTES])
    present = (~np.isnan(values)).astype(np.float64)
    values[np.isnan(values)] = 0.0
    return np.array([present @ present.T, values @ present.T, values**2 @ present.T, values @ values.T])


def _histograms(numbers: dict[str, Numbers]) -> Numbers:
    values = np.array([numbers[name] for name in FELT])
    cells = values + 101 * np.arange(len(FELT))[:, None]
    return np.bincount(cells[~np.isnan(values)].astype(np.intp), minlength=101 * len(FELT)).astype(np.float64)
