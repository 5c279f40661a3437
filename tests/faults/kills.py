"""Kills the app with SIGKILL, at every statement of every command in turn and at random moments under load.

    python -m tests.faults.kills [--kills 200] [--command NAME ...] [--most 150] [--without-log]

After each kill the house is opened again, as a restart does, and judged: every acknowledged command is there, one that
was not has happened entirely or not at all, and no value is served that differs from a fresh load. A command counts as
acknowledged once the parent has read so from a pipe and has it in a file on disk. `--without-log` plants the mistake
that this is to find: commands that leave out their row of the log.

Children are forked from one process that has imported everything and started no thread.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cache.values import VALUES
from data import log as event_log
from data.rehearsal import COMMANDS, START, Stage, live
from data.sqlite import sqlite
from tests.data.ledger import all_rows
from tests.faults.load import Ledger, judge_load, work
from tests.house import Clock, House, open_house

CONTEXT = multiprocessing.get_context("fork")
WORKERS = 3
ROUNDS_PER_FOLDER = 20
MOST = 150
"""Commands that write thousands of rows have as many moments, one like the other."""
ROOMY = Path("/dev/shm")

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Found:
    """What came of it. *wrong* is what must be empty: each begins with `lost`, `torn` or `stale`."""

    kills: int = 0
    acknowledged: int = 0
    compared: int = 0
    wrong: list[str] = field(default_factory=list)


# --- at every statement


@dataclass
class Reference:
    """What a command does when nobody kills it: its states, from before it to its end, and its points of death."""

    points: int
    states: list[Rows]
    end: Clock


class Moments:
    """Counts statements, and moments after a commit, from `armed` on; at the one that is *fatal* the process dies."""

    def __init__(self, fatal: int | None) -> None:
        self.count = 0
        self.armed = False
        self._fatal = fatal

    def __call__(self, *_: object) -> None:
        if self.armed:
            self.count += 1
            if self.count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def traced(moments: Moments) -> Iterator[None]:
    """Count what any connection to the database does that is opened meanwhile."""
    connect = sqlite.connect

    def traced_connect(*given: Any, **named: Any) -> Any:
        connection = connect(*given, **named)
        connection.set_trace_callback(moments)
        return connection

    sqlite.connect = traced_connect
    try:
        yield
    finally:
        sqlite.connect = connect


def repeatable(seed: int) -> None:
    """Let ids and tokens be the same in every run with that seed, so that states can be compared row by row."""
    chance = random.Random(seed)
    secrets.randbits = chance.getrandbits
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)


def make_past(folder: Path) -> None:
    """A past of sixty days, with every value of it on disk."""
    clock = Clock()
    with open_house(folder, clock=clock) as house:
        live(house.database, clock, house.user)
        read_all(house)


def read_all(house: House) -> dict[str, Any]:
    with house.manager.snapshot(house.user) as snapshot:
        return {value.key: snapshot.get(value) for value in VALUES}


def carry_out(name: str, house: House, clock: Clock, moments: "Moments") -> None:
    """Carry the command *name* out. Looks of others in the midst of it are none of its moments."""

    def look() -> None:
        moments.armed = False
        read_all(house)
        moments.armed = True

    moments.armed = True
    COMMANDS[name](Stage(database=house.database, user=house.user, clock=clock, look=look))
    moments.armed = False


def in_child(act: Callable[[Any], None]) -> tuple[Any, list[Any]]:
    """Run *act* in a child with one end of a pipe; return the child and what it had sent when it was gone."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=act, args=(sender,))
    child.start()
    sender.close()
    sent = []
    try:
        while True:
            sent.append(receiver.recv())
    except EOFError:
        child.join()
    receiver.close()
    return child, sent


