"""The pages there are, and how a request becomes one. The only module with page functions; add a page to `ENTRIES`."""

import asyncio
import json
import logging
import weakref
from collections import deque
from collections.abc import Iterator
from functools import partial

from fastapi import Request
from fastapi.responses import Response
from nicegui import Client, background_tasks, ui
from nicegui.slot import Slot

from cache.warming import Preload
from data.preferences import CacheMode, Profile
from events.catalog import UserId
from pages import dashboard, experimental, glossary, goals, inspector, settings, shell, summary, tasks, thrift
from pages.actions import Actions
from pages.address import Address
from pages.analytics import page as analytics
from pages.controls import Ending
from pages.heads import Heads
from pages.live import Hub
from pages.preloading import QUICK_SECONDS, LoadingScreen
from pages.services import Services, current_user
from pages.shell import Entry, Frame, ThemeSwitch
from pages.shortcuts import Shortcuts
from pages.visit import Screen, Visit
from pages.workers import Workers

log = logging.getLogger(__name__)

ENTRIES: tuple[Entry, ...] = (
    Entry(path="/", label="Dashboard", icon="dashboard", build=dashboard.build),
    Entry(path="/analytics", label="Analytics", icon="analytics", build=analytics.build),
    Entry(path="/summary", label="Summary", icon="summary", build=summary.build),
    Entry(path="/tasks", label="Tasks", icon="tasks", build=tasks.build),
    Entry(path="/goals", label="Goals", icon="goals", build=goals.build),
    Entry(path="/glossary", label="Glossary", icon="glossary", build=glossary.build),
    Entry(path="/settings", label="Settings", icon="settings", build=settings.build),
    Entry(path="/experimental", label="Experimental", icon="experimental", build=experimental.build),
    Entry(path="/inspector", label="Inspector", icon="inspector", build=inspector.build),
)

ANYWHERE_ELSE = "/{path:path}"
"""Where there is no page: the frame says so, with status 404. Has to come last."""

LEFT_SECONDS = 3.0
"""How long a page is kept that its browser says was left: nobody comes back to it, as to one whose line was cut."""

PATIENCE_SECONDS = 30.0
"""How long a page may take to begin on a machine that is busy. NiceGUI would answer with an error after 3 s."""

REOPEN_LOOKS, REOPEN_PAUSE_SECONDS = 200, 0.05
"""How long a form that was being filled in waits, before it is opened again, for numbers that are not older ones."""

FILL_WAIT_SECONDS = 0.05
"""How long the response waits for what is shown. What is cached is there by then and needs no skeleton."""


