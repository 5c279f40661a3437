"""What is done by the clock: a literal table, and the runner that does one of its rows.

A job that fails is logged, counted, and tried again at the next look; it stops nothing else. What the work is comes
from `app.py`, by name. When looks are is up to `clockwork`; which process did what last, to `data.upkeep`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data import upkeep
from data.database import Database
from data.upkeep import Run

log = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
LOOK = timedelta(minutes=15)
DAY = timedelta(days=1)

Work = Callable[[threading.Event], object]
"""Does a job, in a thread of the scheduler. Given an event that is set when the application is about to stop: work that
takes long looks at it between steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row: `does` what, looked at how often.

    `once_in` is set for what one of all processes does once in that time, counted across restarts; without it, every
    process does it at every look, the first time when it starts.
    """

    name: str
    does: str
    look: timedelta = LOOK
    once_in: timedelta | None = None

    def next_run(self, run: Run, now: datetime) -> datetime:
        """Return the next look at which it is due, in UTC; looks are at whole quarters of an hour, or minutes."""
        due = now if self.once_in is None else run.due_at(self.once_in, now)
        day = due.replace(hour=0, minute=0, second=0, microsecond=0)
        looks = -((day - due) // self.look)  # rounded up
        found = day + self.look * looks
        return found if found > now else found + self.look


JOBS = (
    Job(name="day", does="starts each user's day when their local date has advanced, and plans their routines"),
    Job(name="routines", does="plans routines at their local time", look=MINUTE),
    Job(name="warmth", does="makes ready the summaries of new days where everything is preloaded", look=MINUTE),
    Job(name="prune", does="removes events that the log need not keep", once_in=DAY),
    Job(name="reclaim", does="frees the disk space of cached values that are out of date", once_in=DAY),
    Job(name="audit", does="compares what is cached with a fresh load", once_in=DAY),
    Job(name="backup", does="copies the database, and removes copies that are no longer needed", once_in=DAY),
    Job(name="sweep", does="looks through memory for what nobody needs, while nobody is there or else once an hour"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStats:
    """What happened to one job since the process began. `seconds` is how long the last run took, None before."""

    name: str
    runs: int = 0
    failures: int = 0
    seconds: float | None = None


class Runner:
    """Does jobs, and keeps count. Safe from any thread."""

    def __init__(self, database: Database, work: Mapping[str, Work]) -> None:
        unknown = work.keys() - {job.name for job in JOBS}
        if unknown:
            raise ValueError(f"job {min(unknown)!r}: expected one of {', '.join(job.name for job in JOBS)}")
        self.jobs = tuple(job for job in JOBS if job.name in work)
        self.stopping = threading.Event()
        self._database = database
        self._work = work
        self._stats = {job.name: JobStats(name=job.name) for job in self.jobs}
        self._lock = threading.Lock()

    def stats(self) -> tuple[JobStats, ...]:
        """Return the counts of each job, in the order of the table."""
        with self._lock:
            return tuple(self._stats.values())

    def run(self, job: Job) -> bool:
        """Do *job* if it is due; return whether it was done. What it raises ends here, and stops nothing else.

        The interruption or cancellation of whoever called is passed on, once the claim has ended.
        """
        claimed = False
        began = time.perf_counter()
        try:
            if job.once_in is not None:
                claimed = upkeep.claim(self._database, job.name, job.once_in)
                if not claimed:
                    return False
            self._work[job.name](self.stopping)
            if claimed:
                upkeep.finish(self._database, job.name)
            elif job.once_in is None:
                upkeep.note(self._database, job.name)
        except BaseException as error:  # the guard around jobs: whatever one raises, even `SystemExit`, others go on
            log.exception("job %s failed; the next look tries again", job.name)
            self._count(job, began, failed=True)
            if claimed or job.once_in is None:
                self._say_failed(job, f"{type(error).__name__}: {error}")
            if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):  # meant for the thread, not for the job
                raise
            return False
        self._count(job, began, failed=False)
        return True

    def _say_failed(self, job: Job, problem: str) -> None:
        try:
            upkeep.finish(self._database, job.name, problem)
        except Exception:  # the same guard: the lease runs out by itself
            log.exception("the failure of job %s could not be written down", job.name)

    def _count(self, job: Job, began: float, *, failed: bool) -> None:
        seconds = time.perf_counter() - began
        with self._lock:
            before = self._stats[job.name]
            self._stats[job.name] = JobStats(
                name=job.name, runs=before.runs + 1, failures=before.failures + failed, seconds=seconds
            )
