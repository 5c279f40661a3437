"""Serves the application for the browser tests: `PYTHONPATH=. python tests/browser/server.py FOLDER PORT`.

Everything it keeps is in FOLDER. Its clock is the real one plus the seconds in the file `clock-offset` there, and each
load takes the seconds in the file `load-seconds` longer than it would. A test may change both at any time.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from app import Settings, build, settle_memory
from cache.settings import CacheSettings
from cache.values import PREFERENCES, VALUES, Value
from data.database import ReadTransaction
from data.viewpoint import Viewpoint


def main() -> None:
    """Serve until told to stop."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])

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
    settle_memory()
    uvicorn.run(web, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)


def _slow_down(value: Value[Any], seconds: Callable[[], float]) -> None:
    load = value.loader

    def loader(read: ReadTransaction, view: Viewpoint) -> Any:
        time.sleep(seconds())
        return load(read, view)

    object.__setattr__(value, "loader", loader)


if __name__ == "__main__":
    main()
