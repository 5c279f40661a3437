"""Local days: which day an instant belongs to for a user, and the record that a day has started.

The arithmetic (`Calendar`) is pure. `start_due` is the command behind the scheduler's look at the clock; it compares
dates, never hours, because some days have no midnight. What is planned on a day is in `routines`.
"""

import contextlib
import functools
import logging
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session

from data.database import Database, Transaction
from data.errors import InvalidInputError, shown
from data.models import Day, Preferences, RoutineDay, RoutineMark, User
from events.catalog import ClockCorrected, DayStarted, UserId

log = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)
MOST_AHEAD = ONE_DAY * 3
"""How far one user's local date can be ahead of another's at the same moment: 26 hours by zone, 24 by day start. What
was started later than that from now was started by a clock that showed another time than this one."""
BATCH = 100
"""How many dates are started in one transaction: other writers get their turn in between."""
_LAST_COUNTED = datetime(9998, 12, 1, tzinfo=UTC)
_LAST_SHOWN = datetime(9999, 12, 30, tzinfo=UTC)
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

    A day begins when clocks first show its date and the day start, or when they jump over that. Days are half-open
    spans of real time that follow each other without gap or overlap, 23 to 25 hours long where clocks change; a date
    that the zone skipped (Pacific/Apia, 2011-12-30) is a span of no length.
    """

    def __init__(self, zone: ZoneInfo, day_start: time) -> None:
        self.zone = zone
        self._day_start = day_start
        self._offset = timedelta(hours=day_start.hour, minutes=day_start.minute)
        self._starts: dict[date, datetime] = {}
        self._ahead: dict[date, timedelta] = {}

    def day_of(self, instant: datetime) -> date:
        """Return the local date that the aware *instant* belongs to.

        Of instants later than any that may be given (`fields.instant`), which old tables may hold, it is some date in
        9998: there are a month and a year after it, as there are after every other.
        """
        instant = min(instant, _LAST_COUNTED)
        day = (instant.astimezone(self.zone).replace(tzinfo=None) - self._offset).date()
        # Where clocks go back over midnight the wall clock shows the old date again: the day has begun all the same.
        if instant >= self.starts(day + ONE_DAY):
            return day + ONE_DAY
        return day if instant >= self.starts(day) else day - ONE_DAY

    def wall(self, instant: datetime) -> datetime:
        """Return what clocks show at the aware *instant*, with their zone; near the end of 9999, a little less."""
        return min(instant, _LAST_SHOWN).astimezone(self.zone)

    def starts(self, day: date) -> datetime:
        """Return the first instant of *day*, in UTC."""
        found = self._starts.get(day)
        if found is None:
            wall = datetime.combine(day, self._day_start)
            before, after = self._offsets(wall)
            found = self._first_of(wall, before, after)
            # Clocks that jumped over all of the day show some later date then, whatever the day start.
            if before < after and self._reading(found).date() > day:
                midnight = datetime.combine(day, time())
                if self._first(midnight) == self._first(midnight + ONE_DAY):
                    found = self.starts(day + ONE_DAY)
            self._starts[day] = found
            self._ahead[day] = self._offset_at(found) if before < after else before
        return found

    def ahead(self, day: date) -> timedelta:
        """Return how far clocks are ahead of UTC when *day* starts."""
        self.starts(day)
        return self._ahead[day]

    def exists(self, day: date) -> bool:
        """Whether the zone has that date at all."""
        return self.starts(day) < self.starts(day + ONE_DAY)

    def at(self, day: date, clock_time: time) -> datetime:
        """Return the first instant of *day* at which clocks show *clock_time*, or jump over it, in UTC.

        With a day start of 03:00, 01:30 is in the night that ends the day.
        """
        wall = datetime.combine(day if clock_time >= self._day_start else day + ONE_DAY, clock_time)
        return min(max(self._first(wall), self.starts(day)), self.starts(day + ONE_DAY) - timedelta(microseconds=1))

    def carried_over(self, instant: datetime, to: "Calendar") -> datetime:
        """Return when the clocks of *to* first show what clocks here show at *instant*."""
        return to._first(self._reading(instant))

    def _first(self, wall: datetime) -> datetime:
        """Return the first instant, in UTC, at which clocks show *wall* or, where they jump over it, a later time."""
        return self._first_of(wall, *self._offsets(wall))

    def _first_of(self, wall: datetime, before: timedelta, after: timedelta) -> datetime:
        found = wall.replace(tzinfo=UTC) - before
        if after <= before:  # clocks show it once; or twice, and this is the first time
            return found
        seconds = int((after - before).total_seconds())
        early = found - timedelta(seconds=seconds)  # before the jump; `found` is not
        while seconds > 1:
            half = seconds // 2
            if self._reading(early + timedelta(seconds=half)) < wall:
                early += timedelta(seconds=half)
                seconds -= half
            else:
                seconds = half
        return early + timedelta(seconds=seconds)

    def _offsets(self, wall: datetime) -> tuple[timedelta, timedelta]:
        """Return how far clocks that show *wall* are ahead of UTC: the first time, and the last. Where they jump over
        it, the second is the greater one."""
        first = wall.replace(tzinfo=self.zone)
        return self.zone.utcoffset(first) or timedelta(), self.zone.utcoffset(first.replace(fold=1)) or timedelta()

    def _offset_at(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or timedelta()

    def _reading(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)


@functools.lru_cache(maxsize=4096)
def calendar(zone: str, day_start: str) -> Calendar:
    """Return the calendar for a zone name and an HH:MM day start, both as preferences hold them."""
    return Calendar(parse_zone(zone), parse_clock_time(day_start, "day start"))


def start_due(database: Database) -> list[tuple[UserId, date]]:
    """Record `day.started` for every user whose local date has advanced; return what was started, in order.

    Dates missed while nothing ran are started too, oldest first. A new user's first date is started without looking
    back. Days only go forward: no date before one that has started is started any more, and a clock that is behind
    starts none. Safe to call from several processes: the table's primary key lets each date start once.
    """
    return [started for batch in start_in_batches(database) for started in batch]


def start_in_batches(
    database: Database, first: Collection[UserId] = frozenset()
) -> Iterator[list[tuple[UserId, date]]]:
    """Do as `start_due`, and yield what was started after each transaction. Stop asking to stop in between.

    Users in *first* have their turn before all others.
    """
    waiting: Sequence[UserId] = sorted(_whose_date_has_advanced(database), key=lambda user: user not in first)
    while waiting:
        started, waiting = database.write(functools.partial(_start_batch, users=waiting))
        yield started


def due(own: Calendar, last: date | None, today: date) -> list[date]:
    """Return the dates to start, oldest first, when *last* is the newest that has started."""
    if last is None:
        return [today]
    between = (last + ONE_DAY * number for number in range(1, (today - last).days + 1))
    return [day for day in between if own.exists(day)]


def start_days(transaction: Transaction, user: UserId) -> list[date]:
    """Start all due days of one user and return them. Looks at the clock in the transaction.

    Raises:
        InvalidInputError: this machine does not know the user's time zone.
    """
    ((zone, day_start, newest),) = _standing(transaction.session, [user]).values()
    dates = _due_of(transaction, user, calendar(zone, day_start), newest)
    _start(transaction, [(user, day) for day in dates])
    return dates


@contextlib.contextmanager
def moving(transaction: Transaction, user: UserId) -> Iterator[None]:
    """Wrap the change of a user's time zone or day start, so that days go on from the old calendar to the new one.

    What was due by the old calendar is started before, and the new date after, if it is later. Dates between the two
    never were the user's date, and are not invented. Routines go on from where they were by the clock on the wall:
    what had its turn there has had it, and the new date has its turns, however late.
    """
    session, old = transaction.session, None
    zone, day_start, newest = _standing(session, [user])[user]
    with contextlib.suppress(InvalidInputError):  # a zone that this machine does not know is left behind
        old = calendar(zone, day_start)
        if newest is not None:  # a new user's first day is up to the next look
            start_days(transaction, user)
    yield
    zone, day_start, newest = _standing(session, [user])[user]
    own = calendar(zone, day_start)
    dates = [] if newest is None else _due_of(transaction, user, own, newest)[-1:]
    _start(transaction, [(user, day) for day in dates])
    if old is not None:
        for mark in session.scalars(select(RoutineMark).where(RoutineMark.user_id == user)):
            mark.since = min([old.carried_over(mark.since, own), *(_just_before(own, day) for day in dates)])


Standing = tuple[str, str, date | None]
"""A user's time zone and day start, and the newest date that has started, by whatever clock."""

