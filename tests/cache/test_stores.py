"""One contract for all places that keep entries, and what is particular to each."""

import contextlib
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cache.entries import DamagedEntryError, Entry, decode, encode, size_of
from cache.file_store import FileStore
from cache.hybrid_store import HybridStore
from cache.memory_store import ENTRY_OVERHEAD_BYTES, MemoryStore
from cache.store import NullStore, Place, Store
from events.catalog import UserId

MAX_BYTES = 4 * 2**20
LOADED_AT = datetime(2026, 5, 13, 10, 0, 0, 123456, tzinfo=UTC)


def place(key: str = "analytics.trends", user: int = 1, shape: int = 7, value_type: Any = Any) -> Place:
    return Place(user=UserId(user), key=key, shape=shape, value_type=value_type)


def entry(value: Any = "value", as_of: int = 5, token: int = 99) -> Entry:
    return Entry(
        value=value, as_of=as_of, token=token, loaded_at=LOADED_AT, load_seconds=0.25, size_bytes=size_of(value)
    )


def file_store(folder: Path, max_bytes: int = MAX_BYTES) -> FileStore:
    return FileStore(folder, max_bytes, belongs=lambda as_of, token: token == 99)


@pytest.fixture(params=["memory", "file", "hybrid"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = {
        "memory": lambda: MemoryStore(MAX_BYTES),
        "file": lambda: file_store(tmp_path / "cache"),
        "hybrid": lambda: HybridStore(MemoryStore(MAX_BYTES), file_store(tmp_path / "cache")),
    }[request.param]()
    yield made
    made.close()


def test_what_was_kept_is_found_whole(store: Store) -> None:
    assert store.get(place()) is None
    assert store.set(place(), entry())
    assert store.get(place()) == entry()


def test_a_kept_none_is_no_miss(store: Store) -> None:
    store.set(place(), entry(None))
    found = store.get(place())
    assert found is not None
    assert found.value is None


def test_users_and_keys_do_not_meet(store: Store) -> None:
    store.set(place("a.b", user=1), entry("one"))
    store.set(place("a.b", user=11), entry("eleven"))
    store.set(place("a.b.c", user=1), entry("below"))
    assert [store.get(place("a.b", user=user)) for user in (1, 11)] == [entry("one"), entry("eleven")]
    assert store.get(place("a.b", user=2)) is None
    assert store.get(place("a", user=1)) is None


def test_bytes_of_another_shape_are_a_miss(store: Store) -> None:
    store.set(place(shape=7), entry())
    assert store.get(place(shape=8)) is None


def test_the_newer_state_takes_the_place_of_the_older(store: Store) -> None:
    store.set(place(), entry("old", as_of=5))
    store.set(place(), entry("new", as_of=6))
    assert store.get(place()) == entry("new", as_of=6)


def test_clearing_is_by_segment_and_by_user(store: Store) -> None:
    for user in (1, 2):
        for key in ("analytics.trends", "analytics.trends_of_all", "dashboard.tasks"):
            store.set(place(key, user), entry())
    store.clear(UserId(1), "analytics.trends")
    assert store.get(place("analytics.trends", 1)) is None
    assert store.get(place("analytics.trends_of_all", 1)) is not None
    assert store.get(place("analytics.trends", 2)) is not None
    store.clear()
    assert store.get(place("dashboard.tasks", 2)) is None


def test_closing_twice_is_harmless(store: Store) -> None:
    store.set(place(), entry())
    store.close()
    store.close()


def test_the_null_store_keeps_nothing() -> None:
    store = NullStore()
    assert not store.set(place(), entry())
    assert store.get(place()) is None


# --- memory


def test_memory_refuses_a_state_older_than_what_it_has() -> None:
    store = MemoryStore(MAX_BYTES)
    store.set(place(), entry("new", as_of=6))
    assert not store.set(place(), entry("late", as_of=5))
    assert store.get(place()) == entry("new", as_of=6)


def test_memory_stays_within_its_bound_and_gives_up_the_least_recently_used() -> None:
    store = MemoryStore(10 * (1000 + ENTRY_OVERHEAD_BYTES))
    for number in range(9):
        store.set(place(f"a.k{number}"), entry("x" * 990))
    assert store.get(place("a.k0")) is not None  # used
    for number in range(9, 14):
        store.set(place(f"a.k{number}"), entry("x" * 990))
    (stats,) = store.stats()
    assert stats.size_bytes <= stats.max_size_bytes
    assert stats.evictions == 4
    assert store.get(place("a.k0")) is not None
    assert store.get(place("a.k1")) is None


def test_a_value_too_large_for_memory_is_not_kept_and_drives_nothing_out() -> None:
    store = MemoryStore(10_000)
    store.set(place("a.small"), entry("x"))
    assert not store.set(place("a.large"), entry("x" * 5_000))
    assert store.get(place("a.small")) is not None


def test_hybrid_takes_the_newer_state_from_disk_when_memory_is_behind(tmp_path: Path) -> None:
    own = HybridStore(MemoryStore(MAX_BYTES), file_store(tmp_path))
    others = file_store(tmp_path)
    own.set(place(), entry("own", as_of=5))
    others.set(place(), entry("theirs", as_of=8))
    assert own.get(place(), least_as_of=5) == entry("own", as_of=5)
    assert own.get(place(), least_as_of=7) == entry("theirs", as_of=8)
    assert own.get(place(), least_as_of=9) == entry("theirs", as_of=8), "stale, but the best there is"
    own.close()
    others.close()


# --- the form on disk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES, as_of=st.integers(0, 2**62), token=st.integers(0, 2**63 - 1))
def test_an_entry_survives_its_form_on_disk(value: Any, as_of: int, token: int) -> None:
    written = entry(value, as_of, token)
    assert decode(encode(written, "1/a.b", 7), "1/a.b", 7, Any) == written


def test_a_long_value_is_compressed_and_survives() -> None:
    written = entry("relief " * 10_000)
    stored = encode(written, "1/a.b", 7)
    assert len(stored) < 5_000
    assert decode(stored, "1/a.b", 7, str) == written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_gives_a_wrong_value(data: st.DataObject) -> None:
    stored = bytearray(encode(entry(["relief", 80, 0.5, None]), "1/a.b", 7))
    bit = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(DamagedEntryError):
        assert decode(bytes(stored), "1/a.b", 7, Any) is None


@given(cut=st.integers(0, 200))
def test_no_cut_entry_gives_a_value(cut: int) -> None:
    stored = encode(entry("x" * 200), "1/a.b", 7)
    with contextlib.suppress(DamagedEntryError):
        assert decode(stored[:cut], "1/a.b", 7, Any) is None


# --- the folder on disk


def rows(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "cache.db", isolation_level=None)


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    store.close()


def test_a_value_copied_to_another_user_is_a_miss(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(user=1), entry("private"))
    store.set(place(user=2), entry("own"))
    with rows(tmp_path) as connection:
        connection.execute(
            "UPDATE Cache SET value = (SELECT value FROM Cache WHERE key LIKE '1/%') WHERE key LIKE '2/%'"
        )
    assert store.get(place(user=2)) is None
    store.close()


def test_an_entry_of_another_timeline_is_a_miss(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry(token=98))
    assert store.get(place()) is None
    store.close()


def test_a_planted_pickle_runs_no_code(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    attack = b"cpathlib\nPath\n(V" + str(victim).encode() + b"\ntR" + b"."
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    with rows(tmp_path / "cache") as connection:
        connection.execute(
            "UPDATE Cache SET mode = 4, value = ?", (b"cos\nsystem\n(Vtouch " + str(victim).encode() + b"\ntR.",)
        )
        connection.execute("INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 1, x'00')", (attack,))
    assert store.get(place()) is None
    store.clear()
    assert store.get(place()) is None
    assert not victim.exists()
    store.close()


def test_a_file_that_a_planted_row_names_survives_everything(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    store = file_store(tmp_path / "cache", max_bytes=200_000)
    for act in (
        lambda: store.get(place()),
        lambda: store.set(place(), entry("new")),
        lambda: store.clear(),
        lambda: [store.set(place(f"a.k{number}"), entry("x" * 9_000 + str(number))) for number in range(60)],
    ):
        store.set(place(), entry())
        with rows(tmp_path / "cache") as connection:
            connection.execute("UPDATE Cache SET filename = '../victim', mode = 2, expire_time = 1")
        act()
        assert victim.read_text() == "precious"
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda db: db.write_bytes(b"\0" * 100 + db.read_bytes()[100:]),
        lambda db: db.write_bytes(db.read_bytes()[: db.stat().st_size // 2]),
        lambda db: db.write_bytes(b"not a database at all " * 500),
        lambda db: db.write_bytes(b""),
    ],
    ids=["header zeroed", "cut in half", "garbage", "empty"],
)
def test_a_torn_database_is_replaced_with_one_warning(
    tmp_path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = file_store(tmp_path)
    for number in range(50):
        store.set(place(f"a.k{number}"), entry("x" * 1_000))
    store.close()
    for extra in tmp_path.glob("cache.db-*"):
        extra.unlink()
    damage(tmp_path / "cache.db")
    store = file_store(tmp_path)
    for number in range(50):
        found = store.get(place(f"a.k{number}"))
        assert found is None or found == entry("x" * 1_000)
    assert sum(record.levelname == "WARNING" for record in caplog.records) <= 1
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


def test_a_folder_removed_while_running_is_made_again(tmp_path: Path) -> None:
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    shutil.rmtree(tmp_path / "cache")
    store.get(place())
    assert store.set(place(), entry("again"))
    assert (tmp_path / "cache" / "cache.db").exists()
    assert file_store(tmp_path / "cache").get(place()) == entry("again")
    store.close()


def test_a_file_in_the_place_of_the_folder_is_a_miss_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("in the way")
    store = file_store(tmp_path / "cache")
    for _ in range(3):
        assert not store.set(place(), entry())
        assert store.get(place()) is None
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_the_folder_stays_near_its_bound(tmp_path: Path) -> None:
    store = file_store(tmp_path, max_bytes=2**20)
    for number in range(300):
        store.set(
            place(f"a.k{number}"), entry(f"{number:05d}" + "".join(chr(33 + (number * i) % 90) for i in range(30_000)))
        )
    store.close()
    (stats,) = store.stats()
    assert 0 < stats.size_bytes <= 1.6 * 2**20
    store.close()


def test_an_empty_folder_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """diskcache's `Cache` is false while it is empty."""
    store = file_store(tmp_path)
    opened = []
    open_folder = store._open
    monkeypatch.setattr(store, "_open", lambda: opened.append(1) or open_folder())
    for _ in range(3):
        assert store.get(place()) is None
    assert len(opened) == 1
    store.close()