def refer(name: str, past: Path, folder: Path) -> Reference:
    """Carry *name* out unharmed and take down its states."""

    def act(sender: Any) -> None:
        repeatable(2)
        moments, clock = Moments(None), Clock(START)
        with traced(moments), open_house(folder, clock=clock) as house:
            states = [all_rows(house.database)]

            def committed() -> None:
                was, moments.armed = moments.armed, False
                states.append(all_rows(house.database))
                moments.armed = was

            house.database.after_commit.insert(0, moments)
            house.database.after_commit.append(committed)
            read_all(house)
            carry_out(name, house, clock, moments)
        sender.send(Reference(moments.count, states, clock))

    shutil.copytree(past, folder)
    child, sent = in_child(act)
    shutil.rmtree(folder)
    if child.exitcode or not sent:
        raise RuntimeError(f"{name!r} could not be carried out at all")
    reference: Reference = sent[0]
    return reference


def die_in(name: str, fatal: int, folder: Path, acknowledged: Path, without_log: bool) -> bool:
    """Carry *name* out and die at moment *fatal*; return whether it was acknowledged before."""

    def act(sender: Any) -> None:
        repeatable(2)
        if without_log:
            event_log.append = lambda *_: None  # type: ignore[assignment]
        moments, clock = Moments(fatal), Clock(START)
        with traced(moments), open_house(folder, clock=clock) as house:
            house.database.after_commit.insert(0, moments)
            read_all(house)
            carry_out(name, house, clock, moments)
            sender.send(name)
            os.kill(os.getpid(), signal.SIGKILL)

    child, sent = in_child(act)
    if child.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"{name!r} ended by itself, with {child.exitcode}")
    if sent:
        with acknowledged.open("a") as file:
            file.write(f"{name} {fatal}\n")
            file.flush()
            os.fsync(file.fileno())
    return bool(sent)


def judge(reference: Reference, folder: Path, is_acknowledged: bool) -> tuple[int, list[str]]:
    """Restart, and return how many values were compared and what is wrong."""

    def act(sender: Any) -> None:
        wrong, clock = [], Clock(reference.end.now)
        with open_house(folder, clock=clock) as house:
            state = all_rows(house.database)
            if is_acknowledged and state != reference.states[-1]:
                wrong.append(f"lost: acknowledged, and not there: {_tables(state, reference.states[-1])}")
            elif state not in reference.states:
                wrong.append(f"torn: neither before nor after: {_tables(state, reference.states[0])}")
            with house.manager.snapshot(house.user) as snapshot:
                for value in VALUES:
                    if snapshot.get(value) != snapshot.load(value):
                        wrong.append(f"stale: {value.key}")
        sender.send((len(VALUES), wrong))

    child, sent = in_child(act)
    if child.exitcode or not sent:
        return 0, [f"lost: it does not start any more, exit code {child.exitcode}"]
    compared, wrong = sent[0]
    return compared, wrong


def _tables(state: Rows, other: Rows) -> str:
    return ", ".join(name for name, rows in state.items() if rows != other[name])


def at_statements(
    names: list[str], folder: Path, *, most: int = MOST, without_log: bool = False, told: Callable[[str], None]
) -> Found:
    """Die at every moment of each of the commands *names*, and after it was acknowledged.

    Where there are more than *most*, at as many as that: the first and the last ones, and some in between.
    """
    found = Found()
    past = folder / "past"
    make_past_in_child(past)
    for name in names:
        reference = refer(name, past, folder / "reference")
        before = len(found.wrong)
        # The last one is beyond: whoever gets there has been acknowledged.
        moments = [*some(reference.points, most), reference.points + 1_000]
        for fatal in moments:
            copy = folder / "copy"
            shutil.copytree(past, copy)
            is_acknowledged = die_in(name, fatal, copy, folder / "acknowledged", without_log)
            compared, wrong = judge(reference, copy, is_acknowledged)
            shutil.rmtree(copy)
            found.kills += 1
            found.acknowledged += is_acknowledged
            found.compared += compared
            found.wrong += [f"{one} ({name}, killed at moment {fatal} of {reference.points})" for one in wrong]
        told(f"{name}: {len(moments)} kills, {len(reference.states) - 1} commits, {len(found.wrong) - before} wrong")
    return found


