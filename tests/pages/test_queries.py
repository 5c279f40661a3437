"""What sections read past the cache: redrawn with what they follow, only if it differs, and failing by themselves."""

import asyncio
import gc
import weakref

import pytest
from nicegui import Client
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from data import instances, preferences
from data.calculations.goals import load_week
from pages import goals
from tests.pages.hands import press, texts
from tests.pages.stage import Stage, until


async def filled(user: User, stage: Stage, path: str = "/goals") -> Client:
    """Open a page and wait until everything on it is drawn."""
    client = await user.open(path)
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    return client


async def test_what_reads_the_same_is_not_drawn_again(user: User, stage: Stage) -> None:
    one = await stage.planned()
    client = await filled(user, stage)
    before = stage.redraws(client)
    await stage.do(instances.start, one)  # concerns what it follows, and changes nothing of the week
    await asyncio.sleep(0.4)
    assert stage.redraws(client) == before
    await stage.do(instances.complete, one, actual_minutes=60)
    await until(
        lambda: all(
            stage.redraws(client)[name] == number + 1
            for name, number in before.items()
            if name in ("Heading", "Progress", "Days", "Weeks")
        )
    )


async def test_a_query_that_fails_keeps_the_last_good_numbers_and_stops_no_other(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = await stage.planned()
    await filled(user, stage)
    stage.clock.advance(minutes=7)

    def fail(*_: object) -> None:
        raise OSError("the disk is on fire")

    with monkeypatch.context() as broken:
        broken.setattr(goals.Days, "query", lambda _: fail)
        await stage.do(instances.complete, one, actual_minutes=60)
        await until(lambda: "Newer numbers could not be computed. As of 10:00." in texts(user))
        await until(lambda: "29 h to go" in texts(user))  # the others went on
    caplog.clear()
    press(user, "Try again")
    await until(lambda: "1.0 h" in texts(user))


async def test_the_cached_value_that_it_follows_is_not_loaded_for_it(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(user, stage)
    assert stage.application is not None
    stats = {key.key: key.loads for key in stage.application.manager.get_cache_stats().keys}
    assert stats["dashboard.tasks"] == 0


async def test_a_query_sees_the_state_that_the_values_are_of(user: User, stage: Stage) -> None:
    """The goal is read with the week: a page never shows the one without the other."""
    await filled(user, stage)
    await stage.do(preferences.change, goal_hours_per_week=1)
    await until(lambda: "of 1 h" in texts(user))
    section = stage.section("Progress")
    assert section.reading is not None
    assert section.reading.view.profile.goal_hours_per_week == 1
    with stage.database.read() as read:
        assert section.reading.found[section] == load_week(read, section.reading.view, 1)


async def test_a_page_that_is_left_for_another_leaves_no_section_behind(user: User, stage: Stage) -> None:
    client = await filled(user, stage, "/tasks?view=history")
    theme = stage.section("ThemeSwitch")
    for address in ("/settings", "/goals", "/experimental", "/tasks"):
        left = [weakref.ref(section) for section in stage.sections(client) if section is not theme]
        assert left
        UserInteraction(user, {client.layout}, None).trigger("sub_pages_navigate", address)
        await until(lambda left=left: gc.collect() is not None and not any(section() for section in left))
        await until(lambda: all(section.redraws for section in stage.sections(client)))
