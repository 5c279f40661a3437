"""Builds the application and serves it: `python app.py`. Imported by nobody but tests.

Everything is made in `build`, opened in `Application.start` and closed in `Application.stop`; nothing lives at module
level. Settings come from the environment (`Settings`), each wrong value is one sentence and exit code 2.
"""

import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse, Response
from nicegui import ui

import events
from cache import prometheus
from cache import settings as cache_settings
from cache.auditor import Auditor
from cache.errors import CacheError, SettingsError
from cache.manager import CacheManager
from cache.pieces import ROWS
from cache.rulebook import faults, graph
from cache.settings import CacheSettings
from data import backup, preferences, upkeep
from data import settings as data_settings
from data.database import Database, utc_now
from data.errors import DataError
from data.feed import Feed
from data.settings import database_url, system_zone
from events import table
from events.bus import Bus
from events.catalog import CATALOG
from events.errors import EventsError, RulesError
from events.ruleset import Ruleset
from pages import Pages, Services, install, inventory
from scheduler.backups import Backups
from scheduler.clockwork import Clockwork
from scheduler.day import DayWatch, warm_summary
from scheduler.jobs import Work
from scheduler.prometheus import JobCollector

log = logging.getLogger("reprieve")

ROOT = Path(__file__).resolve().parent
RECONNECT_TIMEOUT_SECONDS = 60.0
SHUTDOWN_SECONDS = 3
RECLAIMED_AT_ONCE = 500
COLLECT_AFTER = (20_000, 25, 50)
"""How many new objects, and collections of younger ones, there are between two collections of garbage. Python's own
700, 10, 10 are reached several times while one page is built, and each collection stops all pages."""

