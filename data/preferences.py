"""How one user wants it: the preferences as an immutable value, and the commands that create a user and change them."""

import contextlib
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from data import fields
from data.database import Database, ReadTransaction, Transaction
from data.days import Calendar, calendar, moving, parse_clock_time, parse_zone
from data.errors import InvalidInputError, UnknownRecordError, shown
from data.models import WEEKDAYS, Preferences, User
from events.catalog import AccountChanged, PreferencesChanged, UserCreated, UserId

LOCAL_USER = UserId(1)
"""The one user of an installation without accounts."""


class AnalyticsRefresh(StrEnum):
    """When open analytics redraw."""

    AUTO = "auto"
    MANUAL = "manual"


class Baseline(StrEnum):
    """What today is compared with."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    ALL = "all"


class Theme(StrEnum):
    """The look."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class AccountTier(StrEnum):
    """What kind of account a user has. What that allows is the operator's configuration."""

    FREE = "free"
    STANDARD = "standard"
    PREMIUM = "premium"


class CacheMode(StrEnum):
    """How much is kept ready."""

    FULL = "full"
    SELECTIVE = "selective"
    DISABLED = "disabled"


class CacheBackend(StrEnum):
    """Where cached values are kept."""

    MEMORY = "memory"
    FILE = "file"
    HYBRID = "hybrid"


Weights = tuple[tuple[str, float], ...]
"""Pairs of a name and its weight, by name: a mapping that nobody can change."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One user's preferences, as they were at one moment. Field meanings and units are those of the table."""

    cache_mode: CacheMode | None = None
    cache_backend: CacheBackend | None = None
    analytics_refresh: AnalyticsRefresh = AnalyticsRefresh.AUTO
    time_zone: str = "UTC"
    day_start: str = "00:00"
    first_weekday: str = "mon"
    clock_hours: int = 24
    theme: Theme = Theme.AUTO
    target_minutes_per_day: float = 360.0
    goal_hours_per_week: float = 30.0
    composite_weights: Weights = ()
    recommendation_weights: Weights = ()
    monitored_metrics: tuple[str, ...] = ()
    baseline: Baseline = Baseline.MONTH
    account_tier: AccountTier = AccountTier.STANDARD
    """Not a preference: the operator's, and in the table of users."""

    @property
    def calendar(self) -> Calendar:
        """The user's local days."""
        return calendar(self.time_zone, self.day_start)


FIELDS = tuple(name for name in Profile.__struct_fields__ if name != "account_tier")
_LOAD = (
    select(*(getattr(Preferences, name) for name in FIELDS), User.account_tier)
    .join(User)
    .where(Preferences.user_id == bindparam("user"))
)
MAX_MONITORED = 4
MINUTES_OF_A_DAY = 1440
HOURS_OF_A_WEEK = 168


def load(read: ReadTransaction, user: UserId) -> Profile:
    """Return the preferences of *user* in this read transaction.

    Raises:
        UnknownRecordError: there is no such user.
    """
    row = read.connection.execute(_LOAD, {"user": user}).one_or_none()
    if row is None:
        raise UnknownRecordError(f"there is no user {user}")
    stored = row._asdict()
    return msgspec.convert({**stored, **{name: sorted(stored[name].items()) for name in _WEIGHTS}}, type=Profile)


def names(database: Database) -> dict[str, UserId]:
    """Return all users by name, oldest first."""
    with database.read() as read:
        return {
            name: UserId(user) for user, name in read.connection.execute(select(User.id, User.name).order_by(User.id))
        }


def users_in(database: Database, mode: CacheMode, *, default: CacheMode) -> set[UserId]:
    """Return the users whose cache mode is *mode*; of those who have not chosen, it is *default*."""
    chosen = func.coalesce(Preferences.cache_mode, default.value)
    with database.read() as read:
        return {
            UserId(user) for user in read.connection.scalars(select(Preferences.user_id).where(chosen == mode.value))
        }


def create_user(database: Database, name: str, *, time_zone: str = "UTC") -> UserId:
    """Create a user with default preferences and return their id; the existing one, if the name is taken.

    Raises:
        InvalidInputError: the name is none, or there is no such time zone.
    """
    name = fields.name(name, "user name")
    parse_zone(time_zone)

    def command(transaction: Transaction) -> UserId:
        session = transaction.session
        existing = session.scalar(select(User.id).where(User.name == name))
        if existing is not None:
            return UserId(existing)
        created = User(name=name, created_at=transaction.now)
        session.add(created)
        session.flush()
        session.add(Preferences(user_id=created.id, time_zone=time_zone))
        transaction.record(UserCreated(user=UserId(created.id), at=transaction.now))
        return UserId(created.id)

    return database.write(command)


