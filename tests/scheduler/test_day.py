"""The look at the clock: once at the start, again and again in the background, and never the end of anything."""

import logging
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from data import preferences
from data.database import Database
from events.catalog import DayStarted, UserId
from scheduler import day as day_module
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


@pytest.fixture
def watch(database: Database) -> Iterator[DayWatch]:
    made = DayWatch(database)
    yield made
    made.stop()


@pytest.fixture
def many_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background looks twenty times a second instead of every quarter of an hour."""
    monkeypatch.setattr(day_module, "CronTrigger", lambda **_: IntervalTrigger(seconds=0.05))


def days_of(database: Database) -> list[str]:
    with database.read() as read:
        return list(read.connection.exec_driver_sql("SELECT day FROM days ORDER BY day").scalars())


class Seen:
    """Waits until a day has been started."""

    def __init__(self, database: Database, day: str) -> None:
        self._database = database
        self._day = day
        self._happened = threading.Event()
        database.after_commit.append(self._look)
        self._look()

    def _look(self) -> None:
        if self._day in days_of(self._database):
            self._happened.set()

    def wait(self) -> bool:
        return self._happened.wait(5)


def scheduler_threads() -> int:
    return sum("APScheduler" in thread.name for thread in threading.enumerate())


def test_starting_looks_at_once(database: Database, user: UserId, watch: DayWatch) -> None:
    watch.start()
    assert days_of(database) == ["2026-05-13"]


def test_starting_again_changes_nothing(database: Database, user: UserId, watch: DayWatch, clock: Clock) -> None:
    before = scheduler_threads()
    watch.start()
    clock.advance(days=1)
    watch.start()
    assert days_of(database) == ["2026-05-13"], "the second start looked"
    assert scheduler_threads() == before + 1
    watch.stop()
    assert scheduler_threads() == before


def test_stopping_may_come_first_or_twice_and_starting_again_works(
    database: Database, user: UserId, watch: DayWatch, clock: Clock
) -> None:
    watch.stop()
    watch.start()
    watch.stop()
    watch.stop()
    clock.advance(days=1)
    watch.start()
    assert days_of(database) == ["2026-05-13", "2026-05-14"]


@pytest.mark.usefixtures("many_looks")
def test_a_day_that_begins_while_the_app_runs_is_started_in_the_background(
    database: Database, user: UserId, watch: DayWatch, clock: Clock
) -> None:
    watch.start()
    seen = Seen(database, "2026-05-14")
    clock.advance(hours=14)
    assert seen.wait()


@pytest.mark.usefixtures("many_looks")
def test_a_failing_look_is_logged_and_the_next_one_works(
    database: Database, user: UserId, watch: DayWatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    watch.start()
    failed = threading.Event()
    handler = logging.Handler()
    handler.emit = lambda record: failed.set()  # type: ignore[method-assign]
    day_module.log.addHandler(handler)
    database.close()
    assert failed.wait(5)
    day_module.log.removeHandler(handler)
    clock.advance(days=1)
    database.open()
    assert Seen(database, "2026-05-14").wait()
    assert "the next look tries again" in caplog.text


def test_a_failing_first_look_does_not_keep_the_app_from_starting(
    database: Database, user: UserId, watch: DayWatch, caplog: pytest.LogCaptureFixture
) -> None:
    database.close()
    watch.start()
    assert "the next look tries again" in caplog.text
    database.open()
    watch.look()
    assert days_of(database) == ["2026-05-13"]


@pytest.mark.usefixtures("many_looks")
def test_after_stopping_nobody_looks_any_more(database: Database, user: UserId, watch: DayWatch, clock: Clock) -> None:
    watch.start()
    watch.stop()
    clock.advance(days=1)
    assert not Seen(database, "2026-05-14")._happened.wait(0.2)


def test_a_started_day_is_one_log_line_without_personal_text(
    database: Database, user: UserId, watch: DayWatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
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
