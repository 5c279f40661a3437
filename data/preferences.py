"""How one user wants it: the preferences as an immutable value, and the commands that create a user and change them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import select

from data.database import Database, ReadTransaction, Transaction
from data.days import Calendar, calendar, parse_clock_time, parse_zone
from data.errors import InvalidInputError, UnknownRecordError
from data.models import WEEKDAYS, Preferences, User
from events.catalog import PreferencesChanged, UserCreated, UserId

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


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One user's preferences, as they were at one moment. Field meanings and units are those of the table."""

    cache_mode: CacheMode | None
    cache_backend: CacheBackend | None
    analytics_refresh: AnalyticsRefresh
    time_zone: str
    day_start: str
    first_weekday: str
    clock_hours: int
    theme: Theme
    target_minutes_per_day: float
    composite_weights: dict[str, float]
    recommendation_weights: dict[str, float]
    monitored_metrics: tuple[str, ...]
    baseline: Baseline

    @property
    def calendar(self) -> Calendar:
        """The user's local days."""
        return calendar(self.time_zone, self.day_start)


FIELDS = Profile.__struct_fields__
MAX_MONITORED = 4


def load(read: ReadTransaction, user: UserId) -> Profile:
    """Return the preferences of *user* in this read transaction.

    Raises:
        UnknownRecordError: there is no such user.
    """
    columns = [getattr(Preferences, name) for name in FIELDS]
    row = read.connection.execute(select(*columns).where(Preferences.user_id == user)).one_or_none()
    if row is None:
        raise UnknownRecordError(f"there is no user {user}")
    return msgspec.convert(row._asdict(), type=Profile)


def create_user(database: Database, name: str, *, time_zone: str = "UTC") -> UserId:
    """Create a user with default preferences and return their id; the existing one, if the name is taken."""
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
        for name in changed:
            setattr(row, name, checked[name])
        if changed:
            transaction.record(PreferencesChanged(user=user, at=transaction.now, changed=changed))
        return changed

    return database.write(command)


def check(name: str, value: Any) -> Any:
    """Return *value* as the column *name* stores it.

    Raises:
        InvalidInputError: the name is unknown or the value is not allowed; says what would be.
    """
    if name not in FIELDS:
        raise InvalidInputError(f"preference {name!r}: expected one of {', '.join(FIELDS)}")
    if name == "time_zone":
        parse_zone(value)
    elif name == "day_start":
        parse_clock_time(value, "day start")
    elif name == "first_weekday" and value not in WEEKDAYS:
        raise InvalidInputError(f"first weekday {value!r}: expected one of {', '.join(WEEKDAYS)}")
    elif name == "clock_hours" and value not in (12, 24):
        raise InvalidInputError(f"clock {value!r}: expected 12 or 24 hours")
    elif name == "target_minutes_per_day" and not 0 <= float(value) <= 1440:
        raise InvalidInputError(f"target {value!r}: expected 0 to 1440 minutes a day")
    elif name in ("composite_weights", "recommendation_weights"):
        for component, weight in value.items():
            if not 0 <= weight < float("inf"):
                raise InvalidInputError(f"weight of {component}: {weight!r}, expected a number that is not negative")
    elif name == "monitored_metrics" and len(value) > MAX_MONITORED:
        raise InvalidInputError(f"{len(value)} monitored metrics: expected at most {MAX_MONITORED}")
    field_type = Profile.__annotations__[name]
    try:
        return (
            msgspec.to_builtins(msgspec.convert(value, type=field_type, strict=False))
            if name not in ("monitored_metrics",)
            else tuple(value)
        )
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"{name.replace('_', ' ')} {value!r}: {error}") from None


def today(read: ReadTransaction, user: UserId, now: datetime) -> Any:
    """Return the user's local date at *now*."""
    return load(read, user).calendar.day_of(now)
