"""Many people at once: `python -m tests.load`, or `make load`. Exits with 1 if anything failed, grew or stood still.

A server process runs the application; each request says in a header whose it is. One client process is everybody else:
each person opens pages, keeps the line of the last one open as a tab does, and now and then completes something. What
is measured: how long a page takes to arrive, how long after a completion was sent the open tab, which showed all its
numbers before, is told the new number of completions, and how long the server's event loop stands still. A stall counts
by its length: as often as somebody who comes every 10 ms would have met it. What the server waited for a processor on a
machine that others use is left out of what is judged, and given besides. Results go to `build/load.json`.
"""

import argparse
import ast
import asyncio
import html
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cache.settings import CacheSettings
from data import demo, preferences
from data.database import Database, Transaction
from events.catalog import DataImported, UserId
from tests.lateness import by_time, percentile

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("/", "/", "/", "/analytics", "/summary", "/tasks", "/goals")
COMPLETES = 0.3
"""Of what a person does; the rest is opening pages."""
PATIENCE_SECONDS = 30.0
WARM_UP = 0.25
"""The part of the run before the measured one: people come, caches fill, and memory with them."""
MOST_GROWTH = 1.05
MOST_STALL_MS = 50.0
MB_PER_ATTEMPT = 6 / 10_000
"""What the cache needs for a long history, as the README says."""
LOOK_SECONDS = 0.01
"""How often the server looks whether its event loop stands still."""

_COMPLETED = re.compile(r'>Completed</a></h3>.*?class="figure">(\d+)<')
Measured = dict[str, Any]
"""What the server measured of itself in a third of the run."""


@dataclass
class Result:
    """What was seen so far; times in seconds."""

    pages: list[float] = field(default_factory=list)
    redraws: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def fill(folder: Path, users: int, instances: int) -> None:
    """Give each of *users* the same made-up history."""
    database = Database(f"sqlite:///{folder}/state/reprieve.db")
    with database.opened():
        people = [preferences.create_user(database, "local")]
        people += [preferences.create_user(database, f"user {number}") for number in range(1, users)]
        days = max(instances // 6, 1)
        demo.add(database, people[0], days=days, per_day=instances / days)
        for person in people[1:]:
            database.write(lambda transaction, person=person: _copy(transaction, people[0], person))


def _copy(transaction: Transaction, source: UserId, target: UserId) -> None:
    connection = transaction.session.connection()
    for table in ("tasks", "instances"):
        columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})") if row[1] != "user_id"]
        names = ", ".join(columns)
        connection.exec_driver_sql(
            f"INSERT INTO {table} (user_id, {names}) SELECT ?, {names} FROM {table} WHERE user_id = ?", (target, source)
        )
    transaction.record(DataImported(user=target, at=transaction.now, source="load", tasks=0, instances=0))


class Person:
    """One user with one open tab."""

    def __init__(self, number: int, port: int, client: httpx.AsyncClient, result: Result) -> None:
        self.user = number + 1
        self.headers = {"x-user": str(self.user)}
        self._port, self._client, self._result = port, client, result
        self._chance = random.Random(number)
        self._page = ""
        self._tab: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._completed: int | None = None
        """What the open tab shows as the number of completions today; None until it shows its numbers."""
        self._told = asyncio.Event()

    async def live(self, within: float, pause: float, ends_at: float) -> None:
        """Come *within* so many seconds and look at every page; then do something, rest, and so on, until *ends_at*."""
        await asyncio.sleep(self._chance.uniform(0, within))
        for page in dict.fromkeys(PAGES):
            await self._attempt(partial(self._open, page))
            await asyncio.sleep(pause / len(PAGES))
        while (left := ends_at - time.monotonic()) > (rest := self._chance.expovariate(1 / pause)):
            await asyncio.sleep(rest)
            await self._attempt(self._complete if self._chance.random() < COMPLETES else self._open)
        await asyncio.sleep(left)
        await self._close()

    async def _attempt(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Exception as error:  # noqa: BLE001  # every one counts as an error of the run
            self._result.errors.append(f"user {self.user} on {self._page}: {error!r}")
            await self._close()

    async def _open(self, page: str = "") -> None:
        self._page = page or self._chance.choice(PAGES)
        began = time.monotonic()
        answer = await self._client.get(self._page, headers=self.headers)
        self._result.pages.append(time.monotonic() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"status {answer.status_code}")
        await self._close()
        self._completed = None
        self._see(html.unescape(answer.text))
        query = re.search(r"query: (\{.*?\})", answer.text)
        assert query
        said = {**ast.literal_eval(query[1]), "tab_id": f"tab{self.user}", "document_id": f"document{began}"}
        said["implicit_handshake"] = "true"
        address = f"ws://127.0.0.1:{self._port}/_nicegui_ws/socket.io/"
        parameters = "&".join(f"{name}={value}" for name, value in {"EIO": 4, "transport": "websocket", **said}.items())
        self._tab = await connect(f"{address}?{parameters}", proxy=None, max_size=None, open_timeout=PATIENCE_SECONDS)
        await self._tab.recv()
        await self._tab.send("40")
        self._listening = asyncio.create_task(self._listen(self._tab))

    async def _listen(self, tab: ClientConnection) -> None:
        try:
            async for message in tab:
                if message == "2":
                    await tab.send("3")
                elif str(message).startswith('42["update"'):
                    self._see(str(message))
        except ConnectionClosed:
            return

    async def _complete(self) -> None:
        if self._tab is None or self._page != "/":  # others need not show anything of it
            await self._open("/")
        await self._until(lambda: self._completed is not None)
        began = time.monotonic()
        answer = await self._client.post("/load/complete", headers=self.headers)
        if answer.status_code != 200:
            raise RuntimeError(f"status {answer.status_code}: {answer.text[:200]}")
        await self._until(lambda: self._completed == answer.json())
        self._result.redraws.append(time.monotonic() - began)

    def _see(self, sent: str) -> None:
        """Take from what was *sent* to the tab how many completions it shows."""
        found = _COMPLETED.findall(sent.replace('\\"', '"'))
        if found:
            self._completed = int(found[-1])
            self._told.set()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                self._told.clear()
                await self._told.wait()

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        if self._tab is not None:
            await self._tab.close()
        self._tab = self._listening = None


async def drive(port: int, users: int, seconds: float, pause: float, within: float) -> tuple[Result, list[Measured]]:
    """Let everybody come *within* so many seconds and live for so long; return what they saw, and what the server
    measured of itself, in thirds."""
    # below uvicorn's five seconds: a request on a line that is being closed would fail, and a browser sends it again
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=2.0)
    marks: list[Measured] = []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, limits=limits
    ) as client:
        warm = Result()
        people = [Person(number, port, client, warm) for number in range(users)]
        warm_up = seconds * WARM_UP
        began = time.monotonic()
        ends_at = began + warm_up + seconds
        everybody = [asyncio.create_task(person.live(within, pause, ends_at)) for person in people]
        await asyncio.sleep(warm_up)
        result = Result(errors=warm.errors)
        for person in people:
            person._result = result
        await client.get("/load/stats")
        for _ in range(3):
            await asyncio.sleep(seconds / 3)
            marks.append((await client.get("/load/stats")).json())
        await asyncio.gather(*everybody)
    return result, marks


