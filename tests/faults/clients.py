"""Random clients in several processes, under faults, whose history is judged: `python -m tests.faults.clients`.

    python -m tests.faults.clients [--seconds 10] [--seed 1] [--plant NAME]

Meanwhile processes are killed and replaced, the cache folder is removed or overwritten, clocks are set, and users
change where their values are kept. Every read and write is written down by who does it, with the moments between which
it took place. `--plant` puts one mistake of `plants` into every process and stops at the first thing that cannot be
explained.
"""

import argparse
import contextlib
import json
import logging
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cache.named import MISS
from cache.values import DASHBOARD_TASKS, Value
from data import preferences, tasks
from data.database import ReadTransaction
from data.errors import DatabaseBusyError, InvalidInputError
from data.preferences import CacheBackend
from data.sqlite import sqlite
from data.viewpoint import Viewpoint
from events.catalog import TaskId, UserId
from tests.cache.probes import probe
from tests.faults.history import Log, Read, Write, explain
from tests.faults.plants import PLANTS
from tests.house import Clock, House, open_house

CONTEXT = multiprocessing.get_context("fork")
PROCESSES = 3
THREADS = 3
USERS = 2
TASKS = 2
JUDGED_EVERY_SECONDS = 1.0
TROUBLE_WITHIN = (0.8, 3.0)
ROOMY = Path("/dev/shm")

NUMBERS_SQL = "SELECT id, estimate_minutes FROM tasks WHERE user_id = ?"


def load_numbers(read: ReadTransaction, view: Viewpoint) -> tuple[Any, ...]:
    """What the probes show: each task with its number. Takes its time, as others do."""
    found = tuple(tuple(row) for row in read.connection.exec_driver_sql(NUMBERS_SQL, (view.user,)))
    time.sleep(random.choice((0, 0, 0.001, 0.004)))
    return found


PROBES: tuple[Value[Any], ...] = tuple(
    probe(load_numbers, kind=tuple[Any, ...], key=f"dashboard.tasks.{name}") for name in ("one", "other")
)


