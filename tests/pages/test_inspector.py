"""The inspector: what happened, how values stand, and the audit, live and of the person who looks only."""

import asyncio

import pytest
from nicegui.testing import User

from cache.values import DASHBOARD_METRICS, DASHBOARD_TASKS
from data import instances, preferences, tasks
from data.fields import Feelings
from events.rules import RULES
from tests.pages.hands import press, texts
from tests.pages.stage import USER, Stage, until


async def opened(user: User, stage: Stage) -> None:
    await user.open("/inspector")
    await until(lambda: ">Tasks<" in shown(user) and "checked" in shown(user) and "</table>" in shown(user))


def shown(user: User) -> str:
    """Return what stands on the page, without the picture of the rules."""
    return texts(user).partition("<svg")[0]


def row(user: User, start: str) -> str:
    """Return the markup of the first table row that holds *start*."""
    return next(part for part in shown(user).split("<tr>") if start in part).partition("</tr>")[0]


async def test_an_event_shows_what_it_made_stale_computed_and_redrawn(user: User, stage: Stage) -> None:
    one = await stage.planned()
    await user.open("/")
    await until(lambda: all(section.redraws for section in stage.sections()))
    await stage.do(instances.complete, one, actual=Feelings(relief=50))
    assert stage.application is not None
    journal = stage.application.manager.journal
    await until(lambda: {redraw.section for redraw in journal.latest(USER)[0].redraws} >= {"Metrics", "Recent"})
    happened = journal.latest(USER)[0]
    assert (happened.event, happened.prefixes[:3]) == (
        "task.completed",
        ("dashboard.metrics", "dashboard.tasks", "analytics"),
    )
    loaded = {load.key.removesuffix(".2026-05-13") for load in happened.loads}
    assert loaded >= {"dashboard.metrics", "dashboard.tasks"}
    assert all(redraw.page == "/" and redraw.after_ms for redraw in happened.redraws)

    await opened(user, stage)

    shown = row(user, "task.completed")
    for part in ("dashboard.metrics", "analytics", "Metrics on /", " ms"):
        assert part in shown


async def test_there_is_room_for_what_happened_before_the_start_as_well(user: User, stage: Stage) -> None:
    assert stage.application is not None
    for number in range(4):
        await stage.do(tasks.create, name=f"Task {number}")
    journal = stage.application.manager.journal
    seen = journal._entries[USER]
    while len(seen) > 1:  # as in a process that has only just begun
        seen.popleft()
    await opened(user, stage)
    rows = shown(user).partition("</table>")[0].count("<tr>") - 1
    assert rows >= 5
    assert stage.section("Happenings").room == (121 + 70 * rows, min(1000, 150 + 250 * rows))


async def test_it_follows_by_itself_while_it_is_open(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert "Nothing has happened" not in shown(user)  # the user was created, and the day began
    await stage.do(tasks.create, name="New")
    await until(lambda: "task.created" in shown(user))
    assert "New" not in shown(user)


async def test_each_value_says_why_it_is_fresh_or_stale(user: User, stage: Stage) -> None:
    await stage.task()
    await opened(user, stage)
    assert "is-miss" in row(user, ">Tasks<")
    assert stage.application is not None
    stage.application.manager.get_or_load(DASHBOARD_TASKS, USER)
    await until(lambda: "is-fresh" in row(user, ">Tasks<"))
    assert "task.created" in row(user, ">Tasks<")
    assert "no event since then concerns it" in row(user, ">Tasks<")


async def test_what_is_too_old_is_not_put_down_to_an_event(user: User, stage: Stage) -> None:
    await stage.task()
    await opened(user, stage)
    assert stage.application is not None
    stage.application.manager.get_or_load(DASHBOARD_TASKS, USER)
    stage.clock.advance(minutes=2)
    await until(lambda: "is-stale" in row(user, ">Tasks<"))
    assert "its age" in row(user, ">Tasks<")
    assert "task.created" not in row(user, ">Tasks<")


async def test_what_is_kept_in_parts_is_listed(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert "0 kept" in row(user, "pieces.counts")
    assert stage.application is not None
    stage.application.manager.get_or_load(DASHBOARD_METRICS, USER)
    await until(lambda: "0 kept" not in row(user, "pieces.counts"))


async def test_events_of_before_the_start_are_listed_from_the_log(user: User, stage: Stage) -> None:
    await stage.task()
    assert stage.application is not None
    stage.application.manager.journal._entries.clear()  # as a start does
    await opened(user, stage)
    assert "dashboard.tasks" in row(user, "task.created")


async def test_the_audit_is_run_on_demand_and_shows_what_differed(
    user: User, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await opened(user, stage)
    assert stage.application is not None
    manager = stage.application.manager
    manager.get_or_load(DASHBOARD_TASKS, USER)
    press(user, "Check all of mine now")
    await until(lambda: "2 checked, 0 differed" in shown(user))

    generations = manager._generations
    generations._ruleset = type(generations._ruleset)(
        [rule for rule in RULES if "dashboard.tasks" not in rule.invalidates]
    )
    await stage.task("Tax return")
    press(user, "Check all of mine now")
    await until(lambda: "1 differed" in shown(user))
    assert "templates (how many): 0 -&gt; 1" in shown(user)
    assert "task.created" in shown(user)
    caplog.clear()  # the auditor's error, without which the test would fail


async def test_nobody_sees_the_events_of_another(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert stage.application is not None
    other = await asyncio.to_thread(preferences.create_user, stage.database, "another")
    await asyncio.to_thread(tasks.create, stage.database, other, name="Theirs")
    await stage.do(tasks.archive, await stage.task("Mine"))
    await until(lambda: "task.archived" in shown(user))
    assert shown(user).count('<th scope="row">task.created<') == 1
    journal = stage.application.manager.journal
    assert [one.event for one in journal.latest(other)] == ["task.created", "user.created"]


async def test_the_rules_are_drawn(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert 'class="rules-picture"' in texts(user)
    assert "recommendations</text>" in texts(user)


async def test_a_tab_that_was_not_looked_at_is_not_called_slow(user: User, stage: Stage) -> None:
    client = await user.open("/")
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    planned = stage.section("Planned", client)
    planned.visit.screen.is_hidden = True
    await stage.task("Tax return")
    assert stage.application is not None
    journal = stage.application.manager.journal
    await until(lambda: journal.latest(USER)[0].event == "task.created")
    assert not journal.latest(USER)[0].redraws
    planned.visit.screen.is_hidden = False
    stage.application.pages.hub.seen_again(planned.visit.screen)
    await until(lambda: journal.latest(USER)[0].redraws)
    assert {redraw.after_ms for redraw in journal.latest(USER)[0].redraws} == {None}
    await opened(user, stage)
    assert "when looked at" in row(user, "task.created")
