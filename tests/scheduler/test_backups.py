"""Copies of the database: which are kept, and that nothing else in the folder is touched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.database import Database
from scheduler.backups import KEPT_DAYS, KEPT_WEEKS, Backups
from tests.house import Clock


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Database:
    return Database(f"sqlite:///{tmp_path}/reprieve.db", clock=clock)


def copy(database: Database, target: Path) -> None:
    assert not target.exists()
    target.write_text(database.clock().isoformat())


def kept(folder: Path) -> list[datetime]:
    return sorted(datetime.fromisoformat(path.read_text()) for path in folder.glob("reprieve-*.db"))


def test_over_a_year_the_last_days_and_weeks_are_kept(database: Database, clock: Clock, tmp_path: Path) -> None:
    backups = Backups(database=database, folder=tmp_path / "copies", backup=copy)
    for _ in range(365):
        made = backups.make()
        assert made.exists()
        found = kept(tmp_path / "copies")
        assert len(found) <= KEPT_DAYS + KEPT_WEEKS
        clock.advance(days=1)
    last = clock.now - timedelta(days=1)
    expected = {last - timedelta(days=number) for number in range(KEPT_DAYS)}
    sunday = last - timedelta(days=last.isoweekday())
    expected |= {sunday - timedelta(weeks=number) for number in range(KEPT_WEEKS)}
    assert found == sorted(expected)


def test_several_copies_of_a_day_leave_the_newest(database: Database, clock: Clock, tmp_path: Path) -> None:
    backups = Backups(database=database, folder=tmp_path, backup=copy)
    for _ in range(5):
        backups.make()
        clock.advance(hours=1)
    assert kept(tmp_path) == [clock.now - timedelta(hours=1)]


def test_other_files_are_left_alone(database: Database, clock: Clock, tmp_path: Path) -> None:
    others = [
        "reprieve.db",
        "reprieve-20200101T000000Z.db.partial",
        "reprieve-old.db",
        "notes.txt",
        "reprieve-20201332T000000Z.db",
    ]
    for name in others:
        (tmp_path / name).write_text("keep me")
    backups = Backups(database=database, folder=tmp_path, backup=copy)
    for _ in range(40):
        backups.make()
        clock.advance(days=1)
    assert [name for name in others if not (tmp_path / name).exists()] == []


def test_a_copy_that_fails_removes_none_of_the_old_ones(database: Database, clock: Clock, tmp_path: Path) -> None:
    backups = Backups(database=database, folder=tmp_path, backup=copy)
    for _ in range(KEPT_DAYS):
        backups.make()
        clock.advance(days=1)
    before = kept(tmp_path)

    def fails(database: Database, target: Path) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        Backups(database=database, folder=tmp_path, backup=fails).make()
    assert kept(tmp_path) == before


def test_a_copy_that_a_wrong_clock_had_dated_ahead_never_costs_the_newest(
    database: Database, clock: Clock, tmp_path: Path
) -> None:
    backups = Backups(database=database, folder=tmp_path, backup=copy)
    clock.now = datetime(2036, 1, 1, tzinfo=UTC)
    for _ in range(20):
        backups.make()
        clock.advance(days=1)
    clock.now = datetime(2026, 5, 13, tzinfo=UTC)
    assert backups.make().exists()
