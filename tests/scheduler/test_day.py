"""The look at the clock: days, then routines; and others get their turn meanwhile."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from cache.values import DASHBOARD_METRICS, SUMMARY_DAILY
from data import instances, preferences, tasks
from data.database import Database
from data.days import BATCH, calendar, start_in_batches
from events.catalog import DayStarted, UserId
from scheduler.day import DayWatch
from tests.house import Clock, House


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/reprieve.db", clock=clock)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def user(database: Database) -> UserId:
    return preferences.create_user(database, "local")


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.read() as read:
        return [tuple(row) for row in read.connection.exec_driver_sql(sql)]


def test_a_started_day_is_one_log_line_without_personal_text(
    database: Database, user: UserId, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    watch = DayWatch(database)
    with caplog.at_level(logging.INFO, "scheduler.day"):
        watch.look()
        watch.look()
        clock.advance(days=2)
        watch.look()
    assert [record.getMessage() for record in caplog.records if record.name == "scheduler.day"] == [
        f"day started user={user} day=2026-05-{day}" for day in (13, 14, 15)
    ]


def test_a_started_day_is_announced_before_the_look_returns(house: House) -> None:
    heard: list[date] = []

    def hear(logged: object) -> None:
        event = logged.event  # type: ignore[attr-defined]
        assert isinstance(event, DayStarted)
        heard.append(event.day)

    disconnect = house.bus.on_event(hear, DayStarted)
    watch = DayWatch(house.database)
    watch.look()
    house.clock.now += timedelta(days=2)
    watch.look()
    disconnect()
    assert heard == [date(2026, 5, day) for day in (13, 14, 15)]


def test_those_whose_day_has_started_are_named_after_each_transaction(database: Database, user: UserId) -> None:
    users = 2 * BATCH + 1
    for number in range(users - 1):
        preferences.create_user(database, f"user {number}")
    named: list[list[UserId]] = []
    DayWatch(database, started=lambda them: named.append(list(them))).look()
    assert len(named) > 2
    assert len({who for them in named for who in them}) == sum(map(len, named)) == users


class Rests(threading.Event):
    """Nobody stops anything; writes down for how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        return False


def test_after_each_transaction_others_have_as_long_for_theirs(
    database: Database, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * BATCH):
        preferences.create_user(database, f"user {number}")
    took = iter([0.5, 0.25, 0.125])
    now = [10.0]

    def batches(*given: object) -> Iterator[list[tuple[UserId, date]]]:
        for batch in start_in_batches(*given):  # type: ignore[arg-type]
            now[0] += next(took)
            yield batch

    monkeypatch.setattr("scheduler.day.start_in_batches", batches)
    monkeypatch.setattr("scheduler.day.time", SimpleNamespace(monotonic=lambda: now[0]))
    rests = Rests()
    assert len(DayWatch(database).look(rests)) == 2 * BATCH + 1
    assert rests.seconds == [0.5, 0.25, 0.125]


def test_who_has_a_page_open_has_their_day_and_routines_before_all_others(
    database: Database, user: UserId, clock: Clock
) -> None:
    users = [user, *(preferences.create_user(database, f"user {number}") for number in range(2 * BATCH))]
    DayWatch(database).look()
    for one in (users[0], users[-1]):
        tasks.create(database, one, name="Water the plants", routine="daily")
    clock.advance(days=1)
    named: list[UserId] = []
    DayWatch(database, named.extend, waiting=lambda: {users[-1], UserId(10**6)}).look()
    assert named == [users[-1], *users[:-1]]
    planned = rows(database, "SELECT user_id FROM events WHERE name = 'instance.planned' ORDER BY seq")
    assert [who for (who,) in planned] == [users[-1], users[0]]


def test_routines_of_a_day_are_planned_by_the_look_that_starts_it(
    database: Database, user: UserId, clock: Clock
) -> None:
    watch = DayWatch(database)
    watch.look()
    tasks.create(database, user, name="Water the plants", routine="daily")
    clock.advance(days=1)
    watch.look()
    assert rows(database, "SELECT state FROM instances") == [("planned",)]


