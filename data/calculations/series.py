"""Consecutive local days as arrays, put together from months, and the windows that end with each of them.

What is made of a window is in `windows`. Numbers of days are float64 arrays, oldest first; no data is NaN.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sqlalchemy import bindparam, func, select, type_coerce

from data.calculations.completed import completed_years, days_at
from data.calculations.formulas import MINUTES_PER_DAY, Numbers
from data.calculations.months import BY_DAY, Counts, Month, following, load_counts, load_months, part_of, parts_between
from data.database import ReadTransaction
from data.days import ONE_DAY, Calendar
from data.models import Instance, Instant, Kind, State
from data.viewpoint import Viewpoint

SLEEP_MINUTES_COUNTED = 480.0
"""Sleep counts at most this much a day, so that lying in is no achievement."""


class Windows:
    """The windows of `length` days that end with each of some consecutive days.

    `streak_days` are as of each window's last day. `active` is the number of timers that run, where the window ends
    today, and NaN elsewhere, because nobody wrote that down. *minutes* are those of the instances, day after day;
    *totals* are sums that are known without their days.
    """

    def __init__(
        self,
        daily: dict[str, Numbers],
        minutes: Numbers,
        length: int,
        streak_days: Numbers,
        target_minutes_per_day: float,
        totals: Mapping[str, Numbers] = MappingProxyType({}),
    ) -> None:
        self._daily = daily
        self._minutes = minutes
        self._totals = dict(totals)
        self.length = length
        self.streak_days = streak_days
        self.active: Numbers = np.full(len(streak_days), np.nan)
        self.target_minutes_per_day = target_minutes_per_day

    def days(self, name: str) -> Numbers:
        """Return a column's days in each window: windows x `length`."""
        windows, length = len(self.streak_days), self.length
        column = self._daily[name][1 - windows - length :]
        if length == 1:
            return column[:, None]
        if windows == 1:
            return column[None, :]
        return sliding_window_view(column, length)

    def minutes(self) -> Iterator[Numbers]:
        """Yield the minutes of the instances in each window."""
        reach = len(self.streak_days) + self.length - 1
        edges = _edges(self._daily["timed"])[-reach - 1 :]
        for begin, end in zip(edges, edges[self.length :], strict=False):
            yield self._minutes[begin:end]

    def total(self, name: str) -> Numbers:
        """Return the sum of a column in each window."""
        found = self._totals.get(name)
        if found is None:
            days = self.days(name)
            found = self._totals[name] = days[:, 0] if self.length == 1 else days.sum(axis=1)
        return found


class Series:
    """The local days from `first` on. `daily` holds columns by name: those of `BY_DAY`, `created`, `cancelled`, and
    `counted_sleep` and `tracked`, which are made of them. *minutes* are those of the instances, day after day."""

    def __init__(
        self, first: date, daily: dict[str, Numbers], minutes: Numbers, streaks: Sequence[int], target: float
    ) -> None:
        self.first = first
        self.daily = daily
        self._minutes = minutes
        self.streaks = streaks
        self._target = target

    def windows(self, first: date, last: date, length: int) -> Windows:
        """Return the windows of *length* days that end with the days *first* to *last*; all their days are known."""
        begin, end = (first - self.first).days, (last - self.first).days + 1
        daily, minutes = _cut(self.daily, self._minutes, begin - length + 1, end)
        return Windows(daily, minutes, length, np.array(self.streaks[begin:end], dtype=np.float64), self._target)


def read_series(
    read: ReadTransaction, view: Viewpoint, first: date, last: date, *, with_created: bool = False
) -> Series:
    """Return the local days *first* to *last*. What was created is counted only if asked for."""
    parts = parts_between(first, last)
    months: list[Month] = read.parts(load_months, view, parts)
    counts: list[Counts] = read.parts(load_counts, view, parts)
    begin = (first - months[0].sums.first).days
    chosen = slice(begin, begin + (last - first).days + 1)
    daily, minutes = _cut(*_joined(months), chosen.start, chosen.stop)
    daily["cancelled"] = np.concatenate([np.array(count.cancelled, dtype=np.float64) for count in counts])[chosen]
    if with_created:
        daily["created"] = np.concatenate([np.array(count.created, dtype=np.float64) for count in counts])[chosen]
    else:
        daily["created"] = np.full((last - first).days + 1, np.nan)
    daily |= derived(daily)
    done = [bool(count) for count in daily["completed"].tolist()]
    before = read_streak_before(read, view, first)
    run = streaks(first, done, before, view.profile.calendar)
    return Series(first, daily, minutes, run, view.profile.target_minutes_per_day)


