"""The server of `tests.load`: the application, with as many users as requests name, and routes that tell of it."""

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from nicegui import ui
from sqlalchemy import func, select
from starlette.routing import Mount

import pages.actions
import pages.routes
from app import Application, Settings, build, server_config
from cache.settings import CacheSettings
from data import instances
from data.models import Instance
from events.catalog import TaskId, UserId
from scheduler import garbage
from tests.lateness import Late, watch
from tests.load import LOOK_SECONDS, Measured


def user_of_page() -> UserId:
    """Return whom the request of the open page names."""
    return UserId(int(ui.context.client.request.headers["x-user"]))


class Watch:
    """Measures how long the event loop stands still, and how much memory there is."""

    def __init__(self) -> None:
        self._late: list[Late] = []
        self._memory: list[float] = []
        self._looked = 0

    async def run(self) -> None:
        """Look again and again."""
        await watch(LOOK_SECONDS, self._seen)

    def _seen(self, late: Late) -> None:
        self._late.append(late)
        self._looked += 1
        if self._looked % 50 == 0:
            self._memory.append(_memory_mb())

    def take(self) -> Measured:
        """Return what was measured since the last time."""
        late, self._late = self._late, []
        memory, self._memory = self._memory, []
        return {
            "late_ms": [1000 * one.seconds for one in late],
            "own_ms": [1000 * one.own for one in late],
            "memory_mb": sum(memory) / len(memory) if memory else _memory_mb(),
        }


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def complete(application: Application, user: UserId) -> int:
    """Plan one of the user's tasks, and be done with it at once. Return how many are done today."""
    with application.database.read() as read:
        rows = read.connection.exec_driver_sql("SELECT id FROM tasks WHERE user_id = ? AND archived = 0", (user,)).all()
    one = instances.plan(application.database, user, TaskId(random.choice(rows)[0]))
    instances.complete(application.database, user, one)
    midnight = application.database.clock().replace(hour=0, minute=0, second=0, microsecond=0)  # their zone is UTC
    with application.database.read() as read:
        done = select(func.count()).where(Instance.user_id == user, Instance.completed_at >= midnight)
        return read.connection.execute(done).scalar_one()


def main() -> None:
    """Serve until told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder, port, cache_mb = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pages.routes.current_user = pages.actions.current_user = user_of_page  # type: ignore[attr-defined]
    web, application = build(
        Settings(
            port=port,
            database_url=f"sqlite:///{folder}/state/reprieve.db",
            cache=CacheSettings(folder=folder / "cache", max_size_mb=cache_mb),
        )
    )
    watching = Watch()
    _add_routes(web, application, watching)
    serve = web.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(whole: FastAPI) -> AsyncIterator[object]:
        async with serve(whole) as state:
            looking = asyncio.create_task(watching.run())
            yield state
            looking.cancel()

    web.router.lifespan_context = lifespan
    # without a log_config of its own: what it catches is an error of the run as well
    with garbage.spared():
        uvicorn.Server(server_config(web, host="127.0.0.1", port=port, log_config=None)).run()


def _add_routes(web: FastAPI, application: Application, watching: Watch) -> None:
    @web.post("/load/complete")
    def completed(request: Request) -> int:
        return complete(application, UserId(int(request.headers["x-user"])))

    @web.get("/load/stats")
    async def stats() -> Measured:
        return watching.take()

    # NiceGUI was mounted at "/" and answers everything that comes after it
    mounted = [route for route in web.router.routes if isinstance(route, Mount)]
    for route in mounted:
        web.router.routes.remove(route)
        web.router.routes.append(route)


if __name__ == "__main__":
    main()
