"""Taking back a plan or a start: everything is as before, and what has gone on since is left alone."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from data import instances, tasks, withdrawals
from data.database import Database
from data.errors import IllegalTransitionError, UnknownRecordError
from data.models import Instance, Task
from events.catalog import InstanceId, UserId
from tests.data.ledger import all_rows, lines
from tests.house import Clock


def content(database: Database) -> dict[str, Any]:
    """Return every row but those of the log."""
    rows = all_rows(database)
    return {table: rows[table] for table in ("tasks", "instances", "routine_marks")}


def ids(database: Database, model: type[Task] | type[Instance]) -> list[Any]:
    with database.read() as read:
        return list(read.connection.scalars(select(model.id)))


@pytest.mark.parametrize("start", [False, True])
def test_a_plan_that_is_taken_back_leaves_everything_as_before(database: Database, user: UserId, start: bool) -> None:
    task = tasks.create(database, user, name="Tax return")
    before = content(database)
    one = instances.plan(database, user, task, start=start)
    withdrawals.unplan(database, user, one)
    assert content(database) == before
    name, _, body = lines(database)[-1]
    assert (name, body["instance"], body["months"]) == ("plan.undone", one, ["2026-05"])


def test_a_task_that_was_made_with_it_goes_with_it(database: Database, user: UserId) -> None:
    before = content(database)
    one = instances.plan_new(database, user, name="Tax return", routine="daily")
    withdrawals.unplan(database, user, one, with_task=True)
    assert content(database) == before


@pytest.mark.parametrize("since", ["edited", "planned again"])
def test_a_task_that_was_used_since_stays(database: Database, user: UserId, since: str) -> None:
    one = instances.plan_new(database, user, name="Tax return")
    (task,) = ids(database, Task)
    if since == "edited":
        tasks.edit(database, user, task, notes="Look here first")
    else:
        instances.plan(database, user, task)
    withdrawals.unplan(database, user, one, with_task=True)
    assert ids(database, Task) == [task]
    assert one not in ids(database, Instance)


def test_a_start_that_is_taken_back_leaves_it_planned_as_before(database: Database, user: UserId, clock: Clock) -> None:
    one = instances.plan_new(database, user, name="Tax return")
    before = content(database)
    instances.start(database, user, one)
    clock.advance(minutes=5)
    withdrawals.unstart(database, user, one)
    assert content(database) == before
    assert lines(database)[-1][0] == "start.undone"


@pytest.mark.parametrize("act", [withdrawals.unplan, withdrawals.unstart])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((instances.complete,), "it is completed: only what is "),
        ((instances.start, instances.pause), "it is paused: only what is "),
        ((instances.start, instances.pause, instances.resume), "it was paused since it was started"),
    ],
)
def test_what_has_gone_on_since_is_left_alone(
    database: Database, user: UserId, path: tuple[Callable[..., Any], ...], words: str, act: Callable[..., Any]
) -> None:
    one = instances.plan_new(database, user, name="Tax return")
    for step in path:
        step(database, user, one)
    before = all_rows(database)
    with pytest.raises(IllegalTransitionError, match=words):
        act(database, user, one)
    assert all_rows(database) == before


def test_a_plan_is_taken_back_once(database: Database, user: UserId) -> None:
    one = instances.plan_new(database, user, name="Tax return")
    withdrawals.unplan(database, user, one)
    with pytest.raises(UnknownRecordError, match="it may have been removed meanwhile"):
        withdrawals.unplan(database, user, InstanceId(one))