def some(points: int, most: int) -> list[int]:
    """Return the moments from 1 to *points*, or *most* of them: half of these at both ends, half spread between."""
    if points <= most:
        return list(range(1, points + 1))
    edge = most // 4
    between = random.Random(points).sample(range(edge + 1, points - edge + 1), most - 2 * edge)
    return [*range(1, edge + 1), *sorted(between), *range(points - edge + 1, points + 1)]


def make_past_in_child(past: Path) -> None:
    def act(sender: Any) -> None:
        repeatable(1)
        make_past(past)
        sender.send("made")

    child, _ = in_child(act)
    if child.exitcode:
        raise RuntimeError("the past could not be made")


# --- at random moments under load


def at_random(rounds: int, folder: Path, *, seed: int = 1, without_log: bool = False) -> Found:
    """Kill *rounds* times, at random moments, several processes that write and read without pause; one by one
    or all at once.
    """
    found, chance = Found(), random.Random(seed)
    for number in range(rounds):
        home = folder / f"home-{number // ROUNDS_PER_FOLDER}"
        if number % ROUNDS_PER_FOLDER == 0:
            ledger = Ledger(home)
        workers = []
        for worker in range(WORKERS):
            receiver, sender = CONTEXT.Pipe(duplex=False)
            ledger.of(worker)
            given = (home, worker, seed * 1_000_003 + number * 101 + worker, sender, without_log)
            child = CONTEXT.Process(target=work, args=given)
            child.start()
            sender.close()
            workers.append((child, receiver))
        receivers = {receiver: worker for worker, (_, receiver) in enumerate(workers)}
        while chance.random() < 0.99 and not ledger.count:  # now and then they die before anything is done
            ledger.listen(receivers, 0.05)
        deadline = time.monotonic() + chance.uniform(0, 0.4)
        while time.monotonic() < deadline:
            ledger.listen(receivers, 0.01)
        for child, _ in workers:
            child.kill()
        for worker, (child, receiver) in enumerate(workers):
            child.join()
            if child.exitcode != -signal.SIGKILL:
                found.wrong.append(f"lost: a worker ended by itself, with {child.exitcode}")
            ledger.drain(receiver, worker)
            receiver.close()
        child, sent = in_child(lambda sender: sender.send(judge_load(home, ledger)))  # noqa: B023  # runs at once
        if child.exitcode or not sent:
            found.wrong.append(f"lost: it does not start any more, exit code {child.exitcode}")
            continue
        compared, wrong, settled = sent[0]
        ledger.settle(settled)
        found.kills += 1
        found.compared += compared
        found.wrong += [f"{one} (round {number})" for one in wrong]
        found.acknowledged += ledger.count
        ledger.count = 0
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=0, help="at random moments under load")
    parser.add_argument("--command", action="append", choices=[*COMMANDS, "all"], default=[], help="may be repeated")
    parser.add_argument("--most", type=int, default=MOST, help="moments of a command; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-log", action="store_true", help="plant the mistake: no row in the log")
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)

    def say(line: str) -> None:
        if not given.quiet:
            sys.stderr.write(line + "\n")

    names = list(COMMANDS) if "all" in given.command else given.command
    with tempfile.TemporaryDirectory(prefix="kills-", dir=ROOMY if os.access(ROOMY, os.W_OK) else None) as name:
        folder = Path(name)
        at_all = at_statements(names, folder, most=given.most, without_log=given.without_log, told=say)
        if given.kills:
            more = at_random(given.kills, folder, seed=given.seed, without_log=given.without_log)
            at_all.kills += more.kills
            at_all.acknowledged += more.acknowledged
            at_all.compared += more.compared
            at_all.wrong += more.wrong
    sys.stdout.write(json.dumps(asdict(at_all)) + "\n")
    return 1 if at_all.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
