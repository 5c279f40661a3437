"""The house without its pages, wired as `app.py` does it: one database, bus, feed and cache on a test's clock."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cache.manager import CacheManager
from cache.settings import CacheSettings
from data import preferences
from data.database import Database
from data.feed import Feed
from data.preferences import CacheBackend, CacheMode
from data.rehearsal import Clock as StandingClock
from events.bus import Bus
from events.catalog import CATALOG, NOTIFICATIONS, UserId
from events.rules import RULES
from events.ruleset import Ruleset


class Clock(StandingClock):
    """A clock that stands until it is moved, at first at ten in the morning."""

    def __init__(self, now: datetime = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)) -> None:
        super().__init__(now)


@dataclass
class House:
    """A running house and its first user."""

    folder: Path
    clock: Clock
    database: Database
    bus: Bus
    feed: Feed
    manager: CacheManager
    user: UserId

    def new_user(self, name: str) -> UserId:
        return preferences.create_user(self.database, name)


@contextlib.contextmanager
def open_house(
    folder: Path,
    *,
    clock: Clock | None = None,
    backend: CacheBackend = CacheBackend.HYBRID,
    mode: CacheMode = CacheMode.SELECTIVE,
    ruleset: Ruleset | None = None,
    max_size_mb: int = 20,
) -> Iterator[House]:
    """Open the house whose files are in *folder*; opening the same folder again is a restart."""
    clock = clock or Clock()
    bus = Bus()
    database = Database(f"sqlite:///{folder}/state/reprieve.db", clock=clock)
    feed = Feed(database, bus)
    settings = CacheSettings(folder=folder / "cache", backend=backend, mode=mode, max_size_mb=max_size_mb)
    manager = CacheManager(database, feed, bus, ruleset or Ruleset(RULES), settings)
    with contextlib.ExitStack() as opened:
        database.open()
        opened.callback(database.close)
        user = preferences.create_user(database, "local")
        manager.start()
        opened.callback(manager.stop)
        feed.start()
        opened.callback(feed.stop)
        yield House(folder, clock, database, bus, feed, manager, user)
    left = [kind.name for kind in (*CATALOG, *NOTIFICATIONS) if bus.has_receivers(kind.name)]
    assert not left, f"receivers are left on {left}: yesterday's cache would answer today's event"
