"""The lists change in place, show the first of many, and say what to do when they are empty."""

import asyncio
from datetime import timedelta

import pytest
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from data import demo, instances, preferences, tasks
from pages import routes
from tests.pages.hands import fill, press, rows, submit, texts
from tests.pages.stage import USER, Stage, until


async def opened(user: User, stage: Stage) -> None:
    """Open the dashboard and wait until it is filled."""
    client = await user.open("/")
    await until(lambda: all(section.redraws for section in stage.sections(client)))


async def many(stage: Stage, count: int) -> list[str]:
    """Plan *count* things, due one after the other, and return their ids."""

    def plan() -> list[str]:
        task = tasks.create(stage.database, USER, name="Again and again")
        due = stage.clock() + timedelta(days=1)
        return [
            instances.plan(stage.database, USER, task, due_at=due + timedelta(hours=number)) for number in range(count)
        ]

    return await asyncio.to_thread(plan)


def ids(user: User, name: str) -> list[str]:
    """Return the ids of the rows of a list, in order."""
    return [row.props["data-row"] for row in rows(user, name)]


async def test_rows_that_are_not_concerned_stay_the_same_elements(user: User, stage: Stage) -> None:
    one, two, three = await many(stage, 3)
    await opened(user, stage)
    before = {row.props["data-row"]: row for row in rows(user, "Planned")}

    await stage.do(instances.complete, two)
    await until(lambda: ids(user, "Planned") == [one, three])
    assert [before[one], before[three]] == rows(user, "Planned")

    await stage.do(instances.edit, three, due_at=stage.clock())
    await until(lambda: ids(user, "Planned") == [three, one])
    assert [before[three], before[one]] == rows(user, "Planned")
    assert before[two].is_deleted


async def test_a_row_that_comes_in_between_stands_in_between(user: User, stage: Stage) -> None:
    one, two, three = await many(stage, 3)
    await stage.do(instances.complete, two)
    await opened(user, stage)
    await stage.do(instances.undo, two)
    await until(lambda: ids(user, "Planned") == [one, two, three])


async def test_what_looks_the_same_sends_nothing(user: User, stage: Stage) -> None:
    one, *_ = await many(stage, 5)
    await opened(user, stage)
    assert user.client is not None
    await until(lambda: not user.client.outbox.updates)
    sent: list[str] = []
    row_ids = {element.id for row in rows(user, "Planned") for element in row.descendants(include_self=True)}
    original = user.client.outbox.enqueue_update

    def spy(element):
        if element.id in row_ids:
            sent.append(str(element))
        original(element)

    user.client.outbox.enqueue_update = spy
    await stage.do(instances.complete, one)
    await until(lambda: len(rows(user, "Planned")) == 4)
    assert sent == []


async def test_a_long_list_shows_its_first_and_more_on_request(user: User, stage: Stage) -> None:
    planned = await many(stage, 65)
    await opened(user, stage)
    assert ids(user, "Planned") == planned[:25]
    press(user, "Show 25 more of 40")
    assert ids(user, "Planned") == planned[:50]
    press(user, "Show 15 more")
    assert ids(user, "Planned") == planned


async def test_a_press_on_what_is_there_no_more_does_nothing(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await opened(user, stage)
    planned = rows(user, "Planned")[0].parent_slot
    assert planned is not None
    for pressed in ([one, "undo"], ["gone", "go-on"], [None, None]):
        UserInteraction(user, {planned.parent}, None).trigger("click", pressed)
    await asyncio.sleep(0.1)
    assert ids(user, "Planned") == [one]
    UserInteraction(user, {planned.parent}, None).trigger("click", [one, "go-on"])
    await until(lambda: ids(user, "Running and paused") == [one])


async def test_tasks_can_be_searched_by_name_kind_and_category(user: User, stage: Stage) -> None:
    for number in range(8):
        await stage.task(f"Task {number}")
    dentist = await stage.task("Call the dentist", kind="self_care", categories=("Health",))
    await opened(user, stage)
    fill(user, "Search tasks", "HEALTH call")
    assert ids(user, "Tasks") == [dentist]
    fill(user, "Search tasks", "nothing of the kind")
    assert "No task is called so." in texts(user)
    fill(user, "Search tasks", "")
    assert len(ids(user, "Tasks")) == 9


async def test_times_are_written_as_the_person_prefers(user: User, stage: Stage) -> None:
    task = await stage.task("Tax return")
    await stage.do(instances.plan, task, due_at=stage.clock() + timedelta(hours=5))
    await opened(user, stage)
    assert "due today 15:00" in texts(user)
    await stage.do(preferences.change, clock_hours=12, time_zone="America/New_York")
    await until(lambda: "due today 11:00 am" in texts(user))


async def test_an_empty_dashboard_says_what_to_do_and_offers_a_demo(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert stage.section("Welcome").home.visible
    assert "Nothing is running." in texts(user)

    press(user, "Look around with demo data")
    await until(lambda: not stage.section("Welcome").home.visible, seconds=30)
    await until(lambda: rows(user, "Recently done"))
    await until(lambda: stage.section("DemoNotice").home.visible)


async def test_removing_the_demo_asks_first(user: User, stage: Stage) -> None:
    await stage.do(demo.add, days=3)
    own = await stage.task("My own")
    await opened(user, stage)
    press(user, "Remove the demo data")
    await asyncio.sleep(0.1)
    assert len(rows(user, "Tasks")) > 1
    submit(user)
    await until(lambda: ids(user, "Tasks") == [own])
    await until(lambda: not stage.section("DemoNotice").home.visible)


@pytest.mark.parametrize("path", ["/", "/summary"])
async def test_a_page_has_one_main_heading_and_a_title(user: User, stage: Stage, path: str) -> None:
    client = await user.open(path)
    headings = [element for element in client.elements.values() if element.tag == "h1"]
    assert len(headings) == 1
    assert client.resolve_title().endswith("· Reprieve")


async def test_the_first_response_has_what_is_cached_already(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "FILL_WAIT_SECONDS", 10.0)  # however busy the machine is
    await stage.planned("Tax return")
    await opened(user, stage)
    response = await user.http_client.get("/")
    assert "Tax return" in response.text
