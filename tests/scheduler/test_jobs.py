"""Jobs: each is done by one process once in its time, tried again when it fails, and seen from outside."""

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cache import prometheus
from cache.counts import CacheStats
from data import upkeep
from data.database import Database
from data.sqlite import sqlite
from data.upkeep import LEASE, Run
from scheduler import __main__ as command_line
from scheduler.jobs import DAY, JOBS, LOOK, Job, Runner
from scheduler.prometheus import JobCollector
from tests.house import Clock

PRUNE = next(job for job in JOBS if job.name == "prune")
BACKUP = next(job for job in JOBS if job.name == "backup")


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/reprieve.db", clock=clock)
    opened.open()
    yield opened
    opened.close()


class Task:
    """Work that is counted, and fails while told to."""

    def __init__(self) -> None:
        self.count = 0
        self.error: BaseException | None = None

    def __call__(self, stopping: threading.Event) -> None:
        self.count += 1
        if self.error:
            raise self.error


def test_a_job_is_done_once_a_day_by_whichever_process_looks_first(database: Database, clock: Clock) -> None:
    work = Task()
    first, second = Runner(database, {"prune": work}), Runner(database, {"prune": work})
    for _ in range(3 * 96):
        first.run(PRUNE)
        second.run(PRUNE)
        clock.now += LOOK
    assert work.count == 3


def test_a_job_that_was_due_while_nothing_ran_is_done_at_the_first_look(database: Database, clock: Clock) -> None:
    work = Task()
    Runner(database, {"prune": work}).run(PRUNE)
    clock.advance(days=30)
    Runner(database, {"prune": work}).run(PRUNE)
    assert work.count == 2