def test_a_look_at_routines_notices_new_ones_and_those_that_are_due(
    database: Database, user: UserId, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = DayWatch(database)
    watch.plan()
    searched: list[None] = []
    real = DayWatch.plan.__globals__["routines"].plan_in_batches
    monkeypatch.setattr("data.routines.plan_in_batches", lambda *given: searched.append(None) or real(*given))
    watch.plan()
    assert not searched, "nothing has happened, and nothing is due"
    tasks.create(database, user, name="Water the plants", routine="daily", routine_at="10:30")
    watch.plan()
    clock.advance(minutes=29, seconds=59)
    watch.plan()
    assert rows(database, "SELECT state FROM instances") == []
    clock.advance(seconds=1)
    watch.plan()
    assert rows(database, "SELECT state FROM instances") == [("planned",)]
    assert len(searched) == 2


def test_a_clock_that_is_set_back_makes_the_look_search_again(database: Database, user: UserId, clock: Clock) -> None:
    watch = DayWatch(database)
    clock.advance(days=3650)
    watch.look()
    task = tasks.create(database, user, name="Water the plants", routine="daily")
    clock.advance(days=1)
    watch.look()
    clock.advance(days=-3651)
    watch.look()
    clock.advance(days=1)
    watch.look()
    found = rows(database, f"SELECT day FROM routine_days WHERE task_id = '{task}' ORDER BY day")
    assert found == [("2026-05-14",), ("2036-05-11",)], "what is planned already stays"


# --- stopping


def test_a_look_that_is_told_to_stop_ends_between_two_transactions_and_the_next_one_goes_on(
    database: Database, user: UserId, clock: Clock
) -> None:
    watch = DayWatch(database)
    watch.look()
    clock.advance(days=3 * BATCH)
    stopping = threading.Event()
    stopping.set()
    assert len(watch.look(stopping)) == BATCH
    assert len(watch.look()) == 2 * BATCH


def test_with_a_thousand_days_to_start_other_commands_get_their_turn(
    database: Database, user: UserId, clock: Clock
) -> None:
    """Each command waits for one batch, not for all of them."""
    DayWatch(database).look()
    clock.advance(days=10 * BATCH)
    seen: list[int] = []

    def interfere() -> None:
        if not seen and rows(database, "SELECT count(*) FROM days") != [(1,)]:
            seen.append(0)
            task = tasks.create(database, user, name="Taxes")
            instances.plan(database, user, task)
            seen.append(int(rows(database, "SELECT count(*) FROM days")[0][0]))  # type: ignore[call-overload]

    database.after_commit.append(interfere)
    DayWatch(database).look()
    assert seen == [0, BATCH + 1]


# --- with the scheduler switched off


@pytest.mark.parametrize(("zone", "day_start"), [("Africa/Cairo", "00:00"), ("America/St_Johns", "03:00")])
def test_without_any_look_no_reader_gets_a_summary_of_the_wrong_day(house: House, zone: str, day_start: str) -> None:
    """A week of looks at the page, through a date without a midnight, with something done each day."""
    preferences.change(house.database, house.user, time_zone=zone, day_start=day_start)
    house.clock.now = datetime(2026, 4, 20, 9, tzinfo=UTC)
    task = tasks.create(house.database, house.user, name="Taxes")
    own = calendar(zone, day_start)
    for number in range(8 * 4):
        if number % 4 == 0:
            instances.complete(
                house.database, house.user, instances.plan(house.database, house.user, task), actual_minutes=number
            )
        with house.manager.snapshot(house.user) as snapshot:
            shown, metrics = snapshot.get(SUMMARY_DAILY), snapshot.get(DASHBOARD_METRICS)
            assert shown == snapshot.load(SUMMARY_DAILY)
        assert shown.today == metrics.today == own.day_of(house.clock.now)
        house.clock.advance(hours=6)
    assert rows(house.database, "SELECT * FROM days") == []
