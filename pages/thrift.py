"""What NiceGUI, and what it stands on, does slowly or keeps too long for each element or page: done quickly, or let go,
with the same outcome.
"""

import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import nicegui.client
from engineio.async_drivers import asgi
from nicegui import helpers
from nicegui.classes import Classes
from nicegui.element import Element
from nicegui.elements.mixins.value_element import ValueElement
from nicegui.observables import ObservableCollection
from nicegui.props import Props
from nicegui.style import Style


def remember_signatures() -> None:
    """Let NiceGUI look only once at the signature of each method that is told of changes. May be called again.

    It asks whether such a method takes an argument three times for each element, for its classes, style and
    attributes. Reading a signature takes longer than all the rest of making an element.
    """
    # NOTE: NiceGUI 3.18 looks the function up in this module each time; one that does not would be as slow as before,
    # and tests/pages/test_thrift.py would tell.
    if not isinstance(helpers.expects_arguments, _Remembering):
        helpers.expects_arguments = _Remembering(helpers.expects_arguments)


def tell_elements_directly() -> None:
    """Let an element be told of a change of its classes, style and attributes by a call, instead of by an event that is
    made of it, which takes several times as long. May be called again.
    """
    # NOTE: NiceGUI 3.18 gives each of them one listener, `_update`, and calls `_handle_change` for every change; where
    # anybody else listens it is as before. tests/pages/test_thrift.py would tell.
    for told in (Classes, Style, Props):
        told._handle_change = _handle_change  # type: ignore[assignment, method-assign]


def _handle_change(told: Any) -> None:
    if len(told._change_handlers) == 1 and told._parent_ref is None and not told._observer_refs:
        told._update()
    else:
        ObservableCollection._handle_change(told)


def escape_quickly() -> None:
    """Let NiceGUI escape the elements of a page by replacing, which takes a twentieth of the time that it takes with
    `str.translate`: one look-up for each of 100,000 characters. May be called again.
    """
    # NOTE: NiceGUI 3.18 calls `json.dumps(...).translate(...)` in `Client.build_response`; one that does not would be
    # as slow as before, and tests/pages/test_thrift.py would tell.
    known: Any = nicegui.client
    if not isinstance(known.json, types.SimpleNamespace):
        dumps = known.json.dumps
        as_before = vars(known.json)  # the same module reads what browsers send
        known.json = types.SimpleNamespace(**{**as_before, "dumps": lambda value: _Escapable(dumps(value))})


def let_go_at_once() -> None:
    """Let the elements that are removed be freed when nobody needs them any more, instead of when the garbage collector
    next looks through everything: their classes, style, attributes and handlers lead back to them. May be called again.
    """
    # NOTE: NiceGUI 3.18 calls `_handle_delete` for whatever is removed; tests/pages/test_thrift.py would tell.
    handle_delete = Element._handle_delete
    if handle_delete.__module__ != __name__:

        def let_go(element: Element) -> None:
            handle_delete(element)
            for told in (element._classes, element._style, element._props):
                told._change_handlers.clear()
            if isinstance(element, ValueElement):
                element._change_handlers.clear()

        Element._handle_delete = let_go  # type: ignore[assignment, method-assign]


def end_lines_quietly() -> None:
    """Let what a page's line to the browser was made of be freed when it is cut, instead of when the garbage collector
    next looks through everything. May be called again.
    """
    # NOTE: engineio 4 is told by an error that the browser has gone, and the frames of that error keep each other and
    # all that they knew, some tens of kilobytes for each page. It takes None for the same news: tests/pages/
    # test_thrift.py would tell if it did no more.
    asgi.WebSocket.wait = _wait


async def _wait(line: Any) -> str | bytes | None:
    """Return what comes next over *line*, None once it is cut."""
    event = await line.asgi_receive()
    if event["type"] != "websocket.receive":
        return None
    found: str | bytes | None = event.get("text") if event.get("bytes") is None else event["bytes"]
    return found


class _Escapable(str):
    """Text whose `translate` replaces one character after the other."""

    __slots__ = ()

    def translate(self, table: Mapping[int, str], /) -> str:  # type: ignore[override]  # of NiceGUI, which has such a table
        """Return it with each character of *table* replaced; *table* has the one first that all replacements hold."""
        translated = str(self)
        for character, replacement in table.items():
            translated = translated.replace(chr(character), replacement)
        return translated


class _Remembering:
    """Answers as *ask* does; for methods, as it did for the same method of another object."""

    def __init__(self, ask: Callable[[Callable[..., Any]], bool]) -> None:
        self._ask = ask
        self._known: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()

    def __call__(self, func: Callable[..., Any]) -> bool:
        function = getattr(func, "__func__", None)
        if function is None:
            return self._ask(func)
        known = self._known.get(function)
        if known is None:
            known = self._known[function] = self._ask(func)
        return known
