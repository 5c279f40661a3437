"""Whatever is done to the cache folder, numbers stay right, one warning is logged, nothing hangs, and it heals.

The reference for a fault is its number in the matrix of faults (F11 and so on), where it has one.
"""

import contextlib
import logging
import os
import random
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache import file_store as file_store_module
from cache.entries import DamagedEntryError, decode, encode
from cache.file_store import FileStore
from cache.named import MISS
from cache.rows import FORMAT
from data.preferences import CacheBackend
from tests.cache import power
from tests.cache.places import entry, file_store, noise, place
from tests.cache.probes import Task, count_completed, probe
from tests.house import open_house

KEYS = 20


def fill(folder: Path) -> None:
    store = file_store(folder)
    for number in range(KEYS):
        assert store.set(place(f"a.k{number}"), entry(noise(number, 100 + 400 * number)))
    store.close()


def wrong_values(store: FileStore) -> int:
    found = [(number, store.get(place(f"a.k{number}"))) for number in range(KEYS)]
    return sum(kept is not None and kept != entry(noise(number, 100 + 400 * number)) for number, kept in found)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@contextlib.contextmanager
def rows(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "cache.db", isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, mounted for one test."""
    at = tmp_path / "disk"
    at.mkdir()
    if shutil.which("mount") is None or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "reprieve-test", at], capture_output=True, check=False
    ).returncode:  # fmt: skip
        pytest.skip("mounting a small disk takes root on Linux; the test with a failing SQLite runs everywhere")
    yield at
    subprocess.run(["umount", "--lazy", at], check=True)


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


# --- the database file (F11)


def flip_a_bit(content: bytearray, chance: random.Random) -> None:
    bit = chance.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8


def hit_512_bytes(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content) - 512)
    content[at : at + 512] = chance.randbytes(512)


@pytest.mark.parametrize(("hit", "rounds"), [(flip_a_bit, 150), (hit_512_bytes, 60)])
def test_no_hit_at_the_database_gives_a_wrong_value(
    tmp_path: Path, hit: Callable[[bytearray, random.Random], None], rounds: int
) -> None:
    fill(tmp_path)
    whole, chance = (tmp_path / "cache.db").read_bytes(), random.Random(1)
    for _ in range(rounds):
        damaged = bytearray(whole)
        hit(damaged, chance)
        for extra in tmp_path.glob("cache.db-*"):
            extra.unlink()
        (tmp_path / "cache.db").write_bytes(damaged)
        store = file_store(tmp_path)
        assert wrong_values(store) == 0
        assert store.set(place("a.new"), entry())
        assert store.get(place("a.new")) == entry()
        store.clear()
        assert store.stats()[0].entries == 0
        store.close()


TORN = {
    "header zeroed": lambda whole: b"\0" * 100 + whole[100:],
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "cut inside of a page": lambda whole: whole[:5_000],
    "garbage": lambda _: b"not a database at all " * 500,
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN.keys())
def test_a_torn_database_is_begun_anew_with_one_warning(
    tmp_path: Path, tear: Callable[[bytes], bytes], warnings: Callable[[], list[str]]
) -> None:
    fill(tmp_path)
    (tmp_path / "cache.db").write_bytes(tear((tmp_path / "cache.db").read_bytes()))
    store = file_store(tmp_path)
    assert wrong_values(store) == 0
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    assert len(warnings()) <= 1
    store.close()


@pytest.mark.parametrize("tear", [TORN["header zeroed"], TORN["garbage"]], ids=["header zeroed", "garbage"])
def test_a_database_torn_while_it_is_open_is_begun_anew(
    tmp_path: Path, tear: Callable[[bytes], bytes], warnings: Callable[[], list[str]]
) -> None:
    fill(tmp_path)
    store = file_store(tmp_path)
    with (tmp_path / "cache.db").open("r+b") as file:  # the same file, as a failing disk would
        content = tear(file.read())
        file.seek(0)
        file.write(content)
    for number in range(50):
        assert wrong_values(store) == 0
        store.set(place(), entry(number))
    assert store.get(place()) == entry(49)
    assert len(warnings()) <= 1
    store.close()


def test_other_files_in_the_folder_survive_a_fresh_start(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "notes.txt").write_text("precious")
    (tmp_path / "cache.db").write_bytes(b"garbage" * 1000)
    store = file_store(tmp_path)
    assert store.set(place(), entry())
    assert (tmp_path / "notes.txt").read_text() == "precious"
    store.close()


# --- of another version


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
    "left",
    [None, b"", b"reprieve-cache-2\nxx", b"\x93 random"],
    ids=["missing", "empty", "cut", "random"],
)
def test_a_row_that_keeps_its_value_in_a_file_is_a_miss(tmp_path: Path, left: bytes | None) -> None:
    """F12. We have no such rows: diskcache would make them of large values."""
    store = file_store(tmp_path)
    store.set(place(), entry())
    if left is not None:
        (tmp_path / "value.val").write_bytes(left)
    with rows(tmp_path) as connection:
        connection.execute("UPDATE Cache SET mode = 2, filename = 'value.val', value = NULL")
    assert store.get(place()) is None
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


def test_a_planted_pickle_runs_no_code(tmp_path: Path) -> None:
    """F13: as a value (mode 4) and as a key (raw 0)."""
    victim = tmp_path / "victim"
    attack = b"cos\nsystem\n(Vtouch " + str(victim).encode() + b"\ntR."
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    with rows(tmp_path / "cache") as connection:
        connection.execute("UPDATE Cache SET mode = 4, value = ?", (attack,))
        connection.execute("INSERT INTO Cache (key, raw, mode, value) VALUES (?, 0, 1, x'00')", (attack,))
    assert store.get(place()) is None
    assert [*store.keys(place().user)] == ["analytics.trends"]
    store.reclaim(lambda *_: False)
    store.set(place("a.more"), entry())
    store.clear(place().user)
    store.clear()
    assert store.stats()[0].entries == 0
    assert not victim.exists()
    store.close()


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.get(place()),
        lambda store: store.set(place(), entry("new")),
        lambda store: store.clear(),
        lambda store: store.clear(place().user, "analytics"),
        lambda store: store.reclaim(lambda *_: True),
        lambda store: [store.set(place(f"a.k{number}"), entry(noise(number, 30_000))) for number in range(60)],
        lambda store: store._rows.delete(place().address),
        lambda store: store._rows.evict(None),
        lambda store: store._rows.expire(),
        lambda store: store._rows.cull(),
        lambda store: store._rows.clear(),
    ],
    ids=["get", "set", "clear", "clear some", "reclaim", "evict"]
    + [f"diskcache {name}" for name in ("delete", "evict", "expire", "cull", "clear")],
)
def test_a_file_that_a_planted_row_names_survives(tmp_path: Path, act: Callable[[FileStore], object]) -> None:
    """F14, F15."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    store = file_store(tmp_path / "cache", max_bytes=2**20)
    store.set(place(), entry())
    with rows(tmp_path / "cache") as connection:
        connection.execute("UPDATE Cache SET filename = '../victim', mode = 2, expire_time = 1, value = NULL")
    act(store)
    assert victim.read_text() == "precious"
    store.close()


def test_a_value_copied_to_another_user_or_key_is_a_miss(tmp_path: Path) -> None:
    """F16."""
    store = file_store(tmp_path)
    for at in (place(user=1), place(user=2), place("analytics.trendy", user=1)):
        store.set(at, entry("private" if at == place(user=1) else "own"))
    with rows(tmp_path) as connection:
        connection.execute("UPDATE Cache SET value = (SELECT value FROM Cache WHERE key = '1/analytics.trends')")
    assert store.get(place(user=2)) is None
    assert store.get(place("analytics.trendy", user=1)) is None
    assert store.get(place(user=1)) == entry("private")
    store.close()


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


# --- the folder (F17, F19, F20, F33)


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    store.close()


def test_a_folder_open_to_everybody_is_shut(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    store = file_store(folder)
    assert store.set(place(), entry())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    store.close()


def test_a_folder_of_another_owner_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    store = file_store(tmp_path)
    for _ in range(3):
        assert not store.set(place(), entry())
        assert store.get(place()) is None
    assert not list(tmp_path.iterdir())
    (warning,) = warnings()
    assert f"belongs to user {owner}" in warning


def test_a_file_in_the_place_of_the_folder_is_a_miss_with_one_warning(
    tmp_path: Path, warnings: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store_module, "REST_SECONDS", 0.0)
    (tmp_path / "cache").write_text("in the way")
    store = file_store(tmp_path / "cache")
    for _ in range(3):
        assert not store.set(place(), entry())
        assert store.get(place()) is None
    assert len(warnings()) == 1
    (tmp_path / "cache").unlink()
    assert store.set(place(), entry()), "it heals when that is gone"
    store.close()


def test_a_read_only_folder_is_a_miss_with_one_warning(
    small_disk: Path, warnings: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store_module, "REST_SECONDS", 0.0)
    fill(small_disk / "cache")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = file_store(small_disk / "cache")

    def use() -> None:
        for number in range(20):
            assert not store.set(place(), entry(number))
            assert wrong_values(store) == 0

    Task(use).join()
    assert len(warnings()) == 1
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


@pytest.mark.parametrize("is_open", [True, False], ids=["while open", "before it opens"])
def test_a_full_disk_costs_sets_and_one_warning_and_heals(
    small_disk: Path, is_open: bool, warnings: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store_module, "REST_SECONDS", 0.0)
    fill(small_disk / "cache")
    store = file_store(small_disk / "cache")
    if is_open:
        assert store.get(place("a.k1")) is not None
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"\1" * 512)

    def use() -> int:
        kept = 0
        for number in range(40):
            kept += store.set(place(f"a.large{number}"), entry(noise(number, 60_000)))
            assert wrong_values(store) == 0
            store.clear(place().user, "a.large1")
        return kept

    assert Task(use).join() < 40
    assert len(warnings()) == 1
    if is_open:
        assert store.get(place("a.k1")) is not None, "reading goes on"
    (small_disk / "ballast").unlink()
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


@pytest.mark.parametrize("code", ["FULL", "IOERR", "READONLY", "CANTOPEN", "CORRUPT"])
def test_a_failing_sqlite_costs_sets_and_one_warning_and_heals(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    """The same without a disk of its own: writing fails as SQLite says it."""
    store = file_store(tmp_path)
    assert store.set(place(), entry("old"))
    error = sqlite3.DatabaseError(code) if code == "CORRUPT" else sqlite3.OperationalError(code)
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")

    def fail(*_: object) -> bool:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("cache.rows.Rows._put", fail)
        for number in range(10):
            assert not store.set(place(), entry(number))
            assert store.get(place()) == (None if code == "CORRUPT" else entry("old"))
    assert len(warnings()) == 1
    assert store.set(place(), entry("new"))
    assert store.get(place()) == entry("new")
    assert store.stats()[0].errors >= 10
    store.close()


def test_a_folder_removed_while_running_is_made_again(tmp_path: Path) -> None:
    """F33."""
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    shutil.rmtree(tmp_path / "cache")
    store.get(place())
    assert store.set(place(), entry("again"))
    assert file_store(tmp_path / "cache").get(place()) == entry("again")
    store.close()


def test_a_store_begun_anew_by_another_process_is_noticed(tmp_path: Path) -> None:
    """F20."""
    first, second = file_store(tmp_path), file_store(tmp_path)
    assert first.set(place(), entry("first"))
    assert second.get(place()) == entry("first")
    first._start_over(DamagedEntryError("as if"), None)
    assert second.set(place("a.second"), entry("second"))
    assert first.get(place("a.second")) == entry("second")
    first.close()
    second.close()


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


# --- power (F02, F03)


def test_a_kill_while_it_writes_tears_nothing(tmp_path: Path) -> None:
    """`python -m tests.cache.power` does so 500 times."""
    found = power.kills(tmp_path, rounds=3)
    assert found.wrong == 0
    assert found.values > 0


def test_a_power_cut_gives_no_wrong_value(tmp_path: Path) -> None:
    """`python -m tests.cache.power` does so 200 times."""
    found = power.cuts(tmp_path, rounds=20)
    assert found.wrong == 0
    assert found.values > 0
    assert found.misses > 0


# --- the house around it

INJURIES: dict[str, Callable[[Path], object]] = {
    "folder removed": shutil.rmtree,
    "database removed": lambda folder: (folder / "cache.db").unlink(),
    "garbage": lambda folder: (folder / "cache.db").write_bytes(b"garbage" * 10_000),
    "header zeroed": lambda folder: (folder / "cache.db").write_bytes(b"\0" * 4096),
    "a file instead": lambda folder: (shutil.rmtree(folder), folder.write_text("in the way")),
}


@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
@pytest.mark.parametrize("injure", INJURIES.values(), ids=INJURIES.keys())
def test_numbers_are_right_whatever_is_done_to_the_folder(
    tmp_path: Path, backend: CacheBackend, injure: Callable[[Path], object], warnings: Callable[[], list[str]]
) -> None:
    value = probe(count_completed)
    with open_house(tmp_path, backend=backend) as house:
        before = house.manager.get_or_load(value, house.user)
        house.manager.set("kept", [1], "analytics")
        injure(tmp_path / "cache")
        for number in range(5):
            house.manager._memory.clear()
            assert house.manager.get_or_load(value, house.user) == before
            house.manager.set("kept", [number], "analytics")
            assert house.manager.get("kept", "analytics") in ([number], *([] if number else ([1],)), MISS)
            house.manager.invalidate("analytics.*")
            assert house.manager.get("kept", "analytics") is MISS
    assert len(warnings()) <= 1