class Pages:
    """The pages of one running application."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.workers = Workers()
        self.hub = Hub(services, self.workers)
        self._heads = Heads()

    def start(self) -> None:
        """Draw what changes from now on. Needs no event loop; may be called again."""
        self.hub.start()

    def stop(self) -> None:
        """Draw nothing more, and let go of the threads. May be called again."""
        self.hub.stop()
        self.workers.close()

    async def answer(self, client: Client, request: Request) -> Response | None:
        """Answer a request for one of `ENTRIES`. For anything else, build what says so; NiceGUI makes the answer."""
        profile = await self.workers.brief(self._profile, current_user())
        is_dark = shell.IS_DARK[profile.theme] if profile is not None else None
        is_full = profile is not None and self.services.manager.settings.mode_for(profile) is CacheMode.FULL
        shell.set_theme(client, is_dark)
        if client.page.path == ANYWHERE_ELSE:
            await self.build(client, is_full=is_full)
            return None
        return self._heads.answer(client, request, is_dark, partial(self._build_or_say_so, client, is_full=is_full))

    def _profile(self, user: UserId) -> Profile | None:
        """Return what *user* prefers; None if it cannot be read."""
        try:
            with self.services.manager.snapshot(user) as snapshot:
                return snapshot.view.profile
        except Exception:  # part of the page error boundary: the cards will say that nothing can be read
            log.exception("the preferences of user %s could not be read", user)
            return None

    async def _build_or_say_so(self, client: Client, *, is_full: bool) -> None:
        """Build the page; where that fails, one that says so: its head is on its way, so the status cannot."""
        try:
            await self.build(client, is_full=is_full)
        except Exception:  # part of the page error boundary: what is half built tells nobody anything
            log.exception("page %s could not be built", client.page.path)
            client.content.clear()
            shell.say_failed()

    async def build(self, client: Client, *, is_full: bool) -> None:
        """Build the frame and the page in *client* and return as soon as there is something to look at.

        *is_full* is whether everything is loaded first, behind a loading screen.
        """
        user = current_user()
        screen = Screen(client)
        fills: list[asyncio.Task[None]] = []
        visits: list[Visit] = []
        unbuilt: list[tuple[Slot, Iterator[None]]] = []

        def visit(frame: Frame, name: str) -> Visit:
            actions = Actions(user, self.workers, frame.toasts)
            address = Address(client, name)
            address.arrived(client.sub_pages_router.current_path)
            made = Visit(
                services=self.services,
                hub=self.hub,
                user=user,
                screen=screen,
                page=name,
                address=address,
                toasts=frame.toasts,
                actions=actions,
                overlay=Ending(lambda: made.end()).classes("overlay"),
            )
            return made

        def open_page(frame: Frame, entry: Entry) -> None:
            frame.arrived(entry)
            visits[:] = [visit(frame, entry.path)]
            steps = entry.build(visits[0]) or iter(())
            if client.sub_pages_router.is_initial_request:
                unbuilt.append((ui.context.slot, steps))
            else:
                deque(steps, maxlen=0)
                fill()

        def fill() -> None:
            fills[:] = [background_tasks.create(self.hub.fill(open_visit), name="fill a page") for open_visit in visits]

        def moved(path: str) -> None:
            for open_visit in visits:
                open_visit.address.arrived(path)

        async def reopen_form(draft: str) -> None:
            if fills:
                await asyncio.wait(fills)
            for _ in range(REOPEN_LOOKS):  # what the form is about may be gone
                if not any(section.is_refreshing for open_visit in visits for section in open_visit.sections):
                    break
                await asyncio.sleep(REOPEN_PAUSE_SECONDS)
            with client:
                if visits and not visits[0].reopen_form(draft):
                    client.run_javascript(f"reprieve.forget({json.dumps(draft)})")
                    frame.toasts.refused("What you were filling in before is not open any more.")

        def show_keys() -> None:
            with client:
                for open_visit in visits:
                    Shortcuts(open_visit)

        async with self.hub.turns.one():
            frame = Frame(client, ENTRIES, open_page, show_keys)
        while unbuilt:
            slot, steps = unbuilt.pop()
            with slot:
                await self.hub.turns.through(steps)
            fill()
        client.sub_pages_router.on_path_changed(moved)
        of_frame = visit(frame, "frame")
        ThemeSwitch(of_frame)
        background_tasks.create(self.hub.fill(of_frame), name="fill the frame")
        ui.on("reprieve_reopen", lambda event: reopen_form(str(event.args)))
        self._watch(client, screen, frame)
        preload = await self.workers.read(self._preload, user) if is_full else None
        if preload is not None:
            with client:
                screen_of_loading = LoadingScreen(of_frame, client, preload)
                background_tasks.create(screen_of_loading.follow(), name="follow the preloading")
        elif fills:
            await asyncio.wait(fills, timeout=FILL_WAIT_SECONDS)

    def _preload(self, user: UserId) -> Preload | None:
        """Load everything; return what is still loading after a moment, if anything is."""
        preload = self.services.manager.preload(user)
        return None if preload.wait(QUICK_SECONDS) else preload

    def _watch(self, client: Client, screen: Screen, frame: Frame) -> None:
        """Follow whether anybody sees *screen*, and tell them about errors that nothing else caught."""

        def seen(state: str) -> None:
            was_hidden, screen.is_hidden = screen.is_hidden, state == "hidden"
            if was_hidden and not screen.is_hidden:
                self.hub.seen_again(screen)

        def connected() -> None:
            client.page.reconnect_timeout = None  # as for every page
            self.hub.seen_again(screen)

        def left() -> None:
            client.page.reconnect_timeout = LEFT_SECONDS

        weakly = weakref.ref(client)  # which would else wait for the garbage collector, by way of its handlers

        def forgotten() -> None:
            gone = weakly()
            if gone is not None:
                for handlers in (gone.connect_handlers, gone.disconnect_handlers, gone._exception_handlers):
                    handlers.clear()

        ui.on("reprieve_visibility", lambda event: seen(event.args))
        ui.on("reprieve_left", left)
        client.on_connect(connected)
        client.on_delete(forgotten)
        client.on_exception(lambda: frame.toasts.refused("That did not work. Please try again."))
        self.hub.add_screen(screen)


def install(services: Services) -> Pages:
    """Register the pages with NiceGUI. Call `start` on what is returned before they are served, `stop` at the end."""
    thrift.remember_signatures()
    thrift.tell_elements_directly()
    thrift.escape_quickly()
    thrift.let_go_at_once()
    thrift.end_lines_quietly()
    pages = Pages(services)
    shell.serve_static_files()

    async def page(client: Client, request: Request) -> Response | None:
        return await pages.answer(client, request)

    for path in (*(entry.path for entry in ENTRIES), ANYWHERE_ELSE):
        ui.page(path, favicon=shell.FAVICON, language="en-US", response_timeout=PATIENCE_SECONDS)(page)
    return pages
