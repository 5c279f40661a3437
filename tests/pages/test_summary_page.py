"""The daily summary: what it says of finished days, and what it says when there is nothing yet."""

from nicegui.testing import User

from data import instances, preferences
from data.fields import Feelings
from tests.pages.hands import texts
from tests.pages.stage import Stage, until


async def opened(user: User, stage: Stage) -> None:
    """Open the summary and wait until it is filled."""
    client = await user.open("/summary")
    await until(lambda: all(section.redraws for section in stage.sections(client)))


async def test_without_a_finished_day_it_says_when_the_first_summary_comes(user: User, stage: Stage) -> None:
    one = await stage.planned()
    await stage.do(instances.complete, one)  # today
    await opened(user, stage)
    assert "Nothing to sum up yet" in texts(user)
    assert not stage.section("Score").home.visible
    assert not stage.section("Time").home.visible


async def test_it_sums_up_yesterday_and_the_week(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    felt = Feelings(relief=80, mental_load=60, emotional_load=60, physical_load=0, aversion=90)
    await stage.do(instances.complete, one, actual=felt, actual_minutes=150)
    stage.clock.advance(days=1)
    await opened(user, stage)
    shown = texts(user).replace("\u00a0", " ")
    assert "For Wednesday, 13 May 2026, and the seven days that ended with it" in shown
    assert "Yesterday you finished one thing in 2 h 30 min, with an average relief of 80." in shown
    assert "“Tax return” was the hardest thing you did (difficulty 70)" in shown
    assert "As of 00:00 today" in shown
    assert "of 6 h target" in shown
    assert "of 42 h target" in shown


async def test_what_has_no_data_is_a_dash_and_no_zero(user: User, stage: Stage) -> None:
    await stage.do(instances.complete, await stage.planned())  # without saying how it felt
    stage.clock.advance(days=1)
    await opened(user, stage)
    shown = texts(user)
    assert 'href="/glossary#low_stress" title="100 minus your average stress.">Low stress</a>' in shown
    assert '<dt>Best relief</dt><dd class="fact-figure"><span class="figure">—</span></dd>' in shown
    assert shown.count("is-missing") >= 4


async def test_it_says_so_if_the_day_begins_later(user: User, stage: Stage) -> None:
    one = await stage.planned("Tax return")
    await stage.do(instances.complete, one)
    await stage.do(preferences.change, day_start="04:30")
    stage.clock.advance(days=1)
    await opened(user, stage)
    assert "As of 04:30 today, when your day began." in texts(user)
