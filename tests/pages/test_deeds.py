"""What one can do with tasks on the dashboard, and what happens when it is refused."""

import asyncio

from nicegui.testing import User

from data import instances, tasks
from data.fields import Feelings
from data.models import State
from data.preferences import LOCAL_USER
from pages.fields import Feeling
from pages.markup import Block
from tests.pages.hands import buttons, dialogs, elements, field, fill, pick, press, rows, slide, submit, texts, undo
from tests.pages.stage import Stage, until


def stored(stage: Stage, instance: str) -> dict[str, object]:
    """Return the row of an instance."""
    with stage.database.read() as read:
        row = read.connection.exec_driver_sql("SELECT * FROM instances WHERE id = ?", (instance,)).one()
    return dict(row._mapping)


async def opened(user: User, stage: Stage) -> None:
    """Open the dashboard and wait until it is filled."""
    client = await user.open("/")
    await until(lambda: all(section.redraws for section in stage.sections(client)))


async def test_a_task_goes_from_planned_over_running_and_paused_to_done(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage)

    press(user, "Start: Tax return")
    await until(lambda: len(rows(user, "Running and paused")) == 1)
    assert rows(user, "Planned") == []

    stage.clock.advance(minutes=20)
    press(user, "Pause: Tax return")
    await until(lambda: buttons(user, "Resume: Tax return"))
    press(user, "Resume: Tax return")
    await until(lambda: buttons(user, "Pause: Tax return"))

    press(user, "Done: Tax return")
    slide(user, "Relief", 80)
    slide(user, "Aversion", 0)
    fill(user, "How much of it", "75")
    fill(user, "Note", "Not so bad")
    submit(user)
    await until(lambda: len(rows(user, "Recently done")) == 1)

    found = stored(stage, one)
    assert found["state"] == State.COMPLETED
    assert (found["actual_relief"], found["actual_aversion"], found["actual_mental_load"]) == (80, 0, None)
    assert (found["actual_minutes"], found["completion_percent"], found["note"]) == (20.0, 75.0, "Not so bad")
    assert not dialogs(user)


async def test_a_completion_can_be_undone_from_the_message_and_from_the_list(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage)
    for name in ("Undo", "Undo: Tax return"):
        press(user, "Done: Tax return")
        submit(user)
        await until(lambda: len(rows(user, "Recently done")) == 1)
        await undo(user, name)
        await until(lambda: len(rows(user, "Planned")) == 1)
    assert stored(stage, one)["state"] == State.PLANNED


async def test_giving_up_takes_a_reason_and_can_be_undone(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage)
    press(user, "Give up: Tax return")
    user.find("Too unpleasant").click()
    submit(user)
    await until(lambda: rows(user, "Planned") == [])
    assert stored(stage, one)["cancel_reason"] == "too_aversive"

    await undo(user)
    await until(lambda: len(rows(user, "Planned")) == 1)
    assert stored(stage, one)["cancel_reason"] is None


async def test_planning_takes_predictions_and_leaves_unsaid_what_is_skipped(user: User, stage: Stage) -> None:
    await stage.task("Tax return", default_aversion=90, estimate_minutes=45)
    await opened(user, stage)
    press(user, "Plan: Tax return")
    slide(user, "Relief afterwards", 70)
    fill(user, "Due", "2026-05-14T09:30")
    submit(user)
    await until(lambda: len(rows(user, "Planned")) == 1)

    one = rows(user, "Planned")[0].props["data-row"]
    found = stored(stage, one)
    assert (found["predicted_relief"], found["predicted_aversion"], found["predicted_motivation"]) == (70, 90, None)
    assert found["estimate_minutes"] == 45
    assert "due tomorrow 09:30" in texts(user)


async def test_a_task_is_jotted_down_with_one_line(user: User, stage: Stage) -> None:
    await opened(user, stage)
    fill(user, "Jot down a task", "Call the bank")
    submit(user, "jot")
    await until(lambda: len(rows(user, "Planned")) == 1)
    await until(lambda: field(user, "Jot down a task").value == "")
    assert "Call the bank" in texts(user)


async def test_what_was_jotted_down_can_be_taken_back_or_gone_to(user: User, stage: Stage) -> None:
    await opened(user, stage)
    fill(user, "Jot down a task", "Call the bank")
    submit(user, "jot")
    await until(lambda: rows(user, "Planned") and buttons(user, "Undo"))
    pressed_by = {name: buttons(user, name)[0].props.get("aria-keyshortcuts") for name in ("Undo", "Go to it")}
    assert pressed_by == {"Undo": "u", "Go to it": None}
    await undo(user)
    await until(lambda: "Taken back: Call the bank" in texts(user))
    await until(lambda: not rows(user, "Planned") and not rows(user, "Tasks"))


async def test_what_was_planned_or_started_can_be_taken_back(user: User, stage: Stage) -> None:
    await stage.task("Tax return")
    await opened(user, stage)
    press(user, "Start now: Tax return")
    await until(lambda: rows(user, "Running and paused"))
    await undo(user)
    await until(lambda: not rows(user, "Running and paused"))
    assert rows(user, "Planned") == []
    one = await stage.planned("Letter")
    await until(lambda: rows(user, "Planned"))
    press(user, "Start: Letter")
    await until(lambda: "Started: Letter" in texts(user))
    await undo(user)
    await until(lambda: stored(stage, one)["state"] == State.PLANNED)


