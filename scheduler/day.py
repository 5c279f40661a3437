"""The look at the clock: at the start and every quarter of an hour, whether a user's local date has advanced.

What is found is recorded by `data.days`, once per user and date. No job runs at midnight: some days have none, and a
job that was asleep then would be lost. Dates are compared instead.
"""

import logging

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from data.database import Database
from data.days import start_due
from data.errors import DataError

log = logging.getLogger(__name__)


class DayWatch:
    """Starts due days while it runs. `start` and `stop` may be called again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Look once, now, and from then on every quarter of an hour in a thread of its own."""
        if self._scheduler is not None:
            return
        self.look()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.look,
            CronTrigger(minute="*/15", timezone="UTC"),
            misfire_grace_time=None,  # however late, a look is worth it
            coalesce=True,
            max_instances=1,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Look no more; a look under way is finished first."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=True)

    def look(self) -> None:
        """Start the days that are due. Blocks for one read, and one command per user whose date has advanced."""
        try:
            started = start_due(self._database)
        except DataError:
            log.exception("days could not be started; the next look tries again")
            return
        for user, day in started:
            log.info("day started user=%s day=%s", user, day)
