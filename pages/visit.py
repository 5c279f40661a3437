"""Who looks: a browser tab (`Screen`), and one page that is open in it (`Visit`).

The screen knows whether anybody can see anything. The visit is what sections and dialogs of one page share, and ends
when the person moves on to another page.
"""

import json
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nicegui import Client, ui

from events.catalog import UserId
from pages.actions import Actions
from pages.address import Address
from pages.services import Services
from pages.toasts import Toasts

if TYPE_CHECKING:
    from pages.live import Hub
    from pages.section import Section


class Screen:
    """One browser tab. Kept by its client, and forgotten with it."""

    def __init__(self, client: Client) -> None:
        self._client = weakref.ref(client)
        self.is_hidden = False
        """Whether the tab is behind another one, as its browser last said."""
        self.seen_since = time.monotonic()
        """Since when it can be seen, if it can: what came before was not drawn for anybody."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a line to the browser."""
        client = self._client()
        return client is not None and not client.is_deleted and client.has_socket_connection

    @property
    def can_see(self) -> bool:
        """Whether drawing would reach anybody's eyes."""
        return not self.is_hidden and self.is_connected


@dataclass(eq=False, kw_only=True)
class Visit:
    """One open page. `page` names it; copies of one page that a user has open are read and redrawn together."""

    services: Services
    hub: "Hub"
    user: UserId
    screen: Screen
    page: str
    address: Address
    toasts: Toasts
    actions: Actions
    overlay: ui.element
    """Where dialogs belong: it stays when the row that opened a dialog goes."""
    focus_on: str | None = None
    """The row that gets the focus when it appears: it was moved by the person who looks."""
    reopen_form: Callable[[str], bool] = lambda _: False
    """Opens the form of that name again, see `dialogs.reopen`. Set by pages that have forms."""
    sections: "weakref.WeakSet[Section]" = field(default_factory=weakref.WeakSet)
    endings: list[Callable[[], object]] = field(default_factory=list)
    """What takes apart, at the end, what the parts of the page share and are known by."""

    def end(self) -> None:
        """Let go of everything that leads back here: nobody looks any more."""
        self.address.end()
        self.reopen_form = lambda _: False
        for ending in self.endings:
            ending()
        self.endings.clear()

    def focus_row(self, row: str) -> None:
        """Let the row of that id have the focus: now, if it stands on the page already, or when it appears."""
        self.focus_on = row
        self.overlay.client.run_javascript(f"reprieve.focusRow({json.dumps(row)})")
