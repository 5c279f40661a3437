"""Four processes on one database and one cache folder, for as long as you like: `make soak`, SOAK_SECONDS=3600.

Each does random commands and random reads; now and then one is killed in the middle of whatever it does, and another is
started. What is stale is judged by a ledger outside of the product: a file of acknowledged writes. A write raises its
user's number through a real command and is put down there, under a file lock, after the command returned. A read may
show any number from the one acknowledged when it began to the highest that anybody had begun to write when it ended.
"""

import argparse
import contextlib
import fcntl
import mmap
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cache.auditor import Auditor
from cache.manager import CacheManager
from cache.named import MISS
from cache.settings import CacheSettings
from cache.values import ANALYTICS_RELIEF_SUMMARY, DASHBOARD_METRICS, DASHBOARD_TASKS, PREFERENCES, SUMMARY_DAILY
from data import instances, preferences, tasks
from data.database import Database
from data.errors import DatabaseBusyError
from data.feed import Feed
from data.fields import Feelings
from data.preferences import CacheBackend
from events.bus import Bus
from events.catalog import TaskId, UserId
from events.rules import RULES
from events.ruleset import Ruleset

PROCESSES = 4
USERS = 3
OTHERS = (ANALYTICS_RELIEF_SUMMARY, DASHBOARD_METRICS, SUMMARY_DAILY, PREFERENCES)
LINES_KEPT = 20
_KILLED_WITHIN = (0.5, 3.0)
_NUMBERS = struct.Struct("=qq")


class Ledger:
    """What has been begun and acknowledged, per user, in files that all processes share.

    Each acknowledgement is a line of `acknowledged`, in the order in which they were given; the newest number of each
    user is beside it in `newest`, so that a reader need not go through the lines. Both are written under one lock.
    """

    def __init__(self, folder: Path) -> None:
        self._lines = (folder / "acknowledged").open("ab", buffering=0)
        newest = folder / "newest"
        with newest.open("ab") as file:
            if not file.tell():
                file.write(bytes(_NUMBERS.size * (USERS + 1)))
        with newest.open("r+b") as file:
            self._newest = mmap.mmap(file.fileno(), 0)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        fcntl.flock(self._lines, fcntl.LOCK_EX)  # a process that is killed lets go of it
        try:
            yield
        finally:
            fcntl.flock(self._lines, fcntl.LOCK_UN)

    def begin(self, user: int) -> int:
        """Return the number for the next write."""
        with self.locked():
            begun, acknowledged = self._get(user)
            _NUMBERS.pack_into(self._newest, user * _NUMBERS.size, begun + 1, acknowledged)
            return begun + 1

    def acknowledge(self, user: int, number: int) -> None:
        with self.locked():
            begun, acknowledged = self._get(user)
            os.write(self._lines.fileno(), f"{user} {number}\n".encode())
            _NUMBERS.pack_into(self._newest, user * _NUMBERS.size, begun, max(number, acknowledged))

    def acknowledged(self, user: int) -> int:
        with self.locked():
            return self._get(user)[1]

    def begun(self, user: int) -> int:
        with self.locked():
            return self._get(user)[0]

    def _get(self, user: int) -> tuple[int, int]:
        begun, acknowledged = _NUMBERS.unpack_from(self._newest, user * _NUMBERS.size)
        return begun, acknowledged


