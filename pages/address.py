"""The query of a page's address: what somebody has chosen there, so that a link or the back button brings it back.

Choosing changes the address in place; nothing is loaded. What a choice means is the business of the part that shows it,
and so is refusing one that means nothing: addresses are typed by anybody.
"""

import json
import weakref
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from nicegui import Client


class Address:
    """The address of one open page."""

    def __init__(self, client: Client, path: str) -> None:
        self._client = weakref.ref(client)
        self._path = path
        self._chosen: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []

    def get(self, name: str) -> str:
        """Return what was chosen under *name*, nothing (`""`) if nothing was."""
        return self._chosen.get(name, "")

    def listen(self, changed: Callable[[], None]) -> None:
        """Call *changed* whenever a choice has changed, by hand or with the browser's buttons."""
        self._listeners.append(changed)

    def end(self) -> None:
        """Call nobody any more."""
        self._listeners.clear()

    def choose(self, *, step: bool = True, **choices: str) -> None:
        """Put *choices* into the address; an empty one leaves it. *step*: the back button takes the choice back."""
        chosen = {name: value for name, value in {**self._chosen, **choices}.items() if value}
        if chosen == self._chosen:
            return
        client = self._client()
        if client is not None:
            act = "pushState" if step else "replaceState"
            client.run_javascript(f"history.{act}({{}}, '', {json.dumps(self._path + _query(chosen))})")
        self._take(chosen)

    def arrived(self, path: str) -> None:
        """Take the choices of *path*, unless that leads to another page."""
        parts = urlsplit(path)
        if (parts.path.rstrip("/") or "/") == self._path:
            self._take({name: value for name, value in parse_qsl(parts.query) if value})

    def _take(self, chosen: dict[str, str]) -> None:
        if chosen != self._chosen:
            self._chosen = chosen
            for changed in self._listeners:
                changed()


def _query(chosen: Mapping[str, str]) -> str:
    return f"?{urlencode(chosen)}" if chosen else ""