def read_whole(read: ReadTransaction, view: Viewpoint, streak_days: int) -> Windows:
    """Return one window: all days from the first completion or cancellation to today, for which the streak is given.

    Years without any completion are not read: their days are empty.
    """
    today = view.today
    days = days_at(read, view, "min(completed_at)", "min(cancelled_at)")
    first = min([today, *(day for day in days if day is not None)])
    years = {*(year for year in completed_years(read, view) if year < today.year), today.year}
    spans = [(max(first, date(year, 1, 1)), min(today, date(year, 12, 31))) for year in sorted(years)]
    months: list[Month] = read.parts(load_months, view, [part for span in spans for part in parts_between(*span)])
    daily, minutes = _joined(months)
    past = len(daily["completed"]) - (following(today) - today).days + 1
    daily, minutes = _cut(daily, minutes, 0, past)
    length = (today - first).days + 1
    empty = np.zeros(max(0, length - past))
    daily = {name: np.concatenate([empty, column])[-length:] for name, column in daily.items()}
    return Windows(
        daily | derived(daily),
        minutes,
        length,
        np.array([streak_days], dtype=np.float64),
        view.profile.target_minutes_per_day,
        {"cancelled": np.array([_count_cancelled(read, view)], dtype=np.float64)},
    )


def derived(daily: dict[str, Numbers]) -> dict[str, Numbers]:
    """Return the columns that windows need besides, made of a day's others: each day by itself, before any sum."""
    sleep = np.minimum(daily["minutes_sleep"], SLEEP_MINUTES_COUNTED)
    tracked = sleep + sum(daily[f"minutes_{kind}"] for kind in Kind if kind is not Kind.SLEEP)
    return {"counted_sleep": sleep, "tracked": 100 * (1 - np.exp(-2 * tracked / MINUTES_PER_DAY))}


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


def _count_cancelled(read: ReadTransaction, view: Viewpoint) -> int:
    """Return how many instances were cancelled up to today: an index alone is read."""
    cancelled_at = type_coerce(Instance.cancelled_at, Instant())
    end = view.profile.calendar.starts(view.today + ONE_DAY)
    return read.connection.scalar(select(func.count()).where(Instance.user_id == view.user, cancelled_at < end)) or 0


def _joined(months: Sequence[Month]) -> tuple[dict[str, Numbers], Numbers]:
    """Return the columns of the days of months, and the minutes of their instances."""
    columns = np.concatenate([month.days() for month in months], axis=1)
    return dict(zip(BY_DAY, columns, strict=True)), np.frombuffer(b"".join(month.minutes for month in months))


def _cut(daily: dict[str, Numbers], minutes: Numbers, begin: int, end: int) -> tuple[dict[str, Numbers], Numbers]:
    """Return the same of the days at the places *begin* to before *end*."""
    edges = _edges(daily["timed"])
    return {name: column[begin:end] for name, column in daily.items()}, minutes[edges[begin] : edges[end]]


def _edges(timed: Numbers) -> NDArray[np.intp]:
    """Return where the minutes of each day begin, and where the last ones end."""
    return np.concatenate([[0], np.cumsum(timed)]).astype(np.intp)


def dates(first: date, last: date) -> list[date]:
    """Return all dates from *first* to *last*."""
    return [first + ONE_DAY * place for place in range((last - first).days + 1)]


def known(numbers: Numbers) -> list[float | None]:
    """Return the numbers with None for no data."""
    return [None if number != number else number for number in numbers.tolist()]
