"""Whose turn it is on the event loop: pages that are made and sections that are drawn keep it for milliseconds each.

Where many of them are ready at once, asyncio would run all of them before anything else; here each waits for the next
round of the loop, in which what came meanwhile runs first.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Pieces of work, one in each round of the event loop, first come, first served. On one event loop only."""

    def __init__(self, seconds: float) -> None:
        """*seconds* is how long a turn lasts, where there is a choice."""
        self._seconds = seconds
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Run what is inside, which awaits nothing, in a turn of its own. Who is alone begins at once."""
        async with self._lock:
            yield
            await asyncio.sleep(0)  # whoever else was ready in this round comes, and has to wait for the next

    async def each(self, act: Callable[[T], None], things: Iterable[T]) -> None:
        """Call *act* with each of *things*, in as many turns as that takes."""
        if left := list(things):
            await self.through(map(act, left))

    async def through(self, steps: Iterator[object]) -> None:
        """Go through *steps*, whose work is done as they are asked for, in as many turns as that takes."""
        loop = asyncio.get_running_loop()
        is_left = True
        while is_left:
            async with self.one():
                ends_at = loop.time() + self._seconds
                is_left = any(loop.time() > ends_at for _ in steps)
