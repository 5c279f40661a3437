"""F35: somebody removes or replaces the files of the database of record while it is open."""

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from data import backup, restore, tasks
from data.database import Transaction
from data.errors import DatabaseDamagedError, DatabaseUnusableError
from data.sqlite import sqlite
from tests.cache.probes import probe
from tests.data.ledger import elsewhere, finish
from tests.faults.power import complete_one
from tests.house import House, open_house

SENTENCE = r"^\S+ was removed or replaced while the program runs: stop the program"
PROGRAM = """
from data import tasks
for number in range(20):
    tasks.create(database, {user}, name=f"task {{number:02}}")
print("ready")
input()
try:
    tasks.create(database, {user}, name="refused")
except Exception as error:
    print(error)
"""


def names(house: House) -> list[str]:
    with house.database.read() as read:
        return list(read.connection.exec_driver_sql("SELECT name FROM tasks ORDER BY name").scalars())


def replace(file: Path) -> None:
    other = file.with_name("other.db")
    backup.copy(file, other)
    os.replace(other, file)  # noqa: PTH105  # as `mv` does it


INJURIES: dict[str, Callable[[Path], object]] = {
    "database removed": Path.unlink,
    "database replaced": replace,
    "wal removed": lambda file: file.with_name(file.name + "-wal").unlink(),
    "shm removed": lambda file: file.with_name(file.name + "-shm").unlink(),
}


@pytest.mark.fault(
    "F35", inject="the database, its -wal or its -shm is removed or replaced", holds="refused in one sentence"
)
@pytest.mark.parametrize("injure", INJURIES.values(), ids=INJURIES.keys())
def test_nothing_is_acknowledged_or_shown_from_files_that_are_gone(
    tmp_path: Path, injure: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.watch.FILES_SECONDS", 0.0)
    with open_house(tmp_path) as house:
        value = probe()
        house.manager.get_or_load(value, house.user)
        injure(house.database.file)
        left = sorted(house.database.file.parent.iterdir())
        for refused in (
            lambda: tasks.create(house.database, house.user, name="lost"),
            lambda: names(house),
            lambda: house.manager.get_or_load(value, house.user),
        ):
            with pytest.raises(DatabaseUnusableError, match=SENTENCE):
                refused()
        assert sorted(house.database.file.parent.iterdir()) == left, "a file was made in its place"


@pytest.mark.fault("F35", inject="the files are gone when a command commits", holds="it is not acknowledged")
def test_a_command_whose_files_went_meanwhile_is_not_acknowledged(house: House) -> None:
    def command(transaction: Transaction) -> None:
        tasks.create_in(transaction, house.user, tasks.check({"name": "half way", "kind": "work"}))
        house.database.file.unlink()

    with pytest.raises(DatabaseUnusableError, match=f"{SENTENCE}, then put a backup"):
        house.database.write(command)


@pytest.mark.fault(
    "F35", inject="the -wal or -shm is removed, another process writes", holds="what was acknowledged is there"
)
@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
@pytest.mark.parametrize("writes", [False, True], ids=["alone", "another writes"])
def test_a_restart_finds_all_that_was_acknowledged(tmp_path: Path, suffix: str, writes: bool) -> None:
    acknowledged = [f"task {number:02}" for number in range(20)]
    with open_house(tmp_path) as house:
        database, user = house.database, house.user
    running = elsewhere(database, PROGRAM.format(user=user))
    assert running.stdin
    assert running.stdout
    assert running.stdout.readline() == "ready\n"
    database.file.with_name(database.file.name + suffix).unlink()
    if writes:
        with contextlib.suppress(DatabaseUnusableError), database.opened():
            tasks.create(database, user, name="of another")
            acknowledged.insert(0, "of another")
    running.stdin.write("go\n")
    running.stdin.flush()
    assert re.match(f"{SENTENCE} and start it again", finish(running))
    with open_house(tmp_path) as house:
        assert names(house) == acknowledged
        with house.database.read() as read:
            assert read.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


@pytest.mark.fault("F35", inject="the database is removed, then a backup restored", holds="all that the backup has")
def test_a_backup_takes_the_place_of_what_was_removed(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        tasks.create(house.database, house.user, name="kept")
        kept = backup.backup(house.database, tmp_path / "kept.db")
        tasks.create(house.database, house.user, name="after it")
        house.database.file.unlink()
    restore.restore(house.database, kept)
    with open_house(tmp_path) as house:
        assert names(house) == ["kept"]
        tasks.create(house.database, house.user, name="it goes on")


@pytest.mark.fault(
    "F18", inject="SQLite cannot read: I/O error, no more files, damage", holds="one sentence, and it heals"
)
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("disk I/O error", DatabaseUnusableError),
        ("unable to open database file", DatabaseUnusableError),
        ("database disk image is malformed", DatabaseDamagedError),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    house: House, text: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = sqlite.DatabaseError if error is DatabaseDamagedError else sqlite.OperationalError

    def fail(*_: object, **__: object) -> None:
        raise kind(text)

    complete_one(house)
    with monkeypatch.context() as patched:
        for place in ("data.log.newest_raw", "data.log.token_at_raw", "data.log.newest"):
            patched.setattr(place, fail)
        with pytest.raises(error, match=re.escape(text)) as refused, house.database.read():
            pass
        assert "\n" not in str(refused.value)
        with pytest.raises(error, match=re.escape(text)):
            house.feed.token_at(1)
    assert names(house)