class Client:
    """One thread of one process, and the file that it writes its history to, so that a kill loses none of it."""

    def __init__(self, house: House, users: list[UserId], path: Path, seed: int) -> None:
        self.house, self.users = house, users
        self.chance = random.Random(seed)
        self._file = path.open("ab", buffering=0)

    def run(self) -> None:
        deeds: dict[Callable[[UserId], None], int] = {
            self.write: 20,
            self.get_or_load: 30,
            self.snapshot: 30,
            self.look: 20,
            self.by_name: 15,
            self.evict: 3,
            self.invalidate: 1,
            self.move: 1,
            self.set_clock: 1,
        }
        while True:
            act = self.chance.choices(list(deeds), list(deeds.values()))[0]
            try:
                act(self.chance.choice(self.users))
            except DatabaseBusyError:
                continue  # a sentence to the user, and nothing was changed
            except Exception as error:  # noqa: BLE001  # whatever it is, it is in the history and fails the run
                self._put({"error": f"{act.__name__}: {error!r}"})

    # --- deeds

    def write(self, user: UserId) -> None:
        with self.house.database.read() as read:
            rows = read.connection.exec_driver_sql(
                "SELECT id, version, estimate_minutes FROM tasks WHERE user_id = ?", (user,)
            ).all()
        task, version, number = self.chance.choice(rows)
        wanted: dict[str, Any] = {"user": user, "task": task, "number": int(number) + 1, "begin": time.monotonic_ns()}
        self._put({"write": {**wanted, "end": None}})
        try:
            tasks.edit(self.house.database, user, TaskId(task), expected_version=version, estimate_minutes=number + 1)
        except InvalidInputError:  # somebody else was quicker, and has a line of their own
            return
        self._put({"write": {**wanted, "end": time.monotonic_ns()}})

    def get_or_load(self, user: UserId) -> None:
        value = self.chance.choice((DASHBOARD_TASKS, *PROBES))
        begin = time.monotonic_ns()
        found = self.house.manager.get_or_load(value, user)
        self._read(user, "get_or_load", _numbers(found), begin)

    def snapshot(self, user: UserId) -> None:
        begin = time.monotonic_ns()
        with self.house.manager.snapshot(user) as snapshot:
            for value in (*PROBES, DASHBOARD_TASKS):
                if self.chance.random() < 0.3:
                    time.sleep(0.001)
                self._read(user, "snapshot", _numbers(snapshot.get(value)), begin, seq=snapshot.seq)

    def look(self, user: UserId) -> None:
        begin = time.monotonic_ns()
        with self.house.manager.snapshot(user) as snapshot:
            look = snapshot.look(self.chance.choice(PROBES), patience=self.chance.choice((0, 0.002)))
            self._read(
                user, "look", _numbers(look.value), begin, is_fresh=look.is_fresh, as_of=look.as_of, seq=snapshot.seq
            )

    def by_name(self, user: UserId) -> None:
        begin = time.monotonic_ns()
        found = self.house.manager.get("tasks.named", "dashboard", user=user)
        if found is MISS:
            with self.house.database.read() as read:
                found = [list(row) for row in read.connection.exec_driver_sql(NUMBERS_SQL, (user,))]
            time.sleep(self.chance.choice((0, 0.002)))
            self.house.manager.set("tasks.named", found, "dashboard", user=user)
        self._read(user, "by name", _numbers(found), begin)

    def evict(self, user: UserId) -> None:
        self.house.manager._memory.clear(user)

    def invalidate(self, user: UserId) -> None:
        self.house.manager.invalidate("dashboard.*", user=user)

    def move(self, user: UserId) -> None:
        backend = self.chance.choice([None, *(backend.value for backend in CacheBackend)])
        preferences.change(self.house.database, user, cache_backend=backend)

    def set_clock(self, user: UserId) -> None:
        self.house.clock.advance(minutes=self.chance.choice((-90, -1, 1, 90)))

    # --- the history

    def _read(self, user: UserId, how: str, numbers: dict[str, int], begin: int, **more: Any) -> None:
        read = Read(user=user, how=how, numbers=numbers, begin=begin, end=time.monotonic_ns(), **more)
        self._put({"read": asdict(read)})

    def _put(self, line: dict[str, Any]) -> None:
        os.write(self._file.fileno(), json.dumps(line).encode() + b"\n")


def _numbers(found: Any) -> dict[str, int]:
    pairs = ((task.id, task.estimate_minutes) for task in found.templates) if hasattr(found, "templates") else found
    return {task: int(minutes) for task, minutes in pairs}


def live(folder: Path, number: int, seed: int, plant: str | None) -> None:
    """One process, until it is killed."""
    with contextlib.ExitStack() as opened:
        if plant is not None:
            opened.enter_context(PLANTS[plant].planted())
        house = opened.enter_context(open_house(folder, clock=Clock()))
        users = [preferences.create_user(house.database, f"user {user}") for user in range(USERS)]
        for thread in range(THREADS):
            client = Client(house, users, folder / f"history-{number}-{thread}", seed * 7 + thread)
            threading.Thread(target=client.run, daemon=True).start()
        threading.Event().wait()


def prepare(folder: Path) -> None:
    """Make the users and their tasks."""
    with open_house(folder) as house:
        for number in range(USERS):
            user = preferences.create_user(house.database, f"user {number}")
            for task in range(TASKS):
                tasks.create(house.database, user, name=f"Counter {task}", estimate_minutes=0)


