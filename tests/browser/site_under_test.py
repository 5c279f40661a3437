"""A running application and a browser to look at it with, for the browser tests and the screenshots."""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from data.database import Database

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 90
STOP_SECONDS = 10


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """The process that forks the servers of this one; it ends with it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CACHE_", "NICEGUI_", "PYTEST_"))}
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**kept, "TZ": "UTC", "PYTHONPATH": str(ROOT)},
        text=True,
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Site:
    """An application and the folder with everything that it keeps; what a test may do to it, and behind its back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._pid: int | None = None
        self._offset_file = folder / "clock-offset"

    def start(self) -> None:
        """Start it and wait until it answers."""
        server = _forking()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps([str(self.folder), self.port]) + "\n")
        server.stdin.flush()
        self._pid = int(server.stdout.readline())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and _lives(self._pid):
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.stop()
        log = (self.folder / "server.log").read_text()
        raise RuntimeError(f"the server did not start:\n{log[-4000:]}")

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._pid is not None
        return self._pid

    def stop(self) -> None:
        """Tell it to stop and wait until it has."""
        pid, self._pid = self._pid, None
        if pid is None or not _lives(pid):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _lives(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def set_clock(self, now: datetime) -> None:
        """Let the application's clock show *now* and run on from there."""
        draft = self.folder / "clock-offset.new"
        draft.write_text(repr((now - datetime.now(UTC)).total_seconds()))
        draft.replace(self._offset_file)

    def slow_down(self, seconds: float) -> None:
        """Let each load take *seconds* longer, from now on."""
        (self.folder / "load-seconds").write_text(repr(seconds))

    def now(self) -> datetime:
        """Return what the application's clock shows."""
        offset = float(self._offset_file.read_text()) if self._offset_file.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """Open the same database in this process, as another process would."""
        database = Database(f"sqlite:///{self.folder}/state/reprieve.db", clock=self.now)
        database.open()
        try:
            yield database
        finally:
            database.close()


@contextlib.contextmanager
def serving(folder: Path, now: datetime | None = None) -> Iterator[Site]:
    """Run the application on a free port, with everything that it keeps in *folder*."""
    site = Site(folder)
    if now is not None:
        site.set_clock(now)
    site.start()
    try:
        yield site
    finally:
        site.stop()


@contextlib.asynccontextmanager
async def browsing(chromium: str) -> AsyncIterator[Browser]:
    """Start the Chromium at that path."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()
