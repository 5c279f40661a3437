"""The pieces that all numbers of the past are added up from: the sums of one month of local days.

A month's sums depend on what was completed in it, and on when each task was completed for the first times
(`beginnings`). So a new completion touches one month, and only one of a task's first ones touches others;
`data.touches` says which. What is made of the days is in `series`; years are added up in `past`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from data.calculations.beginnings import Beginnings, load_beginnings
from data.calculations.completed import Completed, measure, microseconds, read_completed
from data.calculations.formulas import Numbers
from data.calculations.sums import (
    AVERAGED,
    BY_DAY,
    EXPECTED,
    FELT,
    HALF_LIFE_DAYS,
    HOURS_OF_WEEK,
    OF_DAYS,
    OF_RATED,
    RANGES,
    RECORDED,
    Sums,
    derived,
)
from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import EPOCH, Kind
from data.pieces import tell
from data.viewpoint import Viewpoint

MOST_ROWS = 12_000
"""How many instances are taken together, when many months are asked for: what is done with them at once takes few
milliseconds each, and few megabytes."""
_MOST_MULTIPLIED = 262_144
"""For larger products OpenBLAS calls threads of its own, which cost more than they bring."""
_TERMS = ("one", *(f"{what}:{name}" for what in ("known", "value", "square") for name in RECORDED))
_KNOWN, _VALUES = (slice(1 + place * len(RECORDED), 1 + (place + 1) * len(RECORDED)) for place in range(2))
_WEIGHTS = ("one", "rated", "fading", "averse", "aversion", "aversion_squared")
_PLACES_BY_TASK = [
    _WEIGHTS.index(weight) * len(_TERMS) + _TERMS.index(term)
    for weight, terms in (
        ("one", ("one",)),
        ("one", [f"{what}:{name}" for what in ("value", "known") for name in (*EXPECTED, "net_wellbeing")]),
        ("rated", [f"{what}:{name}" for what in ("value", "known") for name in OF_RATED]),
        ("fading", [f"{what}:{name}" for what in ("value", "known") for name in EXPECTED]),
        ("averse", [f"{what}:{name}" for what in ("known", "value", "square") for name in RECORDED]),
        ("aversion", [f"known:{name}" for name in RECORDED]),
        ("aversion_squared", [f"known:{name}" for name in RECORDED]),
        ("aversion", [f"value:{name}" for name in RECORDED]),
    )
    for term in terms
]
"""Where BY_TASK is, in its order, among the products of weights and terms."""
_COUNT_SQL = "SELECT count(*) FROM instances WHERE user_id = ? AND completed_at >= ? AND completed_at < ?"
_MICROSECONDS_PER_HOUR = 3_600_000_000


class Month(msgspec.Struct, frozen=True):
    """What was completed in one month: its sums, and those of its days, BY_DAY x days, in bytes as in `Sums`.

    `minutes` are those of its instances, in the order of completion: `timed` of BY_DAY says how many are of each day.
    """

    sums: Sums
    by_day: bytes = b""
    minutes: bytes = b""

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


def load_months(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Month]:
    """Yield the sums of months. Reads their rows, those of many months at once, and the tasks' beginnings.

    Tells `data.pieces.tell` before each time that it reads, and at the end.
    """
    done = 0
    for stretch in _stretches(read, view, parts):
        tell(done, len(parts))
        yield from tally(read, view, first_of(stretch[0]), following(first_of(stretch[-1])) - ONE_DAY)
        done += len(stretch)
    tell(done, len(parts))


def tally(read: ReadTransaction, view: Viewpoint, first: date, last: date) -> list[Month]:
    """Return the sums of the months from the one that begins on *first*, of the instances completed up to *last*."""
    calendar = view.profile.calendar
    firsts = [first_of(part) for part in parts_between(first, last)]
    completed = read_completed(read, view, calendar.starts(first), calendar.starts(last + ONE_DAY))
    if not len(completed.at):
        return [Month(Sums(one, one)) for one in firsts]
    days = [first + ONE_DAY * place for place in range((last - first).days + 1)]
    starts = np.array([microseconds(calendar.starts(day)) for day in (*days, last + ONE_DAY)])
    day = np.searchsorted(starts, completed.at, side="right") - 1
    beginnings: Beginnings = read.piece(load_beginnings, view, "all")
    numbers = measure(completed, beginnings.earlier(completed, int(starts[0])))
    edges = np.array([*((one - first).days for one in firsts), len(days)])
    month = np.searchsorted(edges, day, side="right") - 1
    rows = np.searchsorted(month, np.arange(len(firsts) + 1))  # where each month's begin: months rise
    cell = month * len(completed.tasks) + completed.task
    order = np.argsort(cell, kind="stable")  # by month, and by task in each
    terms = _terms(np.array([numbers[name] for name in RECORDED])[:, order])
    by_day = _by_day(completed, numbers, day, len(days))
    whole = np.concatenate(
        [
            _of_days(by_day, edges),
            _by_hour(completed, numbers, day, days, month, len(firsts), calendar),
            _sides(numbers["net_wellbeing"], rows),
            _foresight(numbers["predicted_relief"], numbers["relief"], month, len(firsts)),
            _moments(terms, rows),
            _histograms(numbers, month, len(firsts)),
        ],
        axis=1,
    )
    minutes = numbers["actual_minutes"]
    by_task = _by_task(completed, terms, cell[order], (day - edges[month])[order], len(firsts))
    found = []
    for place, one in enumerate(firsts):
        if rows[place] == rows[place + 1]:
            found.append(Month(Sums(one, one)))
            continue
        tasks, sums = by_task[place]
        last_completed = days[day[rows[place + 1] - 1]]
        own = Sums(one, one, last_completed, tasks, sums, whole[place].tobytes())
        spent = minutes[rows[place] : rows[place + 1]]
        of_days = by_day[:, edges[place] : edges[place + 1]].tobytes()
        found.append(Month(own, of_days, spent[~np.isnan(spent)].tobytes()))
    return found


def load_counts(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Counts]:
    """Yield what was planned and cancelled on each day of months."""
    calendar = view.profile.calendar
    for part in parts:
        first = first_of(part)
        days = (following(first) - first).days
        edges = np.array([microseconds(calendar.starts(first + ONE_DAY * place)) for place in range(days + 1)])
        created, cancelled = (
            tuple(np.bincount(np.searchsorted(edges, at, side="right") - 1, minlength=days).tolist())
            for at in (_moments_of(read, view, column, edges) for column in ("created_at", "cancelled_at"))
        )
        yield Counts(created=created, cancelled=cancelled)


def _moments_of(read: ReadTransaction, view: Viewpoint, column: str, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    cursor = read.connection.connection.cursor()
    try:
        moments = cursor.execute(
            f"SELECT {column} FROM instances WHERE user_id = ? AND {column} >= ? AND {column} < ?",
            (view.user, int(edges[0]), int(edges[-1])),
        )
        return np.fromiter((moment for (moment,) in moments), np.int64)
    finally:
        cursor.close()


def _stretches(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[list[str]]:
    """Yield *parts* in their order: together those that follow each other, at most a year, and of few rows."""
    stretch: list[str] = []
    rows = 0
    for part, own in zip(parts, _completed_in(read, view, parts), strict=True):
        if stretch and (
            first_of(part) != following(first_of(stretch[-1])) or rows + own > MOST_ROWS or len(stretch) == 12
        ):
            yield stretch
            stretch, rows = [], 0
        stretch.append(part)
        rows += own
    if stretch:
        yield stretch


def _completed_in(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> list[int]:
    """Return how many instances were completed in each part: it is read from an index alone."""
    starts = view.profile.calendar.starts
    found = []
    cursor = read.connection.connection.cursor()
    try:
        for first in map(first_of, parts):
            bounds = view.user, microseconds(starts(first)), microseconds(starts(following(first)))
            found.append(cursor.execute(_COUNT_SQL, bounds).fetchone()[0])
    finally:
        cursor.close()
    return found


def _by_day(completed: Completed, numbers: dict[str, Numbers], day: NDArray[np.intp], days: int) -> Numbers:
    found = np.zeros((len(BY_DAY), days))
    found[0] = np.bincount(day, minlength=days)
    found[1] = np.bincount(day, completed.kind == list(Kind).index(Kind.SELF_CARE), minlength=days)
    minutes = numbers["actual_minutes"]
    known = ~np.isnan(minutes)
    found[2] = _medians(minutes[known], day[known], days)
    found[3] = np.bincount(day[known], minlength=days)
    cells = day * len(Kind) + completed.kind
    found[4 : 4 + len(Kind)] = (
        np.bincount(cells, np.where(known, minutes, 0.0), minlength=days * len(Kind)).reshape(days, len(Kind)).T
    )
    values = np.array([numbers[name] for name in AVERAGED])
    present = ~np.isnan(values)
    that_day, starts = _runs(day)
    found[-2 * len(AVERAGED) : -len(AVERAGED), that_day] = np.add.reduceat(
        np.where(present, values, 0.0), starts, axis=1
    )
    found[-len(AVERAGED) :, that_day] = np.add.reduceat(present, starts, axis=1, dtype=np.float64)
    return found


def _of_days(by_day: Numbers, edges: NDArray[np.intp]) -> Numbers:
    columns = dict(zip(BY_DAY, by_day, strict=True))
    columns |= derived(columns)
    return np.add.reduceat([columns[name] for name in OF_DAYS], edges[:-1], axis=1).T


def _runs(rising: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the different numbers and where each begins. For this, `np.unique` would import all of `numpy.ma`."""
    starts = np.flatnonzero(np.diff(rising, prepend=-1))
    return rising[starts], starts


