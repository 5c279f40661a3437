"""A card answers why it shows what it shows: event, rule, time."""

from nicegui.testing import User

from cache.why import Cause
from data import instances, preferences
from data.demo import add
from events.catalog import CATALOG
from pages.why import rule_behind
from pages.words import EVENTS
from tests.pages.hands import dialogs, press, texts
from tests.pages.stage import Stage, until


async def answer(user: User, stage: Stage, card: str, path: str = "/") -> str:
    """Open a page, ask a card, and return what the dialog says."""
    client = await user.open(path)
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    press(user, f"Why? {card}")
    await until(lambda: dialogs(user))
    return texts(user)


def test_every_event_can_be_put_into_words() -> None:
    assert set(EVENTS) == {event.name for event in CATALOG}


async def test_it_names_event_rule_and_time(user: User, stage: Stage) -> None:
    one = await stage.planned()
    stage.clock.advance(minutes=5, seconds=7)
    await stage.do(instances.complete, one)
    said = await answer(user, stage, "Today's numbers")
    assert "10:05:07: something was completed. That concerns “Metrics”, so it was computed again." in said
    assert "<code>task.completed</code>, number " in said
    assert (
        "<code>task.completed</code> invalidates <code>dashboard.metrics</code>, <code>dashboard.tasks</code>" in said
    )
    assert "fresh: computed as of event" in said


async def test_it_says_that_a_card_kept_what_it_showed(user: User, stage: Stage) -> None:
    await stage.do(preferences.change, analytics_refresh="manual")
    one, other = await stage.planned(), await stage.planned("Another")
    await stage.do(instances.complete, one)
    client = await user.open("/analytics")
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    await stage.do(instances.complete, other)
    await until(lambda: stage.section("ReliefCard").is_behind)
    press(user, "Why? Relief")
    await until(lambda: dialogs(user))
    assert "That concerns “Relief summary”, but what stands here is of before." in texts(user)


async def test_a_day_and_twelve_hours_are_written_as_everywhere(user: User, stage: Stage) -> None:
    await stage.do(preferences.change, clock_hours=12)
    one = await stage.planned()
    await stage.do(instances.complete, one)
    stage.clock.advance(days=1)
    said = await answer(user, stage, "Now")
    assert "yesterday 10:00:00 am: something was completed." in said


async def test_what_is_read_of_the_log_is_escaped_and_everything_has_a_rule(user: User, stage: Stage) -> None:
    await stage.do(add, days=2)
    said = await answer(user, stage, "What next")
    assert "<code>data.imported</code> invalidates <code>*</code>" in said


def test_a_cause_that_no_rule_names_any_more_has_none() -> None:
    cause = Cause(seq=1, event="task.completed", at=None, prefix="dashboard.metrics")
    found = rule_behind(cause)
    assert found is not None
    assert "dashboard.metrics" in found.invalidates
    assert rule_behind(Cause(seq=1, event="task.completed", at=None, prefix="goals")) is None
    assert rule_behind(Cause(seq=1, event="task.gone", at=None, prefix="dashboard.metrics")) is None
    carried = rule_behind(Cause(seq=1, event="refresh.requested", at=None, prefix="analytics"))
    assert carried is not None
    assert carried.carried