class Worker:
    """One process: a house, and random deeds in it."""

    def __init__(self, folder: Path, report: Any, mutant: bool) -> None:
        self.random = random.Random(os.urandom(8))
        self.ledger = Ledger(folder)
        self.report = report
        self.database = Database(f"sqlite:///{folder}/state/reprieve.db")
        self.feed = Feed(self.database, Bus())
        settings = CacheSettings(folder=folder / "cache", max_size_mb=20)
        self.manager = CacheManager(self.database, self.feed, self.feed._bus, Ruleset(RULES), settings)
        self.database.open()
        self.manager.start()
        self.feed.start()
        if mutant:
            self.feed.catch_up = lambda: self.feed.seq  # type: ignore[method-assign]
        self.counters = self._make_counters()

    def work(self) -> None:
        deeds: tuple[tuple[int, Callable[[UserId], None]], ...] = (
            (20, self.write),
            (6, self.other_command),
            (2, self.invalidate),
            (1, self.clear),
            (40, self.read_one),
            (40, self.read_snapshot),
            (20, self.look),
            (20, self.read_by_name),
            (6, self.read_others),
        )
        weights, acts = zip(*deeds, strict=True)
        while True:
            act = self.random.choices(acts, weights)[0]
            user = self.random.choice(list(self.counters))
            try:
                act(user)
            except DatabaseBusyError:
                self.report.put(("busy", act.__name__))  # four processes on two cores may wait for 5 s
            except Exception as error:  # noqa: BLE001  # counted, and fails the run
                self.report.put(
                    ("error", f"{act.__name__}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
                )

    # --- commands

    def write(self, user: UserId) -> None:
        number = self.ledger.begin(user)

        # Only upwards: of two that were begun, the later number may come first.
        with self.database.read() as read:
            version = read.connection.exec_driver_sql(
                "SELECT version, estimate_minutes FROM tasks WHERE user_id = ? AND id = ?", (user, self.counters[user])
            ).one()
        if version[1] >= number:
            return
        try:
            tasks.edit(
                self.database, user, self.counters[user],
                expected_version=version[0], estimate_minutes=number, name=f"Counter {number}",
            )  # fmt: skip
        except tasks.InvalidInputError:  # somebody else was quicker
            return
        self.ledger.acknowledge(user, number)
        self.report.put(("write", ""))

    def other_command(self, user: UserId) -> None:
        what = self.random.randrange(3)
        if what == 0:
            backend = self.random.choice([None, *(backend.value for backend in CacheBackend)])
            preferences.change(self.database, user, cache_backend=backend)
        elif what == 1:
            preferences.change(self.database, user, day_start=self.random.choice(["00:00", "04:00"]))
        else:
            planned = instances.plan(self.database, user, self.counters[user])
            instances.complete(self.database, user, planned, actual=Feelings(relief=50))

    def invalidate(self, user: UserId) -> None:
        self.manager.invalidate(self.random.choice(["dashboard.*", "analytics.*", "*"]), user=user)

    def clear(self, user: UserId) -> None:
        self.manager.clear_subsystem("dashboard", user=user)

    # --- reads

    def read_one(self, user: UserId) -> None:
        with self.judged(user, "get_or_load") as saw:
            saw(self._number_in(self.manager.get_or_load(DASHBOARD_TASKS, user), user))

    def read_snapshot(self, user: UserId) -> None:
        with self.judged(user, "snapshot") as saw, self.manager.snapshot(user) as snapshot:
            shown = snapshot.get(DASHBOARD_TASKS)
            summary = snapshot.get(ANALYTICS_RELIEF_SUMMARY)
            saw(self._number_in(shown, user))
            for value, found in ((DASHBOARD_TASKS, shown), (ANALYTICS_RELIEF_SUMMARY, summary)):
                if found != snapshot.load(value):
                    self.report.put(("stale", f"{value.key} of a snapshot differs from a load of its state"))

    def look(self, user: UserId) -> None:
        """What is shown at once: not judged while it is labelled, as what it is, a newer one being on its way."""
        with self.judged(user, "look") as saw, self.manager.snapshot(user) as snapshot:
            look = snapshot.look(DASHBOARD_TASKS, patience=self.random.choice([0, 0.005]))
            if look.is_fresh:
                saw(self._number_in(look.value, user))

    def read_by_name(self, user: UserId) -> None:
        with self.judged(user, "by name") as saw:
            found = self.manager.get("counter", "analytics", user=user)
            if found is MISS:
                with self.database.read() as read:
                    found = read.connection.exec_driver_sql(
                        "SELECT estimate_minutes FROM tasks WHERE user_id = ? AND id = ?", (user, self.counters[user])
                    ).scalar_one()
                self.manager.set("counter", found, "analytics", user=user)
            saw(int(found))

    def read_others(self, user: UserId) -> None:
        for value in OTHERS:
            self.manager.get_or_load(value, user)
        for found in Auditor(self.manager).check_all(user).differences:
            self.report.put(("stale", f"audit: {found.key}, {found.place}: {found.example}"))
        self.report.put(("read", "others"))

    @contextlib.contextmanager
    def judged(self, user: UserId, where: str) -> Iterator[Callable[[int], None]]:
        least, seen = self.ledger.acknowledged(user), []
        yield seen.append
        most = self.ledger.begun(user)
        for number in seen:
            if not least <= number <= most:
                self.report.put(("stale", f"{where}, user {user}: {number}, acknowledged were {least}, begun {most}"))
        self.report.put(("read", where))

    def _number_in(self, shown: Any, user: UserId) -> int:
        return next(int(task.estimate_minutes) for task in shown.templates if task.id == self.counters[user])

    def _make_counters(self) -> dict[UserId, TaskId]:
        """Return each user's task that counts; whoever comes first makes them."""
        counters: dict[UserId, TaskId] = {}
        with self.ledger.locked():
            for number in range(USERS):
                user = preferences.create_user(self.database, f"user {number}")
                with self.database.read() as read:
                    found = read.connection.exec_driver_sql(
                        "SELECT id FROM tasks WHERE user_id = ? AND name LIKE 'Counter%'", (user,)
                    ).scalar()
                counters[user] = TaskId(found) if found else tasks.create(
                    self.database, user, name="Counter 0", estimate_minutes=0
                )  # fmt: skip
        return counters


class _Sender:
    """The pipe of one process, so that one that is killed while it speaks blocks nobody else."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def put(self, line: tuple[str, str]) -> None:
        self._connection.send(line)


def _run(folder: Path, connection: Any, mutant: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report = _Sender(connection)
    worker = Worker(folder, report, mutant)
    report.put(("started", ""))
    worker.work()


def soak(seconds: float, *, mutant: bool = False) -> dict[str, int]:
    """Run for so long and return what was counted; what went wrong is written to stdout."""
    counted = dict.fromkeys(("started", "read", "write", "stale", "error", "busy", "kill", "died"), 0)
    context = multiprocessing.get_context("spawn")
    chance = random.Random(os.urandom(8))
    fast = Path("/dev/shm")
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="soak-", dir=fast if os.access(fast, os.W_OK) else None) as name:
        folder = Path(name)
        running: dict[Any, Any] = {}

        def start() -> None:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(folder, sender, mutant), daemon=True)
            process.start()
            sender.close()
            running[receiver] = process

        def listen(patience: float) -> None:
            for receiver in multiprocessing.connection.wait(list(running), patience):
                try:
                    while receiver.poll():
                        what, text = receiver.recv()
                        counted[what] += 1
                        if what in ("stale", "error"):
                            lines.append(f"{what}: {text}")
                            if len(lines) <= LINES_KEPT:
                                sys.stdout.write(f"    {lines[-1]}\n")
                                sys.stdout.flush()
                except (EOFError, OSError):  # died by itself
                    running.pop(receiver).join()
                    receiver.close()
                    counted["died"] += 1
                    start()

        for _ in range(PROCESSES):
            start()
        while counted["started"] < PROCESSES and not counted["died"]:
            listen(1.0)
        end, next_kill = time.monotonic() + seconds, time.monotonic() + 1
        while time.monotonic() < end and len(lines) < 1000:
            listen(0.05)
            if time.monotonic() >= next_kill:
                receiver = chance.choice(list(running))
                process = running.pop(receiver)
                process.kill()
                process.join()
                with contextlib.suppress(EOFError, OSError):  # its last line may be torn
                    while receiver.poll():
                        counted[receiver.recv()[0]] += 1
                receiver.close()
                counted["kill"] += 1
                start()
                next_kill = time.monotonic() + chance.uniform(*_KILLED_WITHIN)
        for process in running.values():
            process.kill()
            process.join()
    return counted


def main() -> int:
    """Soak; 1 if anything stale was read or anything failed that nobody can explain."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS") or 60))
    parser.add_argument("--mutant", action="store_true", help="plant a mistake: nobody looks at the log")
    options = parser.parse_args()
    counted = soak(options.seconds, mutant=options.mutant)
    sys.stdout.write(
        f"{options.seconds:g} s: {counted['read']} reads, {counted['write']} writes, {counted['kill']} kills; "
        f"{counted['stale']} stale, {counted['error']} errors, {counted['died']} died by themselves, "
        f"{counted['busy']} waited for 5 s in vain\n"
    )
    return 1 if counted["stale"] or counted["error"] or counted["died"] or not counted["read"] else 0


if __name__ == "__main__":
    sys.exit(main())
