"""The live hub: decides when which section of which open page is redrawn.

The cache announces what went stale (`Invalidated`) or came late (`Reloaded`), in any thread. `Hub.forward` hops to
the event loop; there the sections concerned are marked, and each group of them (one user's copies of one page) is read
in one snapshot and drawn. The first change is drawn at once, bursts are merged; what nobody can see is marked and
drawn when it is seen again. How a section draws is in `section`; who can see it, in `visit`.
"""

import asyncio
import functools
import itertools
import logging
import math
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from nicegui import background_tasks

from cache.errors import CacheError
from cache.snapshot import Look
from cache.values import PREFERENCES, Value
from data.pieces import Stopped, watched
from data.viewpoint import Viewpoint
from events.catalog import Notification, Reloaded, UserId
from pages.arrivals import Arrivals
from pages.errors import LoadStoppedError
from pages.groups import Group
from pages.pace import Pace
from pages.roster import Roster
from pages.section import Query, Reading, Section
from pages.services import Services
from pages.times import LoadTimes
from pages.turns import Turns
from pages.visit import Screen, Visit
from pages.waiting import Waits, Watch
from pages.workers import Workers

log = logging.getLogger(__name__)


class Hub:
    """The hub of one run. Everything but `start` and `forward` belongs on the event loop."""

    def __init__(self, services: Services, workers: Workers, pace: Pace | None = None) -> None:
        self.workers = workers
        self.pace = pace or Pace()
        self.turns = Turns(self.pace.slice)
        self.times = LoadTimes()
        self._services = services
        self._is_started = False
        self._connections = ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the first screen
        self._pulse: asyncio.Task[None] | None = None
        self.roster = Roster(lambda user: Group(functools.partial(self.redraw, user), lambda: self.pace))
        """What is open."""
        self._screens: weakref.WeakSet[Screen] = weakref.WeakSet()
        self._tickets = itertools.count()
        self._inbox: dict[tuple[type, UserId | None, tuple[str, ...]], Notification] = {}
        self.waits = Waits()
        self._costs = {PREFERENCES.key: 0.0}  # seconds that it took to compute each value, the last time
        self._inbox_lock = threading.Lock()

    # --- life

    def start(self) -> None:
        """Listen from now on. Needs no running event loop; may be called again."""
        if not self._is_started:
            self._is_started = True
            self._connections.callback(self._services.bus.on_invalidated(self.forward))
            self._connections.callback(self._services.bus.on_reloaded(self.forward))

    def stop(self) -> None:
        """Draw no more. May be called again, and be followed by another `start`."""
        self._is_started = False
        self._connections.close()
        for group in self.roster.groups():
            group.stop()
        if self._pulse is not None:
            self._pulse.cancel()
        self._pulse = self._loop = None
        with self._inbox_lock:
            self._inbox.clear()

    # --- who is here

    def add_screen(self, screen: Screen) -> None:
        """Draw for *screen* from now on, and look for other processes' changes while it is connected."""
        self._loop = asyncio.get_running_loop()
        self._screens.add(screen)
        if self._pulse is None:
            self._pulse = background_tasks.create(self._beat(), name="live pulse")

    def add(self, section: Section) -> None:
        """Redraw *section* from now on when one of its values goes stale."""
        self.roster.add(section)

    def remove(self, section: Section) -> None:
        """Forget *section*, and what was kept for its user if it was the last there."""
        self.roster.remove(section)
        if not self.roster.is_here(section.visit.user):
            self.waits.forget(section.visit.user)

    @property
    def users(self) -> frozenset[UserId]:
        """Who has a page open. Safe from any thread."""
        return frozenset(self.roster.users)

    # --- what goes stale

    def forward(self, notification: Notification) -> None:
        """Take *notification* over to the event loop. The only place in which anything gets there from another thread.

        Costs the same however many sections there are, and repeats are merged before they are looked at.
        """
        loop = self._loop
        if loop is None:
            return
        with self._inbox_lock:
            is_first = not self._inbox
            self._inbox[type(notification), notification.user, notification.prefixes] = notification
        if is_first:
            try:
                loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop has closed meanwhile: nobody is left to draw for
                with self._inbox_lock:
                    self._inbox.clear()

    def _deliver(self) -> None:
        with self._inbox_lock:
            arrived = list(self._inbox.values())
            self._inbox.clear()
        for notification in arrived:
            for user in self.roster.users if notification.user is None else [notification.user]:
                # that a load has ended is no news to one for which another was stopped
                concerned = self.roster.showing(user, notification.prefixes)
                self.mark(one for one in concerned if not (one.is_stopped and isinstance(notification, Reloaded)))

    def mark(self, sections: Iterable[Section], *, force: bool = False) -> None:
        """Redraw *sections* as soon as they may be and somebody can see them; if *force*, even if nothing changed.

        One that keeps what it shows is only told that there is something newer, unless *force*.
        """
        now = self._services.clock()
        for section in list(sections):
            group = self.roster.group_of(section)
            if group is not None and not force and section.keeps(now):
                section.fall_behind()
            elif group is not None:
                section.is_forced = section.is_forced or force
                group.waiting.add(section)
                group.wake()

    def retry(self, section: Section) -> None:
        """Try a section that shows an error again."""
        self.mark([section], force=True)

    # --- who can see it

    def seen_again(self, screen: Screen) -> None:
        """Draw what *screen* missed: call it when its tab comes to the front or its line is back."""
        screen.seen_since = time.monotonic()
        mine = self.roster.on_screen(screen)
        for group in {self.roster.group_of(section) for section in mine}:
            if group is not None:
                group.wake()
        if mine:
            background_tasks.create(self._compare(mine), name="compare what is shown")

    async def _compare(self, sections: list[Section]) -> None:
        """Mark those of *sections* that do not show what a reader would be shown now."""
        await self.workers.brief(self._services.poll)
        shown = [(section, section.reading) for section in sections if section.reading is not None]
        outdated = await self.workers.read(self._outdated, shown)
        self.mark(
            section
            for section in sections
            if (section.is_blank and not self._is_read(section)) or section.follows or section in outdated
        )  # what a query reads is not compared but read anew; it is drawn only if it differs

    def _outdated(self, shown: list[tuple[Section, Reading]]) -> set[Section]:
        found = set()
        for user in {reading.view.user for _, reading in shown}:
            with self._services.manager.snapshot(user) as snapshot:
                for section, reading in shown:
                    looks = [(value, reading.looks[value.key]) for value in section.values]
                    if reading.view.user == user and not all(
                        isinstance(look, Look) and snapshot.is_current(value, look) for value, look in looks
                    ):
                        found.add(section)
        return found

    # --- drawing

    async def fill(self, visit: Visit) -> None:
        """Draw all sections of *visit* for the first time, whether or not its line to the browser is open yet."""
        began = asyncio.get_running_loop().time()
        await self.redraw(visit.user, list(visit.sections), patience=self.pace.first)
        readings = [section.reading for section in visit.sections if section.reading is not None]
        if readings:
            mode = self._services.manager.settings.mode_for(readings[0].view.profile)
            self.times.add(visit.user, mode, visit.page, asyncio.get_running_loop().time() - began)

    async def redraw(
        self,
        user: UserId,
        sections: list[Section],
        patience: float | None = None,
        fell_behind: Callable[[], None] = lambda: None,
    ) -> None:
        """Read all values of *sections* in one snapshot, in a worker thread; draw each as soon as its own are there.

        First comes what took least time the last time, by the number of sections that wait for it. All belongs to one
        state, whenever it is drawn. After *patience* (seconds, for all of them; None: as each value has it) older ones
        are shown where they are kept, and `Reloaded` has them redrawn. *fell_behind* is called as soon as all that is
        left to draw waits for something that takes longer than the pace's patience.
        """
        for section in sections:  # before the reading begins: what is invalidated from now on marks them anew
            group = self.roster.group_of(section)
            if group is not None:
                group.is_read(section)
        try:
            await self._read_and_draw(user, sections, patience, fell_behind)
        finally:
            for section in sections:
                self._was_drawn(section)

    async def _read_and_draw(
        self, user: UserId, sections: list[Section], patience: float | None, fell_behind: Callable[[], None]
    ) -> None:
        ticket, pace = next(self._tickets), self.pace
        left = sorted(sections, key=lambda section: section.home.id)  # from the top of the page down
        shown_by = Counter(value for section in left for value in section.values)
        wanted = sorted(shown_by, key=lambda value: self._costs.get(value.key, math.inf) / shown_by[value])
        queries = {section: query for section in sections if (query := section.query()) is not None}
        arrivals = Arrivals(asyncio.get_running_loop())
        waiting = self.waits.of(user)
        reading_all = self.workers.read(self._read, user, wanted, queries, patience, arrivals.put, Watch(waiting))
        load = background_tasks.create(reading_all, handle_exceptions=False)
        load.add_done_callback(arrivals.end)
        async for reading in arrivals.within(pace.patience, again=pace.progress, rarest=pace.rarest_progress):
            if reading is None:
                for section in left:
                    section.say_waiting(waiting.words)
                fell_behind()
                continue
            ready = [
                section
                for section in left
                if all(value.key in reading.looks for value in section.values)
                and (section not in queries or section in reading.found)
            ]
            left = [section for section in left if section not in ready]
            await self._draw(ready, reading, ticket)
            if ready and left:
                await arrivals.gather(pace.gather)
        try:
            await load
        except Exception as error:  # part of the page error boundary: every card says that it could not be read
            log.exception("reading for user %s failed", user)
            await self._draw(left, error, ticket)

    async def _draw(self, sections: list[Section], reading: Reading | Exception, ticket: int) -> None:
        def draw(section: Section) -> None:
            section.draw(reading, ticket)
            self._was_drawn(section)

        await self.turns.each(draw, sections)

    def _is_read(self, section: Section) -> bool:
        group = self.roster.group_of(section)
        return group is not None and section in group.being_read

    def _was_drawn(self, section: Section) -> None:
        group = self.roster.group_of(section)
        if group is not None:
            group.was_drawn(section)

    def _read(
        self,
        user: UserId,
        wanted: list[Value[Any]],
        queries: Mapping[Section, Query],
        patience: float | None,
        arrived: Callable[[Reading], None],
        told: Watch,
    ) -> None:
        """Ask *queries*, look at *wanted*, in turn; give *arrived* what there is after each, *told* how far it is."""
        until = None if patience is None else time.monotonic() + patience
        with watched(told), self._services.manager.snapshot(user) as snapshot:
            looks: dict[str, Any] = {}
            found: dict[Section, Any] = {}
            for section, query in queries.items():
                try:
                    found[section] = snapshot.query(query)
                except Exception as error:  # part of the page error boundary: it concerns this section only
                    log.exception("a query of %s failed for user %s", type(section).__name__, user)
                    found[section] = error
            read_at = self._services.clock()
            arrived(Reading(snapshot.view, {}, read_at, found))
            in_turn = deque(wanted)
            while in_turn:
                value = in_turn.popleft()
                try:
                    if told.is_stopped:
                        raise Stopped
                    left = None if until is None else max(0.0, until - time.monotonic())
                    look = snapshot.glance(value, patience=left, hold=self.pace.turn if in_turn else None)
                    if look is None:  # a page opens, and this takes long: the others first
                        in_turn.append(value)
                        continue
                    looks[value.key] = look
                    self._costs[value.key] = look.load_seconds
                except (CacheError, Stopped) as error:  # logged by the manager; of the sections that show this value
                    looks[value.key] = LoadStoppedError(value.key) if told.is_stopped else error
                arrived(Reading(snapshot.view, dict(looks), read_at, found))

    # --- the passing of time

    async def _beat(self) -> None:
        """Look for what other processes changed and for days that have begun, while there is anybody to see it."""
        loop = asyncio.get_running_loop()
        next_look, next_tick, next_retry = (
            loop.time() + pause for pause in (self.pace.look, self.pace.tick, self.pace.retry)
        )
        failing = False
        while self._screens:
            await asyncio.sleep(self.pace.poll)
            if not any(screen.is_connected for screen in self._screens):
                continue
            try:
                await self.workers.brief(self._services.poll)
                failing = False
            except Exception:  # part of the page error boundary: without the pulse, pages would silently stand still
                if not failing:
                    log.exception("looking for changes failed; trying on")
                failing = True
            if loop.time() < next_look:
                continue
            next_look = loop.time() + self.pace.look
            ticks, retries = loop.time() >= next_tick, loop.time() >= next_retry
            if ticks:
                next_tick = loop.time() + self.pace.tick
            if retries:
                next_retry = loop.time() + self.pace.retry
            mark = functools.partial(self._mark_by_time, self._services.clock(), ticks, retries)
            await self.turns.each(mark, self.roster.users)
        self._pulse = None

    def _mark_by_time(self, now: datetime, ticks: bool, retries: bool, user: UserId) -> None:
        view: Viewpoint | None = None
        for section in self.roster.of_user(user):
            if (ticks and section.ticks) or (retries and section.is_broken):
                self.mark([section], force=True)
            if section.is_behind and not section.keeps(now):
                self.mark([section])
            if section.reading is None:
                continue
            if view is None or view.profile is not section.reading.view.profile:
                view = Viewpoint.at(user, section.reading.view.profile, now)
            if section.is_outdated(view):
                self.mark([section])
