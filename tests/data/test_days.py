"""Local days: spans of real time without gap or overlap, in every zone, and each started once."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data import preferences, transfer
from data.database import Database, Transaction
from data.days import MOST_AHEAD, ONE_DAY, Calendar, calendar, parse_clock_time, parse_zone, start_due, start_in_batches
from data.errors import InvalidInputError
from data.models import Preferences
from events.catalog import PreferencesChanged, UserId
from tests.data.ledger import all_rows, lines, newest
from tests.house import Clock

NASTY = (
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Coyhaique", "America/Havana", "America/Juneau",
    "America/Santiago", "America/Sao_Paulo", "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey",
    "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Manila", "Asia/Pyongyang",
    "Asia/Tehran", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Europe/London",
    "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Tongatapu", "UTC",
)  # fmt: skip

DAY_STARTS = ("00:00", "00:01", "00:30", "02:30", "03:00", "12:00", "23:30", "23:59")


def changes(zone: str) -> list[date]:
    """Return the days of some years on which the clocks of *zone* change."""
    own = ZoneInfo(zone)
    found = []
    for year in (1997, 2006, 2011, 2026):
        noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=number) for number in range(366)]
        offsets = [noon.astimezone(own).utcoffset() for noon in noons]
        found += [noons[index + 1].date() for index in range(365) if offsets[index] != offsets[index + 1]]
    return found


CHANGES = [(zone, day) for zone in NASTY for day in changes(zone)]

days = st.dates(date(1970, 1, 2), date(2040, 12, 31))
zones_and_days = st.sampled_from(CHANGES) | st.tuples(st.sampled_from(NASTY), days)
calendars_and_days = st.builds(
    lambda zone_and_day, day_start: (calendar(zone_and_day[0], day_start), zone_and_day[1]),
    zones_and_days,
    st.sampled_from(DAY_STARTS),
)
near = st.timedeltas(timedelta(hours=-30), timedelta(hours=30))


def berlin(day_start: str = "00:00") -> Calendar:
    return calendar("Europe/Berlin", day_start)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


# --- arithmetic


@pytest.mark.parametrize("day_start", ["00:00", "02:30", "23:30"])
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Africa/Cairo", "Pacific/Apia", "America/Havana", "Africa/Casablanca"]
)
def test_clocks_are_as_far_ahead_at_a_days_start_as_they_show_then(zone: str, day_start: str) -> None:
    own = calendar(zone, day_start)
    for place in range(365 * 16):
        day = date(2010, 1, 1) + ONE_DAY * place
        assert own.ahead(day) == own.starts(day).astimezone(ZoneInfo(zone)).utcoffset(), day


@given(where=calendars_and_days, shift=near)
@example(where=(calendar("Pacific/Apia", "00:00"), date(2011, 12, 30)), shift=timedelta())
@example(where=(calendar("Africa/Cairo", "00:00"), date(2026, 4, 24)), shift=timedelta(microseconds=-1))
@example(where=(calendar("America/St_Johns", "00:00"), date(2006, 10, 29)), shift=timedelta(minutes=30))
@example(where=(calendar("Europe/Berlin", "02:30"), date(2026, 10, 25)), shift=timedelta(minutes=40))
@example(where=(calendar("Europe/Berlin", "02:30"), date(2026, 3, 29)), shift=timedelta(minutes=-10))
def test_every_instant_lies_in_its_day_and_in_no_other(where: tuple[Calendar, date], shift: timedelta) -> None:
    own, day = where
    instant = own.starts(day) + shift
    found = own.day_of(instant)
    assert own.starts(found) <= instant < own.starts(found + ONE_DAY)


@given(where=calendars_and_days, shift=near, later=st.timedeltas(timedelta(), timedelta(hours=50)))
def test_later_instants_never_belong_to_earlier_days(
    where: tuple[Calendar, date], shift: timedelta, later: timedelta
) -> None:
    own, day = where
    instant = own.starts(day) + shift
    assert own.day_of(instant) <= own.day_of(instant + later)


@given(where=calendars_and_days)
def test_days_begin_one_after_the_other(where: tuple[Calendar, date]) -> None:
    own, day = where
    assert own.starts(day) <= own.starts(day + ONE_DAY)
    assert own.exists(day) == (own.starts(day) < own.starts(day + ONE_DAY))
    if own.exists(day):
        assert own.day_of(own.starts(day)) == day
        assert own.day_of(own.starts(day) - timedelta(microseconds=1)) < day


@given(zone=st.sampled_from(NASTY), day_start=st.sampled_from(DAY_STARTS), day=days, shift=near)
def test_far_from_any_change_of_clocks_the_day_is_the_wall_clocks_date_minus_the_offset(
    zone: str, day_start: str, day: date, shift: timedelta
) -> None:
    own = calendar(zone, day_start)
    instant = own.starts(day) + shift
    offsets = {(instant + timedelta(hours=hours)).astimezone(own.zone).utcoffset() for hours in range(-54, 55, 6)}
    if len(offsets) == 1:
        hours, minutes = map(int, day_start.split(":"))
        wall = instant.astimezone(own.zone).replace(tzinfo=None)
        assert own.day_of(instant) == (wall - timedelta(hours=hours, minutes=minutes)).date()


def test_a_day_is_24_hours_long_but_23_and_25_where_clocks_change() -> None:
    def hours(day: date) -> float:
        return (berlin().starts(day + ONE_DAY) - berlin().starts(day)) / timedelta(hours=1)

    assert [hours(date(2026, 3, day)) for day in (28, 29, 30)] == [24, 23, 24]
    assert [hours(date(2026, 10, day)) for day in (24, 25, 26)] == [24, 25, 24]


def test_a_day_whose_midnight_does_not_exist_begins_when_the_clocks_jump() -> None:
    cairo = calendar("Africa/Cairo", "00:00")
    begin = utc(2026, 4, 23, 22)  # 24:00 is read as 01:00
    assert cairo.starts(date(2026, 4, 24)) == begin
    assert begin.astimezone(cairo.zone).time() == time(1)
    assert cairo.day_of(begin - timedelta(microseconds=1)) == date(2026, 4, 23)
    assert cairo.day_of(begin) == date(2026, 4, 24)
    assert cairo.exists(date(2026, 4, 24))


def test_a_day_begins_once_where_the_wall_clock_shows_the_old_date_again() -> None:
    havana = calendar("America/Havana", "00:00")
    first = utc(2026, 11, 1, 4)  # 00:00; at 01:00 the clocks show 00:00 again
    assert havana.starts(date(2026, 11, 1)) == first
    azores = calendar("Atlantic/Azores", "00:00")
    begin = azores.starts(date(2026, 10, 25))
    assert (begin + timedelta(hours=1, minutes=30)).astimezone(azores.zone).date() in {
        date(2026, 10, 24),
        date(2026, 10, 25),
    }
    seen = [azores.day_of(begin + timedelta(minutes=minutes)) for minutes in range(-120, 240, 10)]
    assert seen == sorted(seen)


def test_a_date_that_the_zone_skipped_has_no_length() -> None:
    apia = calendar("Pacific/Apia", "00:00")
    assert not apia.exists(date(2011, 12, 30))
    assert apia.starts(date(2011, 12, 30)) == apia.starts(date(2011, 12, 31)) == utc(2011, 12, 30, 10)
    assert apia.day_of(utc(2011, 12, 30, 10) - timedelta(microseconds=1)) == date(2011, 12, 29)
    assert apia.day_of(utc(2011, 12, 30, 10)) == date(2011, 12, 31)


def test_a_day_whose_start_does_not_exist_begins_when_the_clocks_jump_over_it() -> None:
    own = berlin("02:30")
    begin = own.starts(date(2026, 3, 29))
    assert begin == utc(2026, 3, 29, 1)  # 02:00 is read as 03:00
    assert own.day_of(begin - timedelta(microseconds=1)) == date(2026, 3, 28)
    casey = calendar("Antarctica/Casey", "03:00")  # 00:01 was read as 03:01
    assert casey.starts(date(2020, 10, 4)) == utc(2020, 10, 3, 16, 1)


@pytest.mark.parametrize("day_start", ["00:00", "03:00", "23:30"])
def test_a_date_that_the_zone_skipped_is_skipped_whatever_the_day_start(day_start: str) -> None:
    apia = calendar("Pacific/Apia", day_start)
    assert [apia.exists(date(2011, 12, day)) for day in (28, 29, 30, 31)] == [True, True, False, True]


@given(where=calendars_and_days, minute=st.integers(0, 1439))
def test_every_local_time_of_a_day_is_within_it(where: tuple[Calendar, date], minute: int) -> None:
    own, day = where
    if own.exists(day):
        moment = own.at(day, time(minute // 60, minute % 60))
        assert own.day_of(moment) == day
        shown = moment.astimezone(own.zone)
        if shown.utcoffset() == (moment - timedelta(hours=4)).astimezone(own.zone).utcoffset():
            assert (shown.hour * 60 + shown.minute) == minute


def test_a_local_time_before_the_day_start_is_in_the_night_that_ends_the_day() -> None:
    own = berlin("03:00")
    assert own.at(date(2026, 5, 13), time(1, 30)) == utc(2026, 5, 13, 23, 30)
    assert own.at(date(2026, 5, 13), time(3, 0)) == utc(2026, 5, 13, 1)


def test_with_a_day_start_the_night_belongs_to_the_day_before() -> None:
    own = berlin("03:00")
    assert own.day_of(utc(2026, 5, 13, 0, 59)) == date(2026, 5, 12)  # 02:59 in Berlin
    assert own.day_of(utc(2026, 5, 13, 1, 0)) == date(2026, 5, 13)
    assert own.starts(date(2026, 3, 29)) == utc(2026, 3, 29, 1)  # 02:00 is read as 03:00
    assert own.starts(date(2026, 10, 25)) == utc(2026, 10, 25, 2)


def test_an_instant_may_be_given_in_any_zone() -> None:
    instant = utc(2026, 5, 12, 23)
    assert berlin().day_of(instant) == date(2026, 5, 13)
    assert berlin().day_of(instant.astimezone(ZoneInfo("America/New_York"))) == date(2026, 5, 13)


def test_one_calendar_can_be_asked_by_many_threads() -> None:
    own = Calendar(ZoneInfo("Europe/Berlin"), time())
    wanted = [date(2026, 1, 1) + timedelta(days=number) for number in range(366)]

    def ask(_: int) -> list[date]:
        return [own.day_of(own.starts(day)) for day in wanted]

    with ThreadPoolExecutor(8) as pool:
        assert all(answer == wanted for answer in pool.map(ask, range(8)))


@pytest.mark.parametrize("name", NASTY)
def test_a_zone_is_found_by_its_name(name: str) -> None:
    assert parse_zone(name).key == name


@pytest.mark.parametrize(
    "name", ["", "Mars", "europe", "Europe", "../UTC", "/etc/localtime", "\0", "\ud800", None, 5, []]
)
def test_what_is_no_zone_is_refused_by_a_sentence(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^time zone .*: expected an IANA name such as 'Europe/Berlin'$"):
        parse_zone(name)


def test_a_clock_time_names_what_it_is_for_when_it_is_refused() -> None:
    assert parse_clock_time("23:59") == time(23, 59)
    with pytest.raises(InvalidInputError, match=r"^day start '24:00': expected HH:MM between 00:00 and 23:59$"):
        calendar("UTC", "24:00")


# --- starting


@pytest.fixture
def berliner(database: Database) -> UserId:
    return preferences.create_user(database, "local", time_zone="Europe/Berlin")


def started_days(database: Database, user: UserId) -> list[str]:
    return [body["day"] for name, whose, body in lines(database) if name == "day.started" and whose == user]


def test_a_new_users_first_date_is_started_without_looking_back(
    database: Database, berliner: UserId, clock: Clock
) -> None:
    assert start_due(database) == [(berliner, date(2026, 5, 13))]
    assert start_due(database) == []
    assert started_days(database, berliner) == ["2026-05-13"]
    with database.read() as read:
        (row,) = read.connection.exec_driver_sql("SELECT user_id, day FROM days")
    assert tuple(row) == (berliner, "2026-05-13")


def test_a_minute_before_midnight_nothing_is_due_and_at_midnight_one_day_is(
    database: Database, berliner: UserId, clock: Clock
) -> None:
    start_due(database)
    clock.now = utc(2026, 5, 13, 21, 59)
    before = all_rows(database)
    assert start_due(database) == []
    assert all_rows(database) == before
    clock.now = utc(2026, 5, 13, 22, 0)
    assert start_due(database) == [(berliner, date(2026, 5, 14))]


def test_a_day_start_moves_the_moment(database: Database, berliner: UserId, clock: Clock) -> None:
    start_due(database)
    preferences.change(database, berliner, day_start="03:30")
    clock.now = utc(2026, 5, 14, 1, 29)
    assert start_due(database) == []
    clock.now = utc(2026, 5, 14, 1, 30)
    assert start_due(database) == [(berliner, date(2026, 5, 14))]


def test_missed_days_are_started_in_order_once(database: Database, berliner: UserId, clock: Clock) -> None:
    start_due(database)
    clock.advance(days=3)
    assert start_due(database) == [(berliner, date(2026, 5, day)) for day in (14, 15, 16)]
    assert start_due(database) == []
    assert started_days(database, berliner) == ["2026-05-13", "2026-05-14", "2026-05-15", "2026-05-16"]


def test_missed_days_are_one_transaction(database: Database, berliner: UserId, clock: Clock) -> None:
    start_due(database)
    clock.advance(days=3)
    states: list[int] = []
    database.after_commit.append(lambda: states.append(newest(database)))
    start_due(database)
    assert states == [5]


def test_each_user_has_days_of_their_own(database: Database, berliner: UserId, clock: Clock) -> None:
    tokyo = preferences.create_user(database, "tokyo", time_zone="Asia/Tokyo")
    honolulu = preferences.create_user(database, "honolulu", time_zone="Pacific/Honolulu")
    clock.now = utc(2026, 5, 13, 9, 30)
    assert start_due(database) == [
        (berliner, date(2026, 5, 13)),
        (tokyo, date(2026, 5, 13)),
        (honolulu, date(2026, 5, 12)),
    ]
    clock.now = utc(2026, 5, 13, 15)
    assert start_due(database) == [(tokyo, date(2026, 5, 14)), (honolulu, date(2026, 5, 13))]
    assert list(preferences.names(database).values()) == [berliner, tokyo, honolulu]


def test_a_zone_that_is_not_known_here_keeps_nobody_elses_day_from_starting(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The database came from a machine with another time zone database."""
    lost = preferences.create_user(database, "lost")
    found = preferences.create_user(database, "found")

    def command(transaction: Transaction) -> None:
        transaction.session.get_one(Preferences, lost).time_zone = "Europe/Atlantis"
        transaction.record(PreferencesChanged(user=lost, at=transaction.now, changed=("time_zone",)))

    database.write(command)
    assert start_due(database) == [(found, date(2026, 5, 13))]
    assert "Europe/Atlantis" in caplog.text


