"""Wakes the jobs up while the application runs. The only module that knows APScheduler.

Each job is looked at on its own quarter of an hour or minute, in a thread of its own, so that none waits for another.
No look depends on a moment that was named before: clocks are set, and machines sleep.
"""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from data.database import Database
from scheduler.jobs import MINUTE, Job, JobStats, Runner, Work

log = logging.getLogger(__name__)

FIRST_LOOK_SECONDS = 1.0
"""How long the start waits for the first look at the clock, which goes on by itself if there is more to do."""
LONGEST_SLEEP = timedelta(minutes=1)
LONGEST_BACKLOG = timedelta(days=1)
"""Looks further back are not gone through one by one: after a clock that was set forward by years, that takes long."""


class Clockwork:
    """Runs the jobs that it is given work for. `start` and `stop` may be called again, in any order."""

    def __init__(self, database: Database, work: Mapping[str, Work]) -> None:
        self._runner = Runner(database, work)
        self._scheduler: BackgroundScheduler | None = None
        self._lock = threading.Lock()

    @property
    def stats(self) -> tuple[JobStats, ...]:
        """What happened to each job since the process began."""
        return self._runner.stats()

    def start(self) -> None:
        """Look at the clock now, and from then on in the background."""
        with self._lock:
            if self._scheduler is not None:
                return
            self._runner.stopping.clear()
            scheduler = self._scheduler = BackgroundScheduler(
                timezone="UTC",
                jobstores={"default": _Watchful()},
                executors={"default": ThreadPoolExecutor(len(self._runner.jobs) + 1)},
                # However late, a look is worth it; and one look is worth many.
                job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            )
            first_looks = []
            for job in self._runner.jobs:
                looked = threading.Event()
                now = {} if job.once_in is not None else {"next_run_time": datetime.now(UTC)}
                scheduler.add_job(self._run, trigger(job), args=[job, looked], id=job.name, **now)
                first_looks += [looked] if now else []
            scheduler.start()
        give_up_at = time.monotonic() + FIRST_LOOK_SECONDS
        for looked in first_looks:
            looked.wait(max(0.0, give_up_at - time.monotonic()))

    def stop(self) -> None:
        """Look no more; what is under way is finished first, or ends early where it can."""
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
            if scheduler is not None:
                self._runner.stopping.set()
                scheduler.shutdown(wait=True)

    def _run(self, job: Job, looked: threading.Event) -> None:
        self._runner.run(job)
        looked.set()


def trigger(job: Job) -> CronTrigger:
    """Return when *job* is looked at: at whole minutes in UTC, where clocks do not change."""
    return CronTrigger(minute=f"*/{job.look // MINUTE}", timezone="UTC")


class _Watchful(MemoryJobStore):  # type: ignore[misc]  # APScheduler has no types
    """Wakes up once a minute, and lets no job wait for a moment that a clock, set back since, had named.

    APScheduler 3 sleeps until a wall-clock time: after a clock that was years ahead, it would not wake up for years.
    """

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return the jobs whose look is due."""
        for job in self.get_all_jobs():
            if isinstance(job.trigger, CronTrigger):
                next_look = job.trigger.get_next_fire_time(None, now)
                if job.next_run_time > next_look:  # the clock was set back
                    self._move(job, next_look)
                elif job.next_run_time < now - LONGEST_BACKLOG:
                    self._move(job, now)
        return list(super().get_due_jobs(now))

    def get_next_run_time(self) -> datetime | None:
        """Return when to look for due jobs again."""
        found: datetime | None = super().get_next_run_time()
        return None if found is None else min(found, datetime.now(UTC) + LONGEST_SLEEP)

    def _move(self, job: Any, moment: datetime) -> None:
        job._modify(next_run_time=moment)
        self.update_job(job)
