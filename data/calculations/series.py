"""Consecutive local days as arrays, put together from months, and the windows that end with each of them.

What is made of a window is in `windows`. Numbers of days are float64 arrays, oldest first; no data is NaN.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sqlalchemy import bindparam, func, select, type_coerce

from data.calculations.completed import days_at
from data.calculations.formulas import Numbers
from data.calculations.months import Counts, Month, load_counts, load_months, part_of, parts_between
from data.calculations.past import median_minutes, read_past, read_stretches, work_minutes
from data.calculations.sums import BY_DAY, DERIVED, OF_DAYS, derived
from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import Instance, Instant, State
from data.viewpoint import Viewpoint

COLUMNS = (*BY_DAY, *DERIVED, "cancelled", "created")
"""What is known of each day: the rows of the arrays here, which are COLUMNS x days."""
_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_WEEK = 7


class Windows:
    """Some windows of days: of each, how long it is, and what `windows` makes metrics of.

    `totals` are the sums of its days, COLUMNS x windows. `streak_days` are as of its last day. `active` is the number
    of timers that run, where it ends today, and NaN elsewhere, because nobody wrote that down.
    """

    def __init__(self, lengths: Numbers, totals: Numbers, streak_days: Numbers, target_minutes_per_day: float) -> None:
        self.lengths = lengths
        self.totals = totals
        self.streak_days = streak_days
        self.active: Numbers = np.full(len(lengths), np.nan)
        self.target_minutes_per_day = target_minutes_per_day

    def total(self, name: str) -> Numbers:
        """Return the sum of a column in each window."""
        found: Numbers = self.totals[_PLACE[name]]
        return found

    def last_week(self, name: str) -> Numbers:
        """Return the sum of a column over the last 7 days of each window, or of all if it has fewer."""
        raise NotImplementedError

    def median_minutes(self) -> Numbers:
        """Return the median of the minutes of the instances in each window; NaN without any."""
        raise NotImplementedError

    def work_deviation(self) -> Numbers:
        """Return the sample standard deviation of the days' minutes of work in each window; NaN of a single day."""
        raise NotImplementedError


class Sliding(Windows):
    """The windows of *length* days that end with each of some consecutive days.

    *days* are all days that belong to any, and *minutes* those of their instances, day after day.
    """

    def __init__(self, days: Numbers, minutes: Numbers, length: int, streak_days: Numbers, target: float) -> None:
        lengths = np.full(len(streak_days), float(length))
        super().__init__(lengths, _sums(days, length), streak_days, target)
        self._days = days
        self._minutes = minutes
        self._length = length

    def last_week(self, name: str) -> Numbers:
        """Return the sum of a column over the last 7 days of each window, or of all if it has fewer."""
        if self._length <= _WEEK:
            return self.total(name)
        found: Numbers = _sums(self._days[_PLACE[name], None, self._length - _WEEK :], _WEEK)[0]
        return found

    def median_minutes(self) -> Numbers:
        """Return the median of the minutes of the instances in each window; NaN without any."""
        if self._length == 1:  # they cannot be added up, but those of days are kept
            return self.total("median_minutes")
        edges = _edges(self._days)
        windows = (self._minutes[begin:end] for begin, end in zip(edges, edges[self._length :], strict=False))
        return np.array([np.median(minutes) if len(minutes) else np.nan for minutes in windows])

    def work_deviation(self) -> Numbers:
        """Return the sample standard deviation of the days' minutes of work in each window; NaN of a single day."""
        if self._length == 1:
            return np.full(len(self.lengths), np.nan)
        found: Numbers = sliding_window_view(self._days[_PLACE["minutes_work"]], self._length).std(axis=1, ddof=1)
        return found


