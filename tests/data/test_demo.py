"""The demo: the same for the same seed, plausible, valid in every row, removed without touching what is the user's."""

import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from data import demo, instances, preferences, tasks, transfer
from data.database import Database
from data.days import calendar
from data.errors import InvalidInputError, UnknownRecordError
from data.fields import Feelings
from data.models import Instance, Task
from events.catalog import InstanceId, TaskId, UserId
from tests.house import Clock

NOW = datetime(2026, 11, 18, 14, 30, 12, 345678, tzinfo=UTC)  # a Wednesday
ZONE = "Europe/Berlin"

Row = dict[str, Any]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Database]:
    """One database for all tests here; each has users of its own."""
    found = Database(f"sqlite:///{tmp_path_factory.mktemp('state')}/reprieve.db", clock=clock)
    found.open()
    yield found
    found.close()


_numbers = itertools.count()


def new_user(database: Database, zone: str = ZONE) -> UserId:
    return preferences.create_user(database, f"user {next(_numbers)}", time_zone=zone)


@pytest.fixture
def user(database: Database, clock: Clock) -> UserId:
    clock.now = NOW
    return new_user(database)


@pytest.fixture(scope="module")
def two_years(database: Database, clock: Clock) -> list[Row]:
    """Two years of instances, each with its task's name, kind and default aversion; finished ones in order."""
    clock.now = NOW
    user = new_user(database)
    demo.add(database, user, days=730, per_day=7, seed=3)
    named = {row["id"]: row for row in rows_of(database, user, Task)}
    found = rows_of(database, user, Instance)
    for row in found:
        row |= {name: named[row["task_id"]][name] for name in ("name", "kind", "default_aversion")}
    return sorted(found, key=lambda row: row["completed_at"] or row["cancelled_at"] or NOW)


@pytest.fixture(scope="module")
def done(two_years: list[Row]) -> list[Row]:
    return [row for row in two_years if row["state"] == "completed"]


def rows_of(database: Database, user: UserId, model: type[Task | Instance]) -> list[Row]:
    table = model.__table__
    with database.read() as read:
        rows = read.connection.execute(select(table).where(table.c.user_id == user).order_by(table.c.id))
        return [{name: value for name, value in row._mapping.items() if name != "user_id"} for row in rows]


def log_of(database: Database, user: UserId) -> list[Any]:
    with database.read() as read:
        query = text("SELECT name, body FROM events WHERE user_id = :user ORDER BY seq")
        return [tuple(row) for row in read.connection.execute(query, {"user": user})][1:]


def everything(database: Database, user: UserId) -> tuple[list[Row], list[Row]]:
    return rows_of(database, user, Task), rows_of(database, user, Instance)


# --- the same again, or another


def test_the_same_arguments_make_the_same_rows(database: Database, user: UserId) -> None:
    other = new_user(database)
    demo.add(database, user, days=60, seed=5)
    demo.add(database, other, days=60, seed=5)
    assert everything(database, user) == everything(database, other)


@pytest.mark.parametrize("change", [{"seed": 6}, {"seed": -5}, {"days": 61}, {"per_day": 6.5}])
def test_other_arguments_make_other_rows(database: Database, user: UserId, change: dict[str, Any]) -> None:
    other = new_user(database)
    demo.add(database, user, days=60, seed=5)
    demo.add(database, other, **({"days": 60, "seed": 5} | change))
    assert rows_of(database, user, Instance) != rows_of(database, other, Instance)


def test_the_hour_changes_only_what_is_near(database: Database, user: UserId, clock: Clock) -> None:
    other = new_user(database)
    demo.add(database, user, days=60, seed=5)
    clock.advance(hours=7)
    demo.add(database, other, days=60, seed=5)
    limit = NOW - timedelta(days=14)
    early, late = (
        [row for row in rows_of(database, who, Instance) if row["completed_at"] and row["completed_at"] < limit]
        for who in (user, other)
    )
    assert early == late
    assert len(early) > 200


@pytest.mark.parametrize(
    ("days", "per_day"), [(1, 1), (1, 3.4), (2, 0.5), (3, 1), (7, 20), (400, 0.1), (1, 300), (30, 6)]
)
def test_there_are_as_many_instances_as_asked_for(database: Database, user: UserId, days: int, per_day: float) -> None:
    made = demo.add(database, user, days=days, per_day=per_day)
    found_tasks, found = everything(database, user)
    assert len(found) == made.instances == round(days * per_day)
    assert len(found_tasks) == made.tasks == 36


