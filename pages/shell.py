"""The frame around every page: top bar, navigation, skip link, messages, and the theme.

It is built once per browser tab; moving on exchanges only what is inside. Which pages there are, and how a request
becomes a page, is in `routes`; how it all looks, in `static/style.css`.
"""

import copy
import functools
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fastapi import Response
from nicegui import Client, app, ui
from nicegui.page_arguments import RouteMatch

from cache.values import PREFERENCES
from data.preferences import Theme
from pages.controls import Words, button, heading, stack
from pages.section import Section, Shown
from pages.shortcuts import GO
from pages.toasts import Toasts
from pages.visit import Visit

STATIC = Path(__file__).resolve().parent / "static"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4650b8"/>'
    '<path d="M9 17.5l5 5 9.5-13" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
STYLES = (
    "style.css",
    "frame.css",
    "icons.css",
    "forms.css",
    "choosers.css",
    "dialogs.css",
    "sections.css",
    "metrics.css",
    "lists.css",
    "charts.css",
    "summary.css",
    "analytics.css",
    "recommendations.css",
    "glossary.css",
    "native.css",
    "records.css",
    "routines.css",
    "goals.css",
    "settings.css",
    "inspector.css",
)
SCRIPTS = ("page.js", "keys.js", "scroll.js")
MOST_IN_SIGHT = 4
"""How many pages the navigation names where there is little room; the others are behind "More"."""
_STYLE_ADDRESS = "/style.css"
_A_YEAR_IN_SECONDS = 365 * 24 * 3600
IS_DARK = {Theme.AUTO: None, Theme.LIGHT: False, Theme.DARK: True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page in the navigation.

    `build` makes what stands in the main part of the frame; it may yield where what else happens can have its turn.
    """

    path: str
    label: str
    icon: str
    build: Callable[[Visit], Iterator[None] | None]


class Frame:
    """The elements around a page. *open_page* is called inside of it, for the first page and whenever one moves on."""

    def __init__(
        self,
        client: Client,
        entries: Sequence[Entry],
        open_page: Callable[["Frame", Entry], None],
        on_help: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        ui.add_head_html(_head())
        self._links: dict[str, Words] = {}
        with client.layout, stack("topbar", "header") as topbar:
            Words("Reprieve", "p").classes("brand")
            with stack("navigation", "nav", aria_label="Pages"):
                for entry in entries[:MOST_IN_SIGHT]:
                    self._link(entry)
                if entries[MOST_IN_SIGHT:]:
                    # A popover opens, closes and takes the focus without script; where there is room, the style sheet
                    # shows what is in it beside the others and hides the button.
                    more = Words("More", "button").classes("navigation-link navigation-more icon icon-more")
                    more.props.update({"type": "button", "popovertarget": "further-pages"})
                    with stack("navigation-further", id="further-pages", popover="auto"):
                        for entry in entries[MOST_IN_SIGHT:]:
                            self._link(entry)
            help_door = button("", on_help, look="is-quiet help-door", icon="help", name="Keyboard shortcuts").key("?")
            help_door.props["title"] = "Keyboard shortcuts (?)"
        topbar.move(target_index=0)  # before the part of the layout that Quasar makes the main landmark
        with client.layout:
            self.toasts = Toasts()
        with stack("page") as page:
            _Pages({entry.path: functools.partial(open_page, self, entry) for entry in entries}, self.lost)
        ui.skip_link("Skip to the content", target=page)

    def _link(self, entry: Entry) -> None:
        self._links[entry.path] = link = Words(entry.label, "a")
        link.classes(f"navigation-link icon icon-{entry.icon}").props["href"] = entry.path
        link.props.set_optional("aria-keyshortcuts", GO.get(entry.path))

    def arrived(self, entry: Entry) -> None:
        """Say in title and navigation that the page is *entry*."""
        self._say_where(entry.label, entry.path)

    def lost(self) -> None:
        """Make what stands where there is no page, and say so in the title."""
        self._say_where("Not found", None)
        with stack("page-head", "header"):
            heading("There is no such page", 1).props["tabindex"] = "-1"
            Words("The address may be misspelt, or lead to something that has moved.", "p").classes("lead")
            Words("Go to the dashboard", "a").classes("button is-primary").props["href"] = "/"

    def _say_where(self, label: str, current: str | None) -> None:
        ui.page_title(f"{label} · Reprieve")
        for path, link in self._links.items():
            link.props.set_optional("aria-current", "page" if path == current else None)
        if not self._client.sub_pages_router.is_initial_request:
            self._client.run_javascript("reprieve.arrived()")


def say_failed() -> None:
    """Make what stands where a page could not be built."""
    with stack("page"), stack("page-head", "header"):
        heading("This page cannot be shown right now", 1)
        Words("The log of the server says why. Nothing was lost; load the page again in a moment.", "p").classes("lead")


class _Pages(ui.sub_pages):
    """The place where the pages are put. An address without a page gets one of ours, with status 404."""

    # NOTE: what is overridden here is private in NiceGUI 3.18. A newer one that calls it otherwise shows its own text
    # for lost pages and scrolls to the top on each choice; tests/browser/test_analytics.py would tell.

    def __init__(self, routes: dict[str, Callable[..., None]], show_lost: Callable[[], None]) -> None:
        self._show_lost = show_lost
        super().__init__(dict(routes))

    def _render_404(self) -> None:
        self._show_lost()

    def _find_matching_path(self) -> RouteMatch | None:
        match = super()._find_matching_path()
        return (
            None if match is not None and match.remaining_path else match
        )  # else "/nonsense" would be "/" with a rest

    def _handle_scrolling(self, match: RouteMatch, *, behavior: str) -> None:
        is_same_page = self._match is not None and self._match.path == match.path
        if match.fragment or not is_same_page:  # a choice in the query leaves the eye where it is
            super()._handle_scrolling(match, behavior=behavior)


class ThemeSwitch(Section):
    """Keeps the tab in the theme that the person prefers. Shows nothing itself."""

    values = (PREFERENCES,)
    element: ClassVar[str] = "div"

    def build(self) -> None:
        """Make the element that tells the browser."""
        self.home.set_visibility(False)
        self._dark = ui.dark_mode(self.home.client.page.dark)

    def update(self, shown: Shown) -> None:
        """Switch, at once and without reloading."""
        self._dark.value = IS_DARK[shown.get(PREFERENCES).theme]


def set_theme(client: Client, is_dark: bool | None) -> None:
    """Put the theme into the HTML of the page that *client* is going to get, so that a dark one never flashes white."""
    page = copy.copy(client.page)  # NiceGUI asks the page for it, which all clients share
    page.dark = is_dark
    client.page = page


def serve_static_files() -> None:
    """Let browsers load the style sheets, as one, and the scripts."""
    app.add_static_files("/assets", STATIC, max_cache_age=_A_YEAR_IN_SECONDS)

    @app.get(_STYLE_ADDRESS)
    def style() -> Response:
        keep = {"Cache-Control": f"public, max-age={_A_YEAR_IN_SECONDS}"}
        return Response(_style(), media_type="text/css", headers=keep)


def _head() -> str:
    """Return what each page has in its head. The addresses change with the files, which browsers keep for a year."""
    style = f"{_STYLE_ADDRESS}?v={zlib.crc32(_style()):x}"
    scripts = (f"/assets/{name}?v={zlib.crc32((STATIC / name).read_bytes()):x}" for name in SCRIPTS)
    return f'<link rel="stylesheet" href="{style}">' + "".join(
        f'<script src="{script}"></script>' for script in scripts
    )


@functools.cache
def _style() -> bytes:
    return b"\n".join((STATIC / name).read_bytes() for name in STYLES)
