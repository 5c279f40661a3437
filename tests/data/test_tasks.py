"""Commands on tasks: each is one event or a refusal that leaves no trace."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from data import tasks
from data.database import Database
from data.errors import InvalidInputError, UnknownRecordError
from data.models import Kind, Task
from events.catalog import TaskId, UserId
from tests.data.ledger import all_rows, lines, newest
from tests.house import Clock


def stored(database: Database, task: TaskId) -> Task:
    def look(transaction: Any) -> Task:
        return transaction.session.scalars(select(Task).where(Task.id == task)).one()

    return database.write(look)


NEW_VALUES: dict[str, Any] = {
    "name": "Paperwork",
    "description": "the pile on the desk",
    "kind": "self_care",
    "categories": ("home", "money"),
    "estimate_minutes": 45.5,
    "default_aversion": 80,
    "routine": "weekly",
    "routine_weekdays": ("mon", "fri"),
    "routine_at": "09:30",
    "due_at": datetime(2026, 6, 1, 9, tzinfo=UTC),
    "notes": "line one\nline two",
}


@pytest.fixture
def task(database: Database, user: UserId) -> TaskId:
    return tasks.create(database, user, name="Taxes")


def test_a_task_is_created_with_its_values_and_one_event(database: Database, user: UserId, clock: Clock) -> None:
    before = newest(database)
    task = tasks.create(database, user, **NEW_VALUES)
    row = stored(database, task)
    assert {name: getattr(row, name) for name in NEW_VALUES} == NEW_VALUES
    assert (row.version, row.archived, row.demo) == (1, False, False)
    assert row.created_at == row.updated_at == clock.now
    assert lines(database, before) == [("task.created", user, {"task": task})]


def test_a_task_needs_only_a_name(database: Database, user: UserId) -> None:
    row = stored(database, tasks.create(database, user, name="  Taxes  "))
    assert (row.name, row.kind, row.routine, row.categories, row.notes) == ("Taxes", Kind.WORK, "none", (), "")


def test_every_column_that_a_person_sets_is_tested_here() -> None:
    assert set(NEW_VALUES) == set(tasks.CHECKS)


@pytest.mark.parametrize("column", NEW_VALUES)
def test_an_edit_changes_one_column_raises_the_version_and_is_one_event(
    database: Database, user: UserId, task: TaskId, clock: Clock, column: str
) -> None:
    created_at = clock.now
    clock.advance(minutes=5)
    before = newest(database)
    assert tasks.edit(database, user, task, **{column: NEW_VALUES[column]}) == (column,)
    row = stored(database, task)
    assert getattr(row, column) == NEW_VALUES[column]
    assert (row.version, row.created_at, row.updated_at) == (2, created_at, clock.now)
    assert lines(database, before) == [("task.edited", user, {"task": task, "changed": [column]})]


def test_an_edit_names_only_what_differs(database: Database, user: UserId, task: TaskId) -> None:
    before = newest(database)
    assert tasks.edit(database, user, task, name="Taxes", kind="play", notes="") == ("kind",)
    assert lines(database, before) == [("task.edited", user, {"task": task, "changed": ["kind"]})]


def test_an_edit_that_changes_nothing_leaves_no_trace(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, **NEW_VALUES)
    before = all_rows(database)
    assert tasks.edit(database, user, task, **NEW_VALUES) == ()
    assert tasks.edit(database, user, task) == ()
    assert all_rows(database) == before


def test_an_edit_of_a_version_that_somebody_has_changed_meanwhile_is_refused(
    database: Database, user: UserId, task: TaskId
) -> None:
    tasks.edit(database, user, task, expected_version=1, notes="first")
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match=r"edited elsewhere meanwhile \(version 2, expected 1\)"):
        tasks.edit(database, user, task, expected_version=1, notes="second")
    assert all_rows(database) == before
    tasks.edit(database, user, task, expected_version=2, notes="second")


def test_of_two_edits_of_the_same_version_at_once_exactly_one_is_done(
    database: Database, user: UserId, task: TaskId
) -> None:
    barrier = threading.Barrier(8)

    def edit(number: int) -> bool:
        barrier.wait()
        try:
            tasks.edit(database, user, task, expected_version=1, notes=f"by {number}")
        except InvalidInputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(edit, range(8))) == 1
    assert stored(database, task).version == 2


def test_archiving_and_bringing_back_are_one_event_each(database: Database, user: UserId, task: TaskId) -> None:
    before = newest(database)
    tasks.archive(database, user, task)
    assert stored(database, task).archived is True
    tasks.archive(database, user, task, archived=False)
    assert stored(database, task).archived is False
    assert stored(database, task).version == 3
    assert lines(database, before) == [
        ("task.archived", user, {"task": task, "archived": True}),
        ("task.archived", user, {"task": task, "archived": False}),
    ]


def test_archiving_what_is_archived_leaves_no_trace(database: Database, user: UserId, task: TaskId) -> None:
    tasks.archive(database, user, task)
    before = all_rows(database)
    tasks.archive(database, user, task)
    assert all_rows(database) == before


BAD_VALUES: dict[str, list[Any]] = {
    "name": ["", "a\nb", "\0", "\ud800", "a\u202eb", None],
    "description": [None, "\0"],
    "kind": ["chore", None],
    "categories": ["home", None, ["\ud800"]],
    "estimate_minutes": [-1, float("nan"), 10**400, True],
    "default_aversion": [101, 0.5, 10**5000],
    "routine": ["monthly"],
    "routine_weekdays": [["someday"], None],
    "routine_at": ["9:30", 930],
    "due_at": [datetime(2026, 6, 1), "tomorrow"],  # noqa: DTZ001
    "notes": ["x" * 1_000_001],
    "version": [5],  # and below: no person sets these
    "archived": [True],
    "user_id": [2],
    "id": ["x"],
    "created_at": [None],
    "nope": [1],
}


@pytest.mark.parametrize("column", BAD_VALUES)
def test_what_a_task_may_not_hold_is_refused_and_leaves_no_trace(
    database: Database, user: UserId, task: TaskId, column: str
) -> None:
    before = all_rows(database)
    for value in BAD_VALUES[column]:
        with pytest.raises(InvalidInputError, match="expected"):
            tasks.create(database, user, **{"name": "Other", column: value})
        with pytest.raises(InvalidInputError, match="expected"):
            tasks.edit(database, user, task, **{"notes": "fine", column: value})
    assert all_rows(database) == before


def test_a_million_characters_and_every_script_come_back_as_they_were(database: Database, user: UserId) -> None:
    hostile = "مرحبا \u202e\u05e9\u05dc\u202c 👩\u200d💻 \U0001fa77 \U0001d518 \r\n\t\x1b[31m'; DROP TABLE tasks; --"
    notes = (hostile * 30_000)[:1_000_000]
    task = tasks.create(database, user, name="<script>alert(1)</script> %s {0} '\"", notes=notes)
    row = stored(database, task)
    assert row.notes == notes
    assert row.name == "<script>alert(1)</script> %s {0} '\""


def test_a_task_is_never_changed_before_it_was_made(
    database: Database, user: UserId, task: TaskId, clock: Clock
) -> None:
    clock.advance(days=-2)
    tasks.edit(database, user, task, notes="x")
    tasks.archive(database, user, task)
    with database.read() as read:
        created, updated = read.connection.execute(select(Task.created_at, Task.updated_at)).one()
    assert updated == created


# --- whose


def test_a_strangers_task_is_unknown(database: Database, user: UserId, stranger: UserId, task: TaskId) -> None:
    before = all_rows(database)
    for attempt in (
        lambda: tasks.edit(database, stranger, task, notes="mine now"),
        lambda: tasks.edit(database, stranger, task),
        lambda: tasks.archive(database, stranger, task),
        lambda: database.write(lambda transaction: tasks.get(transaction.session, stranger, task)),
    ):
        with pytest.raises(UnknownRecordError, match="there is no task"):
            attempt()
    assert all_rows(database) == before


@pytest.mark.parametrize("task", ["", "nope", "\0", "x" * 100_000, "' OR 1=1 --", None, 5])
def test_a_task_that_is_not_there_is_unknown(database: Database, user: UserId, task: Any) -> None:
    before = all_rows(database)
    with pytest.raises(UnknownRecordError, match="there is no task") as refused:
        tasks.edit(database, user, task, notes="x")
    assert len(str(refused.value)) < 250
    assert all_rows(database) == before


def test_a_task_of_nobody_is_not_created(database: Database, user: UserId) -> None:
    before = all_rows(database)
    with pytest.raises(UnknownRecordError, match="there is no user 99"):
        tasks.create(database, UserId(99), name="Taxes")
    assert all_rows(database) == before
