"""A clock that is set, looked at, and set right again: what was lived stays, and each date and turn comes once."""

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from data import preferences, tasks
from data.database import Database
from data.days import start_due
from events.catalog import UserId
from scheduler.day import DayWatch
from tests.data.ledger import dates_started, lines
from tests.house import Clock

FIRST = date(2026, 5, 1)
BEFORE = datetime(2026, 5, 11, 9, 10, tzinfo=UTC)
STEPS = [timedelta(minutes=10), timedelta(hours=3), *(timedelta(days=days) for days in (1, 3, 4, 10, 365, 3653))]


@pytest.fixture
def processes(tmp_path: Path, clock: Clock) -> Iterator[list[Database]]:
    """The databases of two processes on one file."""
    opened = [Database(f"sqlite:///{tmp_path}/reprieve.db", clock=clock) for _ in range(2)]
    for database in opened:
        database.open()
    yield opened
    for database in opened:
        database.close()


@pytest.fixture
def user(processes: list[Database], clock: Clock) -> UserId:
    """Somebody who has lived up to `BEFORE`, with a routine each morning, and another one since three days."""
    clock.now = datetime(2026, 5, 1, 9, tzinfo=UTC)
    created = preferences.create_user(processes[0], "local")
    start_due(processes[0])
    tasks.create(processes[0], created, name="Plants", routine="daily", routine_at="08:00")
    live(processes, clock, BEFORE - timedelta(days=3))
    tasks.create(processes[0], created, name="Cat", routine="daily", routine_at="00:00")
    live(processes, clock, BEFORE)
    return created


def live(processes: list[Database], clock: Clock, until: datetime) -> None:
    """Let each process in turn look every six hours up to *until*. Each look could be that of a process just begun."""
    for database in itertools.cycle(processes):
        clock.now = min(clock.now + timedelta(hours=6), until)
        DayWatch(database).look()
        if clock.now == until:
            return


