"""Waking up: at the start, again and again in the background, in any order of start and stop, whatever clocks do."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from data import preferences
from data.database import Database
from data.upkeep import Run
from scheduler import clockwork as clockwork_module
from scheduler.clockwork import LONGEST_SLEEP, Clockwork, trigger
from scheduler.day import DayWatch
from scheduler.jobs import JOBS, Job
from tests.house import Clock
from tests.scheduler.waking import Looks, Woken


@pytest.fixture
def database(tmp_path: Any, clock: Clock) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/reprieve.db", clock=clock)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def clockwork(database: Database, looks: Looks) -> Iterator[Clockwork]:
    made = Clockwork(database, {"day": looks})
    yield made
    made.stop()


@pytest.fixture
def many_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background looks twenty times a second."""
    monkeypatch.setattr(clockwork_module, "trigger", lambda job: IntervalTrigger(seconds=0.05))


def scheduler_threads() -> int:
    return sum("APScheduler" in thread.name for thread in threading.enumerate())


def test_starting_looks_at_once(clockwork: Clockwork, looks: Looks) -> None:
    clockwork.start()
    assert looks.count == 1


def test_starting_again_changes_nothing(clockwork: Clockwork, looks: Looks) -> None:
    before = scheduler_threads()
    clockwork.start()
    clockwork.start()
    assert looks.count == 1
    assert scheduler_threads() == before + 1
    clockwork.stop()
    assert scheduler_threads() == before


def test_stopping_may_come_first_or_twice_and_starting_again_works(clockwork: Clockwork, looks: Looks) -> None:
    clockwork.stop()
    clockwork.start()
    clockwork.stop()
    clockwork.stop()
    clockwork.start()
    assert looks.count == 2


def test_of_many_threads_that_start_and_stop_at_once_none_leaves_a_scheduler_behind(
    clockwork: Clockwork, looks: Looks
) -> None:
    before = scheduler_threads()
    threads = [threading.Thread(target=act) for _ in range(4) for act in (clockwork.start, clockwork.stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clockwork.stop()
    assert scheduler_threads() == before


def test_the_start_does_not_wait_for_a_look_that_takes_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clockwork_module, "FIRST_LOOK_SECONDS", 0.01)
    entered, told = threading.Event(), threading.Event()

    def work(stopping: threading.Event) -> None:
        entered.set()
        if stopping.wait(20):
            told.set()

    slow = Clockwork(database, {"day": work})
    slow.start()
    assert entered.wait(5)
    slow.stop()
    assert told.is_set(), "it was told to end early"


@pytest.mark.usefixtures("many_looks")
def test_it_looks_again_and_again_and_no_more_after_stopping(clockwork: Clockwork, looks: Looks) -> None:
    clockwork.start()
    assert looks.wait_for(4)
    clockwork.stop()
    before = looks.count
    assert not threading.Event().wait(0.2)
    assert looks.count == before


@pytest.mark.usefixtures("many_looks")
def test_a_job_that_fails_is_logged_counted_and_tried_again_and_others_go_on(
    database: Database, looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    looks.fails = True
    other = Looks()
    both = Clockwork(database, {"day": looks, "routines": other})
    both.start()
    assert looks.wait_for(3)
    assert other.wait_for(3)
    both.stop()
    day, routines = both.stats
    assert (day.name, day.runs) == ("day", looks.count)
    assert day.failures == day.runs
    assert (routines.runs, routines.failures) == (other.count, 0)
    assert "job day failed; the next look tries again" in caplog.text


@pytest.mark.usefixtures("many_looks")
def test_a_database_that_cannot_be_used_for_a_while_costs_looks_and_nothing_else(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    preferences.create_user(database, "local")
    database.close()
    clockwork = Clockwork(database, {"day": DayWatch(database).look})
    clockwork.start()
    database.open()
    done = threading.Event()
    database.after_commit.append(done.set)
    assert done.wait(5)
    clockwork.stop()
    assert "the next look tries again" in caplog.text


# --- clocks


@pytest.fixture
def woken(clockwork: Clockwork, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> Woken:
    return Woken(clockwork, looks, monkeypatch)


def test_it_looks_at_whole_quarters_of_an_hour(woken: Woken, looks: Looks) -> None:
    woken(datetime(2026, 5, 13, 10, 14, 59, tzinfo=UTC), 1)
    assert looks.count == 1
    woken(datetime(2026, 5, 13, 10, 15, tzinfo=UTC), 2)
    woken(datetime(2026, 5, 13, 10, 30, 1, tzinfo=UTC), 3)


@pytest.mark.parametrize("slept", [timedelta(hours=3), timedelta(days=3), timedelta(days=3653)])
def test_after_a_sleep_it_looks_once_at_the_next_waking(woken: Woken, looks: Looks, slept: timedelta) -> None:
    woken(datetime(2026, 5, 13, 10, 1, tzinfo=UTC) + slept, 2)
    woken(datetime(2026, 5, 13, 10, 2, tzinfo=UTC) + slept, 2)
    assert looks.count == 2


def test_it_never_sleeps_long_by_a_clock_that_may_be_set(woken: Woken) -> None:
    assert 0 < woken(datetime(2026, 5, 13, 10, 2, tzinfo=UTC), 1) <= LONGEST_SLEEP.total_seconds()


# --- the table


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_the_next_run_that_is_listed_is_the_next_look_that_is_made(job: Job) -> None:
    for seconds in (0, 1, 59, 60, 61, 899, 900, 901, 3600, 86399):
        now = datetime(2026, 5, 13, tzinfo=UTC) + timedelta(seconds=seconds)
        look = trigger(job).get_next_fire_time(None, now + timedelta(microseconds=1))
        assert job.next_run(Run(), now) == look
