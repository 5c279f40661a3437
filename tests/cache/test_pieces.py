"""Values that are kept in parts: what is loaded again and what is not, in one state, and how long work is watched."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cache.auditor import Auditor
from cache.errors import LoadError
from cache.pieces import BEFORE, BEGINNINGS, COUNTS, MONTHS, PAST, PIECES, YEARS
from cache.values import (
    ANALYTICS_CORRELATIONS,
    ANALYTICS_DISTRIBUTION,
    ANALYTICS_RELIEF_SUMMARY,
    ANALYTICS_TRENDS,
    DASHBOARD_METRICS,
    VALUES,
    Value,
)
from data import instances, preferences, tasks
from data.calculations import months
from data.fields import Feelings
from data.pieces import Stopped, watched
from data.preferences import CacheBackend, CacheMode
from events.catalog import InstanceId
from tests.house import Clock, House, open_house

FELT = Feelings(relief=60, mental_load=20, emotional_load=30, physical_load=10, aversion=40)


def live(house: House, *, weeks: int = 30) -> list[InstanceId]:
    """One completion a week."""
    task = tasks.create(house.database, house.user, name="often")
    done = []
    for _ in range(weeks):
        house.clock.advance(days=7)
        one = instances.plan(house.database, house.user, task)
        instances.complete(house.database, house.user, one, actual=FELT, actual_minutes=20.0)
        done.append(one)
    return done


def loads(house: House) -> dict[str, int]:
    return {stats.key: stats.loads for stats in house.manager.get_cache_stats().keys}


def read_all(house: House) -> dict[str, int]:
    """Read every value, and return how often what was loaded."""
    before = loads(house)
    with house.manager.snapshot(house.user) as snapshot:
        for value in VALUES:
            snapshot.get(value)
    return {key: count - before[key] for key, count in loads(house).items() if count != before[key]}


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2025, 10, 6, 12, tzinfo=UTC))


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_a_completion_loads_its_own_month_and_no_other(tmp_path: Path, clock: Clock, backend: CacheBackend) -> None:
    with open_house(tmp_path, clock=clock, backend=backend) as house:
        live(house)
        assert read_all(house)[MONTHS.key] >= 8
        live(house, weeks=1)
        again = read_all(house)
        assert {key: count for key, count in again.items() if key.startswith("pieces.")} == {
            MONTHS.key: 1,
            PAST.key: 1,
            COUNTS.key: 1,
            BEGINNINGS.key: 1,  # of a new task
        }
        assert not read_all(house)


def test_an_old_edit_loads_its_own_month_and_no_other(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        done = live(house)
        read_all(house)
        instances.edit(house.database, house.user, done[3], actual_relief=1)
        again = read_all(house)
        assert {key: count for key, count in again.items() if key.startswith("pieces.")} == {
            MONTHS.key: 1,
            YEARS.key: 1,
            BEFORE.key: 1,
            PAST.key: 1,
        }


def test_a_corrected_first_aversion_loads_its_own_month_and_no_other(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        done = live(house)
        read_all(house)
        instances.edit(house.database, house.user, done[0], actual_aversion=90)
        again = read_all(house)
        assert {key: count for key, count in again.items() if key.startswith("pieces.")} == {
            MONTHS.key: 1,
            YEARS.key: 1,
            BEFORE.key: 1,
            PAST.key: 1,
            BEGINNINGS.key: 1,
        }


@pytest.mark.parametrize("changed", [{"time_zone": "Asia/Tokyo"}, {"day_start": "05:00"}])
def test_other_days_load_all_months_anew(tmp_path: Path, clock: Clock, changed: dict[str, Any]) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house)
        first = read_all(house)[MONTHS.key]
        preferences.change(house.database, house.user, **changed)
        assert read_all(house)[MONTHS.key] == first


def test_the_next_day_loads_no_month(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house)
        read_all(house)
        clock.advance(days=1)
        assert MONTHS.key not in read_all(house)


def test_an_older_snapshot_gets_the_parts_of_its_own_state(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        done = live(house, weeks=6)
        before = read_all(house)
        with house.manager.snapshot(house.user) as old:
            instances.undo(house.database, house.user, done[2])
            assert house.manager.get_or_load(ANALYTICS_DISTRIBUTION, house.user).completed == 5
            assert old.get(ANALYTICS_DISTRIBUTION).completed == 6
            assert old.get(PAST.of("all")).of_tasks("completed").sum() == 6
        assert before


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_a_load_judges_parts_by_all_that_happened_up_to_its_own_state(
    tmp_path: Path, clock: Clock, backend: CacheBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state is newer than its reader's: it holds completions that no rule has been applied to yet."""
    with (
        open_house(tmp_path, clock=clock, backend=backend) as here,
        open_house(tmp_path, clock=clock, backend=backend) as there,
    ):
        live(here, weeks=3)
        planned = instances.plan(here.database, here.user, tasks.create(here.database, here.user, name="other"))
        read_all(here)
        instances.start(here.database, here.user, planned)  # touches the metrics, and no sums of a month

        read = here.database.read

        def read_late(*, for_load: bool = False) -> Any:
            if for_load:  # its reader has looked at the log already
                monkeypatch.undo()
                instances.complete(there.database, there.user, planned, actual=FELT)
            return read(for_load=for_load)

        monkeypatch.setattr(here.database, "read", read_late)
        here.manager.get_or_load(DASHBOARD_METRICS, here.user)
        completed = here.manager.get_or_load(DASHBOARD_METRICS, here.user).card("completed").value
        assert completed == 2, "one of today was there already"
        assert not Auditor(here.manager).check_all(here.user).differences