VARIABLES = {
    "HOST": ("127.0.0.1", "the address to listen at; there are no accounts yet, so leave it at loopback"),
    "PORT": ("8080", "the port to listen at"),
    **data_settings.VARIABLES,
    **cache_settings.VARIABLES,
}
"""Every environment variable that is read: name -> default and meaning."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose."""

    host: str = "127.0.0.1"
    port: int = 8080
    database_url: str = field(default_factory=lambda: database_url({}))
    cache: CacheSettings = field(default_factory=CacheSettings)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read `HOST`, `PORT`, `DATABASE_URL` and the `CACHE_*` variables; what is unset has its default.

        Raises:
            SettingsError: one of them holds what it may not.
            DataError: `DATABASE_URL` is none we can open.
        """
        port = environment.get("PORT") or "8080"
        if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise SettingsError(f"PORT={port!r}: expected a whole number from 1 to 65,535")
        return cls(
            host=environment.get("HOST") or "127.0.0.1",
            port=int(port),
            database_url=database_url(environment),
            cache=CacheSettings.from_environment(environment),
        )


class Application:
    """Everything that runs, wired together. `start` and `stop` may be called again."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.bus = Bus()
        self.database = Database(settings.database_url, clock=clock)
        self.feed = Feed(self.database, self.bus)
        self._backups = Backups(
            database=self.database, folder=backup.folder_of(self.database.file), backup=backup.backup
        )
        rules = table.rules()
        self.manager = CacheManager(self.database, self.feed, self.bus, Ruleset(rules), settings.cache)
        self.auditor = Auditor(self.manager)
        self.clockwork = Clockwork(self.database, self._work())
        self.pages: Pages = install(
            Services(
                database=self.database,
                manager=self.manager,
                auditor=self.auditor,
                drawing=graph.draw(graph.graph(rules, ROWS, inventory.parts())),
                bus=self.bus,
                poll=self.feed.catch_up,
                clock=clock,
            )
        )
        self._running: contextlib.ExitStack | None = None

    def start(self) -> None:
        """Open the database and begin to listen, to look at the clock and to serve pages.

        Raises:
            DataError: the database cannot be used; nothing is left open.
        """
        if self._running is not None:
            return
        with contextlib.ExitStack() as opened:
            self.database.open(look=True)
            opened.callback(self.database.close)
            preferences.create_user(self.database, "local", time_zone=system_zone())
            self.manager.start()
            opened.callback(self.manager.stop)
            self.feed.start()
            opened.callback(self.feed.stop)
            self.pages.start()
            opened.callback(self.pages.stop)
            self.auditor.start()
            opened.callback(self.auditor.stop)
            self.clockwork.start()
            opened.callback(self.clockwork.stop)
            self._running = opened.pop_all()

    def stop(self) -> None:
        """Close everything, in the opposite order."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def _work(self) -> dict[str, Work]:
        """Return what does the jobs of `scheduler.jobs`, by name."""
        watch = DayWatch(self.database, warm_summary(self.manager, self.settings.cache.mode))
        return {
            "day": watch.look,
            "routines": watch.plan,
            "prune": lambda stopping: upkeep.prune_log(self.database),
            "reclaim": self._reclaim,
            "audit": self._audit,
            "backup": lambda stopping: self._backups.make(),
        }

    def _reclaim(self, stopping: threading.Event) -> None:
        """Look once at all that is kept, a batch at a time."""
        most = max(tier.entries for tier in self.manager.get_cache_stats().tiers)
        for _ in range(0, most + 1, RECLAIMED_AT_ONCE):
            if stopping.wait(0.01):
                return
            self.manager.reclaim(most=RECLAIMED_AT_ONCE)

    def _audit(self, stopping: threading.Event) -> None:
        for user in preferences.names(self.database).values():
            if stopping.is_set():
                return
            self.auditor.check_all(user)


def build(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> tuple[FastAPI, Application]:
    """Return the web application and what runs behind it. Serving the former starts and stops the latter.

    Raises:
        RulesError: the tables do not fit together; says everything that is wrong.
    """
    check_tables()
    application = Application(settings, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        application.start()
        try:
            yield
        finally:
            application.stop()

    web = FastAPI(title="Reprieve", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    web.include_router(machine_routes(application))
    ui.run_with(
        web,
        title="Reprieve",
        reconnect_timeout=RECONNECT_TIMEOUT_SECONDS,
        tailwind=False,
        show_welcome_message=False,
    )
    return web, application


def machine_routes(application: Application) -> APIRouter:
    """Return `/health` and `/metrics`: of the parent application, so that they answer without a session."""
    router = APIRouter()
    counters = prometheus.exposition(
        application.manager.get_cache_stats,
        prometheus.AuditCollector(application.auditor.report),
        JobCollector(lambda: application.clockwork.stats),
    )

    @router.get("/health")
    def health() -> PlainTextResponse:
        with application.database.read():
            return PlainTextResponse("ok\n")

    @router.get("/metrics")
    def metrics() -> Response:
        return Response(counters(), media_type=prometheus.CONTENT_TYPE)

    return router


def check_tables() -> None:
    """Compare catalog, rules, values and sections with each other.

    Raises:
        RulesError: says everything that is wrong, each with file and line.
    """
    rules, misspelt = table.read()
    findings = [*misspelt, *faults.find(rules, CATALOG, ROWS, inventory.parts()), *inventory.faults()]
    if findings:
        raise RulesError(findings)


def main() -> int:
    """Serve until told to stop; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("alembic", "apscheduler", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        if Path(events.__file__ or "").resolve().parent != ROOT / "events":
            raise SettingsError(f"`events` is {events.__file__}, not ours: start with `python app.py` in {ROOT}")
        settings = Settings.from_environment(os.environ)
        _check_port(settings)
        web, application = build(settings)
        application.start()  # here rather than in the server, so that what is wrong is one sentence
    except (CacheError, DataError, EventsError) as error:
        log.error("%s", error)
        return 2
    settle_memory()
    log.info("Reprieve is at http://%s:%d, its data in %s", settings.host, settings.port, settings.database_url)
    # uvicorn shuts down in order and then raises the signal once more; taken here, it ends in exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.run(
        web,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return 0


def settle_memory() -> None:
    """Spare the garbage collector what stays as long as the process does, and let it come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _check_port(settings: Settings) -> None:
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            remedy = "expected an address and port of this machine that we may listen at"
            if error.errno == errno.EADDRINUSE:
                remedy = "is Reprieve running already? Set PORT to another number"
            raise SettingsError(f"HOST={settings.host} PORT={settings.port}: {error.strerror}; {remedy}") from None


if __name__ in {"__main__", "__mp_main__"}:
    sys.exit(main())
