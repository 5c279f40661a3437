"""What processes do that are killed at random, what they had acknowledged by then, and what must be there afterwards.

Each worker has a user of its own and says before each command what it will do and after it that it is done. So each
task has one state that must be there, or two, if a command was under way when the process died.
"""

import multiprocessing.connection
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cache.values import VALUES
from data import instances, preferences, tasks
from data import log as event_log
from data.fields import Feelings
from events.catalog import InstanceId, TaskId, UserId
from tests.house import Clock, House, open_house

Shape = tuple[Any, ...]
"""A task as it matters here: its estimate, and the state and relief of its attempt, if it has one."""

_SHAPES_SQL = """
    SELECT tasks.name, tasks.estimate_minutes, instances.state, instances.actual_relief, tasks.id, instances.id
    FROM tasks
    LEFT JOIN instances ON instances.user_id = tasks.user_id AND instances.task_id = tasks.id
    WHERE tasks.user_id = ?
"""


class Ledger:
    """What has been acknowledged, per worker, on disk before it counts, and what was begun last."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self._file = (home / "acknowledged").open("ab", buffering=0)
        self.shapes: dict[int, dict[str, Shape]] = {}
        self.begun: dict[int, tuple[str, Shape] | None] = {}
        self.count = 0
        """Acknowledgements; whoever asks begins anew."""

    def of(self, worker: int) -> dict[str, Shape]:
        return self.shapes.setdefault(worker, {})

    def listen(self, receivers: dict[Any, int], seconds: float) -> None:
        for receiver in multiprocessing.connection.wait(list(receivers), seconds):
            self.drain(receiver, receivers[receiver], most=100)  # type: ignore[index]

    def drain(self, receiver: Any, worker: int, most: int = 1_000_000) -> None:
        """Take what *worker* has said. Its last line may be torn."""
        try:
            while most and receiver.poll():
                self._take(worker, receiver.recv())
                most -= 1
        except (EOFError, OSError):
            return

    def _take(self, worker: int, said: tuple[str, Shape] | None) -> None:
        if said is not None:
            self.begun[worker] = said
            return
        begun = self.begun[worker]
        assert begun is not None
        name, shape = begun
        os.write(self._file.fileno(), f"{worker} {name} {shape}\n".encode())
        os.fsync(self._file.fileno())
        self.of(worker)[name] = shape
        self.begun[worker] = None
        self.count += 1

    def settle(self, shapes: dict[int, dict[str, Shape]]) -> None:
        """Go on from what was found: what was under way has happened or has not."""
        self.shapes, self.begun = shapes, {}


def work(home: Path, worker: int, seed: int, sender: Any, without_log: bool) -> None:
    """Write and read without pause, until killed."""
    if without_log:
        event_log.append = lambda *_: None  # type: ignore[assignment]
    chance = random.Random(seed)
    clock = Clock(datetime.now(UTC))
    with open_house(home, clock=clock) as house:
        user = preferences.create_user(house.database, f"user {worker}")
        found = _found(house, user)
        while True:
            clock.now = datetime.now(UTC)
            if chance.random() < 0.5:
                with house.manager.snapshot(user) as snapshot:
                    for value in chance.sample(list(VALUES), 3):
                        snapshot.get(value)
            else:
                _write(house, user, found, chance, sender)


def _write(house: House, user: UserId, found: dict[str, Shape], chance: random.Random, sender: Any) -> None:
    name = chance.choice([*found, f"task {len(found)}", f"task {len(found)}"])
    if name not in found:
        sender.send((name, (5.0, None, None)))
        task = tasks.create(house.database, user, name=name, estimate_minutes=5.0)
        found[name] = (5.0, None, None, task, None)
        sender.send(None)
        return
    minutes, state, relief, task, instance = found[name]
    if chance.random() < 0.4:
        minutes = float(chance.randrange(1, 600))
        sender.send((name, (minutes, state, relief)))
        tasks.edit(house.database, user, TaskId(task), estimate_minutes=minutes)
    elif state is None:
        state = "planned"
        sender.send((name, (minutes, state, relief)))
        instance = instances.plan(house.database, user, TaskId(task))
    elif state == "planned":
        state, relief = "completed", chance.randrange(100)
        sender.send((name, (minutes, state, relief)))
        instances.complete(house.database, user, InstanceId(instance), actual=Feelings(relief=relief))
    else:
        relief = chance.randrange(100)
        sender.send((name, (minutes, state, relief)))
        instances.edit(house.database, user, InstanceId(instance), actual_relief=relief)
    found[name] = (minutes, state, relief, task, instance)
    sender.send(None)


def _found(house: House, user: UserId) -> dict[str, Shape]:
    with house.database.read() as read:
        return {row[0]: tuple(row[1:]) for row in read.connection.exec_driver_sql(_SHAPES_SQL, (user,))}


def judge_load(home: Path, ledger: Ledger) -> tuple[int, list[str], dict[int, dict[str, Shape]]]:
    """Restart; return how many values were compared, what is wrong, and each worker's tasks as they are."""
    compared, wrong, settled = 0, [], {}
    with open_house(home, clock=Clock(datetime.now(UTC))) as house:
        if (problem := _integrity(house)) != "ok":
            wrong.append(f"torn: {problem}")
        for worker, shapes in ledger.shapes.items():
            user = preferences.create_user(house.database, f"user {worker}")
            now = {name: shape[:3] for name, shape in _found(house, user).items()}
            begun = ledger.begun.get(worker)
            for name, shape in now.items():
                if shape not in (shapes.get(name), begun[1] if begun and begun[0] == name else None):
                    wrong.append(f"lost: {name!r} of user {user} is {shape}, acknowledged was {shapes.get(name)}")
            wrong += [f"lost: {name!r} of user {user}" for name in shapes if name not in now]
            settled[worker] = now
            with house.manager.snapshot(user) as snapshot:
                for value in VALUES:
                    compared += 1
                    if snapshot.get(value) != snapshot.load(value):
                        wrong.append(f"stale: {value.key} of user {user}")
    return compared, wrong, settled


def _integrity(house: House) -> str:
    with house.database.read() as read:
        return str(read.connection.exec_driver_sql("PRAGMA integrity_check").scalar_one())
