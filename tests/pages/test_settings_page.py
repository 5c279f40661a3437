"""The settings: each is saved as soon as it is chosen, shown in every window, refused with a sentence, taken back."""

import asyncio
import io
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from sqlalchemy import func, select

from data import demo, preferences, transfer
from data.database import Database
from data.models import Task
from data.preferences import AccountTier, CacheBackend, CacheMode, Profile
from events.catalog import UserId
from pages.times import LoadTimes
from tests.pages.hands import elements, field, press, submit, texts, undo
from tests.pages.stage import USER, Stage, until


async def opened(user: User, stage: Stage, address: str = "/settings") -> None:
    """Open the page and wait until it is filled."""
    client = await user.open(address)
    await until(lambda: all(section.redraws for section in stage.sections(client)))


def held(stage: Stage) -> Profile:
    """Return the preferences."""
    with stage.database.read() as read:
        return preferences.load(read, USER)


def choose(user: User, name: str, word: str) -> None:
    """Choose in one of the native lists and fields, as the browser would."""
    assert user.client is not None
    found = next(one for one in elements(user) if name in (one.props.get("aria-label"), one.props.get("label")))
    with user.client:
        found.value = word  # type: ignore[attr-defined]


def type_in(user: User, name: str, text: str) -> None:
    """Type into a field and leave it."""
    found = field(user, name)
    assert user.client is not None
    with user.client:
        found.value = text
    UserInteraction(user, {found}, None).trigger("change")


async def test_only_the_backends_that_the_account_tier_allows_are_offered(user: User, stage: Stage) -> None:
    assert stage.application is not None
    settings = stage.application.settings.cache
    settings.allowed[AccountTier.FREE] = (CacheBackend.FILE, CacheBackend.MEMORY)  # type: ignore[index]
    await opened(user, stage)
    backends = next(one for one in elements(user) if one.props.get("aria-label") == "Cache backend")
    assert [word for word, _ in backends.props["options"]] == ["", "memory", "file", "hybrid"]
    await stage.do(preferences.set_account_tier, AccountTier.FREE)
    await until(lambda: [word for word, _ in backends.props["options"]] == ["", "file", "memory"])
    assert backends.props["options"][0][1] == "Default (File)", "the operator's default is not allowed"


async def test_what_is_chosen_is_saved_at_once_and_can_be_taken_back(user: User, stage: Stage) -> None:
    await opened(user, stage)
    choose(user, "Theme", "dark")
    await until(lambda: held(stage).theme == "dark")
    await until(lambda: "Saved: Theme" in texts(user))
    choose(user, "Time zone", "Asia/Tokyo")
    await until(lambda: "It is 19:00 there" in texts(user))
    choose(user, "Clock", "12")
    await until(lambda: "It is 7:00 pm there" in texts(user))
    await undo(user)
    await until(lambda: held(stage).clock_hours == 24)
    assert (held(stage).theme, held(stage).time_zone) == ("dark", "Asia/Tokyo")


async def test_what_is_refused_is_shown_as_it_was(user: User, stage: Stage) -> None:
    await opened(user, stage)
    choose(user, "Time zone", "Mars/Base")
    await until(lambda: "expected an IANA name" in texts(user))
    type_in(user, "Work a day", "lots")
    await until(lambda: "Work a day 'lots': expected a number." in texts(user))
    assert field(user, "Work a day").value == "360"
    type_in(user, "Productive hours a week", "500")
    await until(lambda: "expected 0 to 168" in texts(user))
    assert held(stage) == Profile(time_zone=held(stage).time_zone)


async def test_settings_follow_those_of_another_window_and_keep_what_is_being_typed(user: User, stage: Stage) -> None:
    await opened(user, stage)
    assert user.client is not None
    with user.client:
        field(user, "Work a day").value = "12"  # not left yet
    await stage.do(preferences.change, goal_hours_per_week=20)
    await until(lambda: field(user, "Productive hours a week").value == "20")
    assert field(user, "Work a day").value == "12"


async def test_weights_and_monitored_metrics(user: User, stage: Stage) -> None:
    await opened(user, stage)
    for group in [one for one in elements(user) if one.tag == "details"]:
        UserInteraction(user, {group}, None).trigger("toggle")
    weights = [
        one
        for one in elements(user)
        if isinstance(one, ui.input) and one.classes.count("is-number") and one.value == "1"
    ]
    assert len(weights) == 12 + 4
    assert user.client is not None
    with user.client:
        weights[0].value = "3"
    UserInteraction(user, {weights[0]}, None).trigger("change")
    await until(lambda: held(stage).composite_weights == (("tracking_consistency", 3.0),))
    await until(lambda: "21%" in texts(user))  # 3 of 14
    with user.client:
        weights[1].value = "-1"
    UserInteraction(user, {weights[1]}, None).trigger("change")
    await until(lambda: "is not negative" in texts(user))
    await until(lambda: weights[1].value == "1")

    choose(user, "Card 2", "avg_grit")
    await until(lambda: "avg_grit" in held(stage).monitored_metrics)
    choose(user, "Card 1", "")
    await until(lambda: len(held(stage).monitored_metrics) == 3)


