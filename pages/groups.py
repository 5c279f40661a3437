"""When sections of one page are redrawn: the first change at once, bursts merged, nobody held up by long loads.

Which sections are concerned, and how they are read and drawn, is known to the hub (`live`).
"""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from nicegui import background_tasks

from pages.pace import Pace
from pages.section import Section

Redraw = Callable[[list[Section], float, Callable[[], None]], Coroutine[Any, Any, None]]
"""Reads and draws sections: with that patience, and calls back as soon as all that is left waits for long loads."""


class Group:
    """The sections of one user's copies of one page, those that wait to be redrawn, and the task that does it."""

    def __init__(self, redraw: Redraw, pace: Callable[[], Pace]) -> None:
        self.members: weakref.WeakSet[Section] = weakref.WeakSet()
        self.waiting: weakref.WeakSet[Section] = weakref.WeakSet()
        self.being_read: weakref.WeakSet[Section] = weakref.WeakSet()
        """Those whose values are being read: until they are drawn, they are not read once more."""
        self._redraw = redraw
        self._pace = pace
        self._task: asyncio.Task[None] | None = None
        self._redraws: set[asyncio.Task[None]] = set()
        self._rest_until = 0.0

    def wake(self) -> None:
        """Look again whether something can be drawn now."""
        if self._task is None and self._next():
            self._task = background_tasks.create(self._work(), name="redraw")

    def stop(self) -> None:
        """Give up what was going on."""
        for task in (self._task, *self._redraws):
            if task is not None:
                task.cancel()
        self._task = None
        self._redraws.clear()

    def is_read(self, section: Section) -> None:
        """Take note that the values of *section* are being read."""
        self.waiting.discard(section)
        self.being_read.add(section)

    def was_drawn(self, section: Section) -> None:
        """Take note that *section* shows what was read for it, or that nobody wanted to wait for that any more."""
        self.being_read.discard(section)
        if section.is_stopped:
            self.waiting.discard(section)
        if section in self.waiting:
            self.wake()

    def _next(self) -> list[Section]:
        """Return what can be drawn now."""
        return [section for section in self.waiting if section.visit.screen.can_see and section not in self.being_read]

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                pause = self._rest_until - loop.time()
                if pause > 0:
                    await asyncio.sleep(pause)
                sections = self._next()
                if not sections:
                    return
                began = loop.time()
                await self._begin(sections)
                self._rest_until = loop.time() + self._pause_after(loop.time() - began)
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _begin(self, sections: list[Section]) -> None:
        """Redraw *sections*; return when all that is left of them waits for long loads, which hold up nobody else."""
        fell_behind = asyncio.Event()
        redraw = background_tasks.create(
            self._redraw(sections, self._pace().hold, fell_behind.set), name="redraw sections"
        )
        self._redraws.add(redraw)
        redraw.add_done_callback(self._redraws.discard)
        redraw.add_done_callback(lambda _: fell_behind.set())
        await fell_behind.wait()

    def _pause_after(self, cost: float) -> float:
        pace = self._pace()
        return max(pace.min_gap, min(pace.rest * cost, pace.longest_gap - cost))
