"""The threads in which pages read and write, so that the event loop never waits.

Three pools, because a full one delays what is short: a poll or a command must not wait behind somebody's analytics.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
COMMANDS = 4


class Workers:
    """The thread pools of one run. Threads start when they are first needed, also after `close`."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._reads = ThreadPoolExecutor(READERS, thread_name_prefix="pages-read")
        self._commands = ThreadPoolExecutor(COMMANDS, thread_name_prefix="pages-command")
        self._brief = ThreadPoolExecutor(1, thread_name_prefix="pages-brief")

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what loads values; may take as long as the slowest loader."""
        return await _run(self._reads, partial(function, *args, **kwargs))

    async def command(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what changes the data; takes as long as its transaction waits and writes."""
        return await _run(self._commands, partial(function, *args, **kwargs))

    async def brief(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that takes a few milliseconds at most, one after the other."""
        return await _run(self._brief, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Drop what waits. What runs is not waited for: threads cannot be interrupted."""
        for pool in (self._reads, self._commands, self._brief):
            pool.shutdown(wait=False, cancel_futures=True)
        self._open()


async def _run(pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    # NOTE: nicegui.run.io_bound would do the same in one shared pool, and return None once the app is stopping.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, call)