async def test_experimental_settings_show_measured_load_times(user: User, stage: Stage) -> None:
    await stage.do(preferences.change, cache_mode="disabled")
    await opened(user, stage, "/")
    await stage.do(preferences.change, cache_mode=None)
    await opened(user, stage, "/")
    await opened(user, stage)
    await until(lambda: "Selective (in use)" in texts(user))
    assert texts(user).count(" ms ") >= 2
    for mode in ("full", "selective", "disabled", "full"):  # as arrow keys do
        choose(user, "Cache mode", mode)
    await until(lambda: held(stage).cache_mode == "full")
    choose(user, "Cache mode", "")
    await until(lambda: held(stage).cache_mode is None)
    await opened(user, stage, "/experimental")
    assert "Selective" in texts(user)
    assert 'href="/settings#experimental"' in texts(user)


def test_load_times_are_of_one_user_and_mode() -> None:
    times = LoadTimes()
    for seconds in (0.3, 0.1, 0.2):
        times.add(USER, CacheMode.FULL, "/", seconds)
    times.add(USER, CacheMode.DISABLED, "/", 9.0)
    times.add(preferences.UserId(7), CacheMode.FULL, "/", 5.0)
    (taken,) = times.of(USER, CacheMode.FULL).values()
    assert (round(taken.median_ms), round(taken.longest_ms), taken.times) == (200, 300, 3)
    assert times.of(USER, CacheMode.SELECTIVE) == {}


async def test_data_goes_out_and_comes_in_again(user: User, stage: Stage) -> None:
    await stage.planned("Tax return")
    await opened(user, stage)
    press(user, "Download everything")
    response = await user.download.next(timeout=10)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert b"Tax return" in archive.read("tasks.csv")

    section = stage.section("Transfer")
    assert user.client is not None
    with user.client:
        await section._uploaded(_Event({"a.zip": response.content}))  # type: ignore[attr-defined]
    submit(user)
    await until(lambda: "Took in 1 tasks and 1 attempts." in texts(user))
    with user.client:
        await section._uploaded(_Event({"tasks.csv": b"name\r\n<b>\r\n"}))  # type: ignore[attr-defined]
    submit(user)
    await until(lambda: "Nothing was taken in:" in texts(user))


async def test_an_import_shows_how_far_it_is(user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bar is there while it is under way, and moves."""
    told, go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> transfer.Counts:
        given[3](3, 4)
        told.set()
        assert go_on.wait(10)
        return transfer.Counts(tasks=0, instances=0, preferences=0)

    monkeypatch.setattr(transfer, "import_files", slow)
    await opened(user, stage)
    section = stage.section("Transfer")
    assert user.client is not None
    with user.client:
        await section._uploaded(_Event({"a.zip": b""}))  # type: ignore[attr-defined]
    bar = next(one for one in elements(user) if one.props.get("aria-label") == "Taking in your files")
    home = next(one for one in bar.ancestors() if "long-work" in one.classes)
    assert not home.visible
    submit(user)
    try:
        assert await asyncio.to_thread(told.wait, 10)
        await until(lambda: bar.props["value"] == "0.75")
        assert home.visible
    finally:
        go_on.set()
    await until(lambda: "Took in 0 tasks and 0 attempts." in texts(user))


async def test_an_import_can_be_stopped_and_then_leaves_everything_as_it_was(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while rows are being written, as they are here."""
    written, go_on = threading.Event(), threading.Event()
    take = transfer.import_files

    def import_files(
        database: Database, user: UserId, files: dict[str, bytes], told: Callable[[int, int], None]
    ) -> Any:
        def tell(done: int, total: int) -> None:
            if done > total / 2 and not written.is_set():
                written.set()
                assert go_on.wait(10)
            told(done, total)

        return take(database, user, files, tell)

    monkeypatch.setattr(transfer, "import_files", import_files)
    await opened(user, stage)
    await stage.do(demo.add, days=40)
    archive = await asyncio.to_thread(transfer.export_zip, stage.database, USER)
    await stage.do(demo.remove)
    assert user.client is not None
    with user.client:
        await stage.section("Transfer")._uploaded(_Event({"a.zip": archive}))  # type: ignore[attr-defined]
    submit(user)
    try:
        assert await asyncio.to_thread(written.wait, 10)
        press(user, "Stop taking in your files")
        await asyncio.sleep(0)
    finally:
        go_on.set()
    await until(lambda: "Stopped: everything is as it was." in texts(user))
    with stage.database.read() as read:
        assert read.connection.scalar(select(func.count()).select_from(Task)) == 0
    await until(lambda: not any(one.props.get("aria-busy") for one in elements(user)))
    submit(user)
    await until(lambda: "Took in 36 tasks and 240 attempts." in texts(user))


class _File:
    def __init__(self, name: str, content: bytes) -> None:
        self.name, self._content = name, content

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self._content


class _Event:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = [_File(name, content) for name, content in files.items()]
