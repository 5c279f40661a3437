"""Everything that was ever completed, added up from years, which are added up from months: pieces as well.

So one more completion costs the sums of its month, twelve additions for the year, and one for each year.
"""

from datetime import date

from data.calculations.completed import completed_years
from data.calculations.months import Month, first_of, load_month, parts_between, tally
from data.calculations.sums import Sums, added_up
from data.database import ReadTransaction
from data.pieces import tell
from data.viewpoint import Viewpoint

BEGINNING_OF_TIME = date(1970, 1, 1)


def read_past(read: ReadTransaction, view: Viewpoint, until: date | None = None) -> Sums:
    """Return the sums of everything completed up to the day *until*; None is no bound."""
    everything: Sums = read.piece(load_past, view, "all")
    if until is None or everything.last_completed is None or everything.last_completed <= until:
        return everything
    # Only where the clock was set back, or somebody's plans were imported as done.
    years = [read.piece(load_year, view, str(year)) for year in completed_years(read, view) if year < until.year]
    months = parts_between(date(until.year, 1, 1), until)
    begun = [read.piece(load_month, view, part).sums for part in months[:-1]]
    return added_up(everything.first, [*years, *begun, tally(read, view, first_of(months[-1]), until).sums])


def load_past(read: ReadTransaction, view: Viewpoint, part: str) -> Sums:
    """Return the sums of everything; there is one *part*. Tells `data.pieces.tell` of each month."""
    years = completed_years(read, view)
    months = [f"{year}-{month:02}" for year in years for month in range(1, 13)]
    for done, month in enumerate(months):
        tell(done, len(months))
        read.piece(load_month, view, month)
    tell(len(months), len(months))
    first = date(years[0], 1, 1) if years else BEGINNING_OF_TIME
    return added_up(first, [read.piece(load_year, view, str(year)) for year in years])


def load_year(read: ReadTransaction, view: Viewpoint, part: str) -> Sums:
    """Return the sums of the year *part*: `2026`."""
    first = date(int(part), 1, 1)
    months: list[Month] = [read.piece(load_month, view, f"{part}-{month:02}") for month in range(1, 13)]
    return added_up(first, [month.sums for month in months])
