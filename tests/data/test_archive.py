"""ZIP archives of the CSV files: out and in again without a difference, and what is refused without a trace."""

import io
import zipfile

import pytest

from data import instances, tasks, transfer
from data.database import Database
from data.errors import ImportRefusedError
from data.fields import Feelings
from data.transfer import archive
from events.catalog import UserId
from tests.data.ledger import all_rows


def fill(database: Database, user: UserId) -> None:
    one = instances.plan(database, user, tasks.create(database, user, name="Steuer 'Ä'", categories=("Geld",)))
    instances.complete(database, user, one, actual=Feelings(relief=80), note="=1+1\nund mehr")


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


def test_what_goes_out_comes_in_again(database: Database, user: UserId) -> None:
    fill(database, user)
    before = all_rows(database)
    counts = transfer.import_files(database, user, {"mine.ZIP": transfer.export_zip(database, user)})
    assert (counts.tasks, counts.instances, counts.preferences) == (1, 1, 1)
    after = all_rows(database)
    assert all(after[table] == before[table] for table in ("tasks", "instances", "preferences"))


def test_files_may_lie_anywhere_in_the_archive_and_come_one_by_one(database: Database, user: UserId) -> None:
    fill(database, user)
    with zipfile.ZipFile(io.BytesIO(transfer.export_zip(database, user))) as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    nested = packed({f"backup/{name}": content for name, content in files.items()} | {"backup/readme.txt": b"?"})
    assert transfer.import_files(database, user, {"a.zip": nested}).instances == 1
    assert transfer.import_files(database, user, {"tasks.csv": files["tasks.csv"]}).tasks == 1


def test_it_says_how_far_it_is(database: Database, user: UserId) -> None:
    fill(database, user)
    told: list[tuple[int, int]] = []
    archived = transfer.export_zip(database, user)
    transfer.import_files(database, user, {"a.zip": archived}, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.zip": b"not a zip"}, "expected a ZIP archive that can be read"),
        ({"a.zip": packed({"../../evil.csv": b""})}, "holds none of tasks.csv"),
        (
            {"a.zip": packed({"Tasks.csv": b"", "instances.csv": b""})},
            "'Tasks.csv' in 'a.zip': expected the name tasks",
        ),
        ({"photo.jpg": b""}, "expected one of tasks.csv"),
        ({"../tasks.csv": b""}, "expected one of tasks.csv"),
        ({"a.zip": packed({"x/tasks.csv": b"", "y/tasks.csv": b""})}, "tasks.csv is there twice"),
        ({"tasks.csv": b"name\r\n"}, "tasks.csv"),
        ({}, ""),
    ],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(
    database: Database, user: UserId, files: dict[str, bytes], problem: str
) -> None:
    fill(database, user)
    before = all_rows(database)
    with pytest.raises(ImportRefusedError, match="nothing was imported") as refused:
        transfer.import_files(database, user, files)
    assert any(problem in one for one in refused.value.problems)
    assert all_rows(database) == before


def test_an_archive_that_unpacks_to_too_much_is_refused(
    database: Database, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(ImportRefusedError, match="unpacks to more than"):
        transfer.import_files(database, user, {"a.zip": packed({"tasks.csv": b"x" * 1001})})
