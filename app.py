"""Builds the application and serves it: `python app.py`. Imported by nobody but tests.

Everything is made in `build`, opened in `Application.start` and closed in `Application.stop`; nothing lives at module
level. Settings come from the environment (`Settings`), each wrong value is one sentence and exit code 2.
"""

import atexit
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
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

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
from data import backup, pidfile, preferences, scratch, upkeep
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
from pages import Pages, Services, doors, install, inventory
from scheduler import day, garbage
from scheduler.backups import Backups
from scheduler.clockwork import Clockwork
from scheduler.jobs import Work
from scheduler.prometheus import JobCollector

log = logging.getLogger("reprieve")

ROOT = Path(__file__).resolve().parent
RECONNECT_TIMEOUT_SECONDS = 60.0
REQUESTS_END_SECONDS = 1
"""How long requests that are under way may take when it stops."""
SHUTDOWN_SECONDS = 3.5
"""After how long it ends whatever is under way."""
BACKLOG = 2048
RECLAIMED_AT_ONCE = 500

VARIABLES = {
    "HOST": ("127.0.0.1", "the address to listen at: one that only this machine reaches, as there are no accounts yet"),
    "PORT": ("8080", "the port to listen at"),
    "ALLOWED_HOSTS": (
        "",
        "names, with commas between them, by which browsers reach it besides `localhost` and addresses",
    ),
    "OPEN_TO_NETWORK": (
        "no",
        "`yes` lets `HOST` be any address; who reaches it sees and changes everything, so let a proxy decide who does",
    ),
    **data_settings.VARIABLES,
    **cache_settings.VARIABLES,
}
"""Every environment variable that is read: name -> default and meaning."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator chose."""

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: frozenset[str] = frozenset()
    database_url: str = field(default_factory=lambda: database_url({}))
    cache: CacheSettings = field(default_factory=CacheSettings)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables of `VARIABLES`; what is unset has its default.

        Raises:
            SettingsError: one of them holds what it may not.
            DataError: `DATABASE_URL` is none we can open.
        """
        port = environment.get("PORT") or "8080"
        if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise SettingsError(f"PORT={port!r}: expected a whole number from 1 to 65,535")
        return cls(
            host=_host(environment),
            port=int(port),
            allowed_hosts=_allowed_hosts(environment),
            database_url=database_url(environment),
            cache=CacheSettings.from_environment(environment),
        )


def _host(environment: Mapping[str, str]) -> str:
    host = environment.get("HOST") or "127.0.0.1"
    answer = environment.get("OPEN_TO_NETWORK") or "no"
    if answer not in ("yes", "no"):
        raise SettingsError(f"OPEN_TO_NETWORK={answer!r}: expected yes or no")
    if answer == "no" and not doors.is_loopback(host):
        raise SettingsError(
            f"HOST={host!r}: expected 127.0.0.1, ::1 or localhost. There are no accounts, so whoever reaches another "
            "address sees and changes everything; if something else decides who does, set OPEN_TO_NETWORK=yes"
        )
    return host


def _allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    names = (name.strip().lower() for name in environment.get("ALLOWED_HOSTS", "").split(","))
    allowed = frozenset(name for name in names if name)
    for name in allowed:
        if not doors.is_host_name(name):
            raise SettingsError(
                f"ALLOWED_HOSTS={name!r}: expected names such as reprieve.example, without scheme, port and wildcards"
            )
    return allowed


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
        self._sweeper = garbage.Sweeper(lambda: bool(self.pages.hub.users))
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
            scratch.sweep(self.database.file)
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
        return {
            **day.work(self.database, self.manager, waiting=lambda: self.pages.hub.users),
            "prune": lambda stopping: upkeep.prune_log(self.database),
            "reclaim": self._reclaim,
            "audit": self._audit,
            "backup": lambda stopping: self._backups.make(),
            "sweep": lambda stopping: self._sweeper.sweep(),
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
    web.add_middleware(doors.Doors, hosts=settings.allowed_hosts)
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
        try:
            with application.database.read():
                return PlainTextResponse("ok\n")
        except DataError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)

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
    found = faults.find(rules, CATALOG, ROWS, inventory.parts())
    findings = list(dict.fromkeys((*misspelt, *found, *inventory.faults())))
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
        web, application = build(settings)
        with contextlib.ExitStack() as opened:
            door = opened.enter_context(_listening(settings, application.database.file))
            other = pidfile.server_of(application.database.file)
            application.start()  # here rather than in the server, so that what is wrong is one sentence
            opened.callback(application.stop)
            opened.enter_context(pidfile.announced(application.database.file, settings.address))
            log.info("Reprieve is at %s, its data in %s", settings.address, settings.database_url)
            if other:
                log.warning("The same data is served at %s as well: both show every change, one is enough", other)
            opened.enter_context(garbage.spared())
            _serve(web, door)
    except (CacheError, DataError, EventsError) as error:
        log.error("%s", error)
        return 2
    except KeyboardInterrupt:  # before it serves, or again while it ends
        log.info("Stopped")
    return 0


def server_config(web: FastAPI, **others: Any) -> uvicorn.Config:
    """Return how *web* is served, here and where it is tested and measured; *others* are of uvicorn's own."""
    return uvicorn.Config(
        web,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=REQUESTS_END_SECONDS,
        ws_per_message_deflate=False,  # of each line that was ever open, what compresses is kept until a sweep
        **others,
    )


def _serve(web: FastAPI, door: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C; return when what was under way has ended."""
    server = _Server(server_config(web))
    # uvicorn listens to signals while it serves, and raises those again that it was sent: taken here, they end in 0.
    signal.signal(signal.SIGTERM, server.handle_exit)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[door])


class _Server(uvicorn.Server):
    """A server that ends in time, whatever is under way."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: no more requests, then the end of what runs, then of everything."""
        overdue = threading.Timer(SHUTDOWN_SECONDS, _end_now)
        overdue.daemon = True
        overdue.start()
        super().handle_exit(sig, frame)


def _end_now() -> None:
    """End the process although something is still running: what was not committed is rolled back by the next start."""
    still = sorted({thread.name for thread in threading.enumerate() if thread is not threading.current_thread()})
    log.warning("Stopped after %g s with work under way, which is undone: %s", SHUTDOWN_SECONDS, ", ".join(still))
    logging.shutdown()
    os._exit(0)


def _listening(settings: Settings, database: Path) -> socket.socket:
    """Return a socket that listens, so that of two that start at once, the second learns it here.

    Raises:
        SettingsError: we may not listen there, or somebody else does.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        remedy = "expected an address and port of this machine that we may listen at"
        if error.errno == errno.EADDRINUSE:
            server = pidfile.server_of(database)
            remedy = "set PORT to another number"
            if server and _is_at(server, settings):
                raise SettingsError(f"Reprieve is running already at {server}: open it there, or {remedy}") from None
            remedy = f"is Reprieve running already? {remedy[0].upper()}{remedy[1:]}"
        raise SettingsError(f"HOST={settings.host} PORT={settings.port}: {error.strerror}; {remedy}") from None


def _is_at(server: str, settings: Settings) -> bool:
    """Whether *server*, as `pidfile` says it, listens where we would: this machine has several names for itself."""
    try:
        found = urlsplit(server.partition(" ")[0])
        host, port = found.hostname or "", found.port
    except ValueError:
        return False
    return port == settings.port and (
        host == settings.host or (doors.is_loopback(host) and doors.is_loopback(settings.host))
    )


if __name__ in {"__main__", "__mp_main__"}:
    atexit.register(gc.freeze)  # Python would look through all objects once more: up to a second
    sys.exit(main())
