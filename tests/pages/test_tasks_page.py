"""The page of tasks: what is looked for, corrected and brought back, by one user and for that user only."""

import asyncio
from datetime import timedelta

import pytest
from nicegui.testing import User

from data import instances, preferences, tasks
from data.fields import Feelings
from pages.markup import Block
from pages.search import HISTORY, Search
from tests.pages import hands
from tests.pages.hands import buttons, choose, dialogs, field, fill, press, rows, slide, submit, texts, undo
from tests.pages.stage import USER, Stage, until


async def opened(user: User, stage: Stage, address: str = "/tasks") -> None:
    """Open the page and wait until it is filled."""
    client = await user.open(address)
    await until(lambda: all(section.redraws for section in stage.sections(client)))


def names(user: User, list_name: str) -> list[str]:
    """Return what the rows of a list are called, in order."""
    blocks = [row for row in rows(user, list_name) if isinstance(row, Block)]
    return [block.content.split('class="entry-title">')[1].split("<")[0] for block in blocks]


async def act(user: User, list_name: str, word: str) -> None:
    """Press a button in the markup of the first row, as soon as it is offered."""
    await until(lambda: f'data-act="{word}"' in rows(user, list_name)[0].content)  # type: ignore[attr-defined]
    hands.act(user, rows(user, list_name)[0], word)


async def test_tasks_are_searched_in_their_address_too(user: User, stage: Stage) -> None:
    await stage.task("Tax return", categories=("money",))
    await stage.task("Call the bank", kind="self_care", categories=("money", "calls"))
    await opened(user, stage, "/tasks?category=money&text=BANK")
    assert names(user, "Tasks") == ["Call the bank"]
    assert field(user, "Search").value == "BANK"
    fill(user, "Search", "")
    await until(lambda: len(names(user, "Tasks")) == 2)
    choose(user, "Kind", "self_care")
    await until(lambda: names(user, "Tasks") == ["Call the bank"])
    press(user, "Clear")
    await until(lambda: len(names(user, "Tasks")) == 2)


async def test_history_is_narrowed_by_state_and_day(user: User, stage: Stage) -> None:
    done, given_up = await stage.planned("Done one"), await stage.planned("Given up one")
    await stage.do(instances.complete, done)
    stage.clock.advance(days=2)
    await stage.do(instances.cancel, given_up)
    stage.clock.advance(minutes=1)
    await stage.planned("Open one")
    await opened(user, stage, "/tasks?view=history")
    assert names(user, "History") == ["Open one", "Given up one", "Done one"]
    choose(user, "State", "open")
    await until(lambda: names(user, "History") == ["Open one"])
    choose(user, "State", "")
    fill(user, "From", "2026-05-13")
    fill(user, "To", "2026-05-14")
    await until(lambda: names(user, "History") == ["Done one"])


@pytest.mark.parametrize("address", ["page=0", "page=abc", "first=yesterday", "state=lost", "kind=<b>", "view=nothing"])
async def test_an_address_that_means_nothing_shows_everything(user: User, stage: Stage, address: str) -> None:
    await stage.planned("Tax return")
    await opened(user, stage, f"/tasks?{address}")
    assert names(user, "Tasks") == ["Tax return"]


async def test_ten_thousand_rows_are_a_page_of_twenty_five(user: User, stage: Stage) -> None:
    def plan() -> None:
        task = tasks.create(stage.database, USER, name="Again")
        for _ in range(60):
            instances.plan(stage.database, USER, task)

    await asyncio.to_thread(plan)
    await opened(user, stage, "/tasks?view=history&page=3")
    assert len(rows(user, "History")) == 10
    assert "51-60 of 60" in texts(user)
    assert 'href="/tasks?view=history&amp;page=2"' in texts(user)


async def test_a_page_follows_what_happens_elsewhere(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage, "/tasks?view=history&state=completed")
    assert rows(user, "History") == []
    await stage.do(instances.complete, one, actual=Feelings(relief=80))
    await until(lambda: names(user, "History") == ["Tax return"])
    await stage.do(instances.edit, one, actual_relief=33)
    await until(lambda: ">33<" in texts(user))


async def test_another_users_tasks_are_neither_shown_nor_redrawn(user: User, stage: Stage) -> None:
    await stage.task("Mine")
    stranger = await asyncio.to_thread(preferences.create_user, stage.database, "stranger")
    theirs = await asyncio.to_thread(tasks.create, stage.database, stranger, name="Theirs")
    instance = await asyncio.to_thread(instances.plan, stage.database, stranger, theirs)
    await opened(user, stage, f"/tasks?view=history&task={theirs}&instance={instance}")
    assert rows(user, "History") == []
    assert "Theirs" not in texts(user)
    assert not dialogs(user)
    assert user.client is not None
    before = stage.redraws(user.client)
    await asyncio.to_thread(instances.complete, stage.database, stranger, instance)
    await asyncio.sleep(0.3)
    assert stage.redraws(user.client) == before