class Whole(Windows):
    """One window: all days of a long history, whose days are not known one by one. *latest* is the end of it, a week at
    least, and *work* the minutes of the days of work."""

    def __init__(
        self, latest: Windows, length: int, totals: Mapping[str, float], median_minutes: float, work: Numbers
    ) -> None:
        columns = np.array([[totals.get(name, np.nan)] for name in COLUMNS])
        super().__init__(np.array([float(length)]), columns, latest.streak_days, latest.target_minutes_per_day)
        self._latest, self._median, self._work = latest, median_minutes, work

    def last_week(self, name: str) -> Numbers:
        """Return the sum of a column over the last 7 days."""
        return self._latest.last_week(name)

    def median_minutes(self) -> Numbers:
        """Return the median of the minutes of all instances; NaN without any."""
        return np.array([self._median])

    def work_deviation(self) -> Numbers:
        """Return the sample standard deviation of the days' minutes of work."""
        mean = self._work.sum() / self.lengths
        squares = ((self._work - mean) ** 2).sum() + (self.lengths - len(self._work)) * mean**2
        found: Numbers = np.sqrt(squares / (self.lengths - 1))
        return found


class Several(Windows):
    """The windows of all of *each*, one after the other: what is made of many at once costs hardly more than of one."""

    def __init__(self, each: Sequence[Windows]) -> None:
        super().__init__(
            np.concatenate([one.lengths for one in each]),
            np.concatenate([one.totals for one in each], axis=1),
            np.concatenate([one.streak_days for one in each]),
            each[0].target_minutes_per_day,
        )
        self._each = each

    def last_week(self, name: str) -> Numbers:
        """Return the sum of a column over the last 7 days of each window, or of all if it has fewer."""
        return np.concatenate([one.last_week(name) for one in self._each])

    def median_minutes(self) -> Numbers:
        """Return the median of the minutes of the instances in each window; NaN without any."""
        return np.concatenate([one.median_minutes() for one in self._each])

    def work_deviation(self) -> Numbers:
        """Return the sample standard deviation of the days' minutes of work in each window; NaN of a single day."""
        return np.concatenate([one.work_deviation() for one in self._each])


class Series:
    """The local days from `first` on, COLUMNS x days, the minutes of their instances, and the streak as of each."""

    def __init__(self, first: date, days: Numbers, minutes: Numbers, streaks: Sequence[int], target: float) -> None:
        self.first = first
        self.streaks = streaks
        self._days = days
        self._minutes = minutes
        self._target = target

    def windows(self, first: date, last: date, length: int) -> Windows:
        """Return the windows of *length* days that end with the days *first* to *last*; all their days are known."""
        begin, end = (first - self.first).days, (last - self.first).days + 1
        days, minutes = _cut(self._days, self._minutes, begin - length + 1, end)
        return Sliding(days, minutes, length, np.array(self.streaks[begin:end], dtype=np.float64), self._target)


def read_series(
    read: ReadTransaction, view: Viewpoint, first: date, last: date, *, with_created: bool = False
) -> Series:
    """Return the local days *first* to *last*. What was created is counted only if asked for."""
    parts = parts_between(first, last)
    months: list[Month] = read.parts(load_months, view, parts)
    counts: list[Counts] = read.parts(load_counts, view, parts)
    begin = (first - months[0].sums.first).days
    joined = np.concatenate([month.days() for month in months], axis=1)
    spent = np.frombuffer(b"".join(month.minutes for month in months))
    own, minutes = _cut(joined, spent, begin, begin + (last - first).days + 1)
    days = np.full((len(COLUMNS), own.shape[1]), np.nan)
    days[: len(BY_DAY)] = own
    for name, column in derived(dict(zip(BY_DAY, own, strict=True))).items():
        days[_PLACE[name]] = column
    for name in ("cancelled", "created") if with_created else ("cancelled",):
        counted = np.concatenate([getattr(count, name) for count in counts])
        days[_PLACE[name]] = counted[begin : begin + len(days[0])]
    done = [bool(count) for count in days[_PLACE["completed"]].tolist()]
    before = read_streak_before(read, view, first)
    run = streaks(first, done, before, view.profile.calendar)
    return Series(first, days, minutes, run, view.profile.target_minutes_per_day)


