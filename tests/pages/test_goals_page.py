"""The page of goals: the week, the goal that can be set there, and other weeks by their address."""

from nicegui.testing import User

from data import instances, preferences
from tests.pages.hands import field, fill, submit, texts, undo
from tests.pages.stage import USER, Stage, until


async def opened(user: User, stage: Stage, address: str = "/goals") -> None:
    """Open the page and wait until it is filled."""
    client = await user.open(address)
    await until(lambda: all(section.redraws for section in stage.sections(client)))


async def done(stage: Stage, minutes: float) -> str:
    """Complete something of that length."""
    one = await stage.planned()
    await stage.do(instances.complete, one, actual_minutes=minutes)
    return one


async def test_a_completion_moves_the_week_at_once(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert "Mon 11 May to Sunday, 17 May 2026" in texts(user)
    assert "Finish something that is work or self-care, and it counts here." in texts(user)
    await done(stage, 125)  # Wednesday, 10:00: 2 days and 10 hours of 7 are over, for which 10 h 21 min are the pace
    await until(lambda: "8 h 16 min behind the pace. 27 h 55 min to go." in texts(user))


async def test_the_goal_is_set_here_and_the_way_back_is_offered(user: User, stage: Stage) -> None:
    await opened(user, stage)
    fill(user, "Goal a week", "twelve")
    submit(user, "goal-form")
    await until(lambda: "Goal 'twelve': expected a number" in texts(user))
    fill(user, "Goal a week", "169")
    submit(user, "goal-form")
    await until(lambda: "expected 0 to 168" in texts(user))
    fill(user, "Goal a week", "2,5")
    submit(user, "goal-form")
    await until(lambda: "The goal is 2.5 hours a week." in texts(user))
    await done(stage, 150)
    await until(lambda: "Reached." in texts(user))
    await undo(user)
    await until(lambda: field(user, "Goal a week").value == "30")
    with stage.database.read() as read:
        assert preferences.load(read, USER).goal_hours_per_week == 30


async def test_another_week_has_an_address_of_its_own(user: User, stage: Stage) -> None:
    await done(stage, 600)
    stage.clock.advance(days=7)
    await opened(user, stage, "/goals?week=2026-05-13")
    assert "Mon 11 May to Sunday, 17 May 2026" in texts(user)
    assert "20 h short of the goal." in texts(user)
    await opened(user, stage, "/goals?week=9999-12-31")
    assert "Mon 18 May to Sunday, 24 May 2026" in texts(user)


async def test_a_week_turns_over_at_the_users_midnight(user: User, stage: Stage) -> None:
    await stage.do(preferences.change, first_weekday="sun", time_zone="Asia/Tokyo")
    await opened(user, stage)
    assert "Sun 10 May to Saturday, 16 May 2026" in texts(user)
