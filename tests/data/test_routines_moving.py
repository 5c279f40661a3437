"""Routines of somebody whose days move to another zone or day start: each date that was theirs has its turn, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from data import preferences, tasks
from data.database import Database
from data.days import start_due
from data.routines import plan_due
from events.catalog import UserId
from tests.data.ledger import dates_started
from tests.house import Clock

MOVED = datetime(2026, 5, 13, 20, tzinfo=UTC)


def live(database: Database, clock: Clock, until: datetime) -> None:
    """Look every half hour up to *until*."""
    while clock.now < until:
        clock.now = min(clock.now + timedelta(minutes=30), until)
        start_due(database)
        plan_due(database)


def settle(database: Database, clock: Clock, *, zone: str, at: str | None) -> UserId:
    clock.now = MOVED - timedelta(days=3, hours=12)
    user = preferences.create_user(database, "flyer", time_zone=zone)
    start_due(database)
    tasks.create(database, user, name="Plants", routine="daily", routine_at=at)
    return user


def turns(database: Database) -> dict[str, bool]:
    """Date -> whether something was planned then, for all that were looked after; False is missed."""
    with database.read() as read:
        return {
            str(day): instance is not None
            for day, instance in read.connection.exec_driver_sql("SELECT day, instance_id FROM routine_days")
        }


@pytest.mark.parametrize("at", [None, "00:00", "07:00", "08:00", "23:59"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
        ("Pacific/Pago_Pago", "Pacific/Tongatapu"),
        ("Europe/Berlin", "Pacific/Auckland"),
        ("America/Los_Angeles", "Australia/Sydney"),
        ("Asia/Tokyo", "America/New_York"),
        ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ],
)
def test_each_date_that_was_theirs_has_its_turn(
    database: Database, clock: Clock, start: str, end: str, at: str | None
) -> None:
    user = settle(database, clock, zone=start, at=at)
    live(database, clock, MOVED)
    preferences.change(database, user, time_zone=end)
    live(database, clock, MOVED + timedelta(days=3))
    theirs = {str(day) for day in dates_started(database, user)}
    looked_after = turns(database)
    assert set(looked_after) <= theirs
    assert theirs - set(looked_after) <= {min(theirs), max(theirs)}, "before the routine was made, or yet to come"


def test_what_was_missed_by_the_old_zone_is_listed_and_the_new_date_planned(database: Database, clock: Clock) -> None:
    user = settle(database, clock, zone="Europe/Berlin", at="07:00")
    live(database, clock, MOVED - timedelta(days=1))
    clock.now = MOVED  # a day without the machine
    preferences.change(database, user, time_zone="Pacific/Auckland")
    live(database, clock, MOVED + timedelta(minutes=30))
    assert turns(database) == {"2026-05-11": True, "2026-05-12": True, "2026-05-13": False, "2026-05-14": True}


def test_nothing_is_planned_for_a_date_that_was_flown_over_when_flying_back(database: Database, clock: Clock) -> None:
    user = settle(database, clock, zone="Pacific/Pago_Pago", at="23:00")
    clock.now = datetime(2026, 5, 13, 10, 30, tzinfo=UTC)  # 23:30 of the 12th; on Kiritimati 00:30 of the 14th
    start_due(database)
    plan_due(database)
    preferences.change(database, user, time_zone="Pacific/Kiritimati")
    clock.advance(hours=5)
    preferences.change(database, user, time_zone="Pacific/Pago_Pago")  # 04:30 of the 13th, which never began
    live(database, clock, clock.now + timedelta(days=2))
    assert date(2026, 5, 13) not in dates_started(database, user)
    assert "2026-05-13" not in turns(database)
    assert turns(database)["2026-05-14"]


def test_a_routine_made_after_its_turn_has_missed_nothing_by_a_move(database: Database, clock: Clock) -> None:
    user = settle(database, clock, zone="Europe/Berlin", at="23:59")
    clock.now = MOVED
    start_due(database)
    plan_due(database)
    task = tasks.create(database, user, name="Run", routine="daily", routine_at="08:00")  # it is 22:00
    preferences.change(database, user, time_zone="Pacific/Auckland")  # 08:00 of the 14th
    plan_due(database)
    with database.read() as read:
        found = read.connection.exec_driver_sql("SELECT day FROM routine_days WHERE task_id = ?", (task,))
        assert [str(day) for (day,) in found] == ["2026-05-14"]


def test_an_earlier_day_start_at_night_plans_the_date_that_begins_by_it(database: Database, clock: Clock) -> None:
    user = settle(database, clock, zone="UTC", at=None)
    preferences.change(database, user, day_start="03:00")
    live(database, clock, datetime(2026, 5, 13, 1, tzinfo=UTC))
    assert "2026-05-13" not in turns(database)
    preferences.change(database, user, day_start="00:00")
    plan_due(database)
    assert turns(database)["2026-05-13"]
