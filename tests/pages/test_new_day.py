"""A new day on open pages: what the scheduler's look starts, plans and lists is seen at once."""

import asyncio
import threading
from collections.abc import Collection

import pytest
from nicegui.testing import User

from data import instances
from events.catalog import UserId
from scheduler.day import DayWatch
from tests.pages.hands import rows, texts
from tests.pages.stage import USER, Stage, until

SECONDS_AFTER_A_LOOK = 2.0


async def look(stage: Stage) -> None:
    """Look as the scheduler does."""
    await asyncio.to_thread(DayWatch(stage.database).look)


async def test_open_summaries_and_dashboards_turn_over_with_the_look(user: User, create_user, stage: Stage) -> None:
    other: User = create_user()
    await stage.do(instances.complete, await stage.planned("Tax return"), actual_minutes=30)
    await user.open("/summary")
    await other.open("/")
    await until(lambda: all(section.redraws for section in stage.sections()))
    assert "Nothing to sum up yet" in texts(user)
    stage.clock.advance(days=1)
    await look(stage)
    await until(lambda: "For Wednesday, 13 May 2026" in texts(user), SECONDS_AFTER_A_LOOK)
    await until(lambda: "Thursday, 14 May 2026" in texts(other), SECONDS_AFTER_A_LOOK)


async def test_the_look_knows_who_has_a_page_open(user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Collection[UserId]] = []
    monkeypatch.setattr("scheduler.day.start_in_batches", lambda _, first: named.append(first) or iter(()))
    await user.open("/")
    assert stage.application is not None
    await asyncio.to_thread(stage.application._work()["day"], threading.Event())
    assert named == [{USER}]


async def test_what_a_routine_plans_appears_and_what_was_missed_is_listed_for_a_week(user: User, stage: Stage) -> None:
    await stage.task("Water the plants", routine="daily")
    await user.open("/")
    await until(lambda: all(section.redraws for section in stage.sections()))
    assert rows(user, "Planned") == []
    stage.clock.advance(days=3)
    await look(stage)
    await until(lambda: len(rows(user, "Planned")) == 1)
    missed = "Not planned, because Reprieve was not running: Water the plants (Thu 14 May, yesterday)."
    await until(lambda: missed in texts(user))
    stage.clock.advance(days=9)
    await look(stage)
    await until(lambda: len(rows(user, "Planned")) == 2)
    await until(lambda: "Thu 14 May" not in texts(user))
    assert "Water the plants (Mon 18 May" in texts(user)
