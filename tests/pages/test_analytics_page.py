"""The analytics page: what it shows, that it follows what happens, and what it keeps for those who refresh by hand."""

import asyncio
import re
from functools import partial

import pytest
from nicegui import Client
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from cache.values import ANALYTICS_TRENDS
from data import instances, preferences, tasks
from data.fields import Feelings
from events.catalog import InstanceId
from pages.analytics.card import Card
from pages.analytics.trends import OPTIONS, WINDOWS
from pages.markup import Block
from tests.pages.hands import buttons, choose, chosen, elements, press, texts
from tests.pages.stage import Stage, until

FELT = Feelings(relief=80, mental_load=40, emotional_load=20, physical_load=0, aversion=90)


async def opened(user: User, stage: Stage, path: str = "/analytics") -> Client:
    """Open the page and wait until it is filled."""
    client = await user.open(path)
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    return client


async def done(stage: Stage, name: str = "Tax return", **values: object) -> InstanceId:
    """Plan and complete something that took an hour."""
    one = await stage.planned(name)
    await stage.do(partial(instances.complete, actual=FELT, actual_minutes=60, **values), one)
    return one


def shown(stage: Stage, name: str, client: Client | None = None) -> str:
    """Return what a card shows."""
    home = stage.section(name, client).home
    return "\n".join(one.content for one in home.descendants() if isinstance(one, Block))


def line(user: User) -> str:
    """Return what stands below the title."""
    assert user.client is not None
    return next(one.text for one in elements(user) if "page-date" in one.classes)  # type: ignore[attr-defined]


def points(stage: Stage, user: User) -> str:
    """Return the relief points on show."""
    _, _, figure = shown(stage, "ReliefCard", user.client).partition('<span class="figure">')
    return figure.partition("<")[0]


async def test_before_the_first_completion_it_says_what_to_do(user: User, stage: Stage) -> None:
    client = await opened(user, stage)
    cards = [section for section in stage.sections(client) if isinstance(section, Card)]
    assert [type(card).__name__ for card in cards if card.home.visible] == ["Nothing"]

    await done(stage)
    await until(lambda: not stage.section("Nothing").home.visible)
    assert all(card.home.visible for card in cards if type(card).__name__ != "Nothing")


async def test_it_shows_what_was_computed(user: User, stage: Stage) -> None:
    await done(stage, "Tax return")
    await opened(user, stage)
    assert points(stage, user) == "80"
    assert "Tax return" in shown(stage, "BestAndWorstCard")
    assert "Better off" in shown(stage, "ReliefCard")
    grid = shown(stage, "WeekCard")
    assert grid.count("<tr>") == 8
    assert grid.count('scope="col"') == 24
    assert 'data-tip="Wednesday 10 h: relief 80\n1 thing, 80 points"' in grid
    assert "Completion rate" in shown(stage, "CompositeCard")
    assert "1 h in 1 completed." in texts(user)
    assert "It takes three completed attempts" in shown(stage, "CorrelationsCard")


async def test_completing_in_one_window_changes_the_analytics_in_another(user: User, create_user, stage: Stage) -> None:
    other: User = create_user()
    await done(stage)
    summary = await opened(user, stage, "/summary")
    client = await opened(other, stage)
    before, before_summary = stage.redraws(client), stage.redraws(summary)
    assert points(stage, other) == "80"

    await done(stage)

    await until(lambda: points(stage, other) == "160")
    concerned = {"ReliefCard", "TrendsCard", "CompositeCard", "DistributionCard"}
    await until(lambda: set(stage.redraws(client) - before) >= concerned)
    assert not stage.redraws(summary) - before_summary