def test_a_zone_to_the_west_restarts_no_date(database: Database, clock: Clock) -> None:
    user = preferences.create_user(database, "local", time_zone="Asia/Tokyo")
    clock.now = utc(2026, 5, 13, 16)  # the 14th in Tokyo
    assert start_due(database) == [(user, date(2026, 5, 14))]
    preferences.change(database, user, time_zone="Pacific/Honolulu")  # the 13th again
    assert start_due(database) == []
    clock.now = utc(2026, 5, 14, 10)  # the 14th for the second time
    assert start_due(database) == []
    clock.now = utc(2026, 5, 15, 10)
    assert start_due(database) == [(user, date(2026, 5, 15))]
    assert started_days(database, user) == ["2026-05-14", "2026-05-15"]


def test_a_flight_over_the_date_line_starts_the_new_date_at_once_and_does_not_invent_the_one_between(
    database: Database, clock: Clock
) -> None:
    user = preferences.create_user(database, "local", time_zone="Pacific/Pago_Pago")
    clock.now = utc(2026, 5, 13, 10, 30)  # 23:30 of the 12th; on Kiritimati it is the 14th already
    start_due(database)
    preferences.change(database, user, time_zone="Pacific/Kiritimati")
    assert started_days(database, user) == ["2026-05-12", "2026-05-14"]
    assert start_due(database) == []


