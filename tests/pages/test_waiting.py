"""A long load: its cards say how far it is, it can be stopped, and goes on from there when it is asked for again."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from nicegui.testing import User

from cache.values import ANALYTICS_RELIEF_SUMMARY
from data import instances
from data.calculations import past
from data.fields import Feelings
from data.pieces import Stopped, tell
from events.catalog import Reloaded
from pages.waiting import Waiting, Watch
from tests.pages.hands import buttons, press, texts
from tests.pages.stage import USER, Stage, until

YEARS = range(2018, 2026)
YEARS_BEFORE = 2
MONTHS = 12 * (len(YEARS) - 1) + 4
"""Those before the newest one."""


class Gate:
    """Lets a long load stand still after some years until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def tell(self, done: int, total: int) -> None:
        """Tell as ever, but wait after some years."""
        tell(done, total)
        if done == 12 * YEARS_BEFORE:
            self.reached.set()
            assert self.opened.wait(10)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(past, "tell", made.tell)
    yield made
    made.opened.set()


async def opened(user: User, stage: Stage, gate: Gate) -> None:
    """Open the analytics of somebody who finished something each year, and wait until their load stands."""
    for year in YEARS:
        done, at = await stage.planned(f"Taxes of {year}"), datetime(year, 5, 1, tzinfo=UTC)
        await stage.do(instances.complete, done, actual=Feelings(relief=70))
        await stage.do(instances.edit, done, created_at=at, completed_at=at)
    await user.open("/analytics")
    assert await asyncio.to_thread(gate.reached.wait, 10)
    await until(lambda: f"month {12 * YEARS_BEFORE + 1} of {MONTHS}" in texts(user))


async def test_a_card_that_waits_says_how_far_its_load_is(user: User, stage: Stage, gate: Gate) -> None:
    await opened(user, stage, gate)
    card = stage.section("ReliefCard")
    assert "is-loading" in card.home.classes
    gate.opened.set()
    await until(lambda: card.redraws)
    assert "is-loading" not in card.home.classes
    await until(lambda: not [one for one in buttons(user, "Stop") if one.parent_slot.parent.visible])


async def test_a_load_that_is_stopped_says_so_and_goes_on_when_it_is_asked_for(
    user: User, stage: Stage, gate: Gate
) -> None:
    await opened(user, stage, gate)
    card = stage.section("ReliefCard")
    assert stage.application is not None
    press(user, "Stop")
    await until(lambda: stage.application.pages.hub.waits.of(USER).stops)
    gate.opened.set()
    await until(lambda: card.is_stopped)
    assert "Loading was stopped." in texts(user)
    assert not card.redraws
    counts = stage.application.manager.get_cache_stats().keys
    before = next(one.loads for one in counts if one.key == "pieces.years")
    # One more year is added up before the next look for a stop where its months are there already.
    assert YEARS_BEFORE <= before < len(YEARS) - 1, "what was finished is kept"

    stage.application.pages.hub.seen_again(card.visit.screen)
    stage.application.pages.hub.forward(Reloaded(user=USER, prefixes=(ANALYTICS_RELIEF_SUMMARY.key,), seq=1))
    await asyncio.sleep(0.3)
    assert card.is_stopped, "nobody has asked for it"

    press(user, "Load")
    await until(lambda: all(one.redraws for one in stage.sections() if ANALYTICS_RELIEF_SUMMARY in one.values[:1]))
    assert not card.is_stopped
    counts = stage.application.manager.get_cache_stats().keys
    assert next(one.loads for one in counts if one.key == "pieces.years") == len(YEARS) - 1
    assert stage.application.manager.get_or_load(ANALYTICS_RELIEF_SUMMARY, USER).completed == len(YEARS)


def test_of_loads_side_by_side_the_one_is_named_that_has_most_to_do() -> None:
    waiting = Waiting()
    Watch(waiting)(3, 12)
    other = threading.Thread(target=lambda: (Watch(waiting)(1, 2), Watch(waiting)(2, 2)))
    other.start()
    other.join()
    assert waiting.words == "Reading the past: month 4 of 12"


def test_a_stop_ends_what_was_begun_before_it_and_nothing_after() -> None:
    waiting = Waiting()
    first = Watch(waiting)
    first(3, 12)
    assert waiting.words == "Reading the past: month 4 of 12"
    waiting.stop()
    with pytest.raises(Stopped):
        first(4, 12)
    assert waiting.words == "Loading …"
    assert first.is_stopped
    second = Watch(waiting)
    second(4, 12)
    second(12, 12)
    assert waiting.words == "Loading …"