def test_parts_are_shared_by_the_values_of_a_snapshot_even_if_nothing_is_kept(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, mode=CacheMode.DISABLED) as house:
        live(house, weeks=10)
        with house.manager.snapshot(house.user) as snapshot:
            months_there = len(snapshot.get(ANALYTICS_RELIEF_SUMMARY).grid) and loads(house)[MONTHS.key]
        assert months_there <= 12 + 1


def test_a_part_that_cannot_be_computed_is_no_reason_to_use_an_old_one(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        done = live(house, weeks=6)
        read_all(house)
        instances.edit(house.database, house.user, done[2], actual_relief=1)

        def broken(*_: Any) -> Any:
            raise OSError("the disk is gone")

        monkeypatch.setattr(months, "read_completed", broken)
        with house.manager.snapshot(house.user) as snapshot:
            with pytest.raises(LoadError, match="the disk is gone"):
                snapshot.get(ANALYTICS_CORRELATIONS)
            assert snapshot.look(ANALYTICS_RELIEF_SUMMARY, patience=20).problem is not None
        monkeypatch.undo()
        assert house.manager.get_or_load(ANALYTICS_RELIEF_SUMMARY, house.user).completed == 6


def test_long_work_says_how_far_it_is_and_goes_on_where_it_was_stopped(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house)
        told: list[tuple[int, int]] = []

        def stop_half_way(done: int, total: int) -> None:
            told.append((done, total))
            if 2 * done >= total:
                raise Stopped

        with watched(stop_half_way), pytest.raises(Stopped), house.manager.snapshot(house.user) as snapshot:
            snapshot.get(ANALYTICS_RELIEF_SUMMARY)
        total = told[0][1]
        assert total == 12 + 4, "it tells of the months before the newest one"
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        finished = loads(house)[MONTHS.key]
        assert finished == told[-1][0]
        with watched(lambda done, total: told.append((done, total))):
            assert house.manager.get_or_load(ANALYTICS_RELIEF_SUMMARY, house.user).completed == 30
        assert (total, total) in told
        assert told[-1] == (1, 1), "there is nothing left to do"
        assert loads(house)[MONTHS.key] == total + 1  # those that were finished were not loaded again


def test_whatever_was_loaded_at_last_says_that_it_is_there(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house)
        for value in (ANALYTICS_TRENDS, ANALYTICS_RELIEF_SUMMARY, MONTHS.of(f"{clock.now:%Y-%m}")):
            told: list[tuple[int, int]] = []
            with watched(lambda done, total, told=told: told.append((done, total))):
                house.manager.get_or_load(value, house.user)
            assert told[-1][0] == told[-1][1], value.key
            live(house, weeks=1)  # of which the next one loads a month


@pytest.mark.parametrize("value", [ANALYTICS_RELIEF_SUMMARY, ANALYTICS_TRENDS], ids=lambda value: value.key)
def test_a_year_with_much_in_it_is_stopped_between_its_months(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, value: Value[Any]
) -> None:
    monkeypatch.setattr(months, "MOST_ROWS", 2)
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house, weeks=10)
        read = months.read_completed
        rows: list[int] = []

        def counted(*given: Any) -> Any:
            found = read(*given)
            rows.append(len(found.at))
            return found

        def stop_at_once(done: int, total: int) -> None:
            if sum(rows):
                raise Stopped

        monkeypatch.setattr(months, "read_completed", counted)
        with watched(stop_at_once), pytest.raises(Stopped), house.manager.snapshot(house.user) as snapshot:
            snapshot.get(value)
        assert 0 < sum(rows) < 8, "what was read until then: one month, not all of the year"
        kept = loads(house)[MONTHS.key]
        house.manager.get_or_load(value, house.user)
        assert sum(rows) == 10, "and none of it once more"
        assert kept