async def test_that_something_was_planned_is_no_longer_said_once_it_is_done(user: User, stage: Stage) -> None:
    await opened(user, stage)
    fill(user, "Jot down a task", "Call the bank")
    submit(user, "jot")
    await until(lambda: rows(user, "Planned") and "Planned: Call the bank" in texts(user))
    press(user, "Done: Call the bank")
    submit(user)
    await until(lambda: len(rows(user, "Recently done")) == 1)
    await until(lambda: "Planned: Call the bank" not in texts(user))


async def test_a_task_with_all_its_fields_is_created_without_being_planned(user: User, stage: Stage) -> None:
    await opened(user, stage)
    press(user, "New task")
    fill(user, "Name", "Dentist")
    pick(user, "Self-care")
    fill(user, "Usually takes", "30,5")
    fill(user, "Categories", "health, calls, health")
    press(user, "Create only")
    await until(lambda: len(rows(user, "Tasks")) == 1)
    assert rows(user, "Planned") == []
    with stage.database.read() as read:
        row = read.connection.exec_driver_sql("SELECT kind, estimate_minutes, categories FROM tasks").one()
    assert tuple(row) == ("self_care", 30.5, '["health", "calls"]')


async def test_a_refusal_is_a_sentence_and_nothing_typed_is_lost(user: User, stage: Stage) -> None:
    await opened(user, stage)
    press(user, "New task")
    fill(user, "Categories", "money")
    submit(user)
    await until(lambda: field(user, "Name").error == "Say in a few words what it is.")
    fill(user, "Name", "x" * 201)
    assert field(user, "Name").error is None
    submit(user)
    await until(lambda: "expected 1 to 200 printable characters" in texts(user))
    fill(user, "Name", "Tax return")
    fill(user, "Usually takes", "an hour")
    submit(user)
    await until(lambda: "Usually takes 'an hour': expected a number." in texts(user))
    assert "printable characters" not in texts(user), "a refusal that was answered is still shown"
    assert len(dialogs(user)) == 1
    assert field(user, "Categories").value == "money"


async def test_a_form_outlives_the_row_it_was_opened_from(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage)
    press(user, "Done: Tax return")
    fill(user, "Note", "half a page of thoughts")

    await stage.do(instances.cancel, one)  # in another window
    await until(lambda: rows(user, "Planned") == [])
    assert len(dialogs(user)) == 1

    submit(user)
    await until(lambda: "It is cancelled: only what is active or paused or planned can be completed." in texts(user))
    assert field(user, "Note").value == "half a page of thoughts"


async def test_a_double_click_acts_once(user: User, stage: Stage) -> None:
    await stage.task("Tax return")
    await opened(user, stage)
    press(user, "Start now: Tax return")
    press(user, "Start now: Tax return")
    await until(lambda: len(rows(user, "Running and paused")) == 1)
    await asyncio.sleep(0.4)  # the second, if there were one, would be drawn by now
    assert len(rows(user, "Running and paused")) == 1
    assert "only what is" not in texts(user)


async def test_an_archived_task_leaves_the_list_and_comes_back_with_undo(user: User, stage: Stage) -> None:
    await stage.task("Tax return")
    await opened(user, stage)
    press(user, "Archive: Tax return")
    await until(lambda: rows(user, "Tasks") == [])
    await undo(user)
    await until(lambda: len(rows(user, "Tasks")) == 1)


async def test_an_unexpected_error_is_told_and_breaks_nothing(user: User, stage: Stage, monkeypatch, caplog) -> None:
    await stage.planned("Tax return")
    await opened(user, stage)
    with monkeypatch.context() as patched:
        patched.setattr(instances, "start", lambda *_: 1 / 0)
        press(user, "Start: Tax return")
        await until(lambda: "That did not work" in texts(user))
    caplog.clear()
    press(user, "Start: Tax return")
    await until(lambda: len(rows(user, "Running and paused")) == 1)


async def test_expected_feelings_stand_beside_the_sliders(user: User, stage: Stage) -> None:
    await stage.planned("Tax return", predicted=Feelings(relief=70))
    await opened(user, stage)
    press(user, "Done: Tax return")
    expected = {one.props["label"]: one.props["expected"] for one in elements(user) if isinstance(one, Feeling)}
    assert expected["Relief"] == 70
    assert expected["Aversion"] is None


async def test_a_task_name_cannot_become_markup(user: User, stage: Stage) -> None:
    name = "<img src=x onerror=alert(1)> & \"quotes\" 'single' </script>"
    one = await stage.planned(name)
    await stage.do(instances.complete, one, actual=Feelings(relief=90))
    again = await asyncio.to_thread(tasks.create, stage.database, LOCAL_USER, name=name + "2")
    await stage.do(instances.plan, again)
    await opened(user, stage)
    markup = "".join(one.content for one in elements(user) if isinstance(one, Block))
    assert "<img" not in markup
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;" in markup
