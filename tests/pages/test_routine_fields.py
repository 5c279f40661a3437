"""Routines on the pages: set and taken away in the forms, paused and resumed in the list, each with the way back."""

from datetime import UTC, datetime, timedelta

from nicegui import ui
from nicegui.testing import User

from data import preferences, tasks
from data.database import Database
from data.days import start_due
from data.models import Task
from data.routines import plan_due
from pages.markup import Block
from tests.pages import hands
from tests.pages.hands import dialogs, elements, fill, pick, press, rows, submit, texts, undo
from tests.pages.stage import Stage, until


async def opened(user: User, stage: Stage) -> None:
    """Open the page of tasks and wait until it is filled."""
    client = await user.open("/tasks")
    await until(lambda: all(section.redraws for section in stage.sections(client)))


async def act(user: User, word: str) -> None:
    """Press a button in the first row of the tasks, as soon as it is offered."""
    await until(lambda: f'data-act="{word}"' in row(user))
    hands.act(user, rows(user, "Tasks")[0], word)


def row(user: User) -> str:
    """Return the markup of the first row; nothing before there is one."""
    first = next(iter(rows(user, "Tasks")), None)
    return first.content if isinstance(first, Block) else ""


def tick(user: User, label: str, *, ticked: bool = True) -> None:
    """Tick the newest box with that label, or clear it."""
    assert user.client is not None
    box = [one for one in elements(user) if isinstance(one, ui.checkbox) and one.text == label][-1]
    with user.client:
        box.value = ticked


def routine(database: Database, task: str) -> tuple[str, tuple[str, ...], str | None]:
    """Return what is stored of a task's routine."""

    def command(transaction):  # type: ignore[no-untyped-def]
        row = transaction.session.get_one(Task, (1, task))
        return row.routine, row.routine_weekdays, row.routine_at

    return database.write(command)


async def test_a_new_task_can_come_back_and_says_when(user: User, stage: Stage) -> None:
    await opened(user, stage)
    press(user, "New task")
    await until(lambda: dialogs(user))
    fill(user, "Name", "Water the plants")
    assert "planned only when you plan it" in texts(user)
    pick(user, "Weekly")
    assert "Without a weekday, Mon is taken. It is planned when the day starts: Mon 18 May" in texts(user)
    tick(user, "Thu")
    fill(user, "At", "08:00")
    assert "It is planned: tomorrow 08:00, Thu 21 May 08:00, Thu 28 May 08:00, and so on." in texts(user)
    submit(user)
    await until(lambda: "Thu at 08:00" in row(user))
    assert "next tomorrow 08:00" in row(user)
    assert routine(stage.database, rows(user, "Tasks")[0].props["data-row"]) == ("weekly", ("thu",), "08:00")


async def test_a_routine_is_paused_resumed_and_both_are_taken_back(user: User, stage: Stage) -> None:
    task = await stage.task("Plants", routine="daily", routine_at="20:00")
    await opened(user, stage)
    assert "Every day at 20:00" in row(user)
    assert "next today 20:00" in row(user)
    await act(user, "routine")
    await until(lambda: ">Paused<" in row(user))
    assert "next" not in row(user)
    assert routine(stage.database, task)[0] == "none"
    stage.clock.advance(days=2)
    assert plan_due(stage.database) == []

    await undo(user)
    await until(lambda: "next" in row(user))
    assert routine(stage.database, task) == ("daily", (), "20:00")

    await act(user, "routine")
    await until(lambda: ">Paused<" in row(user))
    await act(user, "routine")
    await until(lambda: ">Paused<" not in row(user))
    assert routine(stage.database, task)[0] == "daily"


async def test_an_edit_of_something_else_leaves_a_paused_routine_paused(user: User, stage: Stage) -> None:
    task = await stage.task("Plants", routine="weekly", routine_weekdays=("mon", "sat"), routine_at="08:00")
    await opened(user, stage)
    await act(user, "routine")
    await until(lambda: ">Paused<" in row(user))
    before = routine(stage.database, task)
    await act(user, "edit")
    await until(lambda: dialogs(user))
    assert "no turns until you let it go on" in texts(user)
    fill(user, "What is it?", "The small can")
    submit(user)
    await until(lambda: "The small can" in row(user))
    assert routine(stage.database, task) == before == ("none", ("mon", "sat"), "08:00")

    await act(user, "edit")
    await until(lambda: dialogs(user))
    tick(user, "Paused for now", ticked=False)
    submit(user)
    await until(lambda: "next Sat 16 May 08:00" in row(user))
    assert routine(stage.database, task) == ("weekly", ("mon", "sat"), "08:00")


async def test_a_routine_that_is_removed_comes_back_with_undo(user: User, stage: Stage) -> None:
    task = await stage.task("Plants", routine="weekly", routine_weekdays=("mon",))
    await opened(user, stage)
    await act(user, "edit")
    await until(lambda: dialogs(user))
    pick(user, "Never")
    submit(user)
    await until(lambda: row(user) and "entry-routine" not in row(user))
    assert routine(stage.database, task) == ("none", (), None)
    await undo(user)
    await until(lambda: "entry-routine" in row(user))
    assert routine(stage.database, task) == ("weekly", ("mon",), None)


async def test_missed_days_are_named_for_a_week(user: User, stage: Stage) -> None:
    await stage.task("Plants", routine="daily")
    start_due(stage.database)
    plan_due(stage.database)
    stage.clock.advance(days=3)
    start_due(stage.database)
    plan_due(stage.database)
    await opened(user, stage)
    assert "missed Thu 14 May, yesterday" in row(user)
    assert stage.clock.now - datetime(2026, 5, 13, tzinfo=UTC) > timedelta(days=3)
    stage.clock.advance(days=10)
    await opened(user, stage)
    await until(lambda: row(user))
    assert "missed" not in row(user)


async def test_the_place_and_the_clock_of_the_user_count(user: User, stage: Stage) -> None:
    await stage.do(preferences.change, time_zone="Asia/Tokyo", clock_hours=12, first_weekday="sun")
    await stage.do(tasks.create, name="Plants", routine="weekly", routine_weekdays=("mon", "sun"), routine_at="20:00")
    await opened(user, stage)
    assert "Sun, Mon at 8:00 pm" in row(user)
    assert "next Sun 17 May 8:00 pm" in row(user)