def test_who_waits_for_work_that_its_reader_stops_is_told_so(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house, weeks=8)
        begun, go_on = threading.Event(), threading.Event()
        problems: list[BaseException] = []

        def stop(done: int, total: int) -> None:
            begun.set()
            go_on.wait(10)
            raise Stopped

        def leader() -> None:
            with watched(stop), pytest.raises(Stopped), house.manager.snapshot(house.user) as snapshot:
                snapshot.get(ANALYTICS_RELIEF_SUMMARY)

        def waiter() -> None:
            try:
                house.manager.get_or_load(ANALYTICS_RELIEF_SUMMARY, house.user)
            except LoadError as error:
                problems.append(error)

        threads = [threading.Thread(target=leader), threading.Thread(target=waiter)]
        threads[0].start()
        assert begun.wait(10)
        threads[1].start()
        timer = threading.Timer(0.2, go_on.set)
        timer.start()
        for thread in (*threads, timer):
            thread.join(10)
        assert not problems or "it was stopped" in str(problems[0])
        assert house.manager.get_or_load(ANALYTICS_RELIEF_SUMMARY, house.user).completed == 8


def test_the_audit_compares_parts_as_well(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock) as house:
        live(house, weeks=6)
        read_all(house)
        report = Auditor(house.manager).check_all(house.user)
        assert not report.differences
        assert report.checked > len(VALUES) + len(PIECES)


def test_a_fresh_load_makes_use_of_no_part_that_is_kept(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house, weeks=6)
        with house.manager.snapshot(house.user) as snapshot:
            snapshot.get(ANALYTICS_DISTRIBUTION)
            read = months.read_completed
            asked: list[Any] = []
            monkeypatch.setattr(months, "read_completed", lambda *given: asked.append(given) or read(*given))
            snapshot.get(ANALYTICS_CORRELATIONS)
            assert not asked
            snapshot.load(ANALYTICS_CORRELATIONS)
            assert asked


def test_a_month_in_the_past_is_the_same_object_for_all(tmp_path: Path, clock: Clock) -> None:
    with open_house(tmp_path, clock=clock, backend=CacheBackend.MEMORY) as house:
        live(house, weeks=6)
        part = f"{clock.now - timedelta(days=35):%Y-%m}"
        assert house.manager.get_or_load(MONTHS.of(part), house.user) is house.manager.get_or_load(
            MONTHS.of(part), house.user
        )
