"""Commands on instances: every command in every state, the timer, the order of times, and which days are concerned."""

import contextlib
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from data import instances, preferences, tasks
from data.database import Database, Transaction
from data.days import start_due
from data.errors import DataError, IllegalTransitionError, InvalidInputError, UnknownRecordError
from data.fields import Feelings
from data.models import EPOCH, CancelReason, Instance, State
from data.sqlite import sqlite
from events.catalog import DataImported, InstanceId, TaskId, UserId
from tests.data.ledger import all_rows, lines, newest
from tests.house import Clock

FELT = Feelings(relief=80, mental_load=10, emotional_load=20, physical_load=30, aversion=40)
TODAY = "2026-05-13"  # where the clock of the tests stands, at 10:00 UTC
COUNTED = {"earliest_day": TODAY, "today": TODAY, "months": [TODAY[:7]], "is_early": True, "newest_month": TODAY[:7]}
TAKEN_BACK = {**COUNTED, "newest_month": None}
UNCOUNTED = {**TAKEN_BACK, "months": [], "is_early": False}

Command = Callable[[Database, UserId, InstanceId], Any]

COMMANDS: dict[str, tuple[Command, str, State | None]] = {
    "start": (instances.start, "instance.started", State.ACTIVE),
    "pause": (instances.pause, "instance.paused", State.PAUSED),
    "resume": (instances.resume, "instance.resumed", State.ACTIVE),
    "complete": (instances.complete, "task.completed", State.COMPLETED),
    "cancel": (instances.cancel, "instance.cancelled", State.CANCELLED),
    "undo": (instances.undo, "", None),
}

PATHS: dict[str, tuple[Command, ...]] = {
    "planned": (),
    "active": (instances.start,),
    "paused": (instances.start, instances.pause),
    "resumed": (instances.start, instances.pause, instances.resume),
    "completed from planned": (instances.complete,),
    "completed from active": (instances.start, instances.complete),
    "completed from paused": (instances.start, instances.pause, instances.complete),
    "cancelled from planned": (instances.cancel,),
    "cancelled from active": (instances.start, instances.cancel),
    "cancelled from paused": (instances.start, instances.pause, instances.cancel),
}

LEGAL = {
    "planned": {"start", "complete", "cancel"},
    "active": {"pause", "complete", "cancel"},
    "paused": {"resume", "complete", "cancel"},
    "resumed": {"pause", "complete", "cancel"},
    "completed": {"undo"},
    "cancelled": {"undo"},
}


@pytest.fixture
def task(database: Database, user: UserId) -> TaskId:
    return tasks.create(database, user, name="Taxes", estimate_minutes=30)


@pytest.fixture
def instance(database: Database, user: UserId, task: TaskId) -> InstanceId:
    return instances.plan(database, user, task)


def stored(database: Database, instance: InstanceId) -> Instance:
    return database.write(
        lambda transaction: transaction.session.scalars(select(Instance).where(Instance.id == instance)).one()
    )


def last_line(database: Database) -> tuple[str, dict[str, Any]]:
    name, _, body = lines(database)[-1]
    return name, body


# --- the table of transitions


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_leads_where_the_state_allows_and_is_refused_without_a_trace_where_not(
    database: Database, user: UserId, task: TaskId, instance: InstanceId, clock: Clock, path: str, name: str
) -> None:
    for step in PATHS[path]:
        clock.advance(minutes=1)
        step(database, user, instance)
    clock.advance(minutes=1)
    before, seq = all_rows(database), newest(database)
    state, _, origin = path.partition(" from ")
    command, event, target = COMMANDS[name]
    if name not in LEGAL[state]:
        with pytest.raises(IllegalTransitionError, match=r"^it is \w+: only what is .* can be ") as refused:
            command(database, user, instance)
        assert isinstance(refused.value, DataError)
        assert isinstance(refused.value, ValueError)
        assert all_rows(database) == before
        return
    command(database, user, instance)
    row = stored(database, instance)
    ids = {"task": task, "instance": instance}
    if name == "undo":
        assert row.state == origin
        undone = "completion.undone" if state == "completed" else "cancellation.undone"
        assert lines(database, seq) == [(undone, user, {**ids, **(TAKEN_BACK if state == "completed" else UNCOUNTED)})]
        return
    assert row.state == target
    expected: dict[str, Any] = ids
    if name in ("complete", "cancel"):
        expected = {**expected, **(COUNTED if name == "complete" else UNCOUNTED)}
    if name == "cancel":
        expected = {**expected, "reason": "other"}
    assert lines(database, seq) == [(event, user, expected)]