def test_a_job_that_fails_is_logged_counted_and_tried_again_at_the_next_look(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Task()
    work.error = OSError("disk full")
    runner = Runner(database, {"prune": work})
    assert not runner.run(PRUNE)
    clock.now += LOOK
    assert not runner.run(PRUNE)
    assert upkeep.runs(database)["prune"] == Run(failures=2, problem="OSError: disk full")
    work.error = None
    assert runner.run(PRUNE)
    assert not runner.run(PRUNE), "it is done"
    (stats,) = runner.stats()
    assert (stats.runs, stats.failures) == (3, 2)
    assert caplog.text.count("job prune failed; the next look tries again") == 2


def test_a_job_that_wants_to_end_the_program_has_failed_like_any_other(database: Database, clock: Clock) -> None:
    work = Task()
    work.error = SystemExit(3)
    runner = Runner(database, {"prune": work})
    assert not runner.run(PRUNE)
    assert upkeep.runs(database)["prune"] == Run(failures=1, problem="SystemExit: 3")
    work.error = None
    clock.now += LOOK
    assert runner.run(PRUNE), "its claim has ended"


def test_an_interruption_goes_on_to_the_caller_and_leaves_no_claim(database: Database) -> None:
    work = Task()
    work.error = KeyboardInterrupt()
    runner = Runner(database, {"prune": work})
    with pytest.raises(KeyboardInterrupt):
        runner.run(PRUNE)
    work.error = None
    assert runner.run(PRUNE)


def test_a_job_that_cannot_say_how_it_went_is_taken_up_again_when_its_lease_ends(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def work(stopping: threading.Event) -> None:
        database.close()

    assert not Runner(database, {"prune": work}).run(PRUNE)
    assert "the failure of job prune could not be written down" in caplog.text
    database.open()
    again = Task()
    assert not Runner(database, {"prune": again}).run(PRUNE)
    clock.now += LEASE
    assert Runner(database, {"prune": again}).run(PRUNE)


def test_work_for_a_job_that_is_not_in_the_table_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match=r"^job 'backups': expected one of day, routines, warmth, prune"):
        Runner(database, {"backups": Task()})


def test_the_next_run_is_the_first_look_at_which_a_job_is_due() -> None:
    now = datetime(2026, 5, 13, 10, 5, tzinfo=UTC)
    quarter = datetime(2026, 5, 13, 10, 15, tzinfo=UTC)
    assert BACKUP.next_run(Run(), now) == quarter
    assert BACKUP.next_run(Run(began_at=quarter - DAY), now) == quarter
    assert BACKUP.next_run(Run(began_at=now), now) == quarter + DAY
    assert BACKUP.next_run(Run(began_at=now, failures=1), now) == quarter + DAY
    assert BACKUP.next_run(Run(claimed_at=now), now) == quarter + timedelta(hours=1)  # the lease
    assert BACKUP.next_run(Run(began_at=now + 3653 * DAY), now) == quarter, "a clock was wrong"
    assert Job(name="x", does="x", look=timedelta(minutes=1)).next_run(Run(), now) == now + timedelta(minutes=1)


def test_names_of_the_table_are_unique_and_looks_fit_into_an_hour() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(timedelta(hours=1) % job.look == timedelta() for job in JOBS)
    assert JOBS[0].look == LOOK == timedelta(minutes=15)


def test_counts_are_for_prometheus(database: Database) -> None:
    work = Task()
    work.error = OSError("disk full")
    runner = Runner(database, {"day": work, "prune": Task()})
    runner.run(JOBS[0])
    text = prometheus.exposition(lambda: CacheStats(keys=(), tiers=()), JobCollector(runner.stats))().decode()
    assert 'reprieve_job_runs_total{job="day"} 1.0' in text
    assert 'reprieve_job_failures_total{job="day"} 1.0' in text
    assert 'reprieve_job_runs_total{job="prune"} 0.0' in text
    assert 'reprieve_job_seconds{job="day"}' in text
    assert 'reprieve_job_seconds{job="prune"}' not in text


# --- the command line


@pytest.fixture
def listed(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("DATABASE_URL", database.url)

    def run(*options: str) -> str:
        assert command_line.main(["list", *options]) == 0
        return capsys.readouterr().out

    return run


def test_the_list_has_every_job_with_its_next_run(listed: Any) -> None:
    lines = json.loads(listed("--json"))
    assert [line["name"] for line in lines] == [job.name for job in JOBS]
    for line, job in zip(lines, JOBS, strict=True):
        moment = datetime.fromisoformat(line["next_run"])
        assert timedelta() <= moment - datetime.now(UTC) <= job.look
        assert (moment.second, line["failures"], line["last_success"]) == (0, 0, None)
    shown = listed()
    assert [line.split()[0] for line in shown.splitlines()] == [job.name for job in JOBS]


def test_the_list_says_what_failed_and_what_was_done(listed: Any, database: Database, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    work = Task()
    runner = Runner(database, {"prune": work, "backup": work})
    runner.run(PRUNE)
    work.error = OSError("disk full")
    runner.run(BACKUP)
    by_name = {line["name"]: line for line in json.loads(listed("--json"))}
    assert by_name["backup"]["problem"] == "OSError: disk full"
    assert datetime.fromisoformat(by_name["prune"]["last_success"]) == clock.now
    assert datetime.fromisoformat(by_name["prune"]["next_run"]) > clock.now + DAY - LOOK
    assert "failed once since: OSError: disk full" in listed()


def test_a_problem_of_several_lines_stays_in_the_line_of_its_job(listed: Any, database: Database) -> None:
    work = Task()
    work.error = OSError("disk full:\n  /tmp\r\n\x1b[31m  /var")
    Runner(database, {"backup": work}).run(BACKUP)
    lines = listed().splitlines()
    assert [line.split()[0] for line in lines] == [job.name for job in JOBS]
    backup = JOBS.index(BACKUP)
    assert lines[backup].endswith("since: OSError: disk full: /tmp [31m /var")
    assert json.loads(listed("--json"))[backup]["problem"] == f"OSError: {work.error}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            ["UPDATE alembic_version SET version_num = '0003'"],
            "is of version 0003, and this program reads version 0004",
        ),
        (
            ["UPDATE alembic_version SET version_num = '0099'"],
            "is of version 0099, and this program reads version 0004",
        ),
        (["DROP TABLE alembic_version"], "is no database of Reprieve: start the application once"),
    ],
)
def test_a_listing_changes_no_database_of_another_version(
    changes: list[str],
    said: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database.close()
    with contextlib.closing(sqlite.connect(database.file, isolation_level=None)) as connection:
        for change in changes:
            connection.execute(change)
    before = database.file.read_bytes()
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert command_line.main(["list"]) == 1
    assert said in capsys.readouterr().err
    assert database.file.read_bytes() == before


def test_the_list_says_when_there_was_a_look_and_costs_no_write_a_minute(
    listed: Any, database: Database, clock: Clock
) -> None:
    clock.now = first = datetime.now(UTC)
    work = Task()
    runner = Runner(database, {"routines": work})
    runner.run(JOBS[1])
    clock.advance(minutes=14)
    runner.run(JOBS[1])
    assert work.count == 2
    noted = {line["name"]: line["last_success"] for line in json.loads(listed("--json"))}
    assert datetime.fromisoformat(noted["routines"]) == first
    assert noted["day"] is None

    work.error = OSError("disk full")
    runner.run(JOBS[1])
    assert "failed once since: OSError: disk full" in listed()
    work.error = None
    runner.run(JOBS[1])
    assert "failed" not in listed()
    assert upkeep.runs(database)["routines"].began_at == clock.now


def test_without_a_database_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert command_line.main(["list"]) == 1
    assert "start the application once" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()
