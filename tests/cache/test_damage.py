"""What is found in the cache folder is judged, never trusted: bytes, tables of another version, rows that others made.

Damage that is in the matrix of faults is in `tests/faults`.
"""

import contextlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.entries import DamagedEntryError, decode, encode
from cache.file_store import FileStore
from cache.rows import FORMAT, PAGE_BYTES
from tests.cache.places import entry, file_store, fill, place, rows, wrong_values
from tests.cache.probes import Task

# --- bytes


@given(data=st.data())
def test_no_flipped_bit_gives_a_wrong_value(data: st.DataObject) -> None:
    stored = bytearray(encode(entry(["relief", 80, 0.5, None]), "1/a.b", 7))
    bit = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(DamagedEntryError):
        assert decode(bytes(stored), "1/a.b", 7, Any) is None


@given(cut=st.integers(0, 250))
def test_no_cut_entry_gives_a_value(cut: int) -> None:
    stored = encode(entry("x" * 200), "1/a.b", 7)
    with contextlib.suppress(DamagedEntryError):
        assert decode(stored[:cut], "1/a.b", 7, Any) is None


@given(stored=st.binary(max_size=200))
def test_no_bytes_at_all_give_a_value(stored: bytes) -> None:
    with contextlib.suppress(DamagedEntryError):
        assert decode(b"reprieve-cache-2\n" + stored, "1/a.b", 7, Any) is None


# --- the folder


def test_other_files_in_the_folder_survive_a_fresh_start(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "notes.txt").write_text("precious")
    (tmp_path / "cache.db").write_bytes(b"garbage" * 1000)
    store = file_store(tmp_path)
    assert store.set(place(), entry())
    assert (tmp_path / "notes.txt").read_text() == "precious"
    store.close()


# --- of another version

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.mark.parametrize(
    "change",
    [
        f"PRAGMA user_version = {FORMAT + 1}",
        "PRAGMA user_version = 0",
        "DROP TABLE Cache",
        "ALTER TABLE Cache RENAME TO Other; CREATE VIEW Cache AS SELECT * FROM Other",
        "ALTER TABLE Cache RENAME COLUMN tag TO label",
        "DROP INDEX Cache_key_raw",
        "INSERT INTO Settings VALUES ('read', 1)",
        "INSERT INTO Settings VALUES ('disk_anything', 1)",
        "INSERT INTO Settings VALUES ('sqlite_temp_store', 2)",
        "UPDATE Settings SET value = x'00'",
        "DELETE FROM Settings",
        "DROP TABLE Settings; CREATE TABLE Settings (key, value, more); INSERT INTO Settings VALUES (1, 2, 3)",
        "CREATE TRIGGER planted BEFORE INSERT ON Cache BEGIN SELECT RAISE(ABORT, 'no'); END",
        f"CREATE TRIGGER planted AFTER INSERT ON Cache BEGIN DELETE FROM Cache WHERE 0 < ({ENDLESS}); END",
        f"CREATE TRIGGER Settings_more AFTER INSERT ON Cache BEGIN DELETE FROM Cache WHERE 0 < ({ENDLESS}); END",
        f"CREATE VIEW planted AS {ENDLESS}",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM",
    ],
)
def test_a_folder_of_another_version_or_schema_works_anew(
    tmp_path: Path, change: str, warnings: Callable[[], list[str]]
) -> None:
    fill(tmp_path)
    with rows(tmp_path) as connection:
        connection.executescript(change)
    store = file_store(tmp_path)
    assert wrong_values(store) == 0
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    with rows(tmp_path) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE_BYTES,)
        assert "planted" not in {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert len(warnings()) <= 1
    store.close()


def test_an_entry_of_another_format_is_a_miss(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry())
    with rows(tmp_path) as connection:
        connection.execute("UPDATE Cache SET value = CAST('reprieve-cache-1' || char(10) AS BLOB) || substr(value, 18)")
    assert store.get(place()) is None
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


def test_an_entry_of_another_timeline_is_a_miss(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry(token=98))
    assert store.get(place()) is None
    store.close()


# --- planted rows


@pytest.mark.parametrize(
    "key", ["'no owner'", "'x/analytics.trends'", "'\u0663/a'", "7", "NULL", "x'ff'", "CAST(x'312fff' AS TEXT)"]
)
def test_a_planted_key_stops_nobody(tmp_path: Path, key: str) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry())
    with rows(tmp_path) as connection:
        columns = "key, raw, mode, tag, store_time, value"
        connection.execute(f"INSERT INTO Cache ({columns}) VALUES ({key}, 1, 1, 1, 1.0, x'00')")
    store.keys(place().user)
    store.reclaim(lambda *_: False)
    store.clear(None, "dashboard")
    store.clear()
    assert store.stats()[0].entries == 0
    assert store.set(place(), entry())
    store.close()


@pytest.mark.parametrize("tag", ["1e18", "9223372036854775807", "'newest'", "x'ff'", "NULL"])
def test_a_planted_tag_keeps_no_key_from_being_stored(tmp_path: Path, tag: str) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry("old", as_of=5))
    with rows(tmp_path) as connection:
        connection.execute(f"UPDATE Cache SET tag = {tag}")
    assert store.set(place(), entry("new", as_of=6))
    assert store.get(place()) == entry("new", as_of=6)
    store.close()


def test_an_entry_of_another_timeline_keeps_no_key_from_being_stored(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    store.set(place(), entry("of a log that went back", as_of=9, token=98))
    assert store.set(place(), entry("new", as_of=6))
    assert store.get(place()) == entry("new", as_of=6)
    store.close()


# --- the folder as others find it


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    store.close()


@pytest.mark.parametrize("is_sudden", [False, True], ids=["all the time", "just before diskcache opens it"])
def test_who_holds_the_folder_locked_stops_nobody(
    tmp_path: Path, is_sudden: bool, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    """Also before it is open: diskcache alone would wait for a minute."""
    fill(tmp_path)
    if is_sudden:
        monkeypatch.setattr("cache.rows._check", lambda *_, **__: None)
    store = file_store(tmp_path)
    assert store.get(place("a.k1")) is not None
    with rows(tmp_path) as holder:
        holder.execute("BEGIN IMMEDIATE")

        def use(held: FileStore) -> None:
            for number in range(50):
                assert not held.set(place(), entry(number))
                assert wrong_values(held) == 0

        late = file_store(tmp_path)
        for held in (store, late):
            Task(lambda held=held: use(held)).join()
        holder.execute("ROLLBACK")
    for held in (store, late):
        held._rests_until = 0.0  # a second later
        assert held.set(place(), entry())
        held.close()
    assert warnings() == []