def judge(folder: Path) -> tuple[int, int, list[str]]:
    """Return how many reads and writes there are by now, and what cannot be explained."""
    reads, writes, wrong = [], [], []
    for path in folder.glob("history-*"):
        for line in path.read_bytes().split(b"\n")[:-1]:  # the last one may be torn
            said = json.loads(line)
            if "read" in said:
                reads.append(Read(**said["read"]))
            elif "write" in said:
                writes.append(Write(**said["write"]))
            else:
                wrong.append(f"error: {said['error']}")
    return len(reads), sum(write.end is not None for write in writes), wrong + explain(_logs(folder), writes, reads)


def _logs(folder: Path) -> dict[int, Log]:
    logs: dict[int, Log] = {}
    with contextlib.closing(sqlite.connect(folder / "state" / "reprieve.db")) as connection:
        rows = "SELECT seq, user_id, body FROM events WHERE name IN ('task.created', 'task.edited') ORDER BY seq"
        for seq, user, body in connection.execute(rows):
            logs.setdefault(user, Log()).seqs.setdefault(json.loads(body)["task"], []).append(seq)
    return logs


class Troubles:
    """What befalls the processes: see the module."""

    def __init__(self, folder: Path, chance: random.Random, plant: str | None) -> None:
        self._folder, self._chance, self._plant = folder, chance, plant
        self._number = self.kills = 0
        self._running: list[Any] = []
        for _ in range(PROCESSES):
            self._start()

    def _start(self) -> None:
        given = (self._folder, self._number, self._chance.randrange(2**30), self._plant)
        self._number += 1
        process = CONTEXT.Process(target=live, args=given)
        process.start()
        self._running.append(process)

    def next(self) -> list[str]:
        """Do one of them; return which processes ended by themselves."""
        gone = [process.exitcode for process in self._running if not process.is_alive()]
        trouble = self._chance.choice(["kill", "kill", "remove", "garble", "kill all"])
        if trouble == "remove":
            shutil.rmtree(self._folder / "cache", ignore_errors=True)
        elif trouble == "garble":
            with contextlib.suppress(OSError):
                (self._folder / "cache" / "cache.db").write_bytes(b"garbage" * 1000)
        else:
            for process in list(self._running) if trouble == "kill all" else [self._chance.choice(self._running)]:
                self._kill(process)
                self._start()
        return [f"error: a process ended by itself, with {exitcode}" for exitcode in gone]

    def _kill(self, process: Any) -> None:
        process.kill()
        process.join()
        self._running.remove(process)
        self.kills += 1

    def end(self) -> None:
        for process in list(self._running):
            self._kill(process)


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="history-", dir=ROOMY if os.access(ROOMY, os.W_OK) else None, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


def run(seconds: float, seed: int, plant: str | None = None) -> dict[str, Any]:
    """Let clients and troubles loose for *seconds*; with a plant, until something is found."""
    chance = random.Random(seed)
    with a_folder() as folder:
        preparing = CONTEXT.Process(target=prepare, args=(folder,))
        preparing.start()
        preparing.join()
        troubles = Troubles(folder, chance, plant)
        began = time.monotonic()
        next_trouble, next_look = began + 1.0, began + JUDGED_EVERY_SECONDS
        wrong: list[str] = []
        try:
            while time.monotonic() < began + seconds and not wrong:
                time.sleep(0.05)
                if time.monotonic() >= next_trouble:
                    wrong += troubles.next()
                    next_trouble = time.monotonic() + chance.uniform(*TROUBLE_WITHIN)
                if plant is not None and time.monotonic() >= next_look:
                    wrong += judge(folder)[2]
                    next_look = time.monotonic() + JUDGED_EVERY_SECONDS
        finally:
            troubles.end()
        found_after = time.monotonic() - began
        reads, writes, all_wrong = judge(folder)
        return {
            "reads": reads, "writes": writes, "kills": troubles.kills, "seconds": round(found_after, 1),
            "wrong": wrong or all_wrong,
        }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.clients", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=PLANTS)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = run(given.seconds, given.seed, given.plant)
    sys.stdout.write(json.dumps(found) + "\n")
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