_NEWEST = select(func.max(Day.day)).where(Day.user_id == Preferences.user_id).scalar_subquery()
_STANDING = select(Preferences.user_id, Preferences.time_zone, Preferences.day_start, _NEWEST)
_EVERYBODY = _STANDING.order_by(Preferences.user_id)


def _standing(session: Session, users: Sequence[UserId]) -> dict[UserId, Standing]:
    rows = session.execute(_STANDING.where(Preferences.user_id.in_(users)))
    return {UserId(user): (zone, day_start, newest) for user, zone, day_start, newest in rows}


def _whose_date_has_advanced(database: Database) -> list[UserId]:
    found = []
    with database.read() as read:
        rows = read.connection.execute(_EVERYBODY).all()
        now = database.clock()
        for user, zone, day_start, newest in rows:
            try:
                own = calendar(zone, day_start)
            except InvalidInputError as error:  # a zone that this machine does not know is nobody else's trouble
                log.error("no day is started for user %s: %s", user, error)
                continue
            last = _newest_by(read.connection, user, own, newest, now)
            if last is None or last < own.day_of(now):
                found.append(UserId(user))
    return found


def _start_batch(
    transaction: Transaction, users: Sequence[UserId]
) -> tuple[list[tuple[UserId, date]], Sequence[UserId]]:
    """Start up to `BATCH` dates; return them, and whose turn is next. Another process may have been faster."""
    batch, rest = users[:BATCH], users[BATCH:]
    standing = _standing(transaction.session, batch)
    started: list[tuple[UserId, date]] = []
    for place, user in enumerate(batch):
        if user not in standing:  # removed since they were found
            continue
        zone, day_start, newest = standing[user]
        with contextlib.suppress(InvalidInputError):  # changed since they were found; the next look says so
            started += [(user, day) for day in _due_of(transaction, user, calendar(zone, day_start), newest)]
        if len(started) >= BATCH:
            rest = users[place:]  # this user's again, who may have more days than fit
            break
    _start(transaction, started[:BATCH])
    return started[:BATCH], rest


