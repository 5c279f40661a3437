"""What a loader may look at besides its transaction is seen: files, connections, and the clock."""

import datetime as whole_module
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cache.rulebook import emission, surroundings
from cache.rulebook.surroundings import MOVED_TO

OWN = __name__


def test_what_is_opened_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "rates.txt"
    with surroundings.opened() as seen:
        file.write_text("7")
        list(tmp_path.iterdir())
        sqlite3.connect(":memory:").close()
    assert seen == {str(file), str(tmp_path), ":memory:"}
    file.read_text()
    assert len(seen) == 3


def test_what_python_reads_for_itself_is_none_of_it() -> None:
    with surroundings.opened() as seen:
        ZoneInfo.no_cache("Europe/Berlin")
        Path(whole_module.__file__).read_text()
    assert seen == set()


def test_the_clock_stands_where_it_is_put_and_runs_on_afterwards() -> None:
    real = datetime
    with surroundings.clock_at(MOVED_TO, OWN):
        assert datetime.now(UTC) == whole_module.datetime.now(UTC) == MOVED_TO
        assert datetime.now(ZoneInfo("Asia/Tokyo")) == MOVED_TO
        assert date.today() == MOVED_TO.date()  # noqa: DTZ011  # what a loader might do
        assert time.time() == MOVED_TO.timestamp()
        assert time.gmtime()[:4] == (2032, 11, 21, 19)
        # What does not ask the clock is as ever.
        assert datetime(2026, 5, 13, tzinfo=UTC) == real(2026, 5, 13, tzinfo=UTC)
        assert isinstance(real(2026, 5, 13, tzinfo=UTC), datetime)
        assert issubclass(real, datetime)
        assert datetime.fromisoformat("2026-05-13").date() == date(2026, 5, 13)
        assert time.gmtime(0)[0] == 1970
    assert datetime is whole_module.datetime is real
    assert abs(datetime.now(UTC) - MOVED_TO) > timedelta(days=30)


def test_who_writes_is_found_in_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "tasks.py").write_text(
        """
def pin(database, task):
    def command(transaction):
        transaction.record(task)

    database.write(command)


def tidy(database):
    database.write(lambda transaction: transaction.waive_event())


def print_out(stream):
    stream.write("pinned")
"""
    )
    assert [(writer.name, writer.line) for writer in emission.writers(tmp_path)] == [("pin", 2)]
