"""Midnight for many users of one zone at once: `python -m tests.scheduler.midnight`, or `make midnight`.

Measures how long each of them waits for their day, what somebody notices who works meanwhile, and the memory it takes.
Everything is in one process, as in the application: database, feed, cache, look. Nothing is asserted.
"""

import argparse
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from cache.values import SUMMARY_DAILY
from data import preferences, tasks
from data.database import Transaction
from data.days import start_in_batches
from data.models import Preferences, Task, User
from data.preferences import CacheMode
from scheduler.day import DayWatch, warm_summary
from tests.house import Clock, House, open_house

ZONE = "Europe/Berlin"
PAUSE_SECONDS = 0.02


def add_users(house: House, count: int, *, full: int, routines: int) -> None:
    """Add *count* users, the first *full* of them with everything preloaded, *routines* with a daily routine."""

    def command(transaction: Transaction) -> None:
        transaction.waive_event()
        session, now = transaction.session, transaction.now
        ids = range(1000, 1000 + count)
        session.execute(insert(User), [{"id": user, "name": f"user {user}", "created_at": now} for user in ids])
        session.execute(
            insert(Preferences),
            [
                {"user_id": user, "time_zone": ZONE, "cache_mode": "full" if place < full else None}
                for place, user in enumerate(ids)
            ],
        )
        session.execute(
            insert(Task),
            [
                {"user_id": user, "id": "t", "name": "Plants", "kind": "other", "created_at": now, "updated_at": now}
                | {"routine": "daily" if place < routines else "none"}
                for place, user in enumerate(ids)
            ],
        )

    house.database.write(command)


class Meanwhile:
    """Somebody who works while days start: a command, then a look at a page's value, again and again."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._task = tasks.create(house.database, house.user, name="Taxes")
        self._stopped = threading.Event()
        self.writes: list[float] = []
        self.reads: list[float] = []
        self._threads = [
            threading.Thread(target=self._repeat, args=(self._write, self.writes)),
            threading.Thread(target=self._repeat, args=(self._read, self.reads)),
        ]

    def __enter__(self) -> "Meanwhile":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[], object], times: list[float]) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)

    def _write(self) -> None:
        tasks.edit(self._house.database, self._house.user, self._task, notes=str(len(self.writes)))

    def _read(self) -> None:
        self._house.manager.get_or_load(SUMMARY_DAILY, self._house.user)


def quantiles(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [float("nan")]
    found = [ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{milliseconds:,.1f}" for milliseconds in found) + f" ms   ({len(seconds):,} times)"


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scheduler.midnight", description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--full", type=int, default=100, help="users with everything preloaded; default: %(default)s")
    parser.add_argument("--routines", type=int, default=1000, help="users with a daily routine; default: %(default)s")
    given = parser.parse_args()
    clock = Clock(datetime(2026, 5, 13, 21, 59, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder), clock=clock) as house:
        preferences.change(house.database, house.user, time_zone=ZONE)
        add_users(house, given.users, full=given.full, routines=given.routines)
        watch = DayWatch(house.database, warm_summary(house.manager, CacheMode.SELECTIVE))
        watch.look()
        with Meanwhile(house) as before:
            time.sleep(3)
        clock.advance(minutes=1)
        at_rest = rss_mb()
        waited: list[float] = []
        batches: list[float] = []
        with Meanwhile(house) as meanwhile:
            began = last = time.perf_counter()
            for batch in start_in_batches(house.database):
                now = time.perf_counter()
                waited += [now - began] * len(batch)
                batches.append(now - last)
                last = now
            days = time.perf_counter() - began
            began = time.perf_counter()
            watch.look()
            rest = time.perf_counter() - began
        say(f"{len(waited):,} days started in {days:.1f} s; {given.routines:,} routines planned in {rest:.1f} s")
        say("                        p50 / p99 / longest")
        say(f"a user waits            {quantiles(waited)}")
        say(f"a batch takes           {quantiles(batches)}")
        say(f"somebody's command      {quantiles(meanwhile.writes)}")
        say(f"  with nothing going on {quantiles(before.writes)}")
        say(f"somebody's read         {quantiles(meanwhile.reads)}")
        say(f"  with nothing going on {quantiles(before.reads)}")
        say(f"memory                  {at_rest:.0f} MB before, {rss_mb():.0f} MB after")
        began = time.perf_counter()
        watch.look()
        say(f"a look with nothing due {1000 * (time.perf_counter() - began):.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
