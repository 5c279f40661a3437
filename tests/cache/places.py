"""Places, entries and tiers for the tests of the stores."""

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cache.entries import Entry, body_of
from cache.file_store import FileStore
from cache.store import Place
from events.catalog import UserId

MAX_BYTES = 4 * 2**20
LOADED_AT = datetime(2026, 5, 13, 10, 0, 0, 123456, tzinfo=UTC)
TOKEN = 99
KEYS = 20
"""How many entries `fill` stores."""


def place(key: str = "analytics.trends", user: int = 1, shape: int = 7, value_type: Any = Any) -> Place:
    return Place(user=UserId(user), key=key, shape=shape, value_type=value_type)


def entry(value: Any = "value", as_of: int = 5, token: int = TOKEN) -> Entry:
    return Entry(
        value=value, as_of=as_of, token=token, loaded_at=LOADED_AT, load_seconds=0.25, size_bytes=len(body_of(value))
    )


def noise(seed: int, size: int) -> str:
    """Text of *size* characters that hardly compresses, the same for the same seed."""
    return random.Random(seed).randbytes(size // 2).hex()


def file_store(folder: Path, max_bytes: int = MAX_BYTES) -> FileStore:
    return FileStore(folder, max_bytes, belongs=lambda as_of, token: token == TOKEN)


def size_on_disk(folder: Path) -> int:
    """What `du` says: of all files, the write-ahead log and its index as well."""
    total = 0
    for file in folder.iterdir():
        try:
            found = file.stat()
        except FileNotFoundError:  # the log comes and goes
            continue
        total += max(found.st_size, found.st_blocks * 512)
    return total


def fill(folder: Path) -> None:
    """Store some entries, each of another size."""
    store = file_store(folder)
    for number in range(KEYS):
        assert store.set(place(f"a.k{number}"), entry(noise(number, 100 + 400 * number)))
    store.close()


def wrong_values(store: FileStore) -> int:
    """Count what is found and is not what `fill` stored."""
    found = [(number, store.get(place(f"a.k{number}"))) for number in range(KEYS)]
    return sum(kept is not None and kept != entry(noise(number, 100 + 400 * number)) for number, kept in found)


@contextlib.contextmanager
def rows(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the store's database past the store."""
    connection = sqlite3.connect(folder / "cache.db", isolation_level=None)
    yield connection
    connection.close()
