"""Local days: which day an instant belongs to for a user, and the record that a day has started.

The arithmetic (`Calendar`) is pure. `start_due` is the command behind the scheduler's tick; it compares dates, never
hours, because some days have no midnight.
"""

import functools
import logging
import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select

from data import log as event_log
from data.database import Database, Transaction
from data.errors import InvalidInputError, shown
from data.models import Day, Preferences
from events.catalog import DayStarted, UserId

log = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)
KEPT_LOG_AGE = timedelta(days=400)
KEPT_LOG_EVENTS = 100_000
"""The log keeps what is younger than that, and the newest so many in any case. The rest goes when a day starts."""
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA zone called *name*.

    Raises:
        InvalidInputError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, KeyError, ValueError, TypeError, OSError):
        raise InvalidInputError(f"time zone {shown(name)}: expected an IANA name such as 'Europe/Berlin'") from None


def parse_clock_time(text: str, what: str = "time") -> time:
    """Return the wall-clock time written as HH:MM.

    Raises:
        InvalidInputError: it is not written so.
    """
    found = _CLOCK_TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InvalidInputError(f"{what} {shown(text)}: expected HH:MM between 00:00 and 23:59")
    return time(int(found[1]), int(found[2]))


class Calendar:
    """A user's local days: their zone, minus their day-start offset.

    Days are half-open spans of real time that follow each other without gap or overlap, 23 to 25 hours long where
    clocks change; a date that the zone skipped (Pacific/Apia, 2011-12-30) is a span of no length.
    """

    def __init__(self, zone: ZoneInfo, day_start: time) -> None:
        self.zone = zone
        self._offset = timedelta(hours=day_start.hour, minutes=day_start.minute)
        self._starts: dict[date, datetime] = {}

    def day_of(self, instant: datetime) -> date:
        """Return the local date that the aware *instant* belongs to."""
        day = (instant.astimezone(self.zone).replace(tzinfo=None) - self._offset).date()
        # Where clocks go back over midnight the wall clock shows the old date again: the day has begun all the same.
        if instant >= self.starts(day + ONE_DAY):
            return day + ONE_DAY
        return day if instant >= self.starts(day) else day - ONE_DAY

    def starts(self, day: date) -> datetime:
        """Return the first instant of *day*, in UTC."""
        found = self._starts.get(day)
        if found is None:
            wall = datetime.combine(day, time()) + self._offset
            # fold=0: the first of two equal readings; in a gap, as if the clocks had not jumped yet
            found = self._starts[day] = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        return found

    def exists(self, day: date) -> bool:
        """Whether the zone has that date at all."""
        return self.starts(day) < self.starts(day + ONE_DAY)


@functools.lru_cache(maxsize=1024)
def calendar(zone: str, day_start: str) -> Calendar:
    """Return the calendar for a zone name and an HH:MM day start, both as preferences hold them."""
    return Calendar(parse_zone(zone), parse_clock_time(day_start, "day start"))


def start_due(database: Database) -> list[tuple[UserId, date]]:
    """Record `day.started` for every user whose local date has advanced; return what was started, in order.

    Dates missed while nothing ran are started too, oldest first. A new user's first date is started without looking
    back. Safe to call from several processes: the table's primary key lets each date start once.
    """
    with database.read() as read:
        rows = read.connection.execute(
            select(Preferences.user_id, Preferences.time_zone, Preferences.day_start, func.max(Day.day))
            .outerjoin(Day, Day.user_id == Preferences.user_id)
            .group_by(Preferences.user_id)
            .order_by(Preferences.user_id)
        ).all()
    now = database.clock()
    started = []
    for user_id, zone, day_start, last in rows:
        user = UserId(user_id)
        try:
            if last is None or calendar(zone, day_start).day_of(now) > last:
                started += [(user, day) for day in database.write(functools.partial(_start_days, user=user))]
        except InvalidInputError as error:  # a zone that this machine does not know is nobody else's trouble
            log.error("no day is started for user %s: %s", user, error)
    return started


def _start_days(transaction: Transaction, user: UserId) -> list[date]:
    """Start all due days of one user. Looks again under the write lock, for another process may have been faster."""
    session = transaction.session
    preferences = session.get_one(Preferences, user)
    own = calendar(preferences.time_zone, preferences.day_start)
    today = own.day_of(transaction.now)
    last = session.scalar(select(func.max(Day.day)).where(Day.user_id == user))
    day = today if last is None else last + ONE_DAY
    started = []
    while day <= today:
        if own.exists(day):
            session.add(Day(user_id=user, day=day, started_at=transaction.now))
            transaction.record(DayStarted(user=user, at=transaction.now, day=day))
            started.append(day)
        day += ONE_DAY
    if started:  # once a day, and at no cost while there is nothing to remove
        event_log.prune(session, before=transaction.now - KEPT_LOG_AGE, keep=KEPT_LOG_EVENTS)
    return started