def main() -> int:
    """Run the load and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("LOAD_SECONDS") or 600))
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--instances", type=int, default=10_000, help="per user")
    parser.add_argument(
        "--cache-mb",
        type=int,
        help="of each tier; as a rule what everybody's numbers take, which is more than the application's default",
    )
    parser.add_argument(
        "--pause", type=float, default=20.0, help="seconds between two things a person does, on average"
    )
    parser.add_argument(
        "--within", type=float, help="seconds within which everybody comes; as a rule a quarter of those measured"
    )
    options = parser.parse_args()
    within = options.seconds * WARM_UP if options.within is None else options.within
    cache_mb = options.cache_mb or CacheSettings().max_size_mb + round(
        MB_PER_ATTEMPT * options.users * options.instances
    )
    with tempfile.TemporaryDirectory(prefix="load-") as name, socket.create_server(("127.0.0.1", 0)) as probe:
        folder, port = Path(name), int(probe.getsockname()[1])
        probe.close()
        began = time.monotonic()
        fill(folder, options.users, options.instances)
        sys.stdout.write(
            f"{options.users} users with {options.instances:,} instances: {time.monotonic() - began:.0f} s\n"
        )
        log = folder / "server.log"
        command = [sys.executable, "-m", "tests.load_server", str(folder), str(port), str(cache_mb)]
        with log.open("w") as output, subprocess.Popen(command, cwd=ROOT, stderr=output) as server:
            try:
                _await(port, server)
                result, marks = asyncio.run(drive(port, options.users, options.seconds, options.pause, within))
            finally:
                server.terminate()
                server.wait(20)
        result.errors += [line for line in log.read_text().splitlines() if " ERROR " in line]
    late = [one for mark in marks for one in mark["late_ms"]]
    own = [one for mark in marks for one in mark["own_ms"]]
    facts = {
        "users": options.users,
        "instances": options.instances,
        "seconds": options.seconds,
        "cache_mb": cache_mb,
        "pause": options.pause,
        "within": within,
        "pages": len(result.pages),
        "page_p50_ms": 1000 * percentile(result.pages, 50),
        "page_p99_ms": 1000 * percentile(result.pages, 99),
        "completions": len(result.redraws),
        "redraw_p50_ms": 1000 * percentile(result.redraws, 50),
        "redraw_p99_ms": 1000 * percentile(result.redraws, 99),
        "memory_mb": [mark["memory_mb"] for mark in marks],
        "growth": marks[2]["memory_mb"] / marks[1]["memory_mb"],
        "stall_p99_ms": percentile(by_time(own, 1000 * LOOK_SECONDS), 99),
        "stall_max_ms": max(own),
        "stall_with_others_p99_ms": percentile(by_time(late, 1000 * LOOK_SECONDS), 99),
        "stall_with_others_max_ms": max(late),
        "load_average": os.getloadavg()[1],
        "errors": result.errors[:100],
    }
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "load.json").write_text(json.dumps(facts, indent=2))
    sys.stdout.write(json.dumps({**facts, "errors": len(result.errors)}, indent=2) + "\n")
    for error in result.errors[:10]:
        sys.stdout.write(f"  {error}\n")
    is_good = facts["growth"] <= MOST_GROWTH and facts["stall_p99_ms"] < MOST_STALL_MS
    return 0 if is_good and not result.errors and result.pages and result.redraws else 1


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if server.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError("the server did not start")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
