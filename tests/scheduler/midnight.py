"""Midnight for many users of one zone at once: `python -m tests.scheduler.midnight`, or `make midnight`.

Measures how long each of them waits for their day, when open pages have the numbers of the new day, how long summaries
take to be made ready, what somebody notices who works meanwhile, and the memory it takes. Everything is in one process,
as in the application: database, feed, cache, look, warmth. Nothing is asserted.
"""

import argparse
import itertools
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from cache.values import DASHBOARD_METRICS, SUMMARY_DAILY
from data import preferences, tasks
from data.database import Transaction
from data.models import Instance, Preferences, Task, User
from events.catalog import Invalidated, UserId
from scheduler.day import DayWatch
from scheduler.warmth import Warmth
from tests.house import Clock, House, open_house

ZONE = "Europe/Berlin"
FIRST_ID = 1000
COMPLETED = 100
"""How much has been done by each who has everything preloaded or a page open: two things a day."""
WORKERS = 8
"""How many pages are read at the same time, as in `pages.workers`."""
PAUSE_SECONDS = 0.02


def add_users(house: House, count: int, *, busy: Iterable[int], full: Iterable[int], routines: int) -> list[UserId]:
    """Add *count* users: those in the places of *busy* with a past, of *full* with everything preloaded, the first
    *routines* with a daily routine. Return them."""
    ids = range(FIRST_ID, FIRST_ID + count)
    preloaded = {ids[place] for place in full}

    def command(transaction: Transaction) -> None:
        transaction.waive_event()
        session, now = transaction.session, transaction.now
        session.execute(insert(User), [{"id": user, "name": f"user {user}", "created_at": now} for user in ids])
        session.execute(
            insert(Preferences),
            [{"user_id": user, "time_zone": ZONE, "cache_mode": "full" if user in preloaded else None} for user in ids],
        )
        session.execute(
            insert(Task),
            [
                {"user_id": user, "id": "t", "name": "Plants", "kind": "other", "created_at": now, "updated_at": now}
                | {"routine": "daily" if place < routines else "none"}
                for place, user in enumerate(ids)
            ],
        )
        done = {"task_id": "t", "state": "completed", "actual_relief": 60, "actual_minutes": 20.0}
        past = [
            {"user_id": ids[place], "id": f"i{number}", "created_at": moment, "completed_at": moment} | done
            for place in busy
            for number in range(COMPLETED)
            for moment in [now - timedelta(hours=12 * number)]
        ]
        if past:
            session.execute(insert(Instance), past)

    house.database.write(command)
    return [UserId(user) for user in ids]