async def test_planning_redraws_nothing_here(user: User, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    before = stage.redraws(client)
    await stage.planned()
    await asyncio.sleep(0.4)  # what it would take
    assert stage.redraws(client) == before


async def test_another_users_completions_do_not_show(user: User, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    before = stage.redraws(client)
    someone = await asyncio.to_thread(preferences.create_user, stage.database, "somebody else")

    def elsewhere() -> None:
        task = tasks.create(stage.database, someone, name="A secret")
        one = instances.plan(stage.database, someone, task)
        instances.complete(stage.database, someone, one, actual=FELT, actual_minutes=600)

    await asyncio.to_thread(elsewhere)
    await asyncio.sleep(0.4)  # what it would take
    assert points(stage, user) == "80"
    assert stage.redraws(client) == before
    press(user, "Refresh")
    await until(lambda: "All numbers were computed anew." in texts(user))
    assert points(stage, user) == "80"
    assert "A secret" not in texts(user)


# --- refreshing by hand


async def by_hand(user: User, stage: Stage) -> Client:
    """Open the page as somebody who refreshes by hand, with one completion on show."""
    await stage.do(preferences.change, analytics_refresh="manual")
    await done(stage)
    client = await opened(user, stage)
    assert line(user) == "As of 10:00. You refresh by hand; after 1 h it happens by itself."
    return client


async def test_who_refreshes_by_hand_keeps_what_is_shown_and_is_told(user: User, stage: Stage) -> None:
    client = await by_hand(user, stage)
    before = stage.redraws(client)
    stage.clock.advance(minutes=5)

    await done(stage)

    await until(lambda: line(user) == "Newer numbers exist. These are as of 10:00.")
    assert "is-primary" in buttons(user, "Refresh")[0].classes
    assert points(stage, user) == "80"
    assert stage.redraws(client) - before == {}
    assert "<p>As of 10:00</p>" in shown(stage, "ReliefCard")

    press(user, "Refresh")
    await until(lambda: points(stage, user) == "160")
    await until(lambda: "All numbers were computed anew." in texts(user))
    assert line(user).startswith("As of 10:05.")
    assert "is-primary" not in buttons(user, "Refresh")[0].classes
    assert not any(card.is_behind for card in stage.sections(client))


async def test_after_an_hour_it_refreshes_by_itself(user: User, stage: Stage) -> None:
    await by_hand(user, stage)
    stage.clock.advance(minutes=59)
    await done(stage)
    await until(lambda: line(user).startswith("Newer"))
    await asyncio.sleep(0.4)  # two looks at the clock
    assert points(stage, user) == "80"
    stage.clock.advance(minutes=1)
    await until(lambda: points(stage, user) == "160")
    await until(lambda: line(user).startswith("As of 11:00."))


async def test_who_decides_for_automatic_again_is_up_to_date_at_once(user: User, stage: Stage) -> None:
    await by_hand(user, stage)
    await done(stage)
    await until(lambda: line(user).startswith("Newer"))
    await stage.do(preferences.change, analytics_refresh="auto")
    await until(lambda: points(stage, user) == "160")
    await until(lambda: line(user) == "As of 10:00.")


async def test_the_dashboard_follows_at_once_whatever_the_analytics_do(user: User, create_user, stage: Stage) -> None:
    other: User = create_user()
    await by_hand(user, stage)
    await opened(other, stage, "/")
    await done(stage, "Something new")
    await until(lambda: "Something new" in shown(stage, "Recommended", other.client))
    assert points(stage, user) == "80"


async def test_another_window_of_the_same_person_is_told_too(user: User, create_user, stage: Stage) -> None:
    other: User = create_user()
    await by_hand(user, stage)
    await opened(other, stage)
    await done(stage)
    await until(lambda: line(other).startswith("Newer"))
    press(user, "Refresh")
    await until(lambda: points(stage, user) == "160")
    assert points(stage, other) == "80"


# --- the button


async def test_the_button_has_everything_computed_anew(user: User, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    stage.clock.advance(minutes=3)
    press(user, "Refresh")
    await until(lambda: "All numbers were computed anew." in texts(user))
    assert line(user) == "As of 10:03."
    assert buttons(user, "Refresh")[0].props.get("aria-busy") is None
    assert all(section.loaded_at == stage.clock() for section in stage.sections(client) if isinstance(section, Card))


async def test_the_button_says_so_if_it_could_not(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await done(stage)
    await opened(user, stage)

    def fail(*_: object) -> None:
        raise OSError("the disk is on fire")

    monkeypatch.setitem(ANALYTICS_TRENDS.__dict__, "loader", fail)  # the class is frozen
    press(user, "Refresh")
    await until(lambda: "Some numbers could not be computed." in texts(user))
    assert "Newer numbers could not be computed. As of 10:00." in texts(user)
    caplog.clear()


# --- choices


async def test_a_choice_changes_the_card_and_the_address_brings_it_back(user: User, create_user, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    before = stage.redraws(client)
    choose(user, "Metric", "minutes_work")
    press(user, "30 days")
    assert "Time spent on work that you finished." in shown(stage, "TrendsCard")
    assert "Work on each of the last 30 days" in shown(stage, "TrendsCard")
    assert stage.section("TrendsCard").visit.address.get("metric") == "minutes_work"
    assert stage.redraws(client) == before, "a choice reads nothing"

    other: User = create_user()
    await opened(other, stage, "/analytics?metric=minutes_work&days=30&by=task&pair=relief")
    assert "Work on each of the last 30 days" in shown(stage, "TrendsCard", other.client)
    assert "Tax return" in shown(stage, "DistributionCard", other.client)
    assert chosen(other, "Goes together with") == "relief"


async def test_the_back_button_takes_a_choice_back(user: User, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    choose(user, "Metric", "avg_stress")
    assert "Stress on each of" in shown(stage, "TrendsCard")
    UserInteraction(user, {client.layout}, None).trigger("sub_pages_open", "/analytics")
    await until(lambda: "Relief on each of" in shown(stage, "TrendsCard"))


async def test_an_address_that_means_nothing_shows_what_is_usual(user: User, stage: Stage) -> None:
    await done(stage)
    await opened(user, stage)
    usual = texts(user)
    address = stage.section("TrendsCard").visit.address
    for query in ("metric=created", "metric=%3Cb%3E&days=8", "days=9999", "by=x&pair=x", "metric=&days="):
        address.arrived(f"/analytics?{query}")
        assert texts(user) == usual
    address.arrived("/analytics?metric=avg_stress")
    assert texts(user) != usual


async def test_every_metric_has_a_trend_in_every_window(user: User, stage: Stage) -> None:
    for _ in range(3):
        await done(stage)
        stage.clock.advance(days=1)
    client = await opened(user, stage)
    card = stage.section("TrendsCard", client)
    for metric in OPTIONS:
        for window in WINDOWS:
            card.visit.address.choose(metric=metric, days=window)
            assert not card.is_broken, metric


async def test_the_figure_is_that_of_the_window_by_the_metrics_own_formula(user: User, stage: Stage) -> None:
    """Of three instances on one day and one on the next, the mean is over four instances, not over two days."""

    async def finished(relief: int) -> None:
        complete = partial(instances.complete, actual=Feelings(relief=relief), actual_minutes=60)
        await stage.do(complete, await stage.planned())

    def said() -> str:
        return re.sub("<[^>]+>", " ", shown(stage, "TrendsCard"))

    for relief in (0, 0, 30):
        await finished(relief)
    stage.clock.advance(days=1)
    await finished(90)
    client = await opened(user, stage, "/analytics?days=30")
    card = stage.section("TrendsCard", client)
    assert re.search(r"\s30\s+of 100\s+over 30 days", said())
    assert re.search(r"7 days\s+30 of 100\s+30 days\s+30 of 100\s+90 days\s+30 of 100\s+all 2 days\s+30 of 100", said())
    card.visit.address.choose(metric="minutes_work")
    assert re.search(r"\s4\s+h\s+over 30 days\s+8 min a day", said())
    card.visit.address.choose(metric="streak_days")
    assert re.search(r"\s2\s+days\s+today\s+▲ from 0 days 30 days ago", said())
    assert "all 2 days" not in said()


async def test_times_follow_the_preferences_without_a_reading(user: User, stage: Stage) -> None:
    await done(stage)
    client = await opened(user, stage)
    before = stage.redraws(client)["WeekCard"]
    assert ">14</th>" in shown(stage, "WeekCard")
    assert shown(stage, "WeekCard").index(">Mon<") < shown(stage, "WeekCard").index(">Sun<")
    await stage.do(preferences.change, clock_hours=12, first_weekday="sun")
    await until(lambda: ">2 pm</th>" in shown(stage, "WeekCard"))
    assert shown(stage, "WeekCard").index(">Sun<") < shown(stage, "WeekCard").index(">Mon<")
    assert stage.redraws(client)["WeekCard"] == before


async def test_a_new_day_moves_the_windows(user: User, stage: Stage) -> None:
    await done(stage)
    await opened(user, stage, "/analytics?days=7")
    assert "Wed 13 May" in shown(stage, "TrendsCard")
    stage.clock.advance(days=1)
    await until(lambda: "Thu 14 May" in shown(stage, "TrendsCard"))