def change(database: Database, user: UserId, **values: Any) -> tuple[str, ...]:
    """Set the given preferences and return the names of those that differ from before; no event if none does.

    Raises:
        InvalidInputError: a name is unknown or a value is not allowed; nothing is changed.
    """
    checked = {name: check(name, value) for name, value in values.items()}

    def command(transaction: Transaction) -> tuple[str, ...]:
        row = transaction.session.get(Preferences, user)
        if row is None:
            raise UnknownRecordError(f"there is no user {user}")
        changed = tuple(name for name, value in checked.items() if getattr(row, name) != value)
        if changed:
            happened = PreferencesChanged(user=user, at=transaction.now, changed=changed)
            with moving(transaction, user) if happened.moves_days() else contextlib.nullcontext():
                for name in changed:
                    setattr(row, name, checked[name])
                transaction.record(happened)
        return changed

    return database.write(command)


def set_account_tier(database: Database, user: UserId, tier: AccountTier) -> bool:
    """Give *user* another account tier; return whether it differs from before.

    Raises:
        UnknownRecordError: there is no such user.
    """

    def command(transaction: Transaction) -> bool:
        row = transaction.session.get(User, user)
        if row is None:
            raise UnknownRecordError(f"there is no user {user}")
        if row.account_tier == tier:
            return False
        row.account_tier = tier
        transaction.record(AccountChanged(user=user, at=transaction.now, tier=tier))
        return True

    return database.write(command)


def check(name: str, value: Any) -> Any:
    """Return *value* as the column *name* stores it.

    Raises:
        InvalidInputError: the name is unknown or the value is not allowed; says what would be.
    """
    if name not in _CHECKS:
        raise InvalidInputError(f"preference {shown(name)}: expected one of {', '.join(FIELDS)}")
    return _CHECKS[name](value)


def _word(words: type[StrEnum], what: str) -> Callable[[Any], str]:
    return lambda value: fields.choice(value, words, what).value


def _word_or_none(words: type[StrEnum], what: str) -> Callable[[Any], str | None]:
    return lambda value: None if value is None else fields.choice(value, words, what).value


def _zone(value: Any) -> str:
    return parse_zone(value).key


def _day_start(value: Any) -> str:
    return parse_clock_time(value, "day start").strftime("%H:%M")


def _first_weekday(value: Any) -> str:
    if value not in WEEKDAYS:
        raise InvalidInputError(f"first weekday {shown(value)}: expected one of {', '.join(WEEKDAYS)}")
    return str(value)


def _clock_hours(value: Any) -> int:
    if value not in (12, 24):
        raise InvalidInputError(f"clock hours {shown(value)}: expected 12 or 24")
    return int(value)


def _target(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MINUTES_OF_A_DAY:
        raise InvalidInputError(f"target minutes per day {shown(value)}: expected 0 to {MINUTES_OF_A_DAY}")
    return float(value)


def _goal(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= HOURS_OF_A_WEEK:
        raise InvalidInputError(f"goal hours per week {shown(value)}: expected 0 to {HOURS_OF_A_WEEK}")
    return float(value)


def _weights(value: Any) -> dict[str, float]:
    try:
        weights = msgspec.convert(dict(value), type=dict[str, float])
    except (TypeError, ValueError):  # msgspec's errors are ValueErrors
        raise InvalidInputError(f"weights {shown(value)}: expected a number for each name") from None
    for component, weight in weights.items():
        fields.name(component, "weight of")
        if not 0 <= weight < float("inf"):
            raise InvalidInputError(f"weight of {component} {weight!r}: expected a finite number that is not negative")
    return weights


def _monitored(value: Any) -> tuple[str, ...]:
    chosen = fields.words(value, "monitored metrics")
    if len(chosen) > MAX_MONITORED:
        raise InvalidInputError(f"{len(chosen)} monitored metrics: expected at most {MAX_MONITORED}")
    return chosen


_WEIGHTS = ("composite_weights", "recommendation_weights")

_CHECKS: dict[str, Callable[[Any], Any]] = {
    "cache_mode": _word_or_none(CacheMode, "cache mode"),
    "cache_backend": _word_or_none(CacheBackend, "cache backend"),
    "analytics_refresh": _word(AnalyticsRefresh, "analytics refresh"),
    "time_zone": _zone,
    "day_start": _day_start,
    "first_weekday": _first_weekday,
    "clock_hours": _clock_hours,
    "theme": _word(Theme, "theme"),
    "target_minutes_per_day": _target,
    "goal_hours_per_week": _goal,
    "composite_weights": _weights,
    "recommendation_weights": _weights,
    "monitored_metrics": _monitored,
    "baseline": _word(Baseline, "baseline"),
}