def test_of_two_changes_of_zone_in_a_day_none_starts_a_date_again(database: Database, clock: Clock) -> None:
    user = preferences.create_user(database, "local", time_zone="Asia/Tokyo")
    clock.now = utc(2026, 5, 13, 16)
    start_due(database)
    for zone in ("Pacific/Honolulu", "Asia/Tokyo", "Pacific/Honolulu", "Europe/Berlin"):
        preferences.change(database, user, time_zone=zone)
        assert start_due(database) == []
    clock.now = utc(2026, 5, 14, 22)
    assert start_due(database) == [(user, date(2026, 5, 15))]


def test_what_was_missed_before_a_change_of_zone_is_started_by_the_old_zone(database: Database, clock: Clock) -> None:
    user = preferences.create_user(database, "local", time_zone="Europe/Berlin")
    start_due(database)
    clock.advance(days=3)
    preferences.change(database, user, time_zone="Pacific/Kiritimati")  # without a look in between
    assert started_days(database, user) == [f"2026-05-{day}" for day in (13, 14, 15, 16, 17)]


def test_a_later_day_start_ends_no_day_that_has_started(database: Database, berliner: UserId, clock: Clock) -> None:
    clock.now = utc(2026, 5, 13, 23)  # 01:00 of the 14th
    start_due(database)
    preferences.change(database, berliner, day_start="03:00")  # the 13th again
    assert start_due(database) == []
    clock.now = utc(2026, 5, 14, 2)
    assert start_due(database) == []
    assert started_days(database, berliner) == ["2026-05-14"]


