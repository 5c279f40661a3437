"""The server of `tests.load`: the application, with as many users as requests name, and routes that tell of it."""

import asyncio
import contextlib
import logging
import random
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from nicegui import ui
from starlette.routing import Mount

import pages.actions
import pages.routes
from app import Application, Settings, build
from cache.settings import CacheSettings
from data import instances
from events.catalog import TaskId, UserId
from tests.load import percentile

LOOK_SECONDS = 0.01


def user_of_page() -> UserId:
    """Return whom the request of the open page names."""
    return UserId(int(ui.context.client.request.headers["x-user"]))


class Watch:
    """Measures how long the event loop stands still, and how much memory there is."""

    def __init__(self) -> None:
        self._stalls: deque[float] = deque(maxlen=1_000_000)
        self._memory: list[float] = []

    async def run(self) -> None:
        """Look again and again."""
        looked = 0
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LOOK_SECONDS)
            self._stalls.append(time.perf_counter() - began - LOOK_SECONDS)
            looked += 1
            if looked % 50 == 0:
                self._memory.append(_memory_mb())

    def take(self) -> dict[str, float]:
        """Return what was measured since the last time."""
        stalls, memory = list(self._stalls), self._memory
        self._stalls.clear()
        self._memory = []
        return {
            "stall_p99_ms": 1000 * percentile(stalls, 99),
            "memory_mb": sum(memory) / len(memory) if memory else _memory_mb(),
        }


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def complete(application: Application, user: UserId) -> None:
    """Plan one of the user's tasks, and be done with it at once."""
    with application.database.read() as read:
        rows = read.connection.exec_driver_sql("SELECT id FROM tasks WHERE user_id = ? AND archived = 0", (user,)).all()
    one = instances.plan(application.database, user, TaskId(random.choice(rows)[0]))
    instances.complete(application.database, user, one)


def main() -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    pages.routes.current_user = pages.actions.current_user = user_of_page  # type: ignore[attr-defined]
    web, application = build(
        Settings(
            port=port,
            database_url=f"sqlite:///{folder}/state/reprieve.db",
            cache=CacheSettings(folder=folder / "cache"),
        )
    )
    watch = Watch()
    _add_routes(web, application, watch)
    serve = web.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(whole: FastAPI) -> AsyncIterator[object]:
        async with serve(whole) as state:
            watching = asyncio.create_task(watch.run())
            yield state
            watching.cancel()

    web.router.lifespan_context = lifespan
    uvicorn.run(web, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)


def _add_routes(web: FastAPI, application: Application, watch: Watch) -> None:
    @web.post("/load/complete")
    def completed(request: Request) -> str:
        complete(application, UserId(int(request.headers["x-user"])))
        return "done"

    @web.get("/load/stats")
    async def stats() -> dict[str, float]:
        return watch.take()

    # NiceGUI was mounted at "/" and answers everything that comes after it
    mounted = [route for route in web.router.routes if isinstance(route, Mount)]
    for route in mounted:
        web.router.routes.remove(route)
        web.router.routes.append(route)


if __name__ == "__main__":
    main()
