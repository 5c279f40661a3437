"""Serves the application for the browser tests: `PYTHONPATH=. python tests/browser/server.py`.

For each line `["FOLDER", PORT]` on stdin it forks a process that serves, and writes the pid of that: so the two seconds
that the imports take are spent once. It ends when stdin does; those that serve go on.

Everything that one of them keeps is in FOLDER. Its clock is the real one plus the seconds in the file `clock-offset`
there, and each load takes the seconds in the file `load-seconds` longer than it would. A test may change both at any
time.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from app import Settings, build, check_tables, server_config
from cache.settings import CacheSettings
from cache.values import PREFERENCES, VALUES, Value
from data.database import ReadTransaction
from data.viewpoint import Viewpoint
from scheduler import garbage


def main() -> None:
    """Fork a server for each line."""
    check_tables()  # which keeps what it has read
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here: what has ended is gone at once
    for line in sys.stdin:
        folder, port = json.loads(line)
        if pid := os.fork():
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
        else:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with Path(folder, "server.log").open("ab") as log, Path(os.devnull).open() as nothing:
                os.dup2(nothing.fileno(), 0)
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.chdir(folder)
            serve(Path(folder), port)
            return


def serve(folder: Path, port: int) -> None:
    """Serve until told to stop."""

    def seconds(name: str) -> float:
        file = folder / name
        return float(file.read_text()) if file.exists() else 0.0

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds("clock-offset"))

    for value in VALUES:
        if value is not PREFERENCES:
            _slow_down(value, lambda: seconds("load-seconds"))

    settings = Settings(
        port=port, database_url=f"sqlite:///{folder}/state/reprieve.db", cache=CacheSettings(folder=folder / "cache")
    )
    web, _ = build(settings, clock=clock)
    with garbage.spared():
        uvicorn.Server(server_config(web, host="127.0.0.1", port=port)).run()


def _slow_down(value: Value[Any], seconds: Callable[[], float]) -> None:
    load = value.loader

    def loader(read: ReadTransaction, view: Viewpoint) -> Any:
        time.sleep(seconds())
        return load(read, view)

    object.__setattr__(value, "loader", loader)


if __name__ == "__main__":
    main()
