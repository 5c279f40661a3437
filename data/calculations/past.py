"""Everything that was ever completed, added up from years, which are added up from months: pieces as well.

So one more completion costs the sums of its month, twelve additions for the year, and one for each year.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from data.calculations.completed import completed_years
from data.calculations.months import Month, first_of, load_months, parts_between, tally
from data.calculations.sums import Sums, added_up
from data.database import ReadTransaction
from data.pieces import tell, within
from data.viewpoint import Viewpoint

BEGINNING_OF_TIME = date(1970, 1, 1)


def read_past(read: ReadTransaction, view: Viewpoint, until: date | None = None) -> Sums:
    """Return the sums of everything completed up to the day *until*; None is no bound."""
    everything: Sums = read.piece(load_past, view, "all")
    if until is None or everything.last_completed is None or everything.last_completed <= until:
        return everything
    # Only where the clock was set back, or somebody's plans were imported as done.
    years = [str(year) for year in completed_years(read, view) if year < until.year]
    months = parts_between(date(until.year, 1, 1), until)
    begun: list[Month] = read.parts(load_months, view, months[:-1])
    rest = [*begun, *tally(read, view, first_of(months[-1]), until)]
    return added_up(everything.first, [*read.parts(load_years, view, years), *(month.sums for month in rest)])


def load_past(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Sums]:
    """Yield the sums of everything; there is one part. Tells `data.pieces.tell` of its months."""
    years = completed_years(read, view)
    months = 12 * len(years)
    for place, year in enumerate(years):
        tell(12 * place, months)
        with within(12 * place, months):
            read.piece(load_years, view, str(year))
    tell(months, months)
    first = date(years[0], 1, 1) if years else BEGINNING_OF_TIME
    for _part in parts:
        yield added_up(first, read.parts(load_years, view, [str(year) for year in years]))


def load_years(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Sums]:
    """Yield the sums of years: `2026`."""
    for part in parts:
        months: list[Month] = read.parts(load_months, view, [f"{part}-{month:02}" for month in range(1, 13)])
        yield added_up(date(int(part), 1, 1), [month.sums for month in months])
