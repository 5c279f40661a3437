"""What the cache is measured against, each used as its own documentation says, behind one interface."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cachebox
import cachetools
import diskcache
import msgspec
from cashews import Cache as CashewsCache
from dogpile.cache import make_region

from tests.bench.measure import timed

ROOM = 2_000_000
"""Entries that a bounded contender has room for: more than is ever put in."""

Loader = Callable[[], Any]
_NOTHING = object()


class Contender:
    """A cache with room for everything. *folder* is a new one, for who needs files."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Any:
        """Return what is kept."""
        raise NotImplementedError

    def set(self, key: str, value: Any) -> None:
        """Keep *value*."""
        raise NotImplementedError

    def invalidate(self, prefix: str) -> None:
        """Make everything whose key begins with *prefix* go, as this contender does it."""
        raise NotImplementedError

    def get_or_load(self, key: str, loader: Loader) -> Any:
        """Return what is kept, or load it, with what protection from stampedes this contender offers."""
        raise NotImplementedError

    def fill(self, keys: Sequence[str], value: Any) -> None:
        """Keep *value* under all *keys*, in the quickest way there is; not measured."""
        for key in keys:
            self.set(key, value)

    def timed_gets(self, keys: Iterable[str]) -> float:
        return timed(self.get, keys)

    def timed_sets(self, keys: Iterable[str], value: Any) -> float:
        keep = self.set
        began = time.perf_counter()
        for key in keys:
            keep(key, value)
        return time.perf_counter() - began

    def close(self) -> None:
        """Let go of files and threads."""


class Dict(Contender):
    name = "dict"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kept: dict[str, Any] = {}
        self.get = self._kept.get
        self.set = self._kept.__setitem__

    def invalidate(self, prefix: str) -> None:
        for key in [key for key in self._kept if key.startswith(prefix)]:
            del self._kept[key]

    def get_or_load(self, key: str, loader: Loader) -> Any:
        if key not in self._kept:
            self._kept[key] = loader()
        return self._kept[key]


class Cachetools(Contender):
    name = "cachetools LRU + lock"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kept = cachetools.LRUCache(ROOM)
        self._lock = threading.Condition()
        # `condition` makes others wait for the one that loads.
        self.get_or_load = cachetools.cached(self._kept, key=lambda key, _: key, condition=self._lock)(
            lambda _, loader: loader()
        )

    def get(self, key: str) -> Any:
        with self._lock:
            return self._kept.get(key)

    def set(self, key: str, value: Any) -> None:
        with self._lock:
            self._kept[key] = value

    def invalidate(self, prefix: str) -> None:
        with self._lock:
            for key in [key for key in self._kept if key.startswith(prefix)]:
                del self._kept[key]


class Cachebox(Contender):
    name = "cachebox LRU"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kept: Any = cachebox.LRUCache(ROOM)
        self.get = self._kept.get
        self.set = self._kept.insert
        self.get_or_load = cachebox.cached(self._kept, key_maker=lambda key, _: key, postprocess=None)(
            lambda _, loader: loader()
        )

    def invalidate(self, prefix: str) -> None:
        for key in [key for key in self._kept.keys() if key.startswith(prefix)]:  # noqa: SIM118  # not a mapping
            self._kept.pop(key, None)


class Dogpile(Contender):
    name = "dogpile.cache memory"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kept: dict[str, Any] = {}
        self._region = make_region().configure("dogpile.cache.memory", arguments={"cache_dict": self._kept})
        self.get = self._region.get
        self.set = self._region.set
        self.get_or_load = self._region.get_or_create

    def invalidate(self, prefix: str) -> None:
        self._region.delete_multi([key for key in self._kept if key.startswith(prefix)])


