"""The application as the page tests see it: real data in a temporary folder, a clock that the test moves."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from nicegui import Client
from nicegui import app as nicegui_app

from app import Application, Settings, build
from cache.settings import CacheSettings
from data import instances, tasks
from data.database import Database
from data.preferences import LOCAL_USER
from events.catalog import InstanceId, TaskId
from pages.section import Section
from tests.house import Clock

USER = LOCAL_USER


@dataclass
class Stage:
    """One application under test. `current` is the running test's; `site.py` installs it."""

    folder: Path
    clock: Clock
    application: Application | None = None
    web: FastAPI | None = None

    def install(self) -> None:
        """Build the application and let NiceGUI start and stop it."""
        settings = Settings(
            database_url=f"sqlite:///{self.folder}/state/reprieve.db", cache=CacheSettings(folder=self.folder / "cache")
        )
        self.web, self.application = build(settings, clock=self.clock)
        nicegui_app.on_startup(self.application.start)
        nicegui_app.on_shutdown(self.application.stop)

    @property
    def database(self) -> Database:
        """The application's own database."""
        assert self.application is not None
        return self.application.database

    async def task(self, name: str = "Tax return", **values: object) -> TaskId:
        """Create a task."""
        return await asyncio.to_thread(tasks.create, self.database, USER, name=name, **values)

    async def planned(self, name: str = "Tax return", **values: object) -> InstanceId:
        """Create a task and plan it."""
        task = await self.task(name)
        return await asyncio.to_thread(instances.plan, self.database, USER, task, **values)

    async def do(self, command: Callable[..., object], *arguments: object, **values: object) -> None:
        """Run a command as this process would, past the pages."""
        await asyncio.to_thread(command, self.database, USER, *arguments, **values)

    def sections(self, client: Client | None = None) -> list[Section]:
        """Return the sections of all open pages, or of one browser tab."""
        assert self.application is not None
        found = self.application.pages.hub.roster.of_user(USER)
        return [section for section in found if client is None or section.home.client is client]

    def redraws(self, client: Client) -> Counter[str]:
        """Return how often each section of one browser tab has been drawn, by class."""
        return Counter({type(section).__name__: section.redraws for section in self.sections(client)})

    def section(self, name: str, client: Client | None = None) -> Section:
        """Return the section of that class."""
        return next(section for section in self.sections(client) if type(section).__name__ == name)


class Current:
    """Holds the stage of the running test for the main file, which NiceGUI's fixture runs by itself."""

    stage: Stage | None = None


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until *condition* holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