def days_from(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def planned(database: Database) -> Counter[tuple[str, str]]:
    """Task and date -> how many attempts were planned for that turn, by what they are due."""
    sql = "SELECT task_id, date(due_at / 1000000, 'unixepoch') FROM instances"
    with database.read() as read:
        return Counter((task, day) for task, day in read.connection.exec_driver_sql(sql))


def missed(database: Database) -> list[tuple[str, str]]:
    with database.read() as read:
        found = read.connection.exec_driver_sql("SELECT task_id, day FROM routine_days WHERE instance_id IS NULL")
        return [(task, day) for task, day in found]


@pytest.mark.parametrize("back", STEPS, ids=str)
def test_a_clock_that_was_behind_for_some_looks_has_changed_nothing(
    processes: list[Database], user: UserId, clock: Clock, back: timedelta
) -> None:
    before = lines(processes[0])
    clock.now = BEFORE - back
    for database in processes * 2:
        DayWatch(database).look()
        clock.advance(minutes=15)
    assert lines(processes[0]) == before
    clock.now = BEFORE + timedelta(hours=1)
    live(processes, clock, BEFORE + timedelta(days=10))
    assert [body["day"] for name, _, body in lines(processes[0]) if name == "day.started"] == [
        str(day) for day in days_from(FIRST, date(2026, 5, 21))
    ]
    assert sorted(planned(processes[0]).values()) == [1] * (20 + 13)
    assert missed(processes[0]) == []


@pytest.mark.parametrize("ahead", STEPS, ids=str)
def test_after_a_clock_that_was_ahead_each_date_stands_once_and_no_turn_is_planned_twice(
    processes: list[Database], user: UserId, clock: Clock, ahead: timedelta
) -> None:
    clock.now = BEFORE + ahead
    for database in processes:
        DayWatch(database).look()
    clock.now = BEFORE + timedelta(hours=1)
    live(processes, clock, BEFORE + timedelta(days=10))
    stand = dates_started(processes[0], user)
    assert stand == days_from(FIRST, max(date(2026, 5, 21), stand[-1]))
    assert set(planned(processes[0]).values()) == {1}
    assert not {*missed(processes[0])} & {*planned(processes[0])}
    if ahead > timedelta(days=4):
        assert stand[-1] == date(2026, 5, 21)
        assert missed(processes[0]) == []
    live(processes, clock, BEFORE + timedelta(days=20))
    assert dates_started(processes[0], user) == days_from(FIRST, date(2026, 5, 31))
    assert set(planned(processes[0]).values()) == {1}


def test_a_clock_that_is_behind_all_days_of_a_user_starts_none_however_long(
    processes: list[Database], user: UserId, clock: Clock
) -> None:
    before = lines(processes[0])
    clock.now = BEFORE - timedelta(days=365)
    live(processes, clock, clock.now + timedelta(days=3))
    assert lines(processes[0]) == before


def test_who_was_new_when_the_clock_went_wrong_gets_no_dates_of_before(processes: list[Database], clock: Clock) -> None:
    """A machine whose clock begins in the past, and that has known the user for a day."""
    database = processes[0]
    user = preferences.create_user(database, "local")
    start_due(database)
    clock.advance(days=-3653)
    start_due(database)
    clock.advance(days=3654)
    start_due(database)
    assert dates_started(database, user) == [date(2016, 5, 12), date(2026, 5, 13), date(2026, 5, 14)]


def test_days_that_were_lived_by_a_clock_that_was_ahead_are_started_anew(
    processes: list[Database], user: UserId, clock: Clock
) -> None:
    clock.now = BEFORE + timedelta(days=10)
    live(processes, clock, BEFORE + timedelta(days=15))
    clock.now = BEFORE + timedelta(days=5)
    live(processes, clock, BEFORE + timedelta(days=20))
    assert dates_started(processes[0], user) == days_from(FIRST, date(2026, 5, 31))
    assert set(planned(processes[0]).values()) == {1}
    plants = {day for task, day in [*planned(processes[0]), *missed(processes[0])]}
    assert plants == {str(day) for day in days_from(date(2026, 5, 2), date(2026, 5, 31))}


def test_a_change_of_zone_after_a_clock_that_was_ahead_starts_the_new_date(
    processes: list[Database], user: UserId, clock: Clock
) -> None:
    clock.now = BEFORE + timedelta(days=100)
    DayWatch(processes[0]).look()
    clock.now = BEFORE + timedelta(hours=2)
    preferences.change(processes[0], user, time_zone="Pacific/Kiritimati")  # 01:10 of the 12th
    assert dates_started(processes[0], user) == days_from(FIRST, date(2026, 5, 12))


def test_who_flies_east_after_a_clock_that_was_ahead_has_the_new_date_and_flying_back_takes_it_from_nobody(
    processes: list[Database], user: UserId, clock: Clock
) -> None:
    """What that clock had started does not count, wherever they are: it is not judged by the date in their zone."""
    preferences.change(processes[0], user, time_zone="Pacific/Pago_Pago")
    live(processes, clock, datetime(2026, 5, 13, 10, 30, tzinfo=UTC))  # 23:30 of the 12th
    clock.advance(days=4, hours=12)
    DayWatch(processes[0]).look()
    clock.advance(days=-4, hours=-12)
    preferences.change(processes[0], user, time_zone="Pacific/Kiritimati")  # 00:30 of the 14th
    lived = [*days_from(FIRST, date(2026, 5, 12)), date(2026, 5, 14)]
    assert dates_started(processes[0], user) == lived
    preferences.change(processes[0], user, time_zone="Pacific/Pago_Pago")
    live(processes, clock, clock.now + timedelta(days=2))
    assert dates_started(processes[0], user) == lived
    live(processes, clock, clock.now + timedelta(days=1))
    assert dates_started(processes[0], user) == [*lived, date(2026, 5, 15)]
