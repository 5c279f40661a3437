"""Restoring: all of a backup, nothing else, and the log goes on above every number; or nothing at all, and why.

What a running app shows afterwards is in `tests/cache/test_restore.py`.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data import backup, check, demo, migrations, preferences, restore, tasks, transfer
from data.database import Database
from data.errors import BackupRefusedError, DatabaseBusyError, DatabaseDamagedError, DatabaseUnusableError
from data.sqlite import sqlite
from events.catalog import UserId
from tests.data.ledger import all_rows, another_python, elsewhere, finish, lines, newest

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def source(database: Database, user: UserId, stranger: UserId, tmp_path: Path) -> Path:
    """A backup with two users and a demo; the database has changed since."""
    demo.add(database, user, days=5)
    made = backup.backup(database, tmp_path / "backup.db")
    demo.remove(database, user)
    tasks.create(database, stranger, name="Later")
    preferences.create_user(database, "later")
    return made


def raw(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite.connect(str(file), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows_of(file: Path) -> Rows:
    database = Database(f"sqlite:///{shutil.copy(file, file.with_suffix('.read.db'))}")
    with database.opened():
        return all_rows(database)


def without_log(rows: Rows) -> Rows:
    return {name: found for name, found in rows.items() if name not in ("events", "sqlite_sequence")}


@contextlib.contextmanager
def nothing_changed(database: Database) -> Iterator[None]:
    before = all_rows(database)
    yield
    assert all_rows(database) == before
    assert not backup.folder_of(database.file).exists()
    assert [path.name for path in database.file.parent.iterdir() if "scratch" in path.name] == []


@pytest.mark.parametrize("stop_at", [0.0, 0.3, 0.5])
def test_progress_rises_to_the_end_and_what_it_raises_leaves_all_as_it_was(
    database: Database, source: Path, stop_at: float
) -> None:
    def stop(done: int, total: int) -> None:
        if stop_at < done / total < 1:
            raise KeyboardInterrupt

    with nothing_changed(database), pytest.raises(KeyboardInterrupt):
        restore.restore(database, source, stop)

    told: list[float] = []
    restore.restore(database, source, lambda done, total: told.append(done / total))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) >= 4


def test_every_row_is_as_in_the_backup_and_the_log_goes_on_above_all_numbers(
    database: Database, user: UserId, stranger: UserId, source: Path
) -> None:
    before, high = all_rows(database), newest(database)
    done = restore.restore(database, source)
    assert (done.users, done.tasks, done.instances) == (2, 36, 30)
    after, wanted = all_rows(database), rows_of(source)
    assert without_log(after) == without_log(wanted)
    assert after["events"][: len(wanted["events"])] == wanted["events"]
    of_seq = wanted["events"][-1][0]
    assert lines(database, after=of_seq) == [
        ("data.restored", user, {"of_seq": of_seq}),
        ("data.restored", stranger, {"of_seq": of_seq}),
    ]
    assert newest(database) == high + 2
    assert check.check(database.file).problems == ()
    assert done.kept is not None
    assert rows_of(done.kept) == before
    tasks.create(database, user, name="And on")


def test_what_was_kept_can_be_restored(database: Database, user: UserId, source: Path) -> None:
    before = without_log(all_rows(database))
    kept = restore.restore(database, source).kept
    assert kept is not None
    restore.restore(database, kept)
    assert without_log(all_rows(database)) == before


def test_the_backup_of_another_database_with_a_longer_log(
    database: Database, user: UserId, source: Path, tmp_path: Path
) -> None:
    other = Database(f"sqlite:///{tmp_path}/other/reprieve.db")
    with other.opened():
        name = preferences.create_user(other, "somebody else")
        for number in range(30):
            tasks.create(other, name, name=f"Task {number}")
        path = backup.backup(other, tmp_path / "other.db")
    restore.restore(database, path)
    assert newest(database) == 32
    assert preferences.names(database) == {"somebody else": name}
    assert check.check(database.file).problems == ()


def test_what_is_written_while_the_present_state_is_kept_is_kept_as_well(
    database: Database, stranger: UserId, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = backup.copy
    made: list[Path] = []

    def and_then_somebody_writes(file: Path, target: Path) -> Path:
        copied = really(file, target)
        if file == database.file:
            made.append(copied)
            if len(made) == 1:
                finish(elsewhere(database, f"from data import tasks\ntasks.create(database, {stranger}, name='Now')"))
        return copied

    monkeypatch.setattr(backup, "copy", and_then_somebody_writes)
    kept = restore.restore(database, source).kept
    assert kept is not None
    assert made[1:] == [kept]
    assert not made[0].exists()
    assert "Now" in str(rows_of(kept)["tasks"])


def test_a_database_that_is_open_nowhere_is_left_so(database: Database, source: Path) -> None:
    database.close()
    restore.restore(database, source)
    assert not database.is_open
    with database.opened():
        assert len(all_rows(database)["tasks"]) == 36


def test_a_backup_of_an_older_version_is_upgraded_and_not_changed(
    database: Database, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()
    old, version = source.read_bytes(), migrations.head()
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    monkeypatch.setattr(migrations, "FOLDER", folder)
    (folder / "versions" / "9999_more.py").write_text(
        f'from alembic import op\nrevision = "9999"\ndown_revision = "{version}"\n'
        "branch_labels = depends_on = None\n"
        "def upgrade():\n    op.execute(\"UPDATE users SET name = name || '!'\")\n"
    )
    restore.restore(database, source)
    assert source.read_bytes() == old
    with database.opened():
        assert set(preferences.names(database)) == {"local!", "stranger!"}


@pytest.mark.parametrize(
    ("statements", "error", "message"),
    [
        (["UPDATE alembic_version SET version_num = '0099'"], DatabaseUnusableError, "of version 0099"),
        (["DROP TABLE alembic_version"], BackupRefusedError, "is no backup of Reprieve: nothing was restored"),
        (["DELETE FROM tasks"], DatabaseDamagedError, "belongs to a row of tasks that is missing; nothing was"),
        (
            [f"DELETE FROM {name}" for name in ("instances", "tasks", "preferences", "events", "days", "users")],
            BackupRefusedError,
            "holds no user: nothing was restored",
        ),
    ],
)
def test_what_is_no_sound_backup_is_refused(
    database: Database, source: Path, statements: list[str], error: type[Exception], message: str
) -> None:
    raw(source, "PRAGMA foreign_keys = OFF", *statements)
    with nothing_changed(database), pytest.raises(error, match=message):
        restore.restore(database, source)


def test_a_torn_a_foreign_and_a_missing_file_are_refused(database: Database, source: Path, tmp_path: Path) -> None:
    with nothing_changed(database):
        with pytest.raises(DatabaseUnusableError, match="there is none"):
            restore.restore(database, tmp_path / "nowhere.db")
        source.write_bytes(source.read_bytes()[:20_000])
        with pytest.raises(DatabaseDamagedError, match="is damaged"):
            restore.restore(database, source)
        source.write_text("x" * 5000)
        with pytest.raises(DatabaseDamagedError, match="is damaged: file is not a database"):
            restore.restore(database, source)


def test_a_restore_that_is_killed_has_not_happened(database: Database, source: Path) -> None:
    before = all_rows(database)
    killed = elsewhere(
        database,
        "import os, signal\nfrom pathlib import Path\nfrom data import restore\n"
        "restore._record = lambda transaction: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"restore.restore(database, Path({str(source)!r}))\n",
    )
    _, complaints = killed.communicate(timeout=60)
    assert (killed.returncode, complaints) == (-9, "")
    assert all_rows(database) == before
    assert check.check(database.file).problems == ()
    assert restore.restore(database, source).tasks == 36


@pytest.mark.parametrize("damage", [b"x" * 5000, b"x" * 100])
def test_a_damaged_database_is_moved_aside(
    database: Database, source: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    database.close()
    database.file.write_bytes(damage)
    done = restore.restore(database, source)
    assert done.kept is not None
    assert done.kept.name.startswith("damaged-")
    assert done.kept.read_bytes() == damage
    assert "is damaged" in caplog.text
    with database.opened():
        assert without_log(all_rows(database)) == without_log(rows_of(source))
        assert [line[0] for line in lines(database)][-2:] == ["data.restored"] * 2
    assert check.check(database.file).problems == ()


def test_a_damaged_page_is_no_hindrance(database: Database, user: UserId, source: Path) -> None:
    demo.add(database, user, days=30)
    database.close()
    with database.file.open("r+b") as stream:
        stream.seek(4096 * 3)
        stream.write(b"\xde\xad" * 2048)
    done = restore.restore(database, source)
    assert done.tasks == 36
    assert check.check(database.file).problems == ()


def test_a_damaged_database_that_a_program_has_open_is_left_alone(database: Database, source: Path) -> None:
    database.close()
    running = elsewhere(database, "print('open')\ninput()")
    assert running.stdout
    assert running.stdout.readline() == "open\n"
    with database.file.open("r+b") as stream:
        stream.write(b"x" * 100)
    damaged = database.file.read_bytes()
    with pytest.raises(DatabaseBusyError, match="is damaged, and a program has it open: stop it, then try again"):
        restore.restore(database, source)
    assert database.file.read_bytes() == damaged
    running.communicate("go\n", timeout=60)
    assert restore.restore(database, source).tasks == 36


def test_the_file_is_not_replaced_under_connections_of_this_process(
    database: Database, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = database.file.stat().st_ino

    def damaged(*_: object) -> Path:
        raise DatabaseDamagedError("on purpose")

    monkeypatch.setattr(restore, "_replace_rows", damaged)
    with pytest.raises(DatabaseDamagedError, match="on purpose"):
        restore.restore(database, source)
    assert database.is_open
    assert database.file.stat().st_ino == inode


def test_a_missing_database_is_made_from_the_backup(database: Database, source: Path) -> None:
    database.close()
    for path in database.file.parent.glob("reprieve.db*"):
        path.unlink()
    done = restore.restore(database, source)
    assert (done.kept, done.tasks) == (None, 36)
    assert database.file.stat().st_mode & 0o077 == 0


# --- an import that is killed


@pytest.mark.parametrize("share", [0.3, 0.8], ids=["checking", "writing"])
def test_an_import_that_is_killed_has_not_happened(
    database: Database, user: UserId, stranger: UserId, tmp_path: Path, share: float
) -> None:
    demo.add(database, user, days=100, per_day=60)
    transfer.export_to(database, user, tmp_path / "out")
    before = all_rows(database)
    killed = another_python(
        "import os, signal\nfrom pathlib import Path\nfrom data import transfer\nfrom data.database import Database\n"
        f"database = Database({database.url!r})\ndatabase.open()\n"
        "def told(done, total):\n"
        f"    if done >= {share} * total: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"transfer.import_from(database, {stranger}, Path({str(tmp_path / 'out')!r}), told)\n"
    )
    _, complaints = killed.communicate(timeout=60)
    assert (killed.returncode, complaints) == (-9, "")
    assert all_rows(database) == before
    assert check.check(database.file).problems == ()
    assert transfer.import_from(database, stranger, tmp_path / "out").instances == 6000
