"""Backups: whole, private, never over another file; made before an upgrade. And `check`."""

import contextlib
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from data import backup, check, demo, migrations, tasks
from data.database import Database
from data.errors import BackupRefusedError, DatabaseDamagedError, DatabaseUnusableError
from data.sqlite import sqlite
from events.catalog import UserId
from tests.data.ledger import all_rows
from tests.house import Clock


def content(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a backup."""
    with contextlib.closing(sqlite.connect(str(file))) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for name in names
            if name != "alembic_version"
        }


def spoil(file: Path, page: int = 3) -> None:
    """Overwrite a page with what is no page."""
    with file.open("r+b") as stream:
        stream.seek(4096 * page)
        stream.write(b"\xde\xad" * 2048)


def test_a_backup_is_everything_in_one_private_file(database: Database, user: UserId, tmp_path: Path) -> None:
    demo.add(database, user, days=5)
    target = tmp_path / "new folder" / "copy.db"
    assert backup.backup(database, target) == target
    assert content(target) == all_rows(database)
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in target.parent.iterdir()] == ["copy.db"]
    assert check.check(target).problems == ()


def test_a_backup_never_replaces_a_file(database: Database, user: UserId, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    for make in (lambda: target.write_text("mine"), lambda: target.symlink_to(tmp_path / "nowhere")):
        make()
        with pytest.raises(BackupRefusedError, match=r"precious exists already: expected the name of a new file"):
            backup.backup(database, target)
        assert target.is_symlink() or target.read_text() == "mine"
        target.unlink()
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]


def test_of_two_backups_to_one_name_only_one_is_made(
    database: Database, user: UserId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, really = tmp_path / "copy.db", check.damage

    def meanwhile(connection: Any, *, quick: bool) -> list[str]:
        target.write_text("the other one")
        return really(connection, quick=quick)

    monkeypatch.setattr(check, "damage", meanwhile)
    with pytest.raises(BackupRefusedError, match="exists already"):
        backup.backup(database, target)
    assert target.read_text() == "the other one"


def test_backups_beside_a_writer_are_each_of_one_moment(database: Database, user: UserId, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            tasks.create(database, user, name="Taxes")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backup.backup(database, tmp_path / f"{number}.db") for number in range(5)]
    finally:
        stop.set()
        writer.join()
    sizes = []
    for file in made:
        assert check.check(file).problems == ()
        rows = content(file)
        assert len(rows["events"]) == len(rows["tasks"]) + 1  # and the user's creation
        sizes.append(len(rows["tasks"]))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_a_backup_that_fails_leaves_nothing(
    database: Database, user: UserId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "damage", lambda connection, quick: ["page 7 is never used"])
    with pytest.raises(DatabaseDamagedError, match="is damaged: page 7"):
        backup.backup(database, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.glob("*copy.db*")] == []


# --- at the start


def test_a_damaged_database_stops_the_start_with_a_sentence_that_says_what_to_do(
    database: Database, user: UserId
) -> None:
    demo.add(database, user, days=30)
    database.close()
    spoil(database.file)
    with pytest.raises(
        DatabaseDamagedError, match=r"there is none in .*backups.*python -m data restore FILE"
    ) as failed:
        database.open(look=True)
    assert str(failed.value).startswith(f"{database.file} is damaged (")
    assert "\n" not in str(failed.value).replace(str(failed.value).partition("): ")[0], "")
    kept = backup.folder_of(database.file) / "backup-1.db"
    kept.parent.mkdir()
    kept.write_text("")
    with pytest.raises(DatabaseDamagedError, match=rf"newest backup in its place with: .*restore {kept}"):
        database.open(look=True)
    assert not database.is_open


@pytest.mark.parametrize("size", [100, 5000])
def test_a_file_that_is_no_database_is_damaged(database: Database, size: int) -> None:
    database.close()
    database.file.write_bytes(b"x" * size)
    for look in (False, True):
        with pytest.raises(DatabaseDamagedError, match="put a backup"):
            database.open(look=look)
    assert database.file.read_bytes() == b"x" * size


@pytest.fixture
def newer_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our migrations in a folder of their own, for one more step; returns where that goes."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    monkeypatch.setattr(migrations, "FOLDER", folder)
    return folder / "versions" / "9999_more.py"


@pytest.mark.parametrize("ending", ["", '    raise ZeroDivisionError("on purpose")\n'], ids=["succeeds", "fails"])
def test_before_an_upgrade_a_backup_is_made(database: Database, user: UserId, newer_program: Path, ending: str) -> None:
    before, version = all_rows(database), migrations.head()
    database.close()
    newer_program.write_text(
        f'from alembic import op\nrevision = "9999"\ndown_revision = "{version}"\n'
        f"branch_labels = depends_on = None\ndef upgrade():\n    op.execute(\"UPDATE users SET name = 'x'\")\n{ending}"
    )
    with pytest.raises(ZeroDivisionError) if ending else contextlib.nullcontext():
        database.open()
    database.close()
    [kept] = backup.folder_of(database.file).iterdir()
    assert kept.name.startswith(f"before-upgrade-of-{version}-")
    assert content(kept) == before
    assert check.check(kept).version == version
    assert (content(database.file) == before) == bool(ending)
    database.open() if not ending else None
    assert [*backup.folder_of(database.file).iterdir()] == [kept], "no upgrade, no backup"


def test_a_damaged_database_is_not_upgraded(database: Database, user: UserId, newer_program: Path) -> None:
    demo.add(database, user, days=30)
    database.close()
    newer_program.write_text(
        f'revision = "9999"\ndown_revision = "{migrations.head()}"\n'
        "branch_labels = depends_on = None\ndef upgrade():\n    pass\n"
    )
    spoil(database.file)
    with pytest.raises(DatabaseDamagedError):
        database.open()
    assert not backup.folder_of(database.file).exists()


# --- looking whether it is sound


def changed(file: Path, *statements: str) -> check.Report:
    with contextlib.closing(sqlite.connect(str(file), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return check.check(file)


@pytest.fixture
def copy(database: Database, user: UserId, clock: Clock, tmp_path: Path) -> Path:
    demo.add(database, user, days=5)
    for name in ("A", "B", "C"):
        tasks.create(database, user, name=name)
    return backup.backup(database, tmp_path / "copy.db")


def test_a_sound_database_is_read_to_the_last_row(copy: Path) -> None:
    report = check.check(copy)
    assert (report.problems, report.version, report.seq) == ((), migrations.head(), 5)
    assert report.rows["instances"] == 30
    assert report.rows["events"] == 5
    quick = check.check(copy, quick=True)
    assert (quick.problems, quick.rows) == ((), {})


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["DELETE FROM events WHERE seq = 3"], "the event log has no rows between 2 and 4"),
        (["DELETE FROM events WHERE seq = 5"], "the event log ends with row 4, but numbers were given out up to 5"),
        (
            ["UPDATE sqlite_sequence SET seq = 4 WHERE name = 'events'"],
            "the event log ends with row 5, but numbers were given out up to 4",
        ),
        (["UPDATE events SET body = '{' WHERE seq = 4"], "row 4 of events, a 'task.created', cannot be read"),
        (
            ["UPDATE tasks SET categories = 'home' WHERE name = 'A'"],
            "of tasks, column categories cannot be read: JSON is malformed",
        ),
        (["UPDATE instances SET created_at = 9000000000000000000"], "of instances, column created_at cannot be read"),
        (["DELETE FROM tasks"], "row 1 of instances belongs to a row of tasks that is missing"),
        (
            ["PRAGMA ignore_check_constraints = ON", "UPDATE instances SET state = 'done'"],
            "CHECK constraint failed in instances",
        ),
        (["DROP TABLE alembic_version"], "is no database of Reprieve"),
    ],
)
def test_what_is_wrong_is_said(copy: Path, statements: list[str], problem: str) -> None:
    found = changed(copy, "PRAGMA foreign_keys = OFF", *statements).problems
    assert any(problem in one for one in found), found


def test_a_pruned_log_is_sound(copy: Path) -> None:
    assert changed(copy, "DELETE FROM events WHERE seq < 4").problems == ()
    assert changed(copy, "DELETE FROM events").problems == ()


def test_damaged_pages_are_found(copy: Path) -> None:
    spoil(copy)
    assert check.check(copy, quick=True).problems
    copy.write_bytes(b"x" * 5000)
    assert check.check(copy).problems == ("file is not a database",)


def test_a_look_changes_nothing_and_needs_a_file(database: Database, user: UserId, tmp_path: Path) -> None:
    before = all_rows(database)
    assert check.check(database.file).problems == ()
    assert all_rows(database) == before
    with pytest.raises(DatabaseUnusableError, match=r"nowhere\.db: expected the file of a database, there is none"):
        check.check(tmp_path / "nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()


def test_rows_of_another_version_are_not_read(copy: Path) -> None:
    report = changed(copy, "UPDATE alembic_version SET version_num = '0099'", "ALTER TABLE tasks DROP COLUMN notes")
    assert (report.problems, report.version, report.rows) == ((), "0099", {})