def test_imported_preferences_move_days_like_changed_ones(database: Database, clock: Clock, tmp_path: Path) -> None:
    user = preferences.create_user(database, "local", time_zone="Pacific/Pago_Pago")
    other = preferences.create_user(database, "other", time_zone="Pacific/Kiritimati")
    clock.now = utc(2026, 5, 13, 10, 30)
    start_due(database)
    transfer.export_to(database, other, tmp_path / "files")
    transfer.import_from(database, user, tmp_path / "files")
    assert started_days(database, user) == ["2026-05-12", "2026-05-14"]


# --- a clock that was wrong


def test_a_new_user_of_a_wrong_clock_has_today_once_it_is_right(database: Database, clock: Clock) -> None:
    clock.advance(days=3653)
    user = preferences.create_user(database, "local")
    start_due(database)
    clock.advance(days=-3653)
    assert start_due(database) == [(user, date(2026, 5, 13))]


def test_a_clock_a_little_ahead_starts_no_date_twice(database: Database, berliner: UserId, clock: Clock) -> None:
    start_due(database)
    for ahead in (1, 2, 3):
        clock.advance(days=ahead)
        start_due(database)
        clock.advance(days=-ahead)
        assert start_due(database) == []
    clock.advance(days=4)
    start_due(database)
    assert started_days(database, berliner) == [f"2026-05-{day}" for day in range(13, 18)]


