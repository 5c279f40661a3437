"""Routines: each turn is planned once, at its moment, whatever happens to clocks, zones and processes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import demo, instances, preferences, tasks, transfer
from data.database import Database
from data.days import ONE_DAY, calendar, start_due
from data.models import WEEKDAYS
from data.routines import MOST_MISSED, Turns, is_paused, next_turn, paused, plan_due, resumed, turns_of
from events.catalog import TaskId, UserId
from tests.data.ledger import elsewhere, finish, lines
from tests.house import Clock

ZONES = ("UTC", "Europe/Berlin", "Africa/Cairo", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe")


@pytest.fixture
def user(database: Database) -> UserId:
    created = preferences.create_user(database, "local", time_zone="Europe/Berlin")
    start_due(database)
    return created


def look(database: Database) -> list[str]:
    """Look as the scheduler does; return the days for which something was planned."""
    start_due(database)
    return [planned.day.isoformat() for planned in plan_due(database)]


def missed(database: Database) -> list[str]:
    return list(itertools.chain(*(body["days"] for name, _, body in lines(database) if name == "routine.missed")))


def instances_of(database: Database, task: TaskId) -> list[tuple[Any, ...]]:
    with database.read() as read:
        sql = "SELECT state, due_at, created_at, estimate_minutes FROM instances WHERE task_id = ? ORDER BY created_at"
        return [tuple(row) for row in read.connection.exec_driver_sql(sql, (task,))]


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


# --- when


def test_a_daily_routine_without_a_time_is_planned_when_the_day_starts(
    database: Database, user: UserId, clock: Clock
) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily", estimate_minutes=5)
    assert look(database) == [], "today had begun before"
    clock.now = datetime(2026, 5, 13, 21, 59, 59, tzinfo=UTC)
    assert look(database) == []
    clock.now = datetime(2026, 5, 13, 22, 0, tzinfo=UTC)
    assert look(database) == ["2026-05-14"]
    assert look(database) == []
    end_of_day = datetime(2026, 5, 14, 22, tzinfo=UTC)
    assert instances_of(database, task) == [("planned", micros(end_of_day), micros(clock.now), 5.0)]


def test_a_routine_with_a_time_is_planned_then_and_due_then(database: Database, user: UserId, clock: Clock) -> None:
    task = tasks.create(database, user, name="Run", routine="daily", routine_at="18:30")
    at = datetime(2026, 5, 13, 16, 30, tzinfo=UTC)
    assert next_turn(database) == at
    clock.now = at - timedelta(seconds=1)
    assert look(database) == []
    clock.now = at
    assert look(database) == ["2026-05-13"]
    assert instances_of(database, task)[0][1] == micros(at)
    assert next_turn(database) == at + ONE_DAY


@pytest.mark.parametrize(("weekdays", "expected"), [(("thu", "sun"), {3, 6}), ((), {0})])
def test_a_weekly_routine_has_its_weekdays_or_else_the_first_of_the_week(
    database: Database, user: UserId, clock: Clock, weekdays: tuple[str, ...], expected: set[int]
) -> None:
    tasks.create(database, user, name="Shop", routine="weekly", routine_weekdays=weekdays)
    planned = []
    for _ in range(14):
        clock.advance(days=1)
        planned += look(database)
    assert [date.fromisoformat(day).weekday() for day in planned] == sorted(expected) * 2


def test_a_local_time_in_the_night_belongs_to_the_day_before(database: Database, user: UserId, clock: Clock) -> None:
    preferences.change(database, user, day_start="03:00")
    tasks.create(database, user, name="Sleep", routine="weekly", routine_weekdays=("wed",), routine_at="01:30")
    clock.now = datetime(2026, 5, 13, 23, 30, tzinfo=UTC)  # Thursday 01:30 in Berlin, Wednesday's night
    assert look(database) == ["2026-05-13"]


@given(
    zone=st.sampled_from(ZONES),
    day_start=st.sampled_from(["00:00", "03:00", "23:30"]),
    clock_time=st.none() | st.sampled_from(["00:00", "00:30", "02:30", "12:00", "23:45"]),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    first=st.dates(date(2011, 1, 1), date(2030, 1, 1)),
    steps=st.lists(st.integers(1, 80), min_size=1, max_size=30),
)
def test_between_any_two_looks_lie_the_turns_of_their_days_and_each_once(
    zone: str, day_start: str, clock_time: str | None, weekdays: set[int], first: date, steps: list[int]
) -> None:
    """Against a slow, obvious reference: every day whose moment lies in the span."""
    own = calendar(zone, day_start)
    turns = Turns(calendar=own, weekdays=frozenset(weekdays), clock_time=clock_time)
    moments = list(itertools.accumulate((timedelta(hours=hours) for hours in steps), initial=own.starts(first)))
    found = [day for since, now in itertools.pairwise(moments) for day in turns.between(since, now)]
    days = (first + ONE_DAY * number for number in range(-2, sum(steps) // 24 + 4))
    expected = [
        day
        for day in days
        if own.exists(day) and day.weekday() in weekdays and moments[0] < turns.at(day) <= moments[-1]
    ]
    assert found == expected
    upcoming = turns.next_after(moments[-1])
    assert upcoming is None or turns.between(moments[-1], upcoming - timedelta(microseconds=1)) == []


# --- exactly once


def test_after_a_pause_today_is_planned_and_the_days_before_are_listed(
    database: Database, user: UserId, clock: Clock
) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=1)
    look(database)
    clock.advance(days=4)
    assert look(database) == ["2026-05-18"]
    assert look(database) == []
    assert missed(database) == ["2026-05-15", "2026-05-16", "2026-05-17"]
    assert len(instances_of(database, task)) == 2


def test_a_turn_of_today_is_planned_however_late(database: Database, user: UserId, clock: Clock) -> None:
    tasks.create(database, user, name="Run", routine="daily", routine_at="12:30")
    clock.now = datetime(2026, 5, 13, 21, 59, tzinfo=UTC)
    assert look(database) == ["2026-05-13"]


def test_after_years_the_list_of_what_was_missed_is_bounded(database: Database, user: UserId, clock: Clock) -> None:
    tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=3 * 365)
    assert len(look(database)) == 1
    assert len(missed(database)) == MOST_MISSED


def test_a_user_whose_days_were_never_looked_at_has_missed_days_as_well(database: Database, clock: Clock) -> None:
    user = preferences.create_user(database, "late")
    tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=3)
    assert look(database) == ["2026-05-16"]
    assert missed(database) == ["2026-05-14", "2026-05-15"]


def test_archived_tasks_rest_and_miss_nothing(database: Database, user: UserId, clock: Clock) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    tasks.archive(database, user, task)
    clock.advance(days=3)
    assert look(database) == []
    tasks.archive(database, user, task, archived=False)
    assert look(database) == []
    clock.advance(days=1)
    assert look(database) == ["2026-05-17"]
    assert missed(database) == []


def test_a_routine_that_was_changed_begins_anew_and_other_edits_do_not_touch_it(
    database: Database, user: UserId, clock: Clock
) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily", routine_at="08:00")
    clock.advance(days=2)
    tasks.edit(database, user, task, routine_at="07:00")
    assert look(database) == [], "both times of today have passed before the change"
    clock.advance(hours=20)
    tasks.edit(database, user, task, notes="Twice in summer")
    assert look(database) == ["2026-05-16"]


def test_of_two_changes_of_zone_none_plans_a_day_again(database: Database, user: UserId, clock: Clock) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    planned = []
    zones = itertools.cycle(["Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    for _ in range(40):
        clock.advance(hours=5)
        preferences.change(database, user, time_zone=next(zones))
        planned += look(database)
    assert len(set(planned)) == len(planned) == len(instances_of(database, task))
    assert set(planned).isdisjoint(missed(database))


def test_a_date_that_was_flown_over_is_not_missed(database: Database, clock: Clock) -> None:
    clock.now = datetime(2026, 5, 12, 12, tzinfo=UTC)
    user = preferences.create_user(database, "flyer", time_zone="Pacific/Pago_Pago")
    start_due(database)
    tasks.create(database, user, name="Plants", routine="daily", routine_at="23:00")
    clock.now = datetime(2026, 5, 13, 10, 30, tzinfo=UTC)  # 23:30 of the 12th; on Kiritimati 00:30 of the 14th
    assert look(database) == ["2026-05-12"]
    preferences.change(database, user, time_zone="Pacific/Kiritimati")
    assert look(database) == []
    assert missed(database) == []
    clock.now = datetime(2026, 5, 15, 9, tzinfo=UTC)
    assert look(database) == ["2026-05-15"]
    assert missed(database) == ["2026-05-14"], "that one was lived"


def test_a_clock_that_was_years_ahead_ends_no_routine(database: Database, user: UserId, clock: Clock) -> None:
    tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=3650)
    look(database)
    clock.advance(days=-3650)
    assert look(database) == []
    clock.advance(days=1)
    assert look(database) == ["2026-05-14"]


def test_each_user_has_routines_of_their_own(database: Database, user: UserId, clock: Clock) -> None:
    tokyo = preferences.create_user(database, "tokyo", time_zone="Asia/Tokyo")
    tasks.create(database, user, name="Plants", routine="daily")
    theirs = tasks.create(database, tokyo, name="Plants", routine="daily")
    clock.now = datetime(2026, 5, 13, 15, tzinfo=UTC)
    assert [(planned.user, planned.task) for planned in plan_due(database)] == [(tokyo, theirs)]


def test_of_many_who_look_at_once_one_plans_each_turn(database: Database, user: UserId, clock: Clock) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    other = Database(database.url, clock=clock)
    other.open()
    for _ in range(3):
        clock.advance(days=1)
        barrier = threading.Barrier(6)

        def plan(own: Database, barrier: threading.Barrier) -> int:
            barrier.wait()
            return len(plan_due(own))

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(plan, [database, other] * 3, [barrier] * 6)) == 1
    other.close()
    assert len(instances_of(database, task)) == 3


def test_who_dies_while_planning_has_planned_all_of_it_or_nothing(
    database: Database, user: UserId, clock: Clock
) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=1)
    process = elsewhere(
        database,
        "import os\n"
        "from datetime import datetime\n"
        "from data import instances, routines\n"
        f"database.clock = lambda: datetime.fromisoformat({clock.now.isoformat()!r})\n"
        "plan = instances.plan_in\n"
        "instances.plan_in = lambda *parts, **more: (plan(*parts, **more), os._exit(0))\n"
        "routines.plan_due(database)\n"
        "os._exit(1)",
    )
    finish(process)
    assert instances_of(database, task) == []
    assert look(database) == ["2026-05-14"]


# --- neighbours


def test_the_demo_goes_with_what_its_routines_planned(database: Database, user: UserId, clock: Clock) -> None:
    demo.add(database, user, days=30, per_day=3, seed=1)
    look(database)
    clock.advance(days=1)
    assert look(database)
    demo.remove(database, user)
    assert [
        count for table in ("tasks", "instances", "routine_days", "routine_marks") if (count := rows(database, table))
    ] == []
    assert look(database) == []


def test_imported_routines_have_missed_nothing(database: Database, user: UserId, clock: Clock, tmp_path: Any) -> None:
    tasks.create(database, user, name="Plants", routine="daily")
    transfer.export_to(database, user, tmp_path / "files")
    other = preferences.create_user(database, "other", time_zone="Europe/Berlin")
    clock.advance(days=100)
    start_due(database)
    transfer.import_from(database, other, tmp_path / "files")
    assert [planned.user for planned in plan_due(database)] == [user]
    clock.advance(days=1)
    assert [planned.user for planned in plan_due(database)] == [user, other]


def test_an_attempt_that_was_planned_is_an_attempt_like_any_other(
    database: Database, user: UserId, clock: Clock
) -> None:
    tasks.create(database, user, name="Plants", routine="daily")
    clock.advance(days=1)
    (planned,) = plan_due(database)
    instances.start(database, user, planned.instance)
    instances.complete(database, user, planned.instance)
    assert ("instance.planned", user) in {(name, whose) for name, whose, _ in lines(database)}


def rows(database: Database, table: str) -> int:
    with database.read() as read:
        return int(read.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_weekdays_are_counted_as_dates_count_them() -> None:
    assert [WEEKDAYS[date(2026, 5, day).weekday()] for day in range(11, 18)] == list(WEEKDAYS)


# --- pausing


@pytest.mark.parametrize(
    ("routine", "weekdays", "on"),
    [("daily", (), WEEKDAYS), ("weekly", ("mon", "thu"), ("mon", "thu")), ("weekly", (), ("sun",))],
)
def test_a_routine_that_was_paused_goes_on_as_it_was(routine: str, weekdays: tuple[str, ...], on: Any) -> None:
    stands = paused(routine, weekdays, "sun")
    assert stands == {"routine": "none", "routine_weekdays": on}
    assert is_paused(**{name.removeprefix("routine_"): value for name, value in stands.items()})
    goes_on = resumed(on)
    assert goes_on == {"routine": routine, "routine_weekdays": on}
    now = datetime(2026, 5, 13, 12, tzinfo=UTC)
    berlin = calendar("Europe/Berlin", "00:00")
    before = turns_of(berlin, routine, weekdays, "08:00", "sun").days_after(now, 4)
    assert turns_of(berlin, goes_on["routine"], on, "08:00", "sun").days_after(now, 4) == before
    assert len(before) == 4
    assert turns_of(berlin, "none", on, "08:00", "sun").days_after(now, 4) == []


def test_what_is_paused_is_neither_planned_nor_missed(database: Database, user: UserId, clock: Clock) -> None:
    task = tasks.create(database, user, name="Plants", routine="daily")
    look(database)
    tasks.edit(database, user, task, **paused("daily", (), "mon"))
    for _ in range(3):
        clock.advance(days=1)
        assert look(database) == []
    tasks.edit(database, user, task, **resumed(WEEKDAYS))
    assert look(database) == []
    assert missed(database) == []
    clock.advance(days=1)
    assert look(database) == [calendar("Europe/Berlin", "00:00").day_of(clock.now).isoformat()]