def _medians(values: Numbers, day: NDArray[np.intp], days: int) -> Numbers:
    """Return the median of each day's values: of the two in the middle, their mean. NaN for a day without."""
    by_value = np.argsort(values)
    by_day = np.argsort(day[by_value].astype(np.int16), kind="stable")  # few bits are sorted by counting
    ordered = values[by_value[by_day]]
    count = np.bincount(day, minlength=days)
    start = np.cumsum(count) - count
    found = np.full(days, np.nan)
    some = count > 0
    low = ordered[(start + (count - 1) // 2)[some]]
    found[some] = (low + ordered[(start + count // 2)[some]]) / 2
    return found


def _by_task(
    completed: Completed, terms: Numbers, cell: NDArray[np.intp], day_of_month: NDArray[np.intp], months: int
) -> list[tuple[tuple[str, ...], bytes]]:
    """Return the tasks of each month and their sums, BY_TASK, as `Sums` has them. The cells are months x tasks."""
    cells, starts = _runs(cell)
    of = dict(zip(_TERMS, terms, strict=True))
    weights = {
        "one": of["one"],
        "rated": of["known:net_wellbeing"],
        "fading": 2 ** (day_of_month / HALF_LIFE_DAYS),
        "averse": of["known:aversion"],
        "aversion": of["value:aversion"],
        "aversion_squared": of["square:aversion"],
    }
    products = _products(np.array([weights[name] for name in _WEIGHTS]), terms, np.append(starts, len(cell)))
    sums = products.reshape(len(cells), -1)[:, _PLACES_BY_TASK]
    edges = np.searchsorted(cells, len(completed.tasks) * np.arange(months + 1)).tolist()
    return [
        (tuple(completed.tasks[task] for task in cells[a:b] % len(completed.tasks)), sums[a:b].tobytes())
        for a, b in pairwise(edges)
    ]


def _by_hour(
    completed: Completed,
    numbers: dict[str, Numbers],
    day: NDArray[np.intp],
    days: Sequence[date],
    month: NDArray[np.intp],
    months: int,
    calendar: Calendar,
) -> Numbers:
    """Weekday of the local day, hour of the wall clock in the user's zone."""
    ahead = [calendar.ahead(one) for one in (*days, days[-1] + ONE_DAY)]
    offset = np.array([microseconds(EPOCH + one) for one in ahead[:-1]])
    hour = (completed.at + offset[day]) // _MICROSECONDS_PER_HOUR % 24
    for place, (before, after) in enumerate(pairwise(ahead)):
        if before != after:  # the clocks change on that day
            for row in np.flatnonzero(day == place):
                moment = EPOCH + timedelta(microseconds=int(completed.at[row]))
                hour[row] = moment.astimezone(calendar.zone).hour
    cell = (month * 7 + (days[0].weekday() + day) % 7) * 24 + hour
    weights: list[Numbers | None] = [None]
    for name in ("relief", "relief_points"):
        present = ~np.isnan(numbers[name])
        weights += [np.where(present, numbers[name], 0.0), present.astype(np.float64)]
    found = [np.bincount(cell, each, minlength=months * HOURS_OF_WEEK).reshape(months, -1) for each in weights]
    return np.concatenate(found, axis=1)


def _sides(net: Numbers, rows: NDArray[np.intp]) -> Numbers:
    found = []
    for start, end in pairwise(rows.tolist()):
        own = net[start:end]
        positive, negative = own > 0, own < 0
        found.append((positive.sum(), own[positive].sum(), negative.sum(), own[negative].sum(), (own == 0).sum()))
    return np.array(found, dtype=np.float64)


def _foresight(predicted: Numbers, actual: Numbers, month: NDArray[np.intp], months: int) -> Numbers:
    both = ~np.isnan(predicted + actual)
    predicted, actual = predicted[both], actual[both]
    cell = month[both] * RANGES + np.minimum(predicted // 10, 9).astype(np.intp)
    weights = (np.ones(len(cell)), predicted, actual)
    return np.concatenate(
        [np.bincount(cell, each, minlength=months * RANGES).reshape(months, -1) for each in weights], axis=1
    )


def _moments(terms: Numbers, rows: NDArray[np.intp]) -> Numbers:
    known, values = terms[_KNOWN], terms[_VALUES]
    found = _products(terms[1:], known, rows), _products(values, values, rows)
    return np.concatenate([each.reshape(len(rows) - 1, -1) for each in found], axis=1)


def _terms(compared: Numbers) -> Numbers:
    """Return what is summed of each instance, _TERMS: 0 where a number is not known."""
    terms = np.ones((len(_TERMS), compared.shape[1]))
    known, values, squares = terms[1:].reshape(3, len(RECORDED), -1)
    missing = np.isnan(compared)
    np.subtract(1.0, missing, out=known)
    np.copyto(values, compared)
    np.copyto(values, 0.0, where=missing)
    np.multiply(values, values, out=squares)
    return terms


def _products(left: Numbers, right: Numbers, edges: NDArray[np.intp]) -> Numbers:
    """Return, for each stretch between two *edges*, the sums over it of all rows of *left* times all of *right*."""
    most = _MOST_MULTIPLIED // (len(left) * len(right))
    found = np.zeros((len(edges) - 1, len(left), len(right)))
    for place, (start, end) in enumerate(pairwise(edges.tolist())):
        for begin in range(start, end, most):
            own = slice(begin, min(begin + most, end))
            found[place] += left[:, own] @ right[:, own].T
    return found


def _histograms(numbers: dict[str, Numbers], month: NDArray[np.intp], months: int) -> Numbers:
    values = np.array([numbers[name] for name in FELT])
    cells = values + 101 * (np.arange(len(FELT))[:, None] + len(FELT) * month)
    size = 101 * len(FELT)
    counted = np.bincount(cells[~np.isnan(values)].astype(np.intp), minlength=months * size)
    return counted.reshape(months, size).astype(np.float64)
