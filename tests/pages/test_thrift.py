"""What is done in place of NiceGUI, and of engineio below it, is still asked for, and answered as before."""

import gc
import inspect
import weakref

import nicegui.client
import pytest
from engineio import AsyncServer
from engineio.async_drivers import asgi
from engineio.async_socket import AsyncSocket
from hypothesis import given
from hypothesis import strategies as st
from nicegui import helpers, observables, ui
from nicegui.client import HTML_ESCAPE_TABLE
from nicegui.testing import User

from pages import thrift


class Heard:
    def nothing(self, *more: object, word: str = "") -> None: ...

    def something(self, event: object) -> None: ...

    @classmethod
    def of_class(cls, event: object) -> None: ...


async def test_making_elements_reads_no_signatures(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    await user.open("/")
    assert user.client is not None
    read: list[object] = []
    real = inspect.Signature.from_callable.__func__

    def counted(cls: type, obj: object, **values: object) -> inspect.Signature:
        read.append(obj)
        return real(cls, obj, **values)

    with user.client:
        ui.element("div").classes("first")
        monkeypatch.setattr(inspect.Signature, "from_callable", classmethod(counted))
        ui.element("div").classes("second").props("title=Second")
    assert read == []


async def test_a_method_is_asked_for_arguments_as_before(user: User) -> None:
    await user.open("/")
    for _ in range(2):
        assert not helpers.expects_arguments(Heard().nothing)
        assert helpers.expects_arguments(Heard().something)
        assert helpers.expects_arguments(Heard.of_class)
        assert helpers.expects_arguments(lambda event: None)
        assert not helpers.expects_arguments(lambda: None)


@given(st.text(alphabet=st.one_of(st.sampled_from("&<>`$;lt#"), st.characters(codec="utf-8"))))
def test_what_is_escaped_quickly_is_as_before(text: str) -> None:
    assert thrift._Escapable(text).translate(HTML_ESCAPE_TABLE) == text.translate(HTML_ESCAPE_TABLE)


async def test_the_elements_of_a_page_are_escaped_quickly(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    escaped: list[str] = []
    real = thrift._Escapable.translate

    def counted(text: thrift._Escapable, table: dict[int, str]) -> str:
        escaped.append(text)
        return real(text, table)

    monkeypatch.setattr(thrift._Escapable, "translate", counted)
    answer = await user.http_client.get("/")
    assert answer.status_code == 200
    assert len(escaped) == 1
    assert escaped[0].translate(HTML_ESCAPE_TABLE) in answer.text


def test_what_a_browser_sends_is_read_as_before() -> None:
    thrift.escape_quickly()
    assert nicegui.client.json.loads('["go-on"]') == ["go-on"]


async def test_what_is_removed_is_freed_without_the_garbage_collector(user: User) -> None:
    await user.open("/")
    assert user.client is not None
    gc.disable()
    try:
        with user.client:
            removed = ui.element("div").classes("a").style("color: red").props("title=b")
        kept = [weakref.ref(one) for one in (removed, removed._classes, removed._style, removed._props)]
        removed.delete()
        user.client.outbox.stop()
        user.client.outbox.updates.clear()
        del removed
        assert [one() for one in kept] == [None] * 4
    finally:
        gc.enable()


class Browser:
    """The other end of a line: sends a text, then some bytes, and is gone."""

    def __init__(self) -> None:
        self.sends = [
            {"type": "websocket.receive", "text": "4one", "bytes": None},
            {"type": "websocket.receive", "bytes": b"two"},
            {"type": "websocket.disconnect", "code": 1001},
        ]

    async def receive(self) -> dict[str, object]:
        return self.sends.pop(0)

    async def send(self, message: dict[str, object]) -> None: ...


async def test_what_a_cut_line_was_made_of_is_freed_without_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thrift.end_lines_quietly()
    server = AsyncServer(async_mode="asgi")
    heard: list[object] = []

    async def receive(_socket: AsyncSocket, packet: object) -> None:
        heard.append(packet.data)  # type: ignore[attr-defined]

    monkeypatch.setattr(AsyncSocket, "receive", receive)
    line, socket, browser = asgi.WebSocket(None, server), AsyncSocket(server, "sid"), Browser()
    line.asgi_receive, line.asgi_send = browser.receive, browser.send
    gc.disable()
    try:
        await socket._websocket_handler(line)
        assert (heard, browser.sends, socket.closed) == (["one", b"two"], [], True)
        kept = [weakref.ref(line), weakref.ref(socket)]
        del line, socket
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()


async def test_a_change_is_told_without_an_event_and_as_before_to_who_listens(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user.open("/")
    assert user.client is not None
    events: list[object] = []
    real = observables.events.handle_event

    def counted(*args: object, **values: object) -> None:
        events.append(args)
        real(*args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(observables.events, "handle_event", counted)
    with user.client:
        element = ui.element("div")
    for change in (
        lambda: element.classes("first"),
        lambda: element.style("color: red"),
        lambda: element.props("title=First"),
        lambda: element.props.update({"title": "Second"}),
    ):
        user.client.outbox.updates.clear()
        change()
        assert element.id in user.client.outbox.updates
    assert events == []
    heard: list[object] = []
    element.props.on_change(lambda: heard.append(element.props["title"]))
    element.props["title"] = "Third"
    assert heard == ["Third"]
    assert len(events) == 2