def read_whole(read: ReadTransaction, view: Viewpoint, series: Series) -> Windows:
    """Return one window: all days from the first completion or cancellation to today, with which *series* ends."""
    days = days_at(read, view, "min(completed_at)", "min(cancelled_at)")
    first = min([view.today, *(day for day in days if day is not None)])
    length = (view.today - first).days + 1
    if first >= series.first:
        return series.windows(view.today, view.today, length)
    stretches = read_stretches(read, view, view.today)
    totals = dict(zip(OF_DAYS, read_past(read, view, view.today).of("days").tolist(), strict=True))
    totals["cancelled"] = _count_cancelled(read, view)
    latest = series.windows(view.today, view.today, _WEEK)
    return Whole(latest, length, totals, median_minutes(stretches), work_minutes(stretches))


def streaks(first: date, done: Sequence[bool], before: int, calendar: Calendar) -> list[int]:
    """Return the streak as of each day from *first* on: days in a row with a completion, up to it or the day before it.

    *before* is the run that ends with the day before the first. A date that the zone skipped breaks no run.
    """
    found = []
    run = before
    for place, is_done in enumerate(done):
        if is_done:
            run += 1
            found.append(run)
        else:
            found.append(run)  # the day is not over: yesterday's run still stands
            run = 0 if run and calendar.exists(first + ONE_DAY * place) else run
    return found


def read_streak_before(read: ReadTransaction, view: Viewpoint, day: date) -> int:
    """Return how many days in a row, ending with the one before *day*, have a completion. Reads no month before."""
    calendar = view.profile.calendar
    run = 0
    expected = day - ONE_DAY
    while True:
        first = expected.replace(day=1)
        done = read.piece(load_months, view, part_of(first)).days()[0]
        while expected >= first:
            if done[(expected - first).days]:
                run += 1
            elif calendar.exists(expected):
                return run
            expected -= ONE_DAY


def read_first_day(read: ReadTransaction, view: Viewpoint) -> date | None:
    """Return the first local day on which anything was created, completed or cancelled; None if nothing ever was."""
    days = days_at(read, view, "min(created_at)", "min(completed_at)", "min(cancelled_at)")
    return min((day for day in days if day is not None), default=None)


_ACTIVE = select(func.count()).where(Instance.user_id == bindparam("user"), Instance.state == State.ACTIVE)


def read_active(read: ReadTransaction, view: Viewpoint) -> int:
    """Return the number of instances whose timer runs now."""
    return read.connection.scalar(_ACTIVE, {"user": view.user}) or 0


_CANCELLED = select(func.count()).where(
    Instance.user_id == bindparam("user"), type_coerce(Instance.cancelled_at, Instant()) < bindparam("end")
)


def _count_cancelled(read: ReadTransaction, view: Viewpoint) -> int:
    """Return how many instances were cancelled up to today: an index alone is read."""
    end = view.profile.calendar.starts(view.today + ONE_DAY)
    return read.connection.scalar(_CANCELLED, {"user": view.user, "end": end}) or 0


def _cut(days: Numbers, minutes: Numbers, begin: int, end: int) -> tuple[Numbers, Numbers]:
    """Return the days at the places *begin* to before *end*, and their minutes."""
    edges = _edges(days)
    return days[:, begin:end], minutes[edges[begin] : edges[end]]


def _edges(days: Numbers) -> NDArray[np.intp]:
    """Return where the minutes of each day begin, and where the last ones end."""
    return np.concatenate([[0], np.cumsum(days[_PLACE["timed"]])]).astype(np.intp)


def _sums(days: Numbers, length: int) -> Numbers:
    """Return the sums of each *length* consecutive days."""
    windows = days.shape[1] - length + 1
    if length == 1:
        return days
    if windows == 1:
        return np.asarray(days.sum(axis=1, keepdims=True))
    found = days[:, :windows].copy()
    for place in range(1, length):
        found += days[:, place : place + windows]
    return found


def dates(first: date, last: date) -> list[date]:
    """Return all dates from *first* to *last*."""
    return [first + ONE_DAY * place for place in range((last - first).days + 1)]


def known(numbers: Numbers) -> list[float | None]:
    """Return the numbers with None for no data."""
    return [None if number != number else number for number in numbers.tolist()]