class Cashews(Contender):
    """On an event loop of its own, in a thread. Gets and sets are timed there; the rest is asked from outside."""

    name = "cashews memory"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._cache = CashewsCache()
        self._cache.setup("mem://", size=ROOM)

        @self._cache(ttl=3600, key="{key}", lock=True)
        async def load(key: str, loader: Loader) -> Any:
            return await asyncio.to_thread(loader)

        self._load = load

    def _run(self, task: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result()

    def set(self, key: str, value: Any) -> None:
        self._run(self._cache.set(key, value))

    def fill(self, keys: Sequence[str], value: Any) -> None:
        async def act() -> None:
            for key in keys:
                await self._cache.set(key, value)

        self._run(act())

    def invalidate(self, prefix: str) -> None:
        self._run(self._cache.delete_match(prefix + "*"))

    def get_or_load(self, key: str, loader: Loader) -> Any:
        return self._run(self._load(key, loader))

    def timed_gets(self, keys: Iterable[str]) -> float:
        async def act() -> float:
            began = time.perf_counter()
            for key in keys:
                await self._cache.get(key)
            return time.perf_counter() - began

        found: float = self._run(act())
        return found

    def timed_sets(self, keys: Iterable[str], value: Any) -> float:
        async def act() -> float:
            began = time.perf_counter()
            for key in keys:
                await self._cache.set(key, value)
            return time.perf_counter() - began

        found: float = self._run(act())
        return found

    def close(self) -> None:
        self._run(self._cache.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Sqlite(Contender):
    """The least one can do: bytes by primary key, handed out undecoded. WAL, `synchronous=NORMAL`, as diskcache has."""

    name = "sqlite3 by key"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._connection().execute("CREATE TABLE kept (key TEXT PRIMARY KEY, value BLOB)")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(
                self.folder / "kept.db", isolation_level=None, check_same_thread=False, timeout=30.0
            )
            found.execute("PRAGMA journal_mode = WAL")
            found.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = found
            self._opened.append(found)
        return found

    def get(self, key: str) -> Any:
        return self._local.connection.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()

    def set(self, key: str, value: Any) -> None:
        body = msgspec.msgpack.encode(value)
        self._local.connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, body))

    def fill(self, keys: Sequence[str], value: Any) -> None:
        body = msgspec.msgpack.encode(value)
        connection = self._connection()
        connection.execute("BEGIN")
        connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", ((key, body) for key in keys))
        connection.execute("COMMIT")

    def invalidate(self, prefix: str) -> None:
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        self._connection().execute("DELETE FROM kept WHERE key >= ? AND key < ?", (prefix, after))

    def get_or_load(self, key: str, loader: Loader) -> Any:
        self._connection()
        row = self.get(key)
        if row is not None:
            return msgspec.msgpack.decode(row[0])
        loaded = loader()
        self.set(key, loaded)
        return loaded

    def close(self) -> None:
        for connection in self._opened:
            connection.close()


class Diskcache(Contender):
    """As it is by default. Prefixes are tags, with the index for them in the invalidation columns only."""

    name = "diskcache"

    def __init__(self, folder: Path, tag_index: bool = False) -> None:
        super().__init__(folder)
        self._kept: Any = diskcache.Cache(str(folder), tag_index=tag_index)
        self.get = self._kept.get
        self.set = self._kept.set

    def fill(self, keys: Sequence[str], value: Any) -> None:
        with self._kept.transact():
            for key in keys:
                self._kept.set(key, value, tag=_tag(key))

    def invalidate(self, prefix: str) -> None:
        self._kept.evict(prefix)

    def get_or_load(self, key: str, loader: Loader) -> Any:
        found = self._kept.get(key, _NOTHING)
        if found is not _NOTHING:
            return found
        with diskcache.Lock(self._kept, "lock." + key, expire=60):  # what its `barrier` does, per key
            found = self._kept.get(key, _NOTHING)
            if found is _NOTHING:
                found = loader()
                self._kept.set(key, found, tag=_tag(key))
        return found

    def close(self) -> None:
        self._kept.close()


def _tag(key: str) -> str:
    return key[: key.rindex(".") + 1]


CONTENDERS: tuple[type[Contender], ...] = (Dict, Cachetools, Cachebox, Dogpile, Cashews, Sqlite, Diskcache)