@pytest.mark.parametrize(
    ("days", "per_day"), [(0, 6), (-1, 6), (True, 6), (1.5, 6), (10, 0), (10, -1), (1, 0.4), (10, float("nan"))]
)
def test_numbers_that_make_no_demo_are_refused(database: Database, user: UserId, days: Any, per_day: float) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        demo.add(database, user, days=days, per_day=per_day)


@pytest.mark.parametrize(("days", "per_day"), [(36_500, 1), (10**12, 1e-9), (10_000, 501), (10, float("inf"))])
def test_a_demo_beyond_all_measure_is_refused(database: Database, user: UserId, days: int, per_day: float) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        demo.add(database, user, days=days, per_day=per_day)


def test_an_unknown_user_gets_no_demo(database: Database) -> None:
    with pytest.raises(UnknownRecordError):
        demo.add(database, UserId(10_000_000))


def test_it_is_one_event_and_says_how_far_it_is(database: Database, user: UserId) -> None:
    told: list[float] = []
    made = demo.add(database, user, days=500, progress=lambda done, total: told.append(done / total))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert 50 < len(told) < 500
    [(name, body)] = log_of(database, user)
    assert name == "data.imported"
    assert '"source":"demo","tasks":36,"instances":3000' in body
    assert (made.source, made.tasks, made.instances) == ("demo", 36, 3000)


# --- valid


@pytest.mark.parametrize(
    ("now", "zone", "day_start"),
    [
        (NOW, ZONE, "00:00"),
        (datetime(2026, 11, 17, 23, 0, 1, tzinfo=UTC), ZONE, "00:00"),  # a second after midnight
        (datetime(2026, 11, 18, 22, 59, 59, tzinfo=UTC), ZONE, "00:00"),
        (datetime(2026, 11, 18, 2, 0, tzinfo=UTC), ZONE, "04:00"),  # yesterday still
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), ZONE, "00:00"),  # the hour that comes twice
        (datetime(2026, 4, 24, 12, 0, tzinfo=UTC), "Africa/Cairo", "00:00"),  # a day without midnight
        (datetime(2012, 1, 5, 12, 0, tzinfo=UTC), "Pacific/Apia", "00:00"),  # a week without its Friday
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), "America/St_Johns", "12:00"),
    ],
)
@pytest.mark.parametrize(("days", "per_day"), [(40, 6), (1, 60)])
def test_every_row_passes_the_checks_and_none_is_in_the_future(
    database: Database,
    clock: Clock,
    tmp_path: Path,
    now: datetime,
    zone: str,
    day_start: str,
    days: int,
    per_day: float,
) -> None:
    clock.now = now
    user, other = new_user(database, zone), new_user(database)
    preferences.change(database, user, day_start=day_start)
    demo.add(database, user, days=days, per_day=per_day)
    transfer.export_to(database, user, tmp_path)
    transfer.import_from(database, other, tmp_path)  # refuses whatever no command could have made
    found_tasks, found = everything(database, user)
    assert (found_tasks, found) == everything(database, other)
    born = {task["id"]: task["created_at"] for task in found_tasks}
    for row in found:
        assert row["demo"]
        assert born[row["task_id"]] < row["created_at"]
        for name, moment in row.items():
            assert name == "due_at" or not isinstance(moment, datetime) or moment <= now, name
    for task in found_tasks:
        assert task["demo"]
        assert task["created_at"] <= task["updated_at"] <= now


def test_timers_and_times_agree(two_years: list[Row]) -> None:
    pauses = 0
    for row in two_years:
        finished = row["completed_at"] or row["cancelled_at"]
        if row["started_at"] is None:
            assert row["timed_minutes"] == 0
        elif finished is not None:
            span = (finished - row["started_at"]) / timedelta(minutes=1)
            if row["paused_at"] is None:
                assert row["timed_minutes"] == pytest.approx(span)
            else:
                pauses += 1
                assert row["started_at"] < row["paused_at"] < finished
                assert row["timed_minutes"] < span - 1
    assert pauses > 100


def test_there_is_something_to_do_now(two_years: list[Row]) -> None:
    still = [row for row in two_years if row["state"] in ("planned", "active", "paused")]
    states = Counter(row["state"] for row in still)
    assert states["active"] == 1
    assert states["paused"] == 1
    assert 3 <= states["planned"] <= 20
    due = [row["due_at"] for row in still if row["due_at"]]
    assert min(due) < NOW < max(due)
    assert len({row["name"] for row in still}) >= 8