async def test_a_completion_is_corrected_and_the_correction_taken_back(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return", predicted=Feelings(relief=50), estimate_minutes=40.0)
    await stage.do(instances.complete, one, actual=Feelings(relief=80), actual_minutes=30.123)
    await opened(user, stage, "/tasks?view=history")
    await act(user, "History", "edit")
    slide(user, "Relief", 10)
    fill(user, "How much of it", "50")
    fill(user, "Note", "half of it")
    submit(user)
    await until(lambda: "Saved: Tax return" in texts(user))
    with stage.database.read() as read:
        query = "SELECT actual_relief, predicted_relief, completion_percent, note, actual_minutes FROM instances"
        assert tuple(read.connection.exec_driver_sql(query).one()) == (10, 50, 50.0, "half of it", 30.123)
    await undo(user)
    await until(lambda: "As before: Tax return" in texts(user))
    with stage.database.read() as read:
        assert tuple(read.connection.exec_driver_sql(query).one()) == (80, 50, 100.0, "", 30.123)


async def test_times_that_are_out_of_order_are_refused_and_nothing_typed_is_lost(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await stage.do(instances.complete, one)
    await opened(user, stage, "/tasks?view=history")
    await act(user, "History", "edit")
    fill(user, "Finished", "2026-05-12T09:00")
    submit(user)
    await until(lambda: "expected times in their order" in texts(user))
    assert field(user, "Finished").value == "2026-05-12T09:00"
    fill(user, "Planned on", "2026-05-12T08:00")
    submit(user)
    await until(lambda: not dialogs(user))
    await until(lambda: "yesterday 09:00" in texts(user))


async def test_what_was_expected_of_something_open_can_be_corrected(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage, f"/tasks?view=history&instance={one}")
    assert dialogs(user)  # the address names it
    slide(user, "Motivation", 20)
    fill(user, "Due", "2026-05-20T09:00")
    submit(user)
    await until(lambda: "due Wed 20 May 09:00" in texts(user))


async def test_a_task_is_edited_and_a_stale_edit_is_refused(user: User, stage: Stage) -> None:
    task = await stage.task("Tax return")
    await opened(user, stage)
    await act(user, "Tasks", "edit")
    fill(user, "Name", "Taxes")
    await stage.do(tasks.edit, task, description="from elsewhere")
    submit(user)
    await until(lambda: "was edited elsewhere meanwhile" in texts(user))
    await until(lambda: "from elsewhere" in texts(user))
    press(user, "Cancel")
    await act(user, "Tasks", "edit")
    fill(user, "Name", "Taxes")
    fill(user, "Categories", "money, home")
    submit(user)
    await until(lambda: names(user, "Tasks") == ["Taxes"])
    await undo(user)
    await until(lambda: names(user, "Tasks") == ["Tax return"])
    with stage.database.read() as read:
        assert read.connection.exec_driver_sql("SELECT description FROM tasks").scalar_one() == "from elsewhere"


async def test_an_archived_task_is_brought_back_long_after_its_message_is_gone(user: User, stage: Stage) -> None:
    task = await stage.task("Tax return")
    await stage.do(tasks.archive, task)
    await opened(user, stage)
    assert rows(user, "Tasks") == []
    choose(user, "Archived or not", "yes")
    await until(lambda: names(user, "Tasks") == ["Tax return"])
    await act(user, "Tasks", "restore")
    await until(lambda: rows(user, "Tasks") == [])
    choose(user, "Archived or not", "")
    await until(lambda: names(user, "Tasks") == ["Tax return"])


async def test_an_undo_that_has_become_stale_is_taken_away_or_refused(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage, "/tasks?view=history")
    await act(user, "History", "done")
    submit(user)
    await until(lambda: buttons(user, "Undo"))
    await act(user, "History", "undo")
    await until(lambda: "Open again: Tax return" in texts(user))
    assert buttons(user, "Undo") == []
    await act(user, "History", "done")
    submit(user)
    await until(lambda: buttons(user, "Undo"))
    await stage.do(instances.undo, one)
    stage.clock.advance(minutes=1)
    await stage.do(instances.complete, one)
    await undo(user)
    await until(lambda: "It was completed at another time than this says" in texts(user))


async def test_a_name_cannot_become_markup(user: User, stage: Stage) -> None:
    name = '<img src=x onerror=alert(1)> & "quotes"'
    one = await stage.planned(name)
    await stage.do(instances.edit, one, note=name)
    for address in ("/tasks", "/tasks?view=history"):
        await opened(user, stage, address)
        assert "<img" not in texts(user)
        assert "&lt;img" in texts(user)


def test_an_address_says_what_it_was_made_from() -> None:
    search = Search(view=HISTORY, text="a & b=c", kind="work", state="open", first="2026-01-02", page="3")
    query = dict(part.split("=") for part in search.address.partition("?")[2].split("&"))
    assert query["text"] == "a+%26+b%3Dc"
    assert Search.read(lambda name: search.choices.get(name, "")) == search
    assert search.but(kind="").page == ""
    assert Search().address == "/tasks"
    assert Search.read(lambda name: {"first": "2026-02-30", "page": "-1"}.get(name, "")) == Search()
    assert search.wanted.last is None
    assert timedelta(days=1) + search.wanted.first == search.but(first="2026-01-03").wanted.first  # type: ignore[operator]
