"""F17, F19, F20, F33: whatever becomes of the cache folder, numbers stay right, one warning is logged, and it heals."""

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cache import file_store as file_store_module
from cache.named import MISS
from data import instances, tasks
from data.preferences import CacheBackend
from tests.cache.places import entry, file_store, fill, noise, place, wrong_values
from tests.cache.probes import Count, Task, count_completed, probe
from tests.data.ledger import another_python, finish
from tests.house import open_house

DAMAGE = ["CORRUPT", "IOERR_SHORT_READ", "IOERR_DATA", "IOERR_CORRUPTFS"]


@pytest.mark.fault(
    "F17",
    inject="a disk of 2 MB is full while the tier is open, and before it opens",
    holds="sets fail, reads go on, one warning, it heals",
)
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


@pytest.mark.fault(
    "F17",
    inject="SQLite says full, I/O error, read-only, cannot open, corrupt",
    holds="sets fail, one warning, it heals",
)
@pytest.mark.parametrize("code", ["FULL", "IOERR", "READONLY", "CANTOPEN", *DAMAGE])
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
            assert store.get(place()) == (None if code in DAMAGE else entry("old"))
    assert len(warnings()) == 1
    assert store.set(place(), entry("new"))
    assert store.get(place()) == entry("new")
    assert store.stats()[0].errors >= 10
    store.close()


@pytest.mark.fault("F19", inject="the cache folder has mode 0777", holds="it is shut to others and used")
def test_a_folder_open_to_everybody_is_shut(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(0o777)
    store = file_store(folder)
    assert store.set(place(), entry())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    store.close()


@pytest.mark.fault(
    "F19", inject="the cache folder is a link to one that others use", holds="left as it is, one warning says why"
)
@pytest.mark.parametrize("is_link", [True, False], ids=["link", "with other things"])
def test_a_folder_that_is_not_ours_alone_is_neither_shut_nor_used(
    tmp_path: Path, is_link: bool, warnings: Callable[[], list[str]]
) -> None:
    shared = folder = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    if is_link:
        folder = tmp_path / "cache"
        folder.symlink_to(shared)
    else:
        (shared / "precious").write_text("of somebody")
    before = sorted(shared.iterdir())
    store = file_store(folder)
    assert not store.set(place(), entry())
    assert sorted(shared.iterdir()) == before
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    (warning,) = warnings()
    assert "set CACHE_DIR to a folder of its own" in warning


@pytest.mark.fault(
    "F19", inject="cache.db is a link to the database of record", holds="begun anew; all that was acknowledged is there"
)
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
def test_the_database_of_record_is_never_taken_for_the_cache(
    tmp_path: Path, link: Callable[[Path, Path], None], warnings: Callable[[], list[str]]
) -> None:
    with open_house(tmp_path, backend=CacheBackend.MEMORY) as house:
        tasks.create(house.database, house.user, name="before")
        file = house.database.file
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    (tmp_path / "cache").mkdir(mode=0o700)
    link(tmp_path / "cache" / "cache.db", file)
    inode = file.stat().st_ino
    with open_house(tmp_path) as house:
        tasks.create(house.database, house.user, name="acknowledged")
        assert house.manager.get_or_load(probe(count_completed), house.user) == Count(0)
        house.manager.clear()
    assert (tmp_path / "cache" / "cache.db").lstat().st_ino != inode
    (warning,) = warnings()
    assert "cache.db is no file of its own" in warning
    with open_house(tmp_path) as house, house.database.read() as read:
        names = read.connection.exec_driver_sql("SELECT name FROM tasks ORDER BY name").scalars().all()
        assert names == ["acknowledged", "before"]


@pytest.mark.fault("F19", inject="cache.db is a pipe that nobody writes to", holds="begun anew, nobody waits")
def test_a_pipe_in_the_place_of_the_database_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cache.db")
    store = file_store(tmp_path)
    assert store.set(place(), entry())
    assert store.get(place()) == entry()
    store.close()


@pytest.mark.fault("F19", inject="the cache folder belongs to somebody else", holds="not used, one warning says why")
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


@pytest.mark.fault("F19", inject="a file in the place of the cache folder", holds="misses, one warning, it heals")
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


@pytest.mark.fault("F19", inject="the cache folder is read-only", holds="misses, one warning, it heals")
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


@pytest.mark.fault("F19", inject="at the start, no such folder can be made", holds="it starts, one warning, right")
@pytest.mark.parametrize("backend", [CacheBackend.FILE, CacheBackend.HYBRID])
def test_the_app_starts_without_the_folder_that_it_cannot_use(
    tmp_path: Path, backend: CacheBackend, warnings: Callable[[], list[str]]
) -> None:
    value = probe(count_completed)
    (tmp_path / "cache").write_text("in the way")
    with open_house(tmp_path, backend=backend) as house:
        for expected in (1, 2):
            task = tasks.create(house.database, house.user, name="Tax return")
            instances.complete(house.database, house.user, instances.plan(house.database, house.user, task))
            assert house.manager.get_or_load(value, house.user) == Count(expected)
    (warning,) = warnings()
    assert "the cache folder" in warning


ANOTHER = """
import pathlib
from cache.entries import DamagedEntryError
from tests.cache.places import entry, file_store, place
store = file_store(pathlib.Path({folder!r}))
print(store.get(place()) == entry("first"))
input()
store._start_over(DamagedEntryError("as if"), None)
print(store.set(place("a.second"), entry("second")))
input()
print(store.get(place("a.third")) == entry("third"))
store.close()
"""


@pytest.mark.fault("F20", inject="another process quarantines the store", holds="noticed and opened again")
def test_a_store_begun_anew_by_another_process_is_noticed(tmp_path: Path) -> None:
    store = file_store(tmp_path)
    assert store.set(place(), entry("first"))
    other = another_python(ANOTHER.format(folder=str(tmp_path)))
    assert other.stdin
    assert other.stdout
    assert other.stdout.readline() == "True\n"
    other.stdin.write("begin it anew\n")
    other.stdin.flush()
    assert other.stdout.readline() == "True\n"
    assert store.set(place("a.third"), entry("third"))
    assert store.get(place("a.second")) == entry("second")
    assert store.get(place()) is None
    other.stdin.write("look\n")
    other.stdin.flush()
    assert finish(other) == "True\n"
    store.close()


@pytest.mark.fault("F33", inject="data/cache/ is deleted under an open store", holds="made again, no error")
def test_a_folder_removed_while_running_is_made_again(tmp_path: Path) -> None:
    """F33."""
    store = file_store(tmp_path / "cache")
    store.set(place(), entry())
    shutil.rmtree(tmp_path / "cache")
    store.get(place())
    assert store.set(place(), entry("again"))
    assert file_store(tmp_path / "cache").get(place()) == entry("again")
    store.close()


INJURIES: dict[str, Callable[[Path], object]] = {
    "folder removed": shutil.rmtree,
    "database removed": lambda folder: (folder / "cache.db").unlink(),
    "garbage": lambda folder: (folder / "cache.db").write_bytes(b"garbage" * 10_000),
    "header zeroed": lambda folder: (folder / "cache.db").write_bytes(b"\0" * 4096),
    "a file instead": lambda folder: (shutil.rmtree(folder), folder.write_text("in the way")),
}


@pytest.mark.fault(
    "F33",
    inject="data/cache/ is deleted, overwritten, replaced under a running house",
    holds="numbers right, at most one warning",
)
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
