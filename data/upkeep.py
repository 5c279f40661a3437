"""Upkeep of the database, and who does which job of it: `job_runs` says when each was done, by whichever process.

When jobs are looked at, and what they do elsewhere, is in `scheduler.jobs`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from data import log as event_log
from data.database import Database, Transaction
from data.models import JobRun

KEPT_LOG_AGE = timedelta(days=400)
KEPT_LOG_EVENTS = 100_000
"""The log keeps what is younger than that, and the newest so many in any case."""

LEASE = timedelta(hours=1)
"""After that, a job that was begun and not finished is somebody else's: whoever began it has died."""
NOTED_EVERY = timedelta(minutes=15)
"""How exactly it is known when a job was done that every process does."""
_SLACK = timedelta(minutes=1)
"""A look that is a moment early does not put a job off to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a job went last. `began_at` is of the last success, `failures` are those since, `problem` the last one's."""

    claimed_at: datetime | None = None
    began_at: datetime | None = None
    failures: int = 0
    problem: str | None = None

    def due_at(self, every: timedelta, now: datetime) -> datetime:
        """Return from when on the job may be begun: *now* if it never was, or last by a clock since set back."""
        done = self.began_at if self.began_at is not None and self.began_at <= now else None
        due = now if done is None else max(now, done + every - _SLACK)
        if self.claimed_at is not None and self.claimed_at <= now:
            due = max(due, self.claimed_at + LEASE)
        return due


def prune_log(database: Database) -> int:
    """Remove the events that are older than the log has to keep; return how many went."""

    def command(transaction: Transaction) -> int:
        transaction.waive_event()
        before = transaction.now - KEPT_LOG_AGE
        return event_log.prune(transaction.session, before=before, keep=KEPT_LOG_EVENTS)

    return database.write(command)


def runs(database: Database) -> dict[str, Run]:
    """Return how each job went last, by name; a job that was never begun is not among them."""
    with database.read() as read:
        rows = read.connection.execute(
            select(JobRun.name, JobRun.claimed_at, JobRun.began_at, JobRun.failures, JobRun.problem)
        )
        return {
            name: Run(claimed_at=claimed_at, began_at=began_at, failures=failures, problem=problem)
            for name, claimed_at, began_at, failures, problem in rows
        }


def claim(database: Database, job: str, every: timedelta) -> bool:
    """Begin a job that is due; return whether it is the caller's to do. Of several processes, one gets it."""
    if not _is_due(runs(database).get(job, Run()), every, database.clock()):
        return False  # without waiting for a writer

    def command(transaction: Transaction) -> bool:
        transaction.waive_event()
        row = _row(transaction, job)
        if not _is_due(Run(claimed_at=row.claimed_at, began_at=row.began_at), every, transaction.now):
            return False
        row.claimed_at = transaction.now
        return True

    return database.write(command)


def finish(database: Database, job: str, problem: str | None = None) -> None:
    """Say that a job was done, or what kept it from that: then it is due again at once. A claim ends."""

    def command(transaction: Transaction) -> None:
        transaction.waive_event()
        row = _row(transaction, job)
        if problem is None:
            row.began_at, row.failures = row.claimed_at or transaction.now, 0
        else:
            row.failures += 1
        row.claimed_at, row.problem = None, problem

    database.write(command)


def note(database: Database, job: str, problem: str | None = None) -> None:
    """Say that a job that every process does at every look was done, or what kept it from that.

    A success is written down once in a quarter of an hour, so that a look a minute costs no write a minute.
    """
    known, now = runs(database).get(job, Run()), database.clock()
    was_noted = known.began_at is not None and known.began_at <= now < known.began_at + NOTED_EVERY
    if problem is None and was_noted and not known.failures:
        return
    finish(database, job, problem)


def _is_due(run: Run, every: timedelta, now: datetime) -> bool:
    return run.due_at(every, now) <= now


def _row(transaction: Transaction, job: str) -> JobRun:
    row = transaction.session.get(JobRun, job)
    if row is None:
        row = JobRun(name=job, claimed_at=None, began_at=None, failures=0, problem=None)
        transaction.session.add(row)
    return row
