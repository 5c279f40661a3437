"""Everything that was ever completed, put together from months: pieces as well.

Months make years, and those make everything before the month of the newest completion. So one more completion costs the
sums of its month and one addition, and a correction of something old those of its year, and one for each year.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
import numpy as np

from data.calculations.completed import completed_years, days_at
from data.calculations.formulas import Numbers
from data.calculations.months import Month, first_of, load_months, part_of, parts_between, tally
from data.calculations.sums import BY_DAY, Sums, added_up
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.pieces import tell, within
from data.viewpoint import Viewpoint

BEGINNING_OF_TIME = date(1970, 1, 1)
REACH = 10_000
"""So many minutes are kept to both sides of the middle of everything before a month: more than a month has."""
_WORK = BY_DAY.index("minutes_work")


class Stretch(msgspec.Struct, frozen=True):
    """What was completed in a stretch of days: its sums, and what cannot be added up, as float64 in bytes.

    `minutes` are those of its instances in ascending order, but for `shorter` ones before them and `longer` ones after
    them, which are too far from the middle to be looked at. `work` are the minutes of work of the days that have any.
    """

    sums: Sums
    minutes: bytes = b""
    work: bytes = b""
    shorter: int = 0
    longer: int = 0


def read_past(read: ReadTransaction, view: Viewpoint, until: date | None = None) -> Sums:
    """Return the sums of everything completed up to the day *until*; None is no bound."""
    everything: Sums = read.piece(load_past, view, "all")
    if until is None or everything.last_completed is None or everything.last_completed <= until:
        return everything
    return added_up(everything.first, [stretch.sums for stretch in read_stretches(read, view, until)])


def read_stretches(read: ReadTransaction, view: Viewpoint, until: date) -> list[Stretch]:
    """Return everything completed up to the day *until*, oldest first."""
    newest = _newest(read, view)
    if newest is None:
        return []
    if newest <= until:
        month = _of_month(read.piece(load_months, view, part_of(newest)))
        if len(month.minutes) <= REACH * 8:
            return [read.piece(load_before, view, part_of(newest)), month]
    # Only where the clock was set back, somebody's plans were imported as done, or a month has more than anybody does.
    years = [str(year) for year in completed_years(read, view) if year < until.year]
    months = parts_between(date(until.year, 1, 1), until)
    begun: list[Month] = read.parts(load_months, view, months[:-1])
    rest = [*begun, *tally(read, view, first_of(months[-1]), until)]
    return [*read.parts(load_years, view, years), *map(_of_month, rest)]


def median_minutes(stretches: Sequence[Stretch]) -> float:
    """Return the median of the minutes of all instances: of the two in the middle, their mean; NaN without any.

    Of the first stretch, it looks only at what the others can have moved to the middle. They are complete, and it has
    `REACH` to both sides of its own middle if they have more than that, or everything.
    """
    if not stretches:
        return np.nan
    first, *others = (np.frombuffer(stretch.minutes) for stretch in stretches)
    shorter, longer = stretches[0].shorter, stretches[0].longer
    rest = np.concatenate([*others, np.zeros(0)])
    count = shorter + len(first) + longer + len(rest)
    if not count:
        return np.nan
    low = (count - 1) // 2
    begin = max(shorter, low - len(rest))  # each of those before it is before the middle
    middle = np.sort(np.concatenate([first[begin - shorter : low + 2 - shorter], rest]))
    return float(middle[low - begin] + middle[count // 2 - begin]) / 2


def work_minutes(stretches: Sequence[Stretch]) -> Numbers:
    """Return the minutes of work of all days that have any."""
    return np.frombuffer(b"".join(stretch.work for stretch in stretches))


def load_past(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Sums]:
    """Yield the sums of everything; there is one part."""
    newest = _newest(read, view)
    for _part in parts:
        if newest is None:
            yield Sums(BEGINNING_OF_TIME, BEGINNING_OF_TIME)
        else:
            before: Stretch = read.piece(load_before, view, part_of(newest))
            month: Month = read.piece(load_months, view, part_of(newest))
            yield added_up(before.sums.first, [before.sums, month.sums])


def load_before(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Stretch]:
    """Yield everything that was completed before a month: `2026-05`. Tells `data.pieces.tell` of the months there are.

    Asked for the month of the newest completion only, or it would not be known what makes it another
    (`events.catalog.TouchesDays.touches_earlier`).
    """
    for part in parts:
        end = first_of(part)
        years = [year for year in completed_years(read, view) if year < end.year]
        total = 12 * len(years) + end.month - 1
        for place, year in enumerate(years):
            tell(12 * place, total)
            with within(12 * place, total):
                read.piece(load_years, view, str(year))
        tell(12 * len(years), total)
        begin = date(end.year, 1, 1)
        with within(12 * len(years), total):
            months: list[Month] = read.parts(load_months, view, parts_between(begin, end - ONE_DAY))
        tell(total, total)
        first = date(years[0], 1, 1) if years else begin
        stretches = [*read.parts(load_years, view, [str(year) for year in years]), *map(_of_month, months)]
        yield _narrowed(_joined(first, stretches))


def load_years(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Stretch]:
    """Yield what was completed in years: `2026`."""
    for part in parts:
        months: list[Month] = read.parts(load_months, view, [f"{part}-{month:02}" for month in range(1, 13)])
        yield _joined(date(int(part), 1, 1), list(map(_of_month, months)))


def _newest(read: ReadTransaction, view: Viewpoint) -> date | None:
    (day,) = days_at(read, view, "max(completed_at)")
    return day


def _of_month(month: Month) -> Stretch:
    work = month.days()[_WORK]
    return Stretch(month.sums, np.sort(np.frombuffer(month.minutes)).tobytes(), work[work > 0].tobytes())


def _joined(first: date, stretches: Sequence[Stretch]) -> Stretch:
    minutes = np.sort(np.frombuffer(b"".join(stretch.minutes for stretch in stretches)))
    return Stretch(
        sums=added_up(first, [stretch.sums for stretch in stretches]),
        minutes=minutes.tobytes(),
        work=b"".join(stretch.work for stretch in stretches),
    )


def _narrowed(stretch: Stretch) -> Stretch:
    count = len(stretch.minutes) // 8
    begin, end = max(0, count // 2 - REACH), min(count, count // 2 + REACH)
    return msgspec.structs.replace(
        stretch, minutes=stretch.minutes[8 * begin : 8 * end], shorter=begin, longer=count - end
    )
