"""Upkeep: what the log loses; and that of several processes one does a job, once in its time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from data import log as event_log
from data import preferences, tasks, upkeep
from data.database import Database
from data.upkeep import KEPT_LOG_AGE, LEASE
from tests.data.ledger import all_rows, elsewhere, finish, seqs
from tests.house import Clock

DAY = timedelta(days=1)


@pytest.fixture
def other(database: Database, clock: Clock) -> Iterator[Database]:
    """Another process's database on the same file."""
    opened = Database(database.url, clock=clock)
    opened.open()
    yield opened
    opened.close()


def test_pruning_takes_what_is_old_and_keeps_the_newest(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.upkeep.KEPT_LOG_EVENTS", 3)
    user = preferences.create_user(database, "local")
    for name in "ABCDE":
        tasks.create(database, user, name=name)
    assert upkeep.prune_log(database) == 0, "all of it is young"
    clock.advance(days=KEPT_LOG_AGE.days + 1)
    assert upkeep.prune_log(database) == 3
    assert upkeep.prune_log(database) == 0
    assert seqs(database) == [4, 5, 6]
    with database.read() as read:
        assert event_log.horizon(read.connection) == 3


def test_a_job_is_done_once_in_its_time(database: Database, other: Database, clock: Clock) -> None:
    assert upkeep.claim(database, "backup", DAY)
    assert not upkeep.claim(other, "backup", DAY), "somebody is at it"
    upkeep.finish(database, "backup")
    assert not upkeep.claim(other, "backup", DAY), "it is done"
    clock.advance(hours=23)
    assert not upkeep.claim(other, "backup", DAY)
    clock.advance(hours=1)
    assert upkeep.claim(other, "backup", DAY)


def test_a_job_counts_from_its_beginning_so_that_it_does_not_drift(database: Database, clock: Clock) -> None:
    upkeep.claim(database, "backup", DAY)
    clock.advance(minutes=50)
    upkeep.finish(database, "backup")
    clock.advance(hours=23, minutes=10)
    assert upkeep.claim(database, "backup", DAY)


def test_a_job_that_failed_is_due_again_at_once_and_says_why(database: Database, clock: Clock) -> None:
    for failures in (1, 2):
        assert upkeep.claim(database, "backup", DAY)
        upkeep.finish(database, "backup", "OSError: disk full")
        run = upkeep.runs(database)["backup"]
        assert (run.failures, run.problem, run.began_at) == (failures, "OSError: disk full", None)
    upkeep.claim(database, "backup", DAY)
    upkeep.finish(database, "backup")
    run = upkeep.runs(database)["backup"]
    assert (run.failures, run.problem, run.began_at) == (0, None, clock.now)


def test_what_somebody_began_who_then_died_is_taken_over_when_the_lease_ends(database: Database, clock: Clock) -> None:
    process = elsewhere(
        database,
        "import os\n"
        "from datetime import datetime, timedelta\n"
        "from data import upkeep\n"
        f"database.clock = lambda: datetime.fromisoformat({clock.now.isoformat()!r})\n"
        "assert upkeep.claim(database, 'backup', timedelta(days=1))\n"
        "os._exit(0)",
    )
    finish(process)
    assert not upkeep.claim(database, "backup", DAY)
    clock.now += LEASE
    assert upkeep.claim(database, "backup", DAY)


def test_a_clock_that_was_years_ahead_puts_no_job_off(database: Database, clock: Clock) -> None:
    clock.advance(days=3653)
    upkeep.claim(database, "prune", DAY)
    upkeep.finish(database, "prune")
    upkeep.claim(database, "backup", DAY)  # and its process died
    clock.advance(days=-3653)
    assert upkeep.claim(database, "prune", DAY)
    assert upkeep.claim(database, "backup", DAY)


def test_of_many_who_claim_at_once_one_gets_it(database: Database, other: Database) -> None:
    barrier = threading.Barrier(8)

    def claim(own: Database) -> bool:
        barrier.wait()
        return upkeep.claim(own, "backup", DAY)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, [database, other] * 4)) == 1


def test_upkeep_is_no_event_and_asks_no_writer_when_nothing_is_due(database: Database) -> None:
    upkeep.claim(database, "backup", DAY)
    upkeep.finish(database, "backup")
    assert seqs(database) == []
    before = all_rows(database)
    commits: list[None] = []
    database.after_commit.append(lambda: commits.append(None))
    assert not upkeep.claim(database, "backup", DAY)
    assert (commits, all_rows(database)) == ([], before)
