"""Opens and closes pages and says what is left of them: `make leaks`. Exits with 1 if anything is.

Or if memory has grown by more than 5 MB. Server and client are one process, so that what NiceGUI and the hub keep can
be counted. Each page is opened as a browser does, with its socket, and left as one says that it leaves. Memory is
compared with that after a warm-up, which fills caches, starts threads and lets the interpreter take from the system
what it will use again and again.
"""

import argparse
import ast
import asyncio
import json
import re
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn
from nicegui import Client
from websockets.asyncio.client import connect

from app import Application, Settings, build, server_config
from cache.settings import CacheSettings
from data import demo
from data.preferences import LOCAL_USER
from pages.routes import ENTRIES, LEFT_SECONDS
from scheduler import garbage

MOST_GROWTH_MB = 5.0
PATIENCE_SECONDS = 90.0
AT_ONCE = 10


def memory_mb() -> float:
    """Return how much of the process is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def left(application: Application) -> dict[str, int]:
    """Return what is kept for pages."""
    hub = application.pages.hub
    return {
        "clients": len(Client.instances),
        "screens": len(hub._screens),
        "sections": sum(len(hub.roster.of_user(user)) for user in hub.roster.users),
        "groups": len(list(hub.roster.groups())),
    }


def say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def visit(client: httpx.AsyncClient, port: int, path: str) -> None:
    """Open a page, connect its socket, say that it is left, and close it."""
    answer = await client.get(path)
    answer.raise_for_status()
    query = re.search(r"query: (\{.*?\})", answer.text)
    event = re.search(r'\{[^{}]*"reprieve_left"[^{}]*', answer.text)
    assert query is not None, f"{path} has no socket"
    assert event is not None, f"{path} is no page of ours"
    said = {**ast.literal_eval(query[1]), "implicit_handshake": "true", "tab_id": "tab", "document_id": path}
    parameters = "&".join(f"{name}={value}" for name, value in {"EIO": 4, "transport": "websocket", **said}.items())
    listener = re.search(r'"listener_id": ?"([^"]+)"', event[0])
    assert listener
    address = f"ws://127.0.0.1:{port}/_nicegui_ws/socket.io/?{parameters}"
    async with connect(address, proxy=None, max_size=None) as line:
        await line.recv()
        await line.send("40")
        await line.recv()
        message = {"id": 0, "client_id": said["client_id"], "listener_id": listener[1], "args": []}
        await line.send("42" + json.dumps(["event", message]))
        await asyncio.sleep(0.05)


async def visits(port: int, number: int) -> None:
    """Open and close *number* pages, some at once, all kinds in turn."""
    waiting = iter(range(number))

    async def one_after_the_other() -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for place in waiting:
                await visit(client, port, ENTRIES[place % len(ENTRIES)].path)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def settled(application: Application) -> dict[str, int]:
    """Wait until nothing is kept for pages any more, but not for ever; return what is."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    await asyncio.sleep(LEFT_SECONDS)
    while True:
        garbage.look_through_everything()
        if not any(left(application).values()) or time.monotonic() > give_up_at:
            return left(application)
        await asyncio.sleep(0.5)


async def measure(folder: Path, pages: int) -> bool:
    """Print what is left; return whether that is nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    web, application = build(
        Settings(
            port=port,
            database_url=f"sqlite:///{folder}/state/reprieve.db",
            cache=CacheSettings(folder=folder / "cache"),
        )
    )
    application.start()
    demo.add(application.database, LOCAL_USER, days=365, per_day=6, seed=1)
    application.stop()
    server = uvicorn.Server(server_config(web, host="127.0.0.1", port=port))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.05)
    with garbage.spared():
        await visits(port, pages)
        before = await settled(application)
        memory = memory_mb()
        say(f"after a warm-up of {pages} pages: {memory:.1f} MB, left: {before}")
        await visits(port, pages)
        after = await settled(application)
    growth = memory_mb() - memory
    say(f"after {pages} more: {memory + growth:.1f} MB, left: {after}")
    say(f"grown by {growth:.1f} MB; at most {MOST_GROWTH_MB:g} MB are expected")
    server.should_exit = True
    await serving
    return not any(after.values()) and growth <= MOST_GROWTH_MB


def main(arguments: Sequence[str]) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="make leaks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=1000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="leaks-") as folder:
        return 0 if asyncio.run(measure(Path(folder), options.pages)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
