"""Serves the application for the browser tests: `PYTHONPATH=. python tests/browser/server.py FOLDER PORT`.

Everything it keeps is in FOLDER. Its clock is the real one plus the seconds in the file `clock-offset` there, which a
test may change at any time.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from app import Settings, build, settle_memory
from cache.settings import CacheSettings


def main() -> None:
    """Serve until told to stop."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    offset_file = folder / "clock-offset"

    def clock() -> datetime:
        offset = float(offset_file.read_text()) if offset_file.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)

    settings = Settings(
        port=port, database_url=f"sqlite:///{folder}/state/reprieve.db", cache=CacheSettings(folder=folder / "cache")
    )
    web, _ = build(settings, clock=clock)
    settle_memory()
    uvicorn.run(web, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