def test_no_zone_and_no_day_start_is_further_ahead_of_another_than_is_taken_for_a_clock_that_was_wrong() -> None:
    moments = [utc(year, month, 1) for year in (2020, 2026, 2029) for month in (1, 7)]
    zones = [ZoneInfo(name) for name in available_timezones()]
    offsets = [moment.astimezone(zone).utcoffset() for zone in zones for moment in moments]
    earliest, latest = max(filter(None, offsets)), min(filter(None, offsets)) - timedelta(hours=23, minutes=59)
    minutes = (utc(2026, 5, 13) + timedelta(minutes=minute) for minute in range(1440))
    assert max((now + earliest).date() - (now + latest).date() for now in minutes) == MOST_AHEAD


# --- at once


@pytest.fixture
def twins(database: Database, berliner: UserId, clock: Clock) -> Iterator[list[Database]]:
    """Two databases open on one file, as two processes have them."""
    other = Database(database.url, clock=clock)
    other.open()
    yield [database, other]
    other.close()


def test_of_many_who_look_at_once_one_starts_each_date(
    twins: list[Database], database: Database, berliner: UserId, clock: Clock
) -> None:
    start_due(database)
    for _ in range(5):
        clock.advance(days=2)
        barrier = threading.Barrier(8)

        def look(own: Database, barrier: threading.Barrier) -> list[date]:
            barrier.wait()
            return [day for _, day in start_due(own)]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(look, twins * 4, [barrier] * 8))
        assert len(list(itertools.chain(*found))) == 2
    days_started = started_days(database, berliner)
    assert days_started == sorted(set(days_started))
    assert len(days_started) == 11


def test_many_users_of_one_zone_start_in_batches(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.days.BATCH", 7)
    users = [preferences.create_user(database, f"user {number}") for number in range(20)]
    start_due(database)
    clock.advance(days=5)  # 100 dates: some users' do not fit into one transaction
    found = list(start_in_batches(database))
    assert max(len(batch) for batch in found) == 7
    assert Counter(itertools.chain(*found)) == Counter(
        (user, date(2026, 5, day)) for user in users for day in range(14, 19)
    )
    for user in users:
        assert started_days(database, user) == [f"2026-05-{day}" for day in range(13, 19)]
