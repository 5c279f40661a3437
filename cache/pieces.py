"""The values that are kept in parts, such as the sums of each month: a literal table, and how a loader gets at them.

A part is a value like any other, with the part's name as the last segment of its key: found, judged, loaded once and
invalidated in the same way. Only loaders read parts, through the transaction that they read everything through, and so
in the same state: what is computed of them is of that state as well. What a part is computed of is in
`data.calculations.months`; which parts an event touches, the event says (`events/rules.py`).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar

from cache.values import VALUES, Row, Value
from data.calculations import beginnings, months, past, sums
from data.pieces import Piece, anew
from events.findings import place_of_row

T = TypeVar("T")

KEPT_PARTS = 10_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Parted(Generic[T]):
    """One row: what is kept under `key` and each part's name, for each user. Otherwise as a `Value`."""

    key: str
    label: str
    kind: type[T]
    loader: Piece
    ttl: timedelta
    version: int = 1
    may_lag: str = ""
    where: str = field(default_factory=place_of_row, repr=False)

    def of(self, part: str) -> Value[T]:
        """Return the value of one part, the same object whenever it is asked for."""
        return _value(self, part)


@lru_cache(maxsize=KEPT_PARTS)
def _value(row: Parted[Any], part: str) -> Value[Any]:
    return Value(
        key=row.key,
        label=row.label,
        kind=row.kind,
        loader=lambda read, view: anew(row.loader, read, view, (part,))[0],
        ttl=row.ttl,
        version=row.version,
        part=part,
    )


MONTHS = Parted(
    key="pieces.months",
    label="Sums of a month",
    kind=months.Month,
    loader=months.load_months,
    ttl=timedelta(days=366),
    version=4,
)
YEARS = Parted(
    key="pieces.years",
    label="Sums of a year",
    kind=past.Stretch,
    loader=past.load_years,
    ttl=timedelta(days=366),
    version=3,
)
BEFORE = Parted(
    key="pieces.before",
    label="Sums of everything before a month",
    kind=past.Stretch,
    loader=past.load_before,
    ttl=timedelta(days=366),
    version=2,
)
PAST = Parted(
    key="pieces.past",
    label="Sums of everything",
    kind=sums.Sums,
    loader=past.load_past,
    ttl=timedelta(days=366),
    version=3,
)
COUNTS = Parted(
    key="pieces.counts",
    label="Planned and cancelled in a month",
    kind=months.Counts,
    loader=months.load_counts,
    ttl=timedelta(days=366),
)
BEGINNINGS = Parted(
    key="pieces.beginnings",
    label="How tasks began",
    kind=beginnings.Beginnings,
    loader=beginnings.load_beginnings,
    ttl=timedelta(days=366),
)

PIECES: tuple[Parted[Any], ...] = (MONTHS, YEARS, BEFORE, PAST, COUNTS, BEGINNINGS)

ROWS: tuple[Row, ...] = (*VALUES, *PIECES)
"""Everything that is kept."""
KEYS = tuple(row.key for row in ROWS)

_BY_LOADER: dict[Piece, Parted[Any]] = {row.loader: row for row in PIECES}


def value_of(piece: Piece, part: str) -> Value[Any]:
    """Return the value under which one part of what *piece* computes is kept."""
    return _BY_LOADER[piece].of(part)
