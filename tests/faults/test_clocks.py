"""F23 to F27: nights, sleep, clocks that change or are set, and several processes that see a new day at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from data import preferences
from data.days import start_due
from events.catalog import UserId
from scheduler.clockwork import Clockwork
from scheduler.day import DayWatch
from tests.data.ledger import ROOT, dates_started, elsewhere, finish, lines
from tests.house import Clock, House, open_house
from tests.scheduler.waking import Looks, Woken


def started_days(house: House, user: UserId | None = None) -> list[str]:
    whose = user or house.user
    return [body["day"] for name, of, body in lines(house.database) if name == "day.started" and of == whose]


def started(house: House) -> list[tuple[UserId, date]]:
    return start_due(house.database)


@pytest.mark.fault(
    "F23",
    inject="the app is down over 1 and over 3 midnights",
    holds="each user's days start in order, once, at start-up",
)
@pytest.mark.parametrize("nights", [1, 3])
def test_days_that_were_missed_start_in_order_when_the_app_does(tmp_path: Path, clock: Clock, nights: int) -> None:
    ahead = {"UTC": 0, "America/Los_Angeles": 0, "Asia/Tokyo": 0, "Pacific/Kiritimati": 1}  # by their dates at ten
    for downtime in (0, nights, 0):
        clock.advance(days=downtime)
        with open_house(tmp_path, clock=clock) as house:
            users = {zone: preferences.create_user(house.database, zone, time_zone=zone) for zone in ahead}
            clockwork = Clockwork(house.database, {"day": DayWatch(house.database).look})
            clockwork.start()
            clockwork.stop()
            found = {zone: started_days(house, user) for zone, user in users.items()}
    assert found == {
        zone: [f"2026-05-{day + days}" for day in range(13, 13 + nights + 1)] for zone, days in ahead.items()
    }


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault(
    "F24", inject="ten years of every zone: gaps, folds, sleep, clocks set", holds="each local date once"
)
def test_in_ten_years_of_every_zone_each_date_starts_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.scheduler.sweep", "--no-cron"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert " 0 wrong" in done.stdout


@pytest.fixture
def woken(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Woken]:
    """The scheduler of a house whose clock is the one that it is woken by."""
    looks, watch = Looks(), DayWatch(house.database)

    def look(stopping: threading.Event) -> None:
        watch.look(stopping)
        looks(stopping)

    clockwork = Clockwork(house.database, {"day": look})
    yield Woken(clockwork, looks, monkeypatch)
    clockwork.stop()


@pytest.mark.fault(
    "F25", inject="sleep over midnight: the wall clock jumps, and nothing ran", holds="started at the next look"
)
@pytest.mark.parametrize("slept", [timedelta(hours=15), timedelta(days=3)])
def test_a_day_starts_within_one_look_after_a_sleep(house: House, woken: Woken, slept: timedelta) -> None:
    assert started_days(house) == ["2026-05-13"]
    house.clock.now = Woken.FIRST + slept
    woken(house.clock.now, 2)
    assert started_days(house) == [f"2026-05-{day}" for day in range(13, house.clock.now.day + 1)]
    woken(house.clock.now + timedelta(minutes=1), 2)
    assert len(set(started_days(house))) == len(started_days(house))


@pytest.mark.fault(
    "F26", inject="the clock is set back by 10 minutes, 3 hours, 10 years", holds="the next look is not late"
)
@pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(hours=3), timedelta(days=3653)])
def test_a_clock_that_is_set_back_stalls_nothing(house: House, woken: Woken, back: timedelta) -> None:
    before = datetime(2026, 5, 13, 10, 31, tzinfo=UTC)
    woken(before, 2)
    for minute in range(16):
        house.clock.now = before - back + timedelta(minutes=minute)
        woken(house.clock.now, 3 if minute == 15 else 2)
    # Ten years further back than what has started, the clock is taken to have been wrong then: days go on from there.
    assert started_days(house) == ["2026-05-13", *(["2016-05-12"] if back.days else [])]


@pytest.mark.fault(
    "F26",
    inject="the clock is 10 years ahead, days start, it is corrected",
    holds="no double, one log line, days go on",
)
def test_after_a_clock_that_was_ten_years_ahead_days_start_again(
    house: House, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    started(house)
    clock.advance(days=3653)
    assert len(started(house)) == 3653
    clock.advance(days=-3653)
    assert started(house) == []
    assert caplog.records == [], "whether that one is right shows when a day begins by it"
    for day in (14, 15, 16):
        clock.advance(days=1)
        assert started(house) == [(house.user, date(2026, 5, day))]
        assert started(house) == []
    assert [record.message for record in caplog.records] == [
        f"days up to 2036-05-13 had started for user {house.user}, and it is 2026-05-14: the clock was wrong before"
    ]
    assert dates_started(house.database, house.user) == [date(2026, 5, day) for day in (13, 14, 15, 16)]


LOOK_WHEN_TOLD = (
    "import os, sys\n"
    "from datetime import datetime\n"
    "from data import days\n"
    "database.clock = lambda: datetime.fromisoformat('2026-05-23T10:00:00+00:00')\n"
    "print('ready')\n"
    "input()\n"
)


def together(house: House, programs: list[str]) -> "list[subprocess.Popen[str]]":
    """Start processes that wait for each other, then let all of them look."""
    processes = [elsewhere(house.database, LOOK_WHEN_TOLD + program) for program in programs]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


@pytest.mark.fault("F27", inject="three processes look at the same moment", holds="one starts each date")
def test_of_three_processes_that_look_at_the_same_moment_one_starts_each_date(house: House) -> None:
    started(house)
    processes = together(house, ["print(len(days.start_due(database)))"] * 3)
    assert sum(int(finish(process)) for process in processes) == 10
    assert started_days(house) == [f"2026-05-{day}" for day in range(13, 24)]


@pytest.mark.fault("F27", inject="four processes look, one dies after claiming", holds="one start, none lost")
def test_what_a_process_had_claimed_that_dies_is_started_by_the_others(house: House) -> None:
    """It has written half of the dates, and not committed them."""
    started(house)
    dies = (
        "start = days._start\n"
        "def start_some(transaction, dates):\n"
        "    start(transaction, dates[:5])\n"
        "    os._exit(0)\n"
        "days._start = start_some\n"
        "days.start_due(database)\n"
        "os._exit(0)"
    )
    (victim,) = together(house, [dies])
    finish(victim)
    assert started_days(house) == ["2026-05-13"]
    processes = together(house, [dies, *["print(len(days.start_due(database)))"] * 3])
    finish(processes.pop(0))
    assert sum(int(finish(process)) for process in processes) == 10
    assert started_days(house) == [f"2026-05-{day}" for day in range(13, 24)]


@pytest.mark.fault("F27", inject="a process dies right after it has started days", holds="not started again")
def test_what_a_process_had_started_that_dies_is_not_started_again(house: House) -> None:
    started(house)
    (victim,) = together(house, ["days.start_due(database)\nos._exit(0)"])
    finish(victim)
    (next_one,) = together(house, ["print(len(days.start_due(database)))"])
    assert int(finish(next_one)) == 0
    assert len(started_days(house)) == 11
