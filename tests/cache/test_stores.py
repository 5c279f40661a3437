"""One contract for all places that keep entries, and what is particular to each. Not here: bounds and damage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.entries import COMPRESS_FROM_BYTES, decode, encode
from cache.hybrid_store import HybridStore
from cache.memory_store import MemoryStore
from cache.store import NullStore, Store
from events.catalog import UserId
from tests.cache.places import MAX_BYTES, entry, file_store, place


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


def test_values_keep_their_types(store: Store) -> None:
    for number, value in enumerate((None, 1, 1.0, True, "1", [1], {"1": 1.0})):
        store.set(place(f"a.k{number}"), entry(value))
        found = store.get(place(f"a.k{number}"))
        assert found is not None
        assert found.value == value
        assert type(found.value) is type(value)


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


def test_what_comes_late_does_not_take_the_place_of_the_newer_state(store: Store) -> None:
    store.set(place(), entry("new", as_of=6))
    assert not store.set(place(), entry("late", as_of=5))
    assert store.get(place()) == entry("new", as_of=6)
    assert store.set(place(), entry("again", as_of=6))
    assert store.get(place()) == entry("again", as_of=6)


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


def test_clearing_all_users_is_by_segment_too(store: Store) -> None:
    for user in (1, 12):
        for key in ("analytics.trends", "dashboard.tasks"):
            store.set(place(key, user), entry())
    store.clear(None, "analytics")
    assert [[*store.keys(UserId(user))] for user in (1, 12, 2)] == [["dashboard.tasks"], ["dashboard.tasks"], []]


def test_closing_twice_is_harmless(store: Store) -> None:
    store.set(place(), entry())
    store.close()
    store.close()


def test_the_null_store_keeps_nothing() -> None:
    store = NullStore()
    assert not store.set(place(), entry())
    assert store.get(place()) is None
    assert store.reclaim(lambda *_: True) == 0


# --- hybrid


def test_hybrid_does_not_decode_from_disk_what_is_no_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = HybridStore(MemoryStore(MAX_BYTES), file_store(tmp_path / "cache"))
    store.set(place(), entry(as_of=3))
    decoded: list[str] = []

    def counted(stored: bytes, address: str, *rest: Any) -> Any:
        decoded.append(address)
        return decode(stored, address, *rest)

    monkeypatch.setattr("cache.entries.decode", counted)
    assert store.get(place(), least_as_of=5) == entry(as_of=3), "the last good one"
    assert not decoded
    another = file_store(tmp_path / "cache")  # as of another process
    another.set(place(), entry(as_of=6))
    assert store.get(place(), least_as_of=5) == entry(as_of=6)
    assert len(decoded) == 1
    another.close()
    store.close()


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
    written = entry("relief " * (COMPRESS_FROM_BYTES // 7 + 1))
    stored = encode(written, "1/a.b", 7)
    assert len(stored) < COMPRESS_FROM_BYTES / 10
    assert decode(stored, "1/a.b", 7, str) == written


# --- file


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