def _due_of(transaction: Transaction, user: UserId, own: Calendar, newest: date | None) -> list[date]:
    session, now = transaction.session, transaction.now
    last = _newest_by(session, user, own, newest, now)
    dates = due(own, last, own.day_of(now))
    if len(dates) > 1:
        created_at = session.get_one(User, user).created_at
        dates = [day for day in dates if created_at > now or day >= own.day_of(created_at)]
    if dates and last != newest:
        log.warning(
            "days up to %s had started for user %s, and it is %s: the clock was wrong before", newest, user, dates[-1]
        )
        _forget_what_is_ahead(transaction, user, dates[0], now if last is None else _just_before(own, dates[0]))
    return dates


def _newest_by(
    source: Session | Connection, user: int, own: Calendar, newest: date | None, now: datetime
) -> date | None:
    """Return the newest date that has started, by a clock that shows *now*.

    A date that was started by a clock further ahead than `MOST_AHEAD` does not count. Either that clock was wrong, and
    the date starts again when it begins; or this one is wrong: then the dates before it, which do count, keep it from
    starting any, and nothing is lost when it is right again. A clock that is behind all of a user's days is right only
    if they exist for longer than it says, or have had one day so far.
    """
    if newest is None or newest <= own.day_of(now):
        return newest
    of_user = select(Day.day).where(Day.user_id == user)
    last = source.scalar(of_user.where(Day.started_at <= now + MOST_AHEAD).order_by(Day.day.desc()).limit(1))
    if last is not None:
        return last
    has_more = source.scalar(of_user.offset(1).limit(1)) is not None
    created_at = source.scalar(select(User.created_at).where(User.id == user))
    return newest if has_more and created_at is not None and created_at > now else None


def _start(transaction: Transaction, dates: Sequence[tuple[UserId, date]]) -> None:
    if dates:
        now = transaction.now
        transaction.session.execute(
            insert(Day), [{"user_id": user, "day": day, "started_at": now} for user, day in dates]
        )
        transaction.record(*(DayStarted(user=user, at=now, day=day) for user, day in dates))


def _forget_what_is_ahead(transaction: Transaction, user: UserId, first: date, since: datetime) -> None:
    """Let dates from *first* on start again, and routines be looked after from *since* on. What they planned stays."""
    session, now = transaction.session, transaction.now
    ahead = (Day.user_id == user, Day.day >= first, Day.started_at > now + MOST_AHEAD)
    missed = (RoutineDay.user_id == user, RoutineDay.day >= first, RoutineDay.instance_id.is_(None))
    session.execute(delete(Day).where(*ahead))
    session.execute(delete(RoutineDay).where(*missed))
    session.execute(update(RoutineMark).where(RoutineMark.user_id == user, RoutineMark.since > now).values(since=since))
    transaction.record(ClockCorrected(user=user, at=now, today=first - ONE_DAY))


def _just_before(own: Calendar, day: date) -> datetime:
    return own.starts(day) - timedelta(microseconds=1)