class Meanwhile:
    """Somebody who works while days start: a command, a look at a page's value, and others who look for the first time.

    *newcomers* have not looked yet, so that everything has to be loaded for each.
    """

    def __init__(self, house: House, newcomers: Iterator[UserId]) -> None:
        self._house = house
        self._newcomers = newcomers
        self._task = tasks.create(house.database, house.user, name="Taxes")
        self._stopped = threading.Event()
        self.writes: list[float] = []
        self.reads: list[float] = []
        self.first_reads: list[float] = []
        self._threads = [
            threading.Thread(target=self._repeat, args=(self._write, self.writes)),
            threading.Thread(target=self._repeat, args=(self._read, self.reads)),
            threading.Thread(target=self._repeat, args=(self._read_first, self.first_reads)),
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

    def _read_first(self) -> None:
        self._house.manager.get_or_load(SUMMARY_DAILY, next(self._newcomers))


class OpenPages:
    """Pages of *users* that are open: as soon as a summary goes stale, it and the metrics are read, as the hub does."""

    def __init__(self, house: House, users: Sequence[UserId]) -> None:
        self._house = house
        self._users = frozenset(users)
        self._began = 0.0
        self._asked: dict[UserId, Future[float]] = {}
        self._workers = ThreadPoolExecutor(WORKERS)

    def __enter__(self) -> "OpenPages":
        self._began = time.perf_counter()
        self._disconnect = self._house.bus.on_invalidated(self._went_stale)
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(wait=True)
        self._disconnect()

    def seconds(self) -> list[float]:
        """Return after how long each had the numbers of the new day, by user."""
        return [self._asked[user].result() for user in sorted(self._asked)]

    def _went_stale(self, notification: Invalidated) -> None:
        user = notification.user
        if user in self._users and user not in self._asked:
            self._asked[user] = self._workers.submit(self._read, user)

    def _read(self, user: UserId) -> float:
        with self._house.manager.snapshot(user) as snapshot:
            snapshot.get(DASHBOARD_METRICS)
            snapshot.get(SUMMARY_DAILY)
        return time.perf_counter() - self._began


def quantiles(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [float("nan")]
    found = [ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 for share in (0.5, 0.99, 1.0)]
    return " / ".join(f"{milliseconds:,.1f}" for milliseconds in found) + f" ms   ({len(seconds):,} times)"


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def warm_of(house: House, users: Iterable[UserId]) -> int:
    return sum(house.manager.why(SUMMARY_DAILY, user).state == "fresh" for user in users)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_beside(at_rest: Meanwhile, look: Meanwhile, warming: Meanwhile) -> None:
    for what, name in (
        ("somebody's command", "writes"),
        ("somebody's look at a summary", "reads"),
        ("others' first look at one", "first_reads"),
    ):
        say(what)
        for when, times in (("nothing going on", at_rest), ("during the look", look), ("during the warming", warming)):
            say(f"  {when:26}{quantiles(getattr(times, name))}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scheduler.midnight", description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--full", type=int, default=1000, help="users with everything preloaded; default: %(default)s")
    parser.add_argument("--open", type=int, default=100, help="users with a page open; default: %(default)s")
    parser.add_argument("--routines", type=int, default=1000, help="users with a daily routine; default: %(default)s")
    parser.add_argument("--max-size-mb", type=int, default=500, help="of each cache tier; default: %(default)s")
    parser.add_argument("--not-followed", action="store_true", help="nobody in mode full has looked since the start")
    given = parser.parse_args()
    clock = Clock(datetime(2026, 5, 13, 21, 59, tzinfo=UTC))
    with (
        tempfile.TemporaryDirectory() as folder,
        open_house(Path(folder), clock=clock, max_size_mb=given.max_size_mb) as house,
    ):
        preferences.change(house.database, house.user, time_zone=ZONE)
        places = range(given.users)
        preloaded = places[: given.full]
        opened = sorted({given.users - 1 - (given.users - 1) * number // given.open for number in range(given.open)})
        users = add_users(house, given.users, busy={*preloaded, *opened}, full=preloaded, routines=given.routines)
        full, looking = [users[place] for place in preloaded], [users[place] for place in opened]
        others = iter([user for user in users if user not in {*full, *looking}])
        newcomers = itertools.chain(others, itertools.repeat(house.user))
        days: list[float] = []
        warmth = Warmth(house.database, house.manager)

        def started(batch: Iterable[UserId]) -> None:
            who = list(batch)
            days.extend([time.perf_counter() - began] * len(who))
            warmth.expect(who)

        watch = DayWatch(house.database, started, waiting=lambda: frozenset(looking))
        began = time.perf_counter()
        watch.look()
        if not given.not_followed:
            warmth.warm(threading.Event())
        for user in looking:
            house.manager.get_or_load(SUMMARY_DAILY, user)
        with Meanwhile(house, newcomers) as before:
            time.sleep(3)
        clock.advance(minutes=1)
        memory, days[:] = rss_mb(), []
        with Meanwhile(house, newcomers) as during_look, OpenPages(house, looking) as pages:
            began = time.perf_counter()
            watch.look()
            look = time.perf_counter() - began
        ready = warm_of(house, full)
        with Meanwhile(house, newcomers) as during_warming:
            warming_began = time.perf_counter()
            warmth.warm(threading.Event())
            warming = time.perf_counter() - warming_began
        shown = pages.seconds()
        say(f"the look: {look:.1f} s for {len(days):,} days, the last of them after {days[-1]:.1f} s, and routines")
        say(
            f"the warming: {warming:.1f} s; {ready:,} of {len(full):,} were warm before, {warm_of(house, full):,} after"
        )
        say("                            p50 / p99 / longest")
        say(f"a user waits for their day  {quantiles(days)}")
        say(f"  an open page, to be read  {quantiles(shown)}; the last user's: {1000 * (shown or [0.0])[-1]:,.0f} ms")
        say_beside(before, during_look, during_warming)
        say(f"memory                      {memory:.0f} MB before, {rss_mb():.0f} MB after")
        began = time.perf_counter()
        watch.look()
        say(f"a look with nothing due     {1000 * (time.perf_counter() - began):.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
