"""What is measured of this cache: a whole house per case, with its log on disk, read as pages and callers read it."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from cache import named
from cache.entries import Entry, body_of
from cache.file_store import FileStore
from cache.named import MISS
from cache.store import Place
from cache.values import PREFERENCES, Value
from data.database import utc_now
from data.preferences import CacheBackend
from tests.bench.measure import timed
from tests.house import House, open_house

SUBSYSTEM = "analytics"


def value_of(name: str, loader: Callable[[], Any]) -> Value[Any]:
    """Return a value as `cache/values.py` has them, of plain data, that does not look at the database."""
    return Value(
        key=f"{SUBSYSTEM}.{name}",
        label=name,
        kind=Any,  # plain data
        loader=lambda _read, _view: loader(),
        ttl=timedelta(hours=1),
    )


class Ours:
    """One house with one backend."""

    def __init__(
        self, opened: contextlib.ExitStack, folder: Path, backend: CacheBackend, max_size_mb: int = 100
    ) -> None:
        self.house: House = opened.enter_context(
            open_house(folder, clock=utc_now, backend=backend, max_size_mb=max_size_mb)  # type: ignore[arg-type]
        )
        self.manager = self.house.manager
        self.user = self.house.user

    # --- hits

    def load_all(self, values: Sequence[Value[Any]]) -> None:
        for value in values:
            self.manager.get_or_load(value, self.user)

    def timed_in_snapshot(self, values: Sequence[Value[Any]], n: int) -> float:
        """The snapshot is open already and every value was read in it once: the second and later reads of a page."""
        with self.manager.snapshot(self.user) as snapshot:
            for value in values:
                snapshot.get(value)
            return timed(snapshot.get, list(islice(cycle(values), n)))

    def timed_first_in_snapshot(self, values: Sequence[Value[Any]], n: int) -> float:
        """The snapshot is open already, and each value is read in it once: the first read of a page."""
        seconds, left = 0.0, n
        while left:
            some = values[: min(left, len(values))]
            with self.manager.snapshot(self.user) as snapshot:
                seconds += timed(snapshot.get, some)
            left -= len(some)
        return seconds

    def timed_pages(self, values: Sequence[Value[Any]], n: int) -> float:
        """Open a snapshot, read each value once, close it: per value."""
        pages = -(-n // len(values))
        began = time.perf_counter()
        for _ in range(pages):
            with self.manager.snapshot(self.user) as snapshot:
                for value in values:
                    snapshot.get(value)
        return (time.perf_counter() - began) / (pages * len(values)) * n

    def timed_get_or_load(self, values: Sequence[Value[Any]], n: int) -> float:
        return timed(lambda value: self.manager.get_or_load(value, self.user), list(islice(cycle(values), n)))

    def timed_after_restart(self, values: Sequence[Value[Any]], n: int) -> float:
        """Memory is empty but for the preferences, as after a restart: each value is read once, from the disk."""
        seconds, left = 0.0, n
        while left:
            self.manager._memory.clear()
            self.manager._drop_shelves(None)
            self.manager.get_or_load(PREFERENCES, self.user)
            some = values[: min(left, len(values))]
            seconds += timed(lambda value: self.manager.get_or_load(value, self.user), some)
            left -= len(some)
        return seconds

    # --- by name

    def get(self, key: str) -> Any:
        return self.manager.get(key, SUBSYSTEM)

    def set(self, key: str, value: Any) -> None:
        if not self.manager.set(key, value, SUBSYSTEM):
            raise RuntimeError(f"{key} was not kept")

    def get_or_set(self, key: str, loader: Callable[[], Any]) -> Any:
        """The loop that callers of get and set write."""
        found = self.manager.get(key, SUBSYSTEM)
        if found is MISS:
            found = loader()
            self.manager.set(key, found, SUBSYSTEM)
        return found

    # --- invalidation

    def fill(self, keys: Sequence[str], value: Any) -> None:
        """Put all *keys* where `set` would put them, without its look at the log for each."""
        manager, now, seq = self.manager, utc_now(), self.manager.stamp()
        token = self.house.feed.token_at(seq) or 0
        entry = named.entry_of(keys[0], value, None, seq, token, now)
        for key in keys:
            manager._names.remember(key)
            kept = Entry(
                value=entry.value,
                as_of=seq,
                token=token,
                loaded_at=now,
                load_seconds=0.0,
                size_bytes=entry.size_bytes,
            )
            if not manager._memory.set(named.place(self.user, key), kept):
                raise RuntimeError("the memory tier is too small")
        if manager._memory.stats()[0].evictions:
            raise RuntimeError("the memory tier is too small")

    def timed_invalidation(self, pattern: str, read: Callable[[], Any]) -> tuple[float, float]:
        """Return the seconds of the invalidation and of the next read."""
        began = time.perf_counter()
        self.manager.invalidate(pattern)
        done = time.perf_counter()
        read()
        return done - began, time.perf_counter() - done

    def timed_raises(self, n: int) -> float:
        seq, names = self.house.feed.seq, (SUBSYSTEM,)
        return timed(lambda _: self.manager._generations.raise_to(seq, names, self.user), range(n))


class FileAlone:
    """The tier on disk by itself, without judgement."""

    def __init__(self, folder: Path) -> None:
        self.store = FileStore(folder, 100 * 2**20, lambda _seq, _token: True)

    def place(self, key: str) -> Place:
        return Place(user=1, key=key, shape=1, value_type=object)  # type: ignore[arg-type]

    def entry_of(self, value: Any) -> Entry:
        return Entry(
            value=value, as_of=1, token=1, loaded_at=utc_now(), load_seconds=0.0, size_bytes=len(body_of(value))
        )

    def set(self, key: str, entry: Entry) -> None:
        if not self.store.set(self.place(key), entry):
            raise RuntimeError(f"{key} was not kept")

    def get(self, key: str) -> Any:
        return self.store.get(self.place(key))


@contextlib.contextmanager
def file_alone(folder: Path) -> Iterator[FileAlone]:
    alone = FileAlone(folder)
    try:
        yield alone
    finally:
        alone.store.close()