def test_the_table_of_transitions_is_that_of_the_code() -> None:
    acts = {"start": "started", "pause": "paused", "resume": "resumed", "complete": "completed", "cancel": "cancelled"}
    for state, name in itertools.product(State, acts):
        assert (name in LEGAL[state]) == (state in instances.ALLOWED[acts[name]])


def test_a_refusal_says_what_it_is_and_what_would_be_possible(
    database: Database, user: UserId, instance: InstanceId
) -> None:
    instances.complete(database, user, instance)
    with pytest.raises(
        IllegalTransitionError, match=r"^it is completed: only what is active or paused or planned can be cancelled$"
    ):
        instances.cancel(database, user, instance)


# --- planning


def test_planning_takes_estimate_and_due_time_of_the_task(database: Database, user: UserId, clock: Clock) -> None:
    due = datetime(2026, 6, 1, tzinfo=UTC)
    task = tasks.create(database, user, name="Taxes", estimate_minutes=30, due_at=due)
    before = newest(database)
    instance = instances.plan(database, user, task)
    row = stored(database, instance)
    assert (row.state, row.estimate_minutes, row.due_at, row.created_at) == (State.PLANNED, 30.0, due, clock.now)
    assert (row.started_at, row.completed_at, row.timed_minutes, row.note, row.demo) == (None, None, 0.0, "", False)
    assert lines(database, before) == [("instance.planned", user, {"task": task, "instance": instance})]


def test_what_is_said_when_planning_counts_more_than_the_task(
    database: Database, user: UserId, task: TaskId, clock: Clock
) -> None:
    instance = instances.plan(
        database,
        user,
        task,
        predicted=Feelings(relief=70, motivation=20),
        estimate_minutes=0,
        due_at=clock.now + timedelta(days=1),
        note="carefully",
    )
    row = stored(database, instance)
    assert (row.estimate_minutes, row.due_at, row.note) == (0.0, clock.now + timedelta(days=1), "carefully")
    assert (row.predicted_relief, row.predicted_motivation, row.predicted_aversion) == (70, 20, None)


def test_planning_and_starting_is_one_command(database: Database, user: UserId, task: TaskId, clock: Clock) -> None:
    clock.advance(minutes=5)
    commands: list[int] = []
    database.after_commit.append(lambda: commands.append(1))
    instance = instances.plan(database, user, task, start=True)
    assert len(commands) == 1
    row = stored(database, instance)
    assert (row.state, row.started_at, row.resumed_at) == (State.ACTIVE, clock.now, clock.now)
    assert [name for name, *_ in lines(database)[-2:]] == ["instance.planned", "instance.started"]
    clock.advance(minutes=7)
    instances.complete(database, user, instance)
    assert stored(database, instance).actual_minutes == pytest.approx(7.0)


def test_a_new_task_and_its_first_attempt_are_made_together_or_not_at_all(
    database: Database, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = instances.plan_new(database, user, name="Tax return", kind="other", estimate_minutes=20.0)
    assert stored(database, instance).estimate_minutes == 20.0
    assert [name for name, *_ in lines(database)[-2:]] == ["task.created", "instance.planned"]

    before = all_rows(database)
    with pytest.raises(InvalidInputError, match="kind"):
        instances.plan_new(database, user, name="Tax return", kind="fun")
    with pytest.raises(UnknownRecordError, match="no user"):
        instances.plan_new(database, UserId(99), name="Tax return")

    def fail(*_: object, **__: object) -> None:
        raise OSError("the power went")

    monkeypatch.setattr(instances, "plan_in", fail)
    with pytest.raises(OSError, match="power"):
        instances.plan_new(database, user, name="Dentist")
    assert all_rows(database) == before


def test_an_archived_task_cannot_be_planned_until_it_is_brought_back(
    database: Database, user: UserId, task: TaskId
) -> None:
    tasks.archive(database, user, task)
    before = all_rows(database)
    with pytest.raises(IllegalTransitionError, match="'Taxes' is archived: bring it back before you plan it"):
        instances.plan(database, user, task)
    assert all_rows(database) == before
    tasks.archive(database, user, task, archived=False)
    instances.plan(database, user, task)


@pytest.mark.parametrize(
    "values",
    [
        {"predicted": Feelings(relief=101)}, {"predicted": Feelings(relief=True)}, {"estimate_minutes": float("nan")},
        {"estimate_minutes": -1}, {"estimate_minutes": 10**400}, {"due_at": datetime(2026, 6, 1)},  # noqa: DTZ001
        {"note": "\0"}, {"note": None}, {"note": "\ud800"}, {"note": "x" * 1_000_001},
    ],
    ids=lambda values: next(iter(values)),
)  # fmt: skip
def test_what_may_not_be_planned_leaves_no_trace(
    database: Database, user: UserId, task: TaskId, values: dict[str, Any]
) -> None:
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match="expected"):
        instances.plan(database, user, task, **values)
    assert all_rows(database) == before


