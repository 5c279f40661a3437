"""The loading screen of mode full: it covers the page while everything is loaded, and can be skipped."""

import asyncio
import threading
from typing import Any

import pytest
from nicegui.testing import User

from cache.warming import Progress
from data import preferences
from data.preferences import CacheMode
from pages import preloading
from pages.preloading import LoadingScreen, share_by_now
from tests.pages.hands import dialogs, press, texts
from tests.pages.stage import USER, Stage, until


@pytest.fixture
async def gate(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Mode full, in which loading stands still before its last value until the gate is opened."""
    may_go = threading.Event()
    assert stage.application is not None
    manager = stage.application.manager
    missing = manager.missing

    def slow(user: Any) -> Any:
        found = missing(user)
        may_go.wait(10)
        return found

    await asyncio.to_thread(preferences.change, stage.database, USER, cache_mode=CacheMode.FULL.value)
    monkeypatch.setattr(manager, "missing", slow)
    yield may_go
    may_go.set()


async def test_in_mode_full_a_screen_covers_the_page_until_all_is_there(
    user: User, stage: Stage, gate: threading.Event
) -> None:
    await user.open("/")
    (screen,) = dialogs(user)
    assert "Getting everything ready" in texts(user)
    gate.set()
    await until(lambda: not dialogs(user))
    assert not screen.value


async def test_the_screen_can_be_skipped(user: User, stage: Stage, gate: threading.Event) -> None:
    await user.open("/")
    assert stage.application is not None
    preload = stage.application.manager.warming._preloads[USER]
    press(user, "Open the page now")
    await until(lambda: not dialogs(user))
    gate.set()
    await asyncio.to_thread(preload.wait, 10)
    assert preload.progress.is_cancelled
    await until(lambda: "Planned" in texts(user))


async def test_a_second_window_watches_the_same_loading(
    user: User, create_user: Any, stage: Stage, gate: threading.Event
) -> None:
    other: User = create_user()
    await user.open("/")
    await other.open("/summary")
    press(user, "Open the page now")
    await until(lambda: not dialogs(user))
    assert dialogs(other), "whoever skips skips for one window"
    gate.set()
    await until(lambda: not dialogs(other))


async def test_after_a_minute_the_page_opens_with_what_there_is(
    user: User, stage: Stage, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preloading, "LONGEST_SECONDS", 0.2)
    await user.open("/")
    assert stage.application is not None
    preload = stage.application.manager.warming._preloads[USER]
    await until(lambda: not dialogs(user))
    assert "are still being loaded" in texts(user)
    gate.set()
    await asyncio.to_thread(preload.wait, 10)
    assert not preload.progress.is_cancelled, "it goes on behind"


async def test_in_mode_selective_there_is_no_screen(user: User, stage: Stage) -> None:
    await user.open("/")
    assert not dialogs(user)


async def test_when_all_is_warm_there_is_no_screen(user: User, stage: Stage) -> None:
    await asyncio.to_thread(preferences.change, stage.database, USER, cache_mode=CacheMode.FULL.value)
    assert stage.application is not None
    preload = stage.application.manager.preload(USER)
    await asyncio.to_thread(preload.wait, 10)
    await user.open("/")
    assert not dialogs(user)


class _Screen(LoadingScreen):
    """Only its words."""

    def __init__(self) -> None:
        self._seconds_left = None


def test_the_time_left_never_grows_by_more_than_it_would_have_shrunk() -> None:
    screen = _Screen()
    assert [screen._time_left(Progress(seconds_left=left), 0.0) for left in (None, 12.2, 7.0, 30.0, 7.0, 0.4)] == [
        "",
        "about 12 s left",
        "about 7 s left",
        "about 7 s left",
        "about 7 s left",
        "almost there",
    ]


def test_time_and_share_go_on_while_one_value_loads() -> None:
    progress = Progress(loading="Trends", share=0.2, next_share=0.8, seconds=6.0, seconds_left=8.0, done=1, total=3)
    assert [_Screen()._time_left(progress, since) for since in (0.0, 3.0, 6.0, 9.0)] == [
        "about 8 s left",
        "about 5 s left",
        "about 2 s left",
        "almost there",
    ]
    assert [share_by_now(progress, since) for since in (0.0, 3.0, 60.0)] == pytest.approx([0.2, 0.485, 0.77])
    assert share_by_now(Progress(share=1.0, done=3, total=3), 5.0) == 1.0


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preloading, "LOOK_SECONDS", 0.02)
