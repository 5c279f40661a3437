"""What one person does, others see: without reloading, at once, and on the cards concerned only."""

import asyncio
import threading
import time

from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from data import instances
from data.database import Database
from tests.pages.hands import texts
from tests.pages.stage import USER, Stage, until


def completed_today(stage: Stage, user: User) -> str:
    """Return what the card "Completed" shows; nothing before it shows anything."""
    assert user.client is not None
    card = stage.section("Metrics", user.client)._cards[0].content  # type: ignore[attr-defined]
    _, _, value = card.partition('class="figure">')
    return value.partition("<")[0]


async def test_completing_in_one_window_changes_the_number_in_another(user: User, create_user, stage: Stage) -> None:
    other: User = create_user()
    one = await stage.planned()
    await user.open("/")
    await other.open("/")
    await until(lambda: completed_today(stage, other) == "0")

    await stage.do(instances.complete, one)

    await until(lambda: completed_today(stage, other) == "1")
    await until(lambda: completed_today(stage, user) == "1")
    await until(lambda: ">Undo<" in texts(other))


async def test_only_the_cards_concerned_are_redrawn(user: User, create_user, stage: Stage) -> None:
    reader: User = create_user()
    one = await stage.planned()
    dashboard = await user.open("/")
    summary = await reader.open("/summary")
    await until(lambda: all(section.redraws for section in stage.sections()))
    before, before_summary = stage.redraws(dashboard), stage.redraws(summary)

    await stage.do(instances.complete, one)
    await until(lambda: completed_today(stage, user) == "1")

    lists = {"Running", "Planned", "Recent", "Templates", "Welcome", "DemoNotice"}
    await until(lambda: set(stage.redraws(dashboard) - before) >= {"Metrics", "Recommended", *lists})
    changed = stage.redraws(dashboard) - before
    assert set(changed) == {"Metrics", "Recommended", *lists}
    assert set(changed.values()) == {1}
    assert not stage.redraws(summary) - before_summary


async def test_a_change_by_another_process_shows_up(user: User, stage: Stage) -> None:
    one = await stage.planned()
    await user.open("/")

    def elsewhere() -> None:
        database = Database(stage.database.url, clock=stage.clock)
        database.open()
        try:
            instances.complete(database, USER, one)
        finally:
            database.close()

    await asyncio.to_thread(elsewhere)

    await until(lambda: completed_today(stage, user) == "1")


async def test_the_first_change_is_drawn_at_once_and_a_burst_is_merged(user: User, stage: Stage) -> None:
    some = [await stage.planned(f"Task {number}") for number in range(20)]
    client = await user.open("/")
    await until(lambda: completed_today(stage, user) == "0")
    await asyncio.sleep(0.5)  # until the hub rests no more: the burst must begin in silence
    before = stage.redraws(client)["Metrics"]
    began = time.monotonic()

    drawn = threading.Event()

    def burst() -> bool:
        for one in some[:10]:
            instances.complete(stage.database, USER, one)
        was_drawn = drawn.wait(10)  # if nothing were drawn before there is silence, this would be in vain
        for one in some[10:]:
            instances.complete(stage.database, USER, one)
        return was_drawn

    burst_task = asyncio.create_task(asyncio.to_thread(burst))
    await until(lambda: stage.redraws(client)["Metrics"] > before)
    drawn.set()
    assert await burst_task
    await until(lambda: completed_today(stage, user) == "20")

    assert stage.redraws(client)["Metrics"] - before <= 2 + (time.monotonic() - began) / 0.25


async def test_a_hidden_tab_is_drawn_once_when_it_is_shown_again(user: User, stage: Stage) -> None:
    some = [await stage.planned(f"Task {number}") for number in range(3)]
    client = await user.open("/")
    section = stage.section("Metrics", client)
    await until(lambda: section.redraws)
    section.visit.screen.is_hidden = True
    before = section.redraws

    for one in some:
        await stage.do(instances.complete, one)
    await asyncio.sleep(0.4)
    assert section.redraws == before

    UserInteraction(user, {client.layout}, None).trigger("reprieve_visibility", "visible")
    await until(lambda: completed_today(stage, user) == "3")
    assert section.redraws == before + 1