# --- the timer


def test_the_timer_counts_what_lies_between_start_pause_resume_and_the_end(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    clock.advance(minutes=5)
    instances.start(database, user, instance)
    started_at = clock.now
    clock.advance(minutes=10)
    instances.pause(database, user, instance)
    assert (stored(database, instance).timed_minutes, stored(database, instance).resumed_at) == (10.0, None)
    paused_at = clock.now
    clock.advance(hours=20)
    instances.resume(database, user, instance)
    clock.advance(minutes=2, seconds=30)
    instances.pause(database, user, instance)
    clock.advance(minutes=7)
    instances.resume(database, user, instance)
    clock.advance(seconds=15)
    instances.complete(database, user, instance)
    row = stored(database, instance)
    assert row.actual_minutes == row.timed_minutes == pytest.approx(12.75)
    assert (row.started_at, row.completed_at, row.resumed_at) == (started_at, clock.now, None)
    assert row.paused_at != paused_at


def test_minutes_that_are_said_count_more_than_the_timer(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.start(database, user, instance)
    clock.advance(minutes=10)
    instances.complete(database, user, instance, actual_minutes=0)
    row = stored(database, instance)
    assert (row.actual_minutes, row.timed_minutes) == (0.0, 10.0)


def test_what_was_never_started_has_no_minutes_unless_they_are_said(
    database: Database, user: UserId, task: TaskId, instance: InstanceId
) -> None:
    instances.complete(database, user, instance)
    assert stored(database, instance).actual_minutes is None
    other = instances.plan(database, user, task)
    instances.complete(database, user, other, actual_minutes=25)
    assert stored(database, other).actual_minutes == 25.0


def test_a_timer_over_a_clock_that_was_set_back_never_counts_below_nothing(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.start(database, user, instance)
    clock.advance(minutes=-30)
    instances.pause(database, user, instance)
    assert stored(database, instance).timed_minutes == 0.0
    instances.resume(database, user, instance)
    clock.advance(minutes=4)
    instances.complete(database, user, instance)
    assert stored(database, instance).actual_minutes == pytest.approx(4.0)


# --- completing


def test_completing_keeps_what_was_felt(database: Database, user: UserId, instance: InstanceId, clock: Clock) -> None:
    instances.complete(database, user, instance, actual=FELT, completion_percent=150, note="done")
    row = stored(database, instance)
    assert (row.actual_relief, row.actual_mental_load, row.actual_emotional_load) == (80, 10, 20)
    assert (row.actual_physical_load, row.actual_aversion) == (30, 40)
    assert (row.completion_percent, row.note, row.completed_at) == (150.0, "done", clock.now)


def test_completing_without_a_note_keeps_the_one_from_before(database: Database, user: UserId, task: TaskId) -> None:
    instance = instances.plan(database, user, task, note="carefully")
    instances.complete(database, user, instance, completion_percent=None)
    row = stored(database, instance)
    assert (row.note, row.completion_percent) == ("carefully", None)


def test_a_completion_can_be_logged_for_an_earlier_moment_after_its_creation(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    clock.advance(days=3)
    at = clock.now - timedelta(days=2)
    instances.complete(database, user, instance, at=at)
    assert stored(database, instance).completed_at == at
    name, body = last_line(database)
    assert (name, body["earliest_day"], body["today"]) == ("task.completed", "2026-05-14", "2026-05-16")


@pytest.mark.parametrize(
    "values",
    [
        {"actual": Feelings(relief=-1)}, {"actual": Feelings(motivation=5)}, {"actual": Feelings(aversion=True)},
        {"actual_minutes": -1}, {"actual_minutes": float("inf")}, {"actual_minutes": 10**400},
        {"completion_percent": 201}, {"completion_percent": float("nan")}, {"note": "\0"}, {"note": 5},
        {"at": datetime(2026, 5, 13)}, {"at": "now"},  # noqa: DTZ001
        {"at": datetime(2026, 5, 13, 10, 0, 1, tzinfo=UTC)}, {"at": datetime(2026, 5, 13, 9, 59, tzinfo=UTC)},
        {"at": datetime(1970, 1, 1, tzinfo=UTC)}, {"at": datetime.max.replace(tzinfo=UTC)},
    ],
    ids=lambda values: next(iter(values)),
)  # fmt: skip
def test_a_completion_that_cannot_be_true_is_refused_and_leaves_no_trace(
    database: Database, user: UserId, instance: InstanceId, values: dict[str, Any]
) -> None:
    """The instance was created at 10:00, and it is 10:00."""
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match="expected"):
        instances.complete(database, user, instance, **values)
    assert all_rows(database) == before


def test_an_old_table_may_hold_a_completion_at_the_end_of_all_time_and_it_can_be_corrected_and_undone(
    database: Database, user: UserId, instance: InstanceId
) -> None:
    preferences.change(database, user, time_zone="Pacific/Kiritimati")
    instances.complete(database, user, instance)
    last = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    with contextlib.closing(sqlite.connect(database.file)) as connection, connection:
        connection.execute("UPDATE instances SET completed_at = ?", (last,))
    instances.edit(database, user, instance, note="later")
    instances.undo(database, user, instance)
    assert stored(database, instance).state == State.PLANNED


def test_the_last_pause_moves_with_the_times_that_are_corrected(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.start(database, user, instance)
    clock.advance(hours=2)
    instances.pause(database, user, instance)
    paused_at = clock.now
    clock.advance(hours=2)
    instances.complete(database, user, instance, at=paused_at - timedelta(hours=1))
    assert stored(database, instance).paused_at == paused_at - timedelta(hours=1)
    later = {name: paused_at + timedelta(minutes=30) for name in ("created_at", "started_at", "completed_at")}
    instances.edit(database, user, instance, **later)
    assert stored(database, instance).paused_at == later["created_at"]


def test_a_pause_under_a_clock_that_was_set_back_is_not_before_the_planning(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.start(database, user, instance)
    clock.advance(hours=-3)
    instances.pause(database, user, instance)
    row = stored(database, instance)
    assert row.paused_at == row.created_at


def test_a_completion_before_the_start_is_refused(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    clock.advance(hours=2)
    instances.start(database, user, instance)
    clock.advance(hours=2)
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match=r"^started at 2026-05-13T12:00:00.* is after it was completed"):
        instances.complete(database, user, instance, at=clock.now - timedelta(hours=3))
    with pytest.raises(InvalidInputError, match=r"^completed at 2026-05-13T14:01:00.* is in the future"):
        instances.complete(database, user, instance, at=clock.now + timedelta(minutes=1))
    assert all_rows(database) == before


@pytest.mark.parametrize("path", ["planned", "active", "paused"])
def test_a_clock_that_was_set_back_keeps_nobody_from_finishing(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str
) -> None:
    for step in PATHS[path]:
        clock.advance(minutes=5)
        step(database, user, instance)
    latest = clock.now
    clock.advance(hours=-3)
    instances.complete(database, user, instance)
    row = stored(database, instance)
    assert row.state == State.COMPLETED
    assert row.completed_at is not None
    assert row.created_at <= (row.started_at or row.created_at) <= row.completed_at <= latest


def test_what_is_started_after_the_clock_was_set_back_can_be_finished(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    """Planned at 10:00 by a wrong clock, started at 09:01 by the right one."""
    clock.advance(minutes=-59)
    instances.start(database, user, instance)
    clock.advance(minutes=20)
    instances.pause(database, user, instance)
    instances.resume(database, user, instance)
    clock.advance(minutes=10)
    instances.complete(database, user, instance)
    row = stored(database, instance)
    assert row.state == State.COMPLETED
    assert row.actual_minutes == pytest.approx(30.0), "the timer is not to blame"
    assert row.started_at is not None
    assert row.completed_at is not None
    assert row.created_at <= row.started_at <= row.completed_at


def test_a_day_that_had_started_counts_as_finished_though_the_clock_was_set_back_into_it(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    """At 00:05 the summary of the 13th is made. Then it is 23:55 again, and something is done on the 13th."""
    clock.now = datetime(2026, 5, 14, 0, 5, tzinfo=UTC)
    start_due(database)
    clock.advance(minutes=-10)
    for finish in (instances.complete, instances.undo, instances.cancel, instances.undo):
        finish(database, user, instance)
        name, body = last_line(database)
        assert (name, body["earliest_day"], body["today"]) == (name, "2026-05-13", "2026-05-14")


# --- cancelling


@pytest.mark.parametrize("reason", CancelReason)
def test_cancelling_keeps_the_reason_and_stops_the_timer(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, reason: CancelReason
) -> None:
    instances.start(database, user, instance)
    clock.advance(minutes=10)
    instances.cancel(database, user, instance, reason=reason, note="enough")
    row = stored(database, instance)
    assert (row.state, row.cancelled_at, row.cancel_reason, row.note) == (
        State.CANCELLED,
        clock.now,
        reason.value,
        "enough",
    )
    assert (row.timed_minutes, row.resumed_at, row.actual_minutes, row.completed_at) == (10.0, None, None, None)
    assert last_line(database)[1]["reason"] == reason.value


@pytest.mark.parametrize("values", [{"reason": "bored"}, {"reason": None}, {"reason": []}, {"note": "\0"}])
def test_a_cancellation_for_no_listed_reason_is_refused_and_leaves_no_trace(
    database: Database, user: UserId, instance: InstanceId, values: dict[str, Any]
) -> None:
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match="expected"):
        instances.cancel(database, user, instance, **values)
    assert all_rows(database) == before


# --- undoing


@pytest.mark.parametrize("path", ["planned", "active", "paused"])
@pytest.mark.parametrize("end", [instances.complete, instances.cancel])
def test_undoing_leads_back_to_the_row_as_it_was(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str, end: Command
) -> None:
    for step in PATHS[path]:
        clock.advance(minutes=1)
        step(database, user, instance)
    before = all_rows(database)["instances"]
    end(database, user, instance)
    instances.undo(database, user, instance)
    assert all_rows(database)["instances"] == before


def test_undoing_takes_back_all_that_was_said(database: Database, user: UserId, instance: InstanceId) -> None:
    before = all_rows(database)["instances"]
    instances.complete(database, user, instance, actual=FELT, actual_minutes=5, completion_percent=50)
    instances.undo(database, user, instance)
    assert all_rows(database)["instances"] == before


def test_a_timer_that_ran_runs_on_from_the_undoing(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.start(database, user, instance)
    clock.advance(minutes=10)
    instances.complete(database, user, instance)
    clock.advance(hours=5)
    instances.undo(database, user, instance)
    assert stored(database, instance).resumed_at == clock.now
    clock.advance(minutes=3)
    instances.complete(database, user, instance)
    assert stored(database, instance).actual_minutes == pytest.approx(13.0)


def test_what_was_cancelled_after_the_clock_was_set_back_can_be_undone_at_once(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    """It counts from when it was planned on, and that is what who cancelled it is told."""
    clock.advance(minutes=-5)
    at = instances.cancel(database, user, instance)
    instances.undo(database, user, instance, finished_at=at)


def test_who_saw_one_completion_does_not_undo_a_later_one(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    first = instances.complete(database, user, instance)
    assert first == clock()
    instances.undo(database, user, instance, finished_at=first)
    clock.advance(minutes=5)
    second = instances.cancel(database, user, instance)
    before = all_rows(database)
    with pytest.raises(IllegalTransitionError, match="it was cancelled at another time than this says"):
        instances.undo(database, user, instance, finished_at=first)
    assert all_rows(database) == before
    instances.undo(database, user, instance, finished_at=second)


def test_an_undone_completion_tells_the_day_it_had_counted_for(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.complete(database, user, instance)
    clock.advance(days=2)
    instances.undo(database, user, instance)
    name, body = last_line(database)
    assert (name, body["earliest_day"], body["today"]) == ("completion.undone", "2026-05-13", "2026-05-15")


def test_an_undone_cancellation_tells_the_day_it_had_counted_for(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    instances.cancel(database, user, instance)
    clock.advance(days=2)
    instances.undo(database, user, instance)
    name, body = last_line(database)
    assert (name, body["earliest_day"], body["today"]) == ("cancellation.undone", "2026-05-13", "2026-05-15")


def test_undoing_back_to_planned_forgets_a_start_that_was_only_told_afterwards(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    clock.advance(hours=2)
    instances.complete(database, user, instance)
    instances.edit(database, user, instance, started_at=clock.now - timedelta(hours=1))
    instances.undo(database, user, instance)
    assert stored(database, instance).started_at is None
    instances.complete(database, user, instance)
    assert stored(database, instance).actual_minutes is None


@pytest.mark.parametrize(("path", "state"), [("planned", State.PLANNED), ("active", State.PAUSED)])
def test_undoing_what_was_imported_without_its_earlier_state_keeps_the_start(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str, state: State
) -> None:
    for step in PATHS[path]:
        step(database, user, instance)
    started_at = stored(database, instance).started_at
    instances.complete(database, user, instance)

    def forget(transaction: Transaction) -> None:
        row = instances.get(transaction.session, user, instance)
        row.undo_state = None
        transaction.record(DataImported(user=user, at=transaction.now, source="csv", tasks=0, instances=1))

    database.write(forget)
    instances.undo(database, user, instance)
    row = stored(database, instance)
    assert (row.state, row.started_at, row.resumed_at) == (state, started_at, None)


# --- editing


def test_every_column_that_can_be_corrected_is_one_event_with_its_name(
    database: Database, user: UserId, task: TaskId, instance: InstanceId, clock: Clock
) -> None:
    clock.advance(hours=5)
    instances.complete(database, user, instance, actual=FELT, actual_minutes=10)
    now = clock.now
    corrected: dict[str, Any] = {
        **{column: 55 for column in instances.CHECKS if column.startswith(("predicted_", "actual_"))},
        "actual_minutes": 12.5,
        "estimate_minutes": 7.0,
        "completion_percent": 90.0,
        "note": "corrected",
        "created_at": now - timedelta(hours=4),
        "started_at": now - timedelta(hours=3),
        "completed_at": now - timedelta(hours=2),
        "due_at": now + timedelta(days=1),
    }
    assert set(corrected) == set(instances.CHECKS)
    for column, value in corrected.items():
        before = newest(database)
        assert instances.edit(database, user, instance, **{column: value}) == (column,)
        assert getattr(stored(database, instance), column) == value
        ids = {"task": task, "instance": instance, "changed": [column]}
        is_early = column in ("completed_at", "actual_aversion")  # it is its task's first
        touched = {**COUNTED, "is_early": is_early}
        assert lines(database, before) == [("instance.edited", user, {**ids, **touched})]


def test_an_edit_that_changes_nothing_leaves_no_trace(database: Database, user: UserId, instance: InstanceId) -> None:
    instances.complete(database, user, instance, actual=FELT, actual_minutes=10)
    before = all_rows(database)
    assert instances.edit(database, user, instance) == ()
    assert instances.edit(database, user, instance, actual_relief=80, actual_minutes=10.0, note="") == ()
    assert all_rows(database) == before


@pytest.mark.parametrize(
    ("path", "earliest"),
    [("planned", None), ("paused", None), ("completed from planned", TODAY), ("cancelled from active", TODAY)],
)
def test_an_edit_tells_the_day_the_instance_counts_for_if_it_counts(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str, earliest: str | None
) -> None:
    for step in PATHS[path]:
        step(database, user, instance)
    clock.advance(days=4)
    instances.edit(database, user, instance, note="later")
    name, body = last_line(database)
    assert (name, body["earliest_day"], body["today"]) == ("instance.edited", earliest, "2026-05-17")


@pytest.mark.parametrize(("moved_by_days", "earliest"), [(-2, "2026-05-15"), (1, "2026-05-17")])
def test_moving_a_completion_tells_the_earlier_of_the_two_days(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, moved_by_days: int, earliest: str
) -> None:
    clock.advance(days=4)
    instances.complete(database, user, instance)
    completed_at = clock.now
    clock.advance(days=4)
    instances.edit(database, user, instance, completed_at=completed_at + timedelta(days=moved_by_days))
    assert last_line(database)[1]["earliest_day"] == earliest


def test_days_are_those_of_the_users_zone_and_day_start(
    database: Database, user: UserId, instance: InstanceId, clock: Clock
) -> None:
    preferences.change(database, user, time_zone="Pacific/Auckland", day_start="04:00")
    clock.now = datetime(2026, 5, 13, 15, 59, tzinfo=UTC)  # 03:59 of the 14th in Auckland
    instances.complete(database, user, instance)
    assert last_line(database)[1]["earliest_day"] == "2026-05-13"
    clock.advance(minutes=1)
    instances.undo(database, user, instance)
    body = last_line(database)[1]
    assert (body["earliest_day"], body["today"]) == ("2026-05-13", "2026-05-14")


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("completed")])
def test_what_belongs_to_a_completion_can_only_be_corrected_on_one(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str
) -> None:
    for step in PATHS[path]:
        step(database, user, instance)
    before = all_rows(database)
    for column in ("actual_relief", "actual_minutes", "completion_percent", "completed_at"):
        value = clock.now if column == "completed_at" else 5
        with pytest.raises(IllegalTransitionError, match=f"^{column.replace('_', ' ')} belongs to a completed"):
            instances.edit(database, user, instance, **{"note": "x", column: value})
    assert all_rows(database) == before


@pytest.mark.parametrize("path", ["planned", "active", "paused"])
def test_the_start_of_an_open_instance_belongs_to_the_timer(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str
) -> None:
    for step in PATHS[path]:
        step(database, user, instance)
    before = all_rows(database)
    with pytest.raises(IllegalTransitionError, match="started at is set by the timer"):
        instances.edit(database, user, instance, started_at=clock.now - timedelta(minutes=1))
    assert all_rows(database) == before


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"created_at": None}, "created at: expected a time"),
        ({"completed_at": None}, "undo the completion to take it back"),
        ({"completed_at": timedelta(minutes=1)}, "completed at .* is in the future"),
        ({"completed_at": timedelta(hours=-3)}, "started at .* is after it was completed"),
        ({"started_at": timedelta(minutes=1)}, "started at .* is after it was completed"),
        ({"started_at": timedelta(hours=-6)}, "created at .* is after it was started"),
        ({"created_at": timedelta(hours=-1)}, "created at .* is after it was started"),
        ({"created_at": timedelta(days=1)}, "created at .* is after it was started"),
        ({"started_at": None, "created_at": timedelta(minutes=1)}, "created at .* is after it was completed"),
        ({"started_at": datetime(2026, 5, 13)}, "expected a time with its time zone"),  # noqa: DTZ001
        ({"completed_at": "x"}, "expected a time with its time zone"),
        ({"note": "\0"}, "expected text"),
        ({"actual_relief": 101}, "expected a whole number"),
        ({"actual_minutes": float("nan")}, "expected 0 to"),
        ({"state": "planned"}, "^instance field 'state': expected one of predicted_relief, "),
        ({"user_id": 2}, "^instance field 'user_id': expected one of"),
        ({"task_id": "x", "note": "y"}, "^instance field 'task_id': expected one of"),
        ({"timed_minutes": 5}, "^instance field 'timed_minutes': expected one of"),
    ],
)
def test_a_correction_that_cannot_be_true_is_refused_and_leaves_no_trace(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, values: dict[str, Any], sentence: str
) -> None:
    """Created five hours ago, started two hours ago, completed now; the times given are relative to now."""
    clock.advance(hours=3)
    instances.start(database, user, instance)
    clock.advance(hours=2)
    instances.complete(database, user, instance)
    before = all_rows(database)
    given = {name: clock.now + it if isinstance(it, timedelta) else it for name, it in values.items()}
    with pytest.raises(InvalidInputError, match=sentence):
        instances.edit(database, user, instance, **given)
    assert all_rows(database) == before


@pytest.mark.parametrize("path", ["planned", "active", "completed from active", "cancelled from paused"])
def test_a_note_can_be_corrected_after_the_clock_was_set_back(
    database: Database, user: UserId, instance: InstanceId, clock: Clock, path: str
) -> None:
    """Times that nobody touches are nobody's fault."""
    for step in PATHS[path]:
        clock.advance(minutes=5)
        step(database, user, instance)
    clock.advance(hours=-3)
    assert instances.edit(database, user, instance, note="still here") == ("note",)


# --- whose


ON_ONE: dict[str, Command] = {
    **{name: command for name, (command, _, _) in COMMANDS.items()},
    "edit": lambda database, user, instance: instances.edit(database, user, instance, note="mine now"),
    "edit nothing": instances.edit,
    "get": lambda database, user, instance: database.write(
        lambda transaction: instances.get(transaction.session, user, instance)
    ),
}


@pytest.mark.parametrize("path", ["planned", "active", "completed from paused"])
def test_a_strangers_instance_is_unknown_to_every_command_whatever_its_state(
    database: Database, user: UserId, stranger: UserId, instance: InstanceId, path: str
) -> None:
    for step in PATHS[path]:
        step(database, user, instance)
    before = all_rows(database)
    for command in ON_ONE.values():
        with pytest.raises(UnknownRecordError, match="there is no instance"):
            command(database, stranger, instance)
    assert all_rows(database) == before


def test_a_strangers_task_cannot_be_planned(database: Database, user: UserId, stranger: UserId, task: TaskId) -> None:
    before = all_rows(database)
    with pytest.raises(UnknownRecordError, match="there is no task"):
        instances.plan(database, stranger, task)
    assert all_rows(database) == before


@pytest.mark.parametrize("instance", ["", "nope", "\0", "x" * 100_000, None, 5])
def test_an_instance_that_is_not_there_is_unknown(database: Database, user: UserId, instance: Any) -> None:
    before = all_rows(database)
    for command in ON_ONE.values():
        with pytest.raises(UnknownRecordError, match="there is no instance") as refused:
            command(database, user, instance)
        assert len(str(refused.value)) < 250
    assert all_rows(database) == before


# --- many at once


def test_of_eight_who_complete_the_same_instance_at_once_one_succeeds(
    database: Database, user: UserId, instance: InstanceId
) -> None:
    barrier = threading.Barrier(8)
    before = newest(database)

    def complete(number: int) -> bool:
        barrier.wait()
        try:
            instances.complete(database, user, instance, note=f"by {number}")
        except IllegalTransitionError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(complete, range(8)))
    assert sum(won) == 1
    assert stored(database, instance).note == f"by {won.index(True)}"
    assert newest(database) == before + 1


class Life(RuleBasedStateMachine):
    """Any commands in any order, at any moment, also with a clock that jumps: what is on record stays consistent."""

    database: Database
    user: UserId
    task: TaskId
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[InstanceId, list[str]] = {}
        self.events = newest(self.database)
        self.clock.now = datetime(2026, 5, 13, 10, tzinfo=UTC)

    @initialize()
    def plan_one(self) -> None:
        self.plan()

    @precondition(lambda self: len(self.model) < 4)
    @rule()
    def plan(self) -> None:
        self.model[instances.plan(self.database, self.user, self.task)] = ["planned"]
        self.events += 1

    @rule(minutes=st.sampled_from([-2000, -61, -1, 0, 1, 30, 1441]))
    def let_time_pass(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @rule(which=st.integers(0, 3), name=st.sampled_from(sorted(COMMANDS)))
    def command(self, which: int, name: str) -> None:
        instance = list(self.model)[which % len(self.model)]
        states = self.model[instance]
        command, _, target = COMMANDS[name]
        if name not in LEGAL[states[-1]]:
            with pytest.raises(IllegalTransitionError):
                command(self.database, self.user, instance)
            return
        command(self.database, self.user, instance)
        self.events += 1
        if target is None:
            states.pop()
        elif target in (State.COMPLETED, State.CANCELLED):
            states.append(target)
        else:
            states[-1] = target

    @rule(which=st.integers(0, 3), note=st.sampled_from(["", "a", "b"]))
    def edit(self, which: int, note: str) -> None:
        instance = list(self.model)[which % len(self.model)]
        self.events += len(instances.edit(self.database, self.user, instance, note=note))

    @invariant()
    def the_rows_agree_with_the_model_and_the_log(self) -> None:
        assert newest(self.database) == self.events
        for instance, states in self.model.items():
            row = stored(self.database, instance)
            assert row.state == states[-1]
            assert (row.resumed_at is not None) == (row.state == State.ACTIVE)
            assert (row.undo_state is not None) == (row.state in (State.COMPLETED, State.CANCELLED))
            assert (row.started_at is None) or row.created_at <= row.started_at
            assert row.completed_at is None or row.completed_at >= (row.started_at or row.created_at)
            assert row.timed_minutes >= 0


def test_any_sequence_of_commands_at_any_times_keeps_rows_and_log_consistent(
    database: Database, user: UserId, task: TaskId, clock: Clock
) -> None:
    class OnThisDatabase(Life):
        pass

    OnThisDatabase.database, OnThisDatabase.user, OnThisDatabase.task = database, user, task
    OnThisDatabase.clock = clock
    run_state_machine_as_test(OnThisDatabase, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
