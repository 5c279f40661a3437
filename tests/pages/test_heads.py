"""The head of a page is sent before the page is made, and fits what follows it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from nicegui import Client, ui
from nicegui.page import page
from nicegui.testing import User
from starlette.requests import Request

from data import preferences
from pages.doors import _let_scripts_carry_a_nonce
from pages.heads import Heads
from tests.pages.stage import Stage

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def request_of(path: str, **headers: str) -> Request:
    listed = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "path": path, "query_string": b"", "headers": listed})


async def parts_of(
    heads: Heads, built: list[str], *, word: str = "Hello", nonce: str = "", **headers: str
) -> AsyncIterator[bytes]:
    """Yield the parts of one answer; *built* says when the page was made."""
    request = request_of("/", **headers)
    client = Client(page("/"), request=request)

    async def build() -> None:
        ui.label(word)
        built.append(word)

    if nonce:
        request.state.nonce = nonce
    try:
        async for part in heads.answer(client, request, None, build).body_iterator:
            yield bytes(part)
    finally:
        client.delete()


async def test_the_head_is_sent_before_the_page_is_built(user: User) -> None:
    heads, built = Heads(), []
    first = [part async for part in parts_of(heads, built)]
    assert len(first) == 1
    built.clear()
    parts = parts_of(heads, built, word="Again")
    head = await anext(parts)
    assert not built
    rest = await anext(parts)
    assert built == ["Again"]
    assert first[0].startswith(head)
    assert rest.endswith(first[0][-500:])
    assert b"Again" in rest


async def test_each_answer_carries_its_own_nonce(user: User) -> None:
    """Or its scripts would not run: what is remembered of another answer has that one's."""
    _let_scripts_carry_a_nonce()
    heads = Heads()
    for nonce in ("first", "second", "third"):
        answer = b"".join([part async for part in parts_of(heads, [], nonce=nonce)])
        scripts = re.findall(rb"<script[^>]*?nonce=\"(.*?)\"", answer)
        assert set(scripts) == {nonce.encode()}, nonce
        assert b"\0" not in answer


async def test_what_is_sent_in_two_parts_is_what_would_be_sent_in_one(user: User) -> None:
    answers = [(await user.http_client.get("/glossary")).text for _ in range(2)]
    assert len(answers[0].splitlines()) == len(answers[1].splitlines())
    assert answers[0].count("parseElements(String.raw`") == answers[1].count("parseElements(String.raw`") == 1
    head = answers[0].partition("parseElements(String.raw`")[0]
    assert answers[1].startswith(head)
    assert "Glossary · Reprieve" in head


async def test_the_head_has_the_theme_of_the_person(user: User, stage: Stage) -> None:
    def scheme(answer: httpx.Response) -> str:
        found = re.search(r'name="color-scheme"\s+content="(\w+)"', answer.text)
        assert found is not None
        return found[1]

    for theme, expected in (("auto", "normal"), ("dark", "dark"), ("light", "light"), ("dark", "dark")):
        await asyncio.to_thread(preferences.change, stage.database, preferences.LOCAL_USER, theme=theme)
        for _ in range(2):
            assert scheme(await user.http_client.get("/goals")) == expected


async def test_the_head_behind_a_proxy_is_not_that_of_others(user: User) -> None:
    heads = Heads()
    proxied = [part async for part in parts_of(heads, [], X_Forwarded_Prefix="/elsewhere")]
    direct = [part async for part in parts_of(heads, [])]
    assert b"/elsewhere/_nicegui" in proxied[0]
    assert b"/elsewhere" not in b"".join(direct)
    again = [part async for part in parts_of(heads, [], X_Forwarded_Prefix="/elsewhere")]
    assert len(again) == 1


async def test_a_page_that_cannot_be_built_says_so(
    user: User, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await user.open("/goals")
    assert stage.application is not None

    async def fail(_: Client, *, is_full: bool) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(stage.application.pages, "build", fail)
    answer = await user.http_client.get("/goals")
    assert "This page cannot be shown right now" in answer.text
    assert "page /goals could not be built" in caplog.text
    caplog.clear()


async def test_a_page_that_a_busy_machine_begins_late_is_no_error(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late by more than the 3 s after which NiceGUI gives up by itself."""

    def late(*_: object) -> None:
        time.sleep(3.2)

    monkeypatch.setattr("pages.routes.Pages._profile", late)
    assert (await user.http_client.get("/glossary")).status_code == 200