# --- believable


def test_tasks_are_of_all_kinds_with_routines_and_due_dates(database: Database, user: UserId) -> None:
    demo.add(database, user)
    found = rows_of(database, user, Task)
    assert {task["kind"] for task in found} == {"work", "play", "self_care", "sleep", "other"}
    assert {task["routine"] for task in found} == {"none", "daily", "weekly"}
    assert len({task["name"] for task in found}) == len(found)
    assert {"File the tax return", "Call the dentist"} <= {task["name"] for task in found}
    due = [task["due_at"] for task in found if task["due_at"]]
    assert min(due) < NOW < max(due)
    assert any(task["archived"] for task in found)
    assert all(task["categories"] and task["estimate_minutes"] for task in found)


def test_weekends_are_not_weekdays(done: list[Row]) -> None:
    own = calendar(ZONE, "00:00")
    kinds: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for row in done:
        kinds[own.day_of(row["completed_at"]).weekday() >= 5][row["kind"]] += 1
    weekday, weekend = (
        Counter({kind: n / days for kind, n in kinds[key].items()}) for key, days in ((False, 5), (True, 2))
    )
    assert weekend.total() < 0.85 * weekday.total()
    assert weekend["work"] < 0.5 * weekday["work"]
    assert weekend["play"] / weekend.total() > 1.1 * weekday["play"] / weekday.total()


def test_people_sleep_at_night_where_they_live(database: Database, user: UserId) -> None:
    tokyo = new_user(database, "Asia/Tokyo")
    demo.add(database, tokyo, days=100)
    zone = calendar("Asia/Tokyo", "00:00").zone
    hours = Counter(
        row["started_at"].astimezone(zone).hour
        for row in rows_of(database, tokyo, Instance)
        if row["started_at"] and (row["estimate_minutes"] or 0) < 300
    )
    assert sum(hours[hour] for hour in range(6)) < 0.01 * hours.total()
    assert sum(hours[hour] for hour in range(18, 23)) > 0.3 * hours.total()


def test_what_is_done_often_is_feared_less_and_estimated_better(done: list[Row]) -> None:
    by_task: dict[str, list[Row]] = defaultdict(list)
    for row in done:
        by_task[row["name"]].append(row)
    fell, closer = [], []
    for rows in by_task.values():
        if rows[0]["default_aversion"] < 30 or len(rows) < 40:
            continue
        first, last = rows[:12], rows[-12:]
        fell.append(_mean(first, "actual_aversion") - _mean(last, "actual_aversion"))
        closer.append(_mean_error(first) - _mean_error(last))
    assert len(fell) > 10
    assert min(fell) > 0
    assert statistics.mean(fell) > 10
    assert statistics.mean(closer) > 0.05


def _mean(rows: list[Row], column: str) -> float:
    return statistics.mean(row[column] for row in rows if row[column] is not None)


def _mean_error(rows: list[Row]) -> float:
    pairs = [(row["actual_minutes"], row["estimate_minutes"]) for row in rows]
    return statistics.mean(abs(actual / estimate - 1) for actual, estimate in pairs if actual and estimate)


def _correlation(rows: list[Row], first: str, second: str) -> float:
    pairs = [(row[first], row[second]) for row in rows if row[first] is not None and row[second] is not None]
    return statistics.correlation(*zip(*pairs, strict=True))


def test_what_is_disliked_is_put_off_and_nobody_is_keen_on_it(done: list[Row]) -> None:
    for row in done:
        row["delay"] = ((row["started_at"] or row["completed_at"]) - row["created_at"]).total_seconds()
    assert _correlation(done, "predicted_aversion", "delay") > 0.3
    assert _correlation(done, "predicted_aversion", "predicted_motivation") < -0.4
    assert _correlation(done, "predicted_relief", "actual_relief") > 0.4
    assert _correlation(done, "estimate_minutes", "actual_minutes") > 0.6


