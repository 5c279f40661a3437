"""The hub's promises that two windows do not show: failures, midnight, lost lines, and that nothing is left behind."""

import asyncio
import gc
import logging
import threading
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nicegui import Client, background_tasks, ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from cache.values import ANALYTICS_RECOMMENDATIONS, DASHBOARD_METRICS, DASHBOARD_TASKS, SUMMARY_DAILY, Value
from data import instances, preferences
from data.database import Transaction
from data.fields import Feelings
from events.catalog import Invalidated, RefreshRequested
from pages import routes
from pages.errors import UndeclaredValueError
from pages.metrics import Metrics
from pages.pace import Pace
from pages.section import Reading, Shown
from pages.workers import READERS
from tests.pages.hands import buttons, press, rows, texts
from tests.pages.stage import USER, Stage, until


async def filled(user: User, stage: Stage, path: str = "/") -> Client:
    """Open a page and wait until everything on it is drawn."""
    client = await user.open(path)
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    return client


def note(stage: Stage, name: str) -> str:
    """Return what the section says about itself, nothing if it says nothing."""
    line = stage.section(name)._note
    return "" if line is None or not line._line.visible else line._text.content


async def test_a_section_that_fails_says_so_and_stops_no_other(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = await stage.planned()
    client = await filled(user, stage)
    with monkeypatch.context() as broken:
        broken.setattr(Metrics, "update", lambda *_: 1 / 0)
        await stage.do(instances.start, one)
        await until(lambda: "cannot be shown right now" in note(stage, "Metrics"))
        await until(lambda: len(rows(user, "Running and paused")) == 1)
    assert "is-failed" in stage.section("Metrics").home.classes
    caplog.clear()

    press(user, "Try again")
    await until(lambda: not note(stage, "Metrics"))
    assert "is-failed" not in stage.section("Metrics").home.classes
    assert stage.redraws(client)["Metrics"] == 2


@pytest.fixture
def slow_recommendations(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let recommendations take as long as until this is cleared: their loader waits while it is set."""
    is_slow, ended = threading.Event(), threading.Event()
    load = ANALYTICS_RECOMMENDATIONS.loader

    def loader(*given: Any) -> Any:
        if is_slow.is_set():
            ended.wait(20)
        return load(*given)

    monkeypatch.setitem(ANALYTICS_RECOMMENDATIONS.__dict__, "loader", loader)  # the class is frozen
    monkeypatch.setitem(ANALYTICS_RECOMMENDATIONS.__dict__, "soft_timeout", timedelta(seconds=20))
    yield is_slow
    ended.set()


@pytest.mark.parametrize("is_kept", [True, False], ids=["renewed", "for the first time"])
async def test_a_value_that_loads_for_long_holds_up_nothing_else(
    user: User, stage: Stage, slow_recommendations: threading.Event, is_kept: bool
) -> None:
    one = await stage.planned("Tax return")
    if not is_kept:
        slow_recommendations.set()
        stage.application.pages.hub._costs[ANALYTICS_RECOMMENDATIONS.key] = -1.0  # the first in line
        await user.open("/")
        await until(lambda: rows(user, "Planned"))
    else:
        await filled(user, stage)
        slow_recommendations.set()
    for do, appears in ((instances.start, "Pause:"), (instances.pause, "Resume:"), (instances.resume, "Pause:")):
        await stage.do(do, one)
        await until(lambda appears=appears: buttons(user, f"{appears} Tax return"))
    recommended = stage.section("Recommended")
    assert recommended.redraws == (1 if is_kept else 0)
    assert not is_kept or "refreshing" in note(stage, "Recommended")


async def test_a_page_arrives_also_while_all_threads_load_for_others(user: User, stage: Stage) -> None:
    assert stage.application is not None
    go_on, workers = threading.Event(), stage.application.pages.workers
    loads = [asyncio.create_task(workers.read(go_on.wait, 20)) for _ in range(READERS)]
    try:
        async with asyncio.timeout(10):
            await user.open("/")
        assert "Dashboard" in texts(user)
    finally:
        go_on.set()
        assert all(await asyncio.gather(*loads))
    await until(lambda: "Nothing is planned." in texts(user))


async def test_numbers_that_could_not_be_renewed_are_labelled_with_their_age(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = await stage.planned()
    await filled(user, stage)
    stage.clock.advance(minutes=7)

    def fail(*_: object) -> None:
        raise OSError("the disk is on fire")

    with monkeypatch.context() as broken:
        broken.setitem(DASHBOARD_METRICS.__dict__, "loader", fail)  # the class is frozen
        await stage.do(instances.complete, one)
        await until(lambda: "As of 10:00" in note(stage, "Metrics"))
        await until(lambda: len(rows(user, "Recently done")) == 1)
    caplog.clear()

    press(user, "Try again")
    await until(lambda: not note(stage, "Metrics"))
    assert '<span class="figure">1</span>' in stage.section("Metrics")._cards[0].content


async def test_the_summary_turns_over_at_midnight_without_any_tick(user: User, stage: Stage) -> None:
    stage.clock.now = datetime(2026, 5, 13, 23, 59, 50, tzinfo=UTC)
    await filled(user, stage, "/summary")
    one = await stage.planned("Tax return")
    await stage.do(instances.complete, one, actual=Feelings(relief=90))
    await asyncio.sleep(0.4)
    assert "Tax return" not in texts(user)  # a completion of today is none of its business

    stage.clock.advance(seconds=20)

    await until(lambda: "For Wednesday, 13 May 2026" in texts(user))
    assert "“Tax return” brought the most relief (90)." in texts(user).replace("\u00a0", " ")


async def test_overdue_is_decided_by_the_minute(user: User, stage: Stage) -> None:
    stage_pace(stage)
    await stage.planned(due_at=datetime(2026, 5, 13, 10, 30, tzinfo=UTC))
    await filled(user, stage)
    assert "due today 10:30" in texts(user)
    stage.clock.advance(minutes=45)
    await until(lambda: "15 min overdue" in texts(user))


def stage_pace(stage: Stage) -> None:
    """Let the hub's minute pass at once."""
    assert stage.application is not None
    stage.application.pages.hub.pace = Pace(tick=0.3)


async def test_a_page_that_was_left_is_kept_for_a_moment_and_one_whose_line_is_cut_for_longer(
    user: User, stage: Stage
) -> None:
    client, other = await filled(user, stage), await user.open("/summary")
    cut = client.page.resolve_reconnect_timeout()
    UserInteraction(user, {client.layout}, None).trigger("reprieve_left")
    assert client.page.resolve_reconnect_timeout() == routes.LEFT_SECONDS < cut
    assert other.page.resolve_reconnect_timeout() == cut
    for connected in client.connect_handlers:
        client.safe_invoke(connected)
    assert client.page.resolve_reconnect_timeout() == cut


async def test_who_has_no_line_is_marked_only_and_drawn_once_it_is_back(user: User, stage: Stage) -> None:
    some = [await stage.planned(f"Task {number}") for number in range(3)]
    client = await filled(user, stage)
    before = stage.redraws(client)
    tab, client.tab_id = client.tab_id, None  # as NiceGUI does when the socket is gone

    for one in some:
        await stage.do(instances.complete, one)
    await asyncio.sleep(0.4)
    assert stage.redraws(client) == before

    client.tab_id = tab
    for handler in client.connect_handlers:
        client.safe_invoke(handler)
    await until(lambda: len(rows(user, "Recently done")) == 3)
    await until(lambda: stage.redraws(client)["Metrics"] == before["Metrics"] + 1)


async def test_what_was_missed_without_any_notification_is_found_by_comparing(user: User, stage: Stage) -> None:
    one = await stage.planned()
    client = await filled(user, stage)
    assert stage.application is not None
    hub = stage.application.pages.hub
    await until(lambda: not any(task.get_name() == "compare what is shown" for task in background_tasks.running_tasks))
    hub._connections.close()  # deaf from now on

    await stage.do(instances.complete, one)
    await asyncio.sleep(0.3)
    assert rows(user, "Recently done") == []
    before = stage.redraws(client)

    hub.seen_again(stage.section("Metrics").visit.screen)
    await until(lambda: len(rows(user, "Recently done")) == 1)
    assert "ThemeSwitch" not in stage.redraws(client) - before


@pytest.mark.parametrize("path", [entry.path for entry in routes.ENTRIES if entry.path != "/glossary"])
async def test_a_page_that_is_left_leaves_nothing_behind(user: User, stage: Stage, path: str) -> None:
    """Not even for the garbage collector, to which nothing of it is left."""
    await stage.planned("Tax return")
    client = await filled(user, stage, path)
    assert stage.application is not None
    hub = stage.application.pages.hub
    remembered: list[weakref.ref[Any]] = [weakref.ref(client)]
    for section in stage.sections(client):
        remembered += [weakref.ref(section), weakref.ref(section.visit)]
    del section
    gc.disable()
    try:
        client.delete()
        user.client = None
        del client
        await until(lambda: not any(one() for one in remembered), seconds=5)
    finally:
        gc.enable()
    assert not hub.users
    assert not list(hub.roster.groups())


async def test_moving_on_keeps_the_frame_and_exchanges_the_page(user: User, stage: Stage) -> None:
    client = await filled(user, stage)
    theme = stage.section("ThemeSwitch")
    UserInteraction(user, {client.layout}, None).trigger("sub_pages_navigate", "/summary")
    await until(lambda: "Daily summary" in texts(user))
    assert user.client is client
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    assert {type(section).__name__ for section in stage.sections()} == {
        "ThemeSwitch",
        "Story",
        "Score",
        "Time",
        "Highlights",
    }
    assert stage.section("ThemeSwitch") is theme


async def test_the_theme_follows_the_preference_without_reloading(user: User, stage: Stage) -> None:
    client = await filled(user, stage)
    switch = next(one for one in client.elements.values() if isinstance(one, ui.dark_mode))
    assert switch.value is client.page.resolve_dark() is None
    await stage.do(preferences.change, theme="dark")
    await until(lambda: switch.value is True)

    response = await user.http_client.get("/")
    assert "const dark = True" in response.text


async def test_a_section_can_read_only_what_it_declares(user: User, stage: Stage) -> None:
    await filled(user, stage)
    section = stage.section("Welcome")
    assert section.reading is not None
    shown = Shown(section.values, section.reading)
    assert shown.get(DASHBOARD_TASKS).planned == ()
    with pytest.raises(UndeclaredValueError, match=r"summary\.daily is not among .*: dashboard\.tasks"):
        shown.get(SUMMARY_DAILY)


async def test_a_reading_that_comes_late_does_not_replace_a_newer_one(user: User, stage: Stage) -> None:
    one = await stage.planned()
    await filled(user, stage)
    section = stage.section("Recent")
    old: Reading | None = section.reading
    await stage.do(instances.complete, one)
    await until(lambda: len(rows(user, "Recently done")) == 1)
    assert old is not None
    section.draw(old, ticket=0)
    assert len(rows(user, "Recently done")) == 1


@pytest.mark.parametrize(
    ("prefix", "is_concerned"),
    [
        ("dashboard.metrics", True),
        ("dashboard", True),
        ("", True),
        ("dashboard.metrics.2026-05-13", True),
        ("dashboard.metric", False),
        ("dashboard.tasks", False),
        ("summary", False),
    ],
)
async def test_which_prefixes_concern_a_section(user: User, stage: Stage, prefix: str, is_concerned: bool) -> None:
    await filled(user, stage)
    assert stage.application is not None
    hub = stage.application.pages.hub
    marked: list[Value[object]] = []
    hub.mark = lambda sections, *, force=False: marked.extend(sections)  # type: ignore[method-assign]
    hub.forward(Invalidated(user=USER, prefixes=(prefix,), cause="test", seq=1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert any(type(section) is Metrics for section in marked) == is_concerned


async def test_an_invalidation_of_somebody_else_concerns_nobody_here(user: User, stage: Stage) -> None:
    client = await filled(user, stage)
    before = stage.redraws(client)
    assert stage.application is not None
    stage.application.bus.notify(Invalidated(user=2, prefixes=("",), cause="test", seq=1))  # type: ignore[arg-type]
    await asyncio.sleep(0.4)
    assert stage.redraws(client) == before


async def test_many_notifications_cost_one_hop(user: User, stage: Stage) -> None:
    await filled(user, stage)
    assert stage.application is not None
    hub = stage.application.pages.hub
    loop = asyncio.get_running_loop()
    hops = 0

    class Spy:
        def call_soon_threadsafe(self, call: object) -> None:
            nonlocal hops
            hops += 1
            loop.call_soon(call)  # type: ignore[arg-type]

    hub._loop = Spy()  # type: ignore[assignment]
    for seq in range(10_000):
        hub.forward(Invalidated(user=USER, prefixes=("dashboard.metrics",), cause="test", seq=seq))
    assert hops == 1
    assert len(hub._inbox) == 1


async def test_a_hub_that_has_stopped_takes_nothing_more(user: User, stage: Stage, caplog) -> None:
    client = await filled(user, stage)
    before = stage.redraws(client)
    assert stage.application is not None
    stage.application.pages.stop()
    stage.application.pages.stop()
    with caplog.at_level(logging.WARNING):
        stage.application.pages.hub.forward(Invalidated(user=USER, prefixes=("",), cause="test", seq=1))
        await asyncio.sleep(0.3)
    assert stage.redraws(client) == before
    assert not caplog.records


async def test_a_card_that_takes_long_to_refresh_says_how_old_it_is(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await stage.planned()
    await filled(user, stage)
    released = threading.Event()
    load = DASHBOARD_METRICS.loader

    def slow(*arguments: object) -> object:
        released.wait(10)
        return load(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as slowed:
        slowed.setitem(DASHBOARD_METRICS.__dict__, "loader", slow)
        await stage.do(instances.start, one)
        await until(lambda: "As of 10:00, refreshing" in note(stage, "Metrics"))
        released.set()
        await until(lambda: not note(stage, "Metrics"))
    await until(lambda: len(rows(user, "Running and paused")) == 1)


async def test_a_slow_value_holds_up_only_the_cards_that_show_it(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await stage.planned()
    await filled(user, stage)
    released = threading.Event()
    load = ANALYTICS_RECOMMENDATIONS.loader

    def slow(*arguments: object) -> object:
        time.sleep(0.3)
        released.wait(10)
        return load(*arguments)  # type: ignore[arg-type]

    released.set()
    with monkeypatch.context() as slowed:
        slowed.setitem(ANALYTICS_RECOMMENDATIONS.__dict__, "loader", slow)
        recommended = stage.section("Recommended")
        await stage.do(instances.start, one)  # by this the hub learns that it is slow
        await until(lambda: recommended.redraws == 2 and len(rows(user, "Running and paused")) == 1)
        released.clear()
        await stage.do(instances.complete, one)
        await until(lambda: len(rows(user, "Recently done")) == 1)
        assert recommended.redraws == 2
        released.set()
        await until(lambda: recommended.redraws == 3)
    lists = stage.section("Recent").reading.looks
    assert lists[DASHBOARD_TASKS.key].as_of == recommended.reading.looks[ANALYTICS_RECOMMENDATIONS.key].as_of


async def test_a_database_that_cannot_be_read_leaves_the_numbers_where_they_are(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = await stage.planned()
    await filled(user, stage)
    assert stage.application is not None
    stage.application.pages.hub.pace = Pace(retry=0.3)
    stage.clock.advance(days=1, hours=2)
    with monkeypatch.context() as broken:
        broken.setattr(stage.application.manager, "snapshot", lambda *_: 1 / 0)
        await stage.do(instances.complete, one)
        await until(lambda: "As of yesterday 10:00" in note(stage, "Metrics"))
        assert "is-failed" not in stage.section("Metrics").home.classes
    caplog.clear()
    await until(lambda: not note(stage, "Metrics"))  # by itself
    await until(lambda: len(rows(user, "Recently done")) == 1)
    caplog.clear()


async def test_what_is_read_anew_and_found_as_before_is_not_drawn_again(user: User, stage: Stage) -> None:
    await filled(user, stage)
    metrics, running = stage.section("Metrics"), stage.section("Running")
    drawn, reading, running_drawn = metrics.redraws, metrics.reading, running.redraws

    def ask(transaction: Transaction) -> None:
        transaction.record(RefreshRequested(user=USER, at=transaction.now, prefix="dashboard"))

    await asyncio.to_thread(stage.database.write, ask)
    await until(lambda: metrics.reading is not reading and running.redraws > running_drawn)  # the latter tells the time
    assert metrics.redraws == drawn
