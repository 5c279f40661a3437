"""The folders of jobs: there while the job runs, gone afterwards, and swept if its process was killed."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from data import demo, scratch
from data.database import Database
from events.catalog import UserId

HOLDER = """
import sys
from pathlib import Path
from data import scratch

with scratch.folder(Path(sys.argv[1])) as folder:
    (folder / "rows").write_text("what somebody wrote")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """A process with such a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "reprieve.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def left(database: Path) -> list[str]:
    return sorted(path.name for path in database.parent.iterdir() if "scratch" in path.name)


def test_a_killed_process_leaves_nothing_for_the_next(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    database = tmp_path / "reprieve.db"
    with holder:
        assert holder.stdout is not None
        own = Path(holder.stdout.readline().strip())
        scratch.sweep(database)
        with scratch.folder(database) as other:
            assert left(database) == sorted([own.name, other.name])
        assert (own / "rows").exists(), "its process lives"
        holder.kill()
    with scratch.folder(database) as other:
        assert left(database) == [other.name]
    assert left(database) == []


def test_another_job_of_the_same_process_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "reprieve.db"
    with scratch.folder(database) as one, scratch.folder(database) as other:
        assert left(database) == sorted([one.name, other.name])
        assert one.stat().st_mode & 0o777 == 0o700


def test_folders_that_are_made_at_once_do_not_sweep_each_other(tmp_path: Path) -> None:
    database = tmp_path / "reprieve.db"
    ready = threading.Barrier(8)
    lost: list[Path] = []

    def job() -> None:
        ready.wait(20)
        for _ in range(30):
            with scratch.folder(database) as own:
                (own / "rows").write_text("x")
                scratch.sweep(database)
                if not (own / "rows").exists():
                    lost.append(own)

    threads = [threading.Thread(target=job) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert left(database) == []


def test_what_no_lock_tells_of_is_swept_after_a_day(database: Database, user: UserId) -> None:
    """Of an older program, say, or of a process that was killed before it had locked its folder."""
    folders = [database.file.parent / name for name in (".scratch-old", ".begun-scratch-old")]
    for folder in folders:
        folder.mkdir()
    demo.add(database, user, days=1)
    assert all(folder.exists() for folder in folders), "its job may still be running"
    for folder in folders:
        yesterday = folder.stat().st_mtime - timedelta(days=2).total_seconds()
        os.utime(folder, (yesterday, yesterday))
    demo.add(database, user, days=1)
    assert left(database.file) == []