def test_a_mood_lasts_for_days_and_colours_relief_and_loads(done: list[Row]) -> None:
    own = calendar(ZONE, "00:00")
    columns = ("actual_relief", "actual_mental_load", "actual_emotional_load")
    usual = {
        name: {c: _mean([row for row in done if row["name"] == name], c) for c in columns}
        for name in {r["name"] for r in done}
    }
    for row in done:
        row |= {f"extra_{column}": row[column] - usual[row["name"]][column] for column in columns}
    assert _correlation(done, "extra_actual_relief", "extra_actual_mental_load") < -0.15
    assert _correlation(done, "extra_actual_relief", "extra_actual_emotional_load") < -0.15
    by_day: dict[Any, list[Row]] = defaultdict(list)
    for row in done:
        by_day[own.day_of(row["completed_at"])].append(row)
    mood = {day: _mean(rows, "extra_actual_relief") for day, rows in by_day.items()}
    neighbours = [(mood[day], mood[day + timedelta(days=1)]) for day in mood if day + timedelta(days=1) in mood]
    assert statistics.correlation(*zip(*neighbours, strict=True)) > 0.3


def test_predictions_err_and_some_things_are_given_up(two_years: list[Row], done: list[Row]) -> None:
    errors = [row["predicted_relief"] - row["actual_relief"] for row in done if row["predicted_relief"] is not None]
    assert statistics.pstdev(errors) > 5
    assert 0 < sum(row["predicted_relief"] is None for row in done) < 0.1 * len(done)
    given_up = [row for row in two_years if row["state"] == "cancelled"]
    assert 0.01 < len(given_up) / len(two_years) < 0.15
    assert len({row["cancel_reason"] for row in given_up}) == 6
    assert sum(bool(row["note"]) for row in done) > 50
    assert sum(row["started_at"] is None for row in done) > 50  # logged afterwards


# --- add again, remove


def test_adding_again_replaces_the_demo(database: Database, user: UserId) -> None:
    demo.add(database, user, days=20, seed=1)
    before = everything(database, user)
    demo.add(database, user, days=20, seed=1)
    assert everything(database, user) == before
    demo.add(database, user, days=10, seed=2)
    assert len(rows_of(database, user, Instance)) == 60
    assert len(rows_of(database, user, Task)) == 36


def test_removing_keeps_what_is_the_users_own(database: Database, user: UserId) -> None:
    other = new_user(database)
    demo.add(database, other, days=20)
    elsewhere = everything(database, other)
    own_task = tasks.create(database, user, name="My own")
    own = [instances.plan(database, user, own_task)]
    demo.add(database, user, days=20)
    demo_task = TaskId(next(row["id"] for row in rows_of(database, user, Task) if row["demo"] and not row["archived"]))
    own.append(instances.plan(database, user, demo_task, predicted=Feelings(relief=1)))
    planned = next(row for row in rows_of(database, user, Instance) if row["demo"] and row["state"] == "planned")
    instances.complete(database, user, InstanceId(planned["id"]))
    with database.read() as read:
        assert demo.present(read, user)

    removed = demo.remove(database, user)

    assert removed is not None
    assert (removed.source, removed.tasks, removed.instances) == ("demo", 35, 120)
    assert log_of(database, user)[-1] == ("data.removed", '{"source":"demo","tasks":35,"instances":120}')
    found_tasks, found = everything(database, user)
    assert {row["id"] for row in found} == set(own)
    assert {row["id"]: row["demo"] for row in found_tasks} == {own_task: False, demo_task: False}
    assert everything(database, other) == elsewhere
    with database.read() as read:
        assert not demo.present(read, user)


def test_adding_again_keeps_what_is_the_users_own(database: Database, user: UserId) -> None:
    demo.add(database, user, days=20)
    demo_task = TaskId(next(row["id"] for row in rows_of(database, user, Task) if not row["archived"]))
    tasks.edit(database, user, demo_task, name="Mine now")
    own = instances.plan(database, user, demo_task)
    for _ in range(2):
        demo.add(database, user, days=20)
        assert len(rows_of(database, user, Instance)) == 121
        assert next(row for row in rows_of(database, user, Task) if row["id"] == demo_task)["name"] == "Mine now"
    demo.remove(database, user)
    assert [row["id"] for row in rows_of(database, user, Instance)] == [own]


def test_removing_nothing_is_no_event(database: Database, user: UserId) -> None:
    with database.read() as read:
        assert not demo.present(read, user)
    assert demo.remove(database, user) is None
    assert log_of(database, user) == []


def test_a_demo_that_fails_leaves_the_earlier_one(database: Database, user: UserId) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 0.6 * total:
            raise Enough

    demo.add(database, user, days=10)
    before = everything(database, user)
    with pytest.raises(Enough):
        demo.add(database, user, days=400, per_day=20, seed=2, progress=stop)
    assert everything(database, user) == before
    assert len(log_of(database, user)) == 1
