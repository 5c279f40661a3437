"""The values that can be cached: a literal table, and what one row of it may say.

A value is a key, a loader of `data.calculations`, and how long it may be believed. Which events make it stale is in
`events/rules.py`; that some rule does, or that something else bounds its age, is checked at the start.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from cache.store import Place
from data import preferences
from data.calculations import analytics, dashboard, recommendations, relief, summary
from data.database import ReadTransaction
from data.preferences import Profile
from data.viewpoint import Viewpoint
from events.errors import PatternError
from events.findings import Finding, place_of_row
from events.patterns import covers, parse, prefixes

T = TypeVar("T")


class Row(Protocol):
    """A row of a table of values, as far as rules are concerned."""

    @property
    def key(self) -> str:
        """The address that all below it has in common."""

    @property
    def ttl(self) -> timedelta:
        """How old it may become."""

    @property
    def may_lag(self) -> str:
        """Why that is enough and no event has to make it stale; empty if one has to."""

    @property
    def where(self) -> str:
        """The file and line of the row."""


class Varies(StrEnum):
    """Which part of the viewpoint a value depends on besides the tables. It becomes the last segment of the key."""

    NEVER = "never"
    BY_DAY = "by_day"
    BY_HOUR = "by_hour"


@dataclass(frozen=True, eq=False, kw_only=True)
class Value(Generic[T]):
    """One row: what is kept under `key` for each user.

    `loader` computes it from one read transaction and a viewpoint, and from nothing else. `kind` is the type it
    returns, immutable through and through. `part` is the last segment of the key of what is kept in parts (`pieces`).
    `ttl` bounds its age and is never what keeps it right. Raise `version` when the loader computes something else than
    before from the same rows: what older programs left on disk is then a miss. After `soft_timeout` a page shows the
    last good one, labelled, and the load goes on; after `hard_timeout` it is given up.
    """

    key: str
    label: str
    kind: type[T]
    loader: Callable[[ReadTransaction, Viewpoint], T]
    ttl: timedelta
    varies: Varies = Varies.NEVER
    version: int = 1
    soft_timeout: timedelta = timedelta(seconds=2)
    hard_timeout: timedelta = timedelta(seconds=30)
    part: str = ""
    may_lag: str = ""
    """Why no event has to make it stale: the reason for which an age of `ttl` is good enough."""
    where: str = field(default_factory=place_of_row, repr=False)
    """The file and line of the row."""

    def key_for(self, view: Viewpoint) -> str:
        """Return the full key: `summary.daily.2026-11-22` for a value that varies by day."""
        if self.varies is Varies.BY_DAY:
            return f"{self.key}.{view.today.isoformat()}"
        if self.varies is Varies.BY_HOUR:
            return f"{self.key}.{view.today.isoformat()}.{view.hour:%Y%m%dt%H}"
        return f"{self.key}.{self.part}" if self.part else self.key

    def place_for(self, view: Viewpoint) -> Place:
        """Return where it is kept for the user of *view*, in any store."""
        return Place(user=view.user, key=self.key_for(view), shape=self.shape, value_type=self.kind)

    def is_too_old(self, loaded_at: datetime, now: datetime) -> bool:
        """Whether what was loaded then is beyond its `ttl`, or dated that far ahead by a clock that was set back."""
        return abs(now - loaded_at) > self.ttl

    @cached_property
    def shape(self) -> int:
        """A number that changes with the version and with every field of the type."""
        return shape_of(self.version, cast(Any, self.kind))


@lru_cache
def shape_of(version: int, kind: Any) -> int:
    """Return a number that differs for another version or type."""
    return zlib.crc32(repr((version, msgspec.json.schema(kind))).encode())


def _load_profile(read: ReadTransaction, view: Viewpoint) -> Profile:
    return preferences.load(read, view.user)


PREFERENCES = Value(
    key="preferences.profile",
    label="Preferences",
    kind=Profile,
    loader=_load_profile,
    ttl=timedelta(hours=1),
)
DASHBOARD_METRICS = Value(
    key="dashboard.metrics",
    label="Metrics",
    kind=dashboard.DashboardMetrics,
    loader=dashboard.load_metrics,
    ttl=timedelta(hours=1),
    varies=Varies.BY_DAY,
    version=3,
)
DASHBOARD_TASKS = Value(
    key="dashboard.tasks",
    label="Tasks",
    kind=dashboard.DashboardTasks,
    loader=dashboard.load_tasks,
    ttl=timedelta(seconds=60),
)
SUMMARY_DAILY = Value(
    key="summary.daily",
    label="Daily summary",
    kind=summary.DailySummary,
    loader=summary.load_daily,
    ttl=timedelta(days=2),
    varies=Varies.BY_DAY,
)
ANALYTICS_RELIEF_SUMMARY = Value(
    key="analytics.relief_summary",
    label="Relief summary",
    kind=relief.ReliefSummary,
    loader=relief.load_relief_summary,
    ttl=timedelta(hours=1),
)
ANALYTICS_COMPOSITE_SCORES = Value(
    key="analytics.composite_scores",
    label="Composite score",
    kind=analytics.CompositeScores,
    loader=analytics.load_composite_scores,
    ttl=timedelta(hours=1),
    varies=Varies.BY_DAY,
)
ANALYTICS_TRENDS = Value(
    key="analytics.trends",
    label="Trends",
    kind=analytics.Trends,
    loader=analytics.load_trends,
    ttl=timedelta(hours=1),
    varies=Varies.BY_DAY,
)
ANALYTICS_CORRELATIONS = Value(
    key="analytics.correlations",
    label="Correlations",
    kind=analytics.Correlations,
    loader=analytics.load_correlations,
    ttl=timedelta(hours=1),
)
ANALYTICS_DISTRIBUTION = Value(
    key="analytics.distribution",
    label="Distribution",
    kind=analytics.Distribution,
    loader=analytics.load_distribution,
    ttl=timedelta(hours=1),
)
ANALYTICS_RECOMMENDATIONS = Value(
    key="analytics.recommendations",
    label="Recommendations",
    kind=recommendations.Recommendations,
    loader=recommendations.load_recommendations,
    ttl=timedelta(hours=1),
    varies=Varies.BY_HOUR,
)

VALUES: tuple[Value[Any], ...] = (
    PREFERENCES,
    DASHBOARD_METRICS,
    DASHBOARD_TASKS,
    SUMMARY_DAILY,
    ANALYTICS_RELIEF_SUMMARY,
    ANALYTICS_COMPOSITE_SCORES,
    ANALYTICS_TRENDS,
    ANALYTICS_CORRELATIONS,
    ANALYTICS_DISTRIBUTION,
    ANALYTICS_RECOMMENDATIONS,
)


def check(values: Iterable[Row]) -> list[Finding]:
    """Return what is wrong with a table: a key that stands twice, that is none, or that lies below another."""
    findings = []
    seen: dict[str, Row] = {}
    for value in values:
        if not _is_key(value.key):
            sentence = f"{value.key!r} is no key: expected dotted lower-case segments such as 'analytics.trends'"
            findings.append(Finding(value.where, sentence))
        if not isinstance(value.ttl, timedelta) or value.ttl <= timedelta():
            sentence = f"{value.key!r} may be believed for {value.ttl}: expected more, such as timedelta(hours=1)"
            findings.append(Finding(value.where, sentence))
        if not isinstance(value.key, str):
            continue
        if value.key in seen:
            findings.append(Finding(value.where, f"{value.key!r} stands here and at {seen[value.key].where}"))
        above = next((key for key in prefixes(value.key)[1:-1] if key in seen), None)
        below = next((key for key in seen if covers(value.key, key) and key != value.key), None)
        if above or below:
            findings.append(Finding(value.where, f"{value.key!r} and {above or below!r}: one lies below the other"))
        seen[value.key] = value
    return findings


def _is_key(key: Any) -> bool:
    try:
        return isinstance(key, str) and parse(key) == key and "." in key
    except PatternError:
        return False
