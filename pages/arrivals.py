"""What a worker thread has read so far, on its way to the event loop: fast values need not wait for slow ones."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

from pages.section import Reading


class Arrivals:
    """The readings of one worker, each of which contains all before it. Made on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._newest: Reading | None = None
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()

    def put(self, reading: Reading) -> None:
        """Take *reading*. From any thread; one that is overtaken by the next is never seen."""
        self._newest = reading
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile: nobody is left to draw for
            self._loop.call_soon_threadsafe(self._changed.set)

    def end(self, _: object = None) -> None:
        """Say that nothing will come any more. On the event loop."""
        self._ended.set()
        self._changed.set()

    async def gather(self, seconds: float) -> None:
        """Let what comes within *seconds* come together; not longer than until all is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def within(
        self, patience: float, *, again: float = math.inf, rarest: float = math.inf
    ) -> AsyncIterator[Reading | None]:
        """Yield the newest reading whenever there is one; None after *patience* seconds, after *again* of them, after
        twice as many, and so on up to every *rarest*."""
        impatient_at = self._loop.time() + patience
        while True:
            reading, self._newest = self._newest, None
            if reading is not None:
                yield reading
            elif self._ended.is_set():
                return
            else:
                self._changed.clear()  # what is put from now on sets it later: that happens on this loop, too
                try:
                    async with asyncio.timeout_at(impatient_at):
                        await self._changed.wait()
                except TimeoutError:
                    impatient_at = self._loop.time() + again
                    again = min(2 * again, rarest)
                    yield None
