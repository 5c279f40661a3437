"""All orders in which a few actors can meet in the cache: `python -m tests.cache.orders`, for as long as that takes.

An actor is a thread that runs real code (the manager, a command, another process's commit) and stands still at chosen
seams; only one moves at a time. What it does between two seams is a turn, so an order of turns says exactly what
happened, and all orders of three actors with four turns each are 34,650. The product is not changed for this: what is
held are hooks around the database, the feed and the loader.

Each value that a reader gets must be of a state not older than the one current when that read began, and all values of
one snapshot of exactly its state. When all have finished, every path must give what a fresh load gives.
"""

import argparse
import contextlib
import gc
import inspect
import itertools
import multiprocessing
import os
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from sqlalchemy import insert

import cache.flights
import cache.loading
from cache import lookup
from cache.loading import Loading
from cache.lookup import Lookup
from cache.manager import CacheManager
from cache.named import MISS
from cache.store import Place
from data import preferences, tasks
from data.database import ReadTransaction
from data.feed import Feed
from data.models import Preferences, Task, User
from data.preferences import CacheBackend
from data.sqlite import sqlite
from data.viewpoint import Viewpoint
from events.catalog import TaskEdited, TaskId, UserCreated, UserId, encode
from tests.cache.probes import probe
from tests.house import Clock, House, open_house

PATIENCE_SECONDS = 30.0
USERS_AT_ONCE = 250
RESTART_EVERY = 5
"""How often the last check opens a process that knows nothing yet; it takes as long as all else."""
TASK = TaskId("task")
SOMEWHERE_FAST = Path("/dev/shm")

Order = tuple[int, ...]


class WrongError(AssertionError):
    """A reader got what it must not get."""


class Shown(msgspec.Struct, frozen=True):
    """What the probes show: a number that every write raises."""

    minutes: int


# --- who moves


class Actor(threading.Thread):
    """A thread that moves only when told to, from one held seam to the next."""

    def __init__(self, back: threading.Lock) -> None:
        super().__init__(daemon=True)
        self.held: frozenset[str] = frozenset()
        self.left = 0
        self.inside = False
        self.writes = 0
        self.job: Callable[[], None] | None = None
        self.error: BaseException | None = None
        self._go = threading.Lock()
        self._go.acquire()
        self._back = back
        self.start()

    def run(self) -> None:
        while True:
            self._go.acquire()
            if self.job is None:
                return
            try:
                self.job()
            except BaseException as error:  # noqa: BLE001  # handed over: the stage raises it
                self.error = error
            self.job = None
            self._back.release()

    def move(self) -> None:
        """Let it take one turn; nothing, if it has finished."""
        if self.job is None:
            return
        self._go.release()
        if not self._back.acquire(timeout=PATIENCE_SECONDS):
            raise RuntimeError("an actor hangs where no seam is held")

    def rest(self) -> None:
        """End the turn here."""
        self._back.release()
        self._go.acquire()

    def leave(self) -> None:
        if self.job is None:
            self._go.release()
            self.join(PATIENCE_SECONDS)


def pause(seam: str) -> None:
    """Stand still, if the thread is an actor's that is held at *seam*."""
    actor = threading.current_thread()
    if isinstance(actor, Actor) and seam in actor.held:
        actor.rest()


def wait_until(ready: Callable[[], bool]) -> None:
    """What an actor does instead of blocking: its turns pass until it may go on."""
    actor = threading.current_thread()
    assert isinstance(actor, Actor)
    while not ready():
        actor.rest()


class _PatientFuture(Future):  # type: ignore[type-arg]
    """A future whose waiters let the others move. No time passes: who waits at all waits to the end."""

    def result(self, timeout: float | None = None) -> Any:
        if timeout != 0 and isinstance(threading.current_thread(), Actor):
            wait_until(self.done)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if isinstance(threading.current_thread(), Actor):
            wait_until(self.done)
        return super().exception(timeout)


class _PatientTime:
    """Time for who waits for another process's lease: a turn instead of a sleep."""

    monotonic, perf_counter = time.monotonic, time.perf_counter

    @staticmethod
    def sleep(seconds: float) -> None:
        actor = threading.current_thread()
        if isinstance(actor, Actor):
            actor.rest()
        else:
            time.sleep(seconds)


# --- where


class Stage:
    """One house, a second one on the same files (another process, as far as the cache can tell), and the actors."""

    def __init__(self, folder: Path, backend: CacheBackend, opened: contextlib.ExitStack) -> None:
        clock = Clock()
        self.backend = backend
        self.here = opened.enter_context(open_house(folder, clock=clock, backend=backend))
        self.there = opened.enter_context(open_house(folder, clock=clock, backend=backend))
        self.after_restart = opened.enter_context(open_house(folder, clock=clock, backend=backend))
        path = folder / "state" / "reprieve.db"
        self.raw, self.raw_writer = (
            sqlite.connect(path, isolation_level=None, check_same_thread=False) for _ in range(2)
        )
        opened.callback(self.raw.close)
        opened.callback(self.raw_writer.close)
        self.one = probe(_load, kind=Shown)
        self.other = probe(_load, kind=Shown, key="analytics.other")
        self._users: list[UserId] = []
        self._scenes = 0
        back = threading.Lock()
        back.acquire()
        self.actors = [Actor(back) for _ in range(3)]
        for actor in self.actors:
            opened.callback(actor.leave)
        self.written_by: Actor | None = None
        self.user = UserId(0)
        self.truth = 0
        self.states: list[tuple[int, int]] = []
        """The number after each commit, with the commit's seq."""
        for house in (self.here, self.there):
            self._hold(house)
        opened.enter_context(mock.patch.object(cache.flights, "Future", _PatientFuture))
        opened.enter_context(mock.patch.object(cache.loading, "time", _PatientTime))
        self.is_loading_behind = False
        self.jobs: list[Callable[[], None]] = []
        """Loads that nobody has begun yet, where somebody does that for the readers."""

    def run(self, model: "Model", order: Order) -> None:
        """Let the actors move in this order, then finish.

        Raises:
            WrongError: something stale was shown as fresh.
        """
        self._new_scene()
        self.is_loading_behind = False
        if model.warm:
            with self.here.manager.snapshot(self.user) as snapshot:
                snapshot.get(self.one)
                snapshot.get(self.other)
        self.is_loading_behind, self.jobs = model.loads_behind, []
        for at, (part, actor) in enumerate(zip(model.parts, self.actors, strict=False)):
            actor.held, actor.left, actor.error, actor.inside = part.held, order.count(at), None, False
            actor.job = lambda part=part, actor=actor: part.play(self, actor)
        for at in order:
            self.actors[at].left -= 1
            self.actors[at].move()
        for _ in range(100):
            for actor in self.actors:
                actor.move()
            if all(actor.job is None for actor in self.actors):
                break
        else:
            raise RuntimeError("they wait for each other for ever")
        for actor in self.actors:
            if actor.error is not None:
                raise actor.error
        self.is_loading_behind = False
        self._check_at_rest(model)

    def seen(self, value: Shown | None, at_least: int, where: str) -> None:
        shown = -1 if value is None else value.minutes
        if not at_least <= shown <= self.truth:
            raise WrongError(f"{where} shows {shown}; it was {at_least} when the read began and is {self.truth}")

    def seen_in_state(self, value: Shown, seq: int, where: str) -> None:
        expected = next(number for state, number in reversed(self.states) if state <= seq)
        if value.minutes != expected:
            raise WrongError(
                f"{where} of a snapshot of seq {seq} shows {value.minutes}; in that state it is {expected}"
            )

    def committed(self, number: int | None) -> None:
        if number is not None:
            self.truth = number
            ((seq,),) = self.raw.execute("SELECT max(seq) FROM events").fetchall()
            self.states.append((seq, number))

    def _check_at_rest(self, model: "Model") -> None:
        user, manager = self.user, self.here.manager
        self.seen(manager.get_or_load(self.one, user), self.truth, "get_or_load at rest")
        with manager.snapshot(user) as snapshot:
            for value in (self.one, self.other):
                self.seen(snapshot.get(value), self.truth, "a snapshot at rest")
                self.seen(snapshot.load(value), self.truth, "a fresh load")
        if model.by_name:
            for house in (self.here, self.there):
                named = house.manager.get("named", "analytics", user=user)
                if named not in (MISS, self.truth):
                    raise WrongError(f"by name {named} is found at rest; it is {self.truth}")
        if model.two_processes:
            self.seen(self.there.manager.get_or_load(self.one, user), self.truth, "the other process at rest")
        if self.backend is not CacheBackend.MEMORY:
            self._check_disk()
            if self._scenes % RESTART_EVERY == 0:
                house = self.after_restart  # it has never heard of this user: all it knows is the log and the folder
                assert house.feed._watch is not None
                house.feed._watch.has_news()
                house.feed.seq, house.feed._token = house.feed._watch.newest()
                self.seen(house.manager.get_or_load(self.one, user), self.truth, "a restarted process")

    def _check_disk(self) -> None:
        """Whatever is kept there and would be judged fresh is right."""
        for value in (self.one, self.other):
            place = Place(user=self.user, key=value.key, shape=value.shape, value_type=value.kind)
            entry = self.here.manager._file.get(place)
            if entry is not None and entry.as_of >= self.here.manager._generations.of(self.user, value.key):
                self.seen(entry.value, self.truth, "what would be taken from disk as fresh")

    def _new_scene(self) -> None:
        if not self._users:
            for house in (self.here, self.there, self.after_restart):
                house.manager.clear()
            self._users = self.here.database.write(_make_users)
        self.user = self._users.pop()
        self.truth, self.states = 0, [(0, 0)]
        self._scenes += 1

    def _hold(self, house: House) -> None:
        read, write, feed, views = house.database.read, house.database.write, house.feed, house.manager._lookup

        @contextlib.contextmanager
        def held_read(for_load: bool = False) -> Iterator[ReadTransaction]:
            actor = threading.current_thread()
            with read(for_load=for_load) as transaction:
                if not isinstance(actor, Actor):
                    yield transaction
                    return
                before, actor.inside = actor.inside, True
                pause("load opened" if for_load else "opened")
                try:
                    yield transaction
                finally:
                    actor.inside = before

        def held_catch_up() -> int:
            seq = Feed.catch_up(feed)  # looked up each time: a mistake may be planted there
            actor = threading.current_thread()
            if isinstance(actor, Actor):
                pause("caught up" if actor.inside else "looked")
            return seq

        def held_view(*at: Any) -> Viewpoint:
            view = Lookup.view(views, *at)
            pause("viewed")
            return view

        for store in (house.manager._memory, house.manager._file):

            def held_get(place: Place, least_as_of: int = 0, get: Callable[..., Any] = store.get) -> Any:
                if place.key.startswith("analytics."):
                    pause("looking")
                return get(place, least_as_of)

            store.get = held_get  # type: ignore[method-assign]

        def held_write(command: Callable[[Any], Any]) -> Any:
            """What `Database.write` does, in the actor's own thread."""
            actor = threading.current_thread()
            if not isinstance(actor, Actor):
                return write(command)

            def held_command(transaction: Any) -> Any:
                pause("begun")
                result = command(transaction)
                transaction.session.flush()
                pause("written")
                return result

            with self.writing(actor):
                result = house.database._run(held_command)
                self.committed(actor.writes or None)
            pause("committed")
            for told in tuple(house.database.after_commit):
                told()
            return result

        def start(job: Callable[[], None]) -> None:
            if self.is_loading_behind and isinstance(threading.current_thread(), Actor):
                self.jobs.append(job)
            else:
                job()

        house.manager._lookup.loading.start = start
        house.database.read = held_read  # type: ignore[method-assign]
        house.database.write = held_write  # type: ignore[method-assign]
        feed.catch_up = held_catch_up  # type: ignore[method-assign]
        views.view = held_view  # type: ignore[method-assign]

    @contextlib.contextmanager
    def writing(self, actor: Actor) -> Iterator[None]:
        """Wait for the write lock as others do, but let them move."""
        wait_until(lambda: self.written_by is None)
        self.written_by = actor
        try:
            yield
        finally:
            self.written_by = None


def _load(read: ReadTransaction, view: Viewpoint) -> Shown:
    pause("judged")
    row = read.connection.exec_driver_sql("SELECT estimate_minutes FROM tasks WHERE user_id = ?", (view.user,)).one()
    pause("loaded")
    return Shown(int(row[0]))


def _make_users(transaction: Any) -> list[UserId]:
    session, now = transaction.session, transaction.now
    ((first,),) = session.connection().exec_driver_sql("SELECT max(id) + 1 FROM users").all()
    ids = [UserId(first + number) for number in range(USERS_AT_ONCE)]
    session.execute(insert(User), [{"id": user, "name": f"user {user}", "created_at": now} for user in ids])
    session.execute(insert(Preferences), [{"user_id": user, "time_zone": "UTC"} for user in ids])
    row = {"id": TASK, "name": "0", "kind": "work", "estimate_minutes": 0, "created_at": now, "updated_at": now}
    session.execute(insert(Task), [{"user_id": user, **row} for user in ids])
    transaction.record(UserCreated(user=first, at=now))
    return ids


# --- what they do


def read_value(stage: Stage, actor: Actor) -> None:
    """Read one value, again and again while there are turns."""
    _read_value(stage, actor, stage.here)


def read_value_elsewhere(stage: Stage, actor: Actor) -> None:
    """The same in another process."""
    _read_value(stage, actor, stage.there)


def _read_value(stage: Stage, actor: Actor, house: House) -> None:
    while True:
        began = stage.truth
        stage.seen(house.manager.get_or_load(stage.one, stage.user), began, "get_or_load")
        if not actor.left:
            return
        actor.rest()


def read_snapshot(stage: Stage, actor: Actor) -> None:
    """Read two values in one snapshot, again and again."""
    while True:
        began = stage.truth
        with stage.here.manager.snapshot(stage.user) as snapshot:
            for value in (stage.one, stage.other):
                found = snapshot.get(value)
                stage.seen(found, began, "a snapshot")
                stage.seen_in_state(found, snapshot.seq, value.key)
        if not actor.left:
            return
        actor.rest()


def read_by_name(stage: Stage, actor: Actor) -> None:
    """Get by name; what is missing is computed, kept and looked for again."""
    while True:
        began = stage.truth
        found = stage.here.manager.get("named", "analytics", user=stage.user)
        if found is MISS:
            ((found,),) = stage.raw.execute("SELECT estimate_minutes FROM tasks WHERE user_id = ?", (stage.user,))
            pause("loaded")
            stage.here.manager.set("named", int(found), "analytics", user=stage.user)
        stage.seen(Shown(int(found)), began, "by name")
        if not actor.left:
            return
        actor.rest()


def read_while_loading(stage: Stage, actor: Actor) -> None:
    """Look at what is there, and then for what is fresh, again and again."""
    while True:
        began = stage.truth
        with stage.here.manager.snapshot(stage.user) as snapshot:
            look = snapshot.look(stage.one, patience=0)
            if look.is_fresh:
                stage.seen(look.value, began, "a look that is called fresh")
                stage.seen_in_state(look.value, snapshot.seq, "a look that is called fresh")
            actor.rest()
            stage.seen_in_state(snapshot.get(stage.one), snapshot.seq, "what is had after a look")
        if not actor.left:
            return
        actor.rest()


def load_behind(stage: Stage, actor: Actor) -> None:
    """Load what readers ask for, as the threads do that are there for it."""
    readers = [other for other in stage.actors if other is not actor and other.writes == 0]
    while True:
        wait_until(lambda: bool(stage.jobs) or all(reader.job is None for reader in readers))
        if not stage.jobs:
            return
        stage.jobs.pop(0)()


def write(stage: Stage, actor: Actor) -> None:
    """Run a command: begin, change the row and append to the log, commit, tell the feed."""
    actor.writes = stage.truth + 1
    try:
        tasks.edit(stage.here.database, stage.user, TASK, estimate_minutes=actor.writes, name=f"{actor.writes}")
    finally:
        actor.writes = 0


def write_elsewhere(stage: Stage, actor: Actor) -> None:
    """Another process's command, of which nobody tells us: begin, change and append, commit; then a second one."""
    for seams in (frozenset({"begun", "written", "committed"}), frozenset()):
        actor.held = frozenset(seams)
        cursor = stage.raw_writer
        with stage.writing(actor):
            cursor.execute("BEGIN IMMEDIATE")
            pause("begun")
            number = stage.truth + 1
            cursor.execute("UPDATE tasks SET estimate_minutes = ? WHERE user_id = ?", (number, stage.user))
            event = TaskEdited(user=stage.user, at=stage.here.clock(), task=TASK, changed=("name",))
            cursor.execute(
                "INSERT INTO events (user_id, name, at, token, body) VALUES (?, ?, 0, ?, ?)",
                (stage.user, event.name, number, encode(event)),
            )
            pause("written")
            cursor.execute("COMMIT")
            stage.committed(number)
        pause("committed")


def switch(stage: Stage, actor: Actor) -> None:
    """Choose another backend, and then the one of before: begin, change and append, commit, tell the feed."""
    preferences.change(stage.here.database, stage.user, cache_backend=CacheBackend.MEMORY.value)
    actor.held = frozenset()
    preferences.change(stage.here.database, stage.user, cache_backend=stage.backend.value)


def invalidate(stage: Stage, actor: Actor) -> None:
    """Invalidate by hand: begin, append to the log, commit, tell the feed."""
    stage.here.manager.invalidate("analytics.*", user=stage.user)


def evict(stage: Stage, actor: Actor) -> None:
    """Give up what is in memory, then what is on disk, then the shelf, then both tiers again."""
    memory, file, manager = stage.here.manager._memory, stage.here.manager._file, stage.here.manager
    keys = (stage.one.key, stage.other.key, "analytics.named")

    def from_disk() -> None:
        if stage.backend is CacheBackend.MEMORY:
            return
        for key in keys:  # as diskcache does when the folder is full
            file._try(lambda rows, key=key: rows.delete(f"{stage.user}/{key}", retry=False))

    memory.clear(stage.user, "analytics")
    actor.rest()
    from_disk()
    actor.rest()
    manager._drop_shelves(stage.user)
    actor.rest()
    memory.clear(stage.user)
    from_disk()


# --- the models


@dataclass(frozen=True)
class Part:
    """What one actor does, and where it is held."""

    play: Callable[[Stage, Actor], None]
    held: frozenset[str] = frozenset({"begun", "written", "committed"})


@dataclass(frozen=True)
class Model:
    """Three actors. `warm`: what they read has been read before they begin."""

    parts: tuple[Part, ...]
    warm: bool = False
    by_name: bool = False
    two_processes: bool = False
    loads_behind: bool = False


def _part(play: Callable[[Stage, Actor], None], *held: str) -> Part:
    return Part(play, frozenset(held))


MODELS: dict[str, Model] = {
    "evict": Model((_part(read_value, "looked", "opened", "loaded"), Part(write), Part(evict)), warm=True),
    "invalidate": Model(
        # "looked" is not on its way, unless somebody looks at the log before the snapshot is opened.
        (_part(read_snapshot, "looked", "opened", "caught up", "loaded"), Part(write), Part(invalidate)),
        warm=True,
    ),
    "behind": Model(
        (
            _part(read_while_loading, "looked", "opened"),
            Part(write),
            _part(load_behind, "load opened", "judged", "loaded"),
        ),
        warm=True,
        loads_behind=True,
    ),
    "switch": Model((_part(read_value, "looked", "opened", "loaded"), Part(write), Part(switch)), warm=True),
    "readers": Model(
        (
            _part(read_snapshot, "opened", "viewed", "loaded"),
            _part(read_value, "caught up", "judged", "loaded"),
            Part(write),
        )
    ),
    "names": Model((_part(read_by_name, "looked", "loaded"), Part(write_elsewhere), Part(evict)), by_name=True),
    "processes": Model(
        (
            _part(read_value, "looked", "opened", "loaded"),
            _part(read_value_elsewhere, "caught up", "judged", "loaded"),
            Part(write_elsewhere),
        ),
        two_processes=True,
    ),
    "look-ups": Model(
        (
            _part(read_snapshot, "opened", "looking", "loaded"),
            _part(read_value, "opened", "loaded"),
            Part(write),
        )
    ),
    "states": Model(
        (
            _part(read_snapshot, "opened", "caught up", "loaded"),
            _part(read_value_elsewhere, "judged", "loaded"),
            Part(write_elsewhere),
        ),
        two_processes=True,
    ),
}


def orders(*turns: int) -> Iterator[Order]:
    """All orders of actors with so many turns each."""

    def go_on(left: list[int], so_far: list[int]) -> Iterator[Order]:
        if not any(left):
            yield tuple(so_far)
            return
        for at, number in enumerate(left):
            if number:
                left[at] -= 1
                so_far.append(at)
                yield from go_on(left, so_far)
                so_far.pop()
                left[at] += 1

    return go_on(list(turns), [])


# --- planted mistakes


@dataclass
class Mutant:
    """One mistake: a function, a piece of its text, and what is there instead."""

    owner: Any
    function: str
    text: str
    instead: str
    seen_in: str
    """The model whose orders find it."""

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        kept = inspect.getattr_static(self.owner, self.function)
        original = kept.fget if isinstance(kept, property) else kept
        source = textwrap.dedent(inspect.getsource(original))
        assert source.count(self.text) == 1, f"{self.text!r} is not in {self.function} any more: adapt the mutant"
        scope: dict[str, Any] = {}
        module = sys.modules[original.__module__]
        exec(compile(source.replace(self.text, self.instead), "mutant", "exec"), module.__dict__, scope)
        with mock.patch.object(self.owner, self.function, scope[self.function]):
            yield


MUTANTS: dict[str, Mutant] = {
    "as_of is taken after the load": Mutant(Loading, "_compute", "as_of=read.seq", "as_of=read.seq + 1", "evict"),
    "the generation is not compared": Mutant(
        lookup, "is_fresh", "entry.as_of < generation or", "False or", "invalidate"
    ),
    "an entry of after the reader's state is taken": Mutant(
        lookup, "is_fresh", "entry.as_of > seq and", "False and", "readers"
    ),
    "what a later state's flight brings is taken": Mutant(
        Lookup, "_find", "if self._is_fresh(landed, value, place, read.seq, now):", "if True:", "readers"
    ),
    "what is shown meanwhile is called fresh": Mutant(
        lookup.Found, "is_fresh", "self.problem is None and not self.is_loading", "self.problem is None", "behind"
    ),
    "what an old state gives is kept as new": Mutant(
        Lookup,
        "_find",
        "return Found(self.loading.alone(value, read, view))",
        "e = self.loading.alone(value, read, view); e.as_of = generation; store.set(place, e); return Found(e)",
        "invalidate",
    ),
    "the shelf is not dropped": Mutant(
        CacheManager, "_drop_shelves", "self._shelves.pop(user, None)", "pass", "invalidate"
    ),
    "the log is not read": Mutant(Feed, "catch_up", "if not self._watch.has_news():", "if True:", "names"),
    "an older snapshot uses everybody's shelf": Mutant(
        CacheManager, "_shelf", "shelf.newest <= read.seq and", "", "readers"
    ),
    "an older snapshot's shelf is for everybody": Mutant(
        CacheManager, "_shelf", "newest <= read.seq and newest == self._generations.newest(user)", "True", "readers"
    ),
    "a shelf is put up after what it has not seen": Mutant(
        CacheManager, "_shelf", "and newest == self._generations.newest(user)", "", "readers"
    ),
    "by name, the state of the miss is forgotten": Mutant(
        CacheManager, "set", "now if missed is None else missed", "now", "names"
    ),
    "the snapshot looks at the log before it is opened": Mutant(
        CacheManager,
        "snapshot",
        "with self._database.read() as read:\n        self._feed.catch_up()",
        "self._feed.catch_up()\n    with self._database.read() as read:",
        "invalidate",
    ),
    "get_or_load does not look at the log": Mutant(
        CacheManager, "get_or_load", "self._feed.catch_up()", "self._feed.seq", "processes"
    ),
}


# --- running them


@dataclass
class Outcome:
    """What came of some orders."""

    ran: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


@contextlib.contextmanager
def stage_for(backend: CacheBackend) -> Iterator[Stage]:
    """A stage on a disk that is as fast as there is."""
    folder = SOMEWHERE_FAST if os.access(SOMEWHERE_FAST, os.W_OK) else None
    with contextlib.ExitStack() as opened:
        where = opened.enter_context(tempfile.TemporaryDirectory(prefix="orders-", dir=folder))
        yield Stage(Path(where), backend, opened)


def run_all(stage: Stage, name: str, some: Sequence[Order], *, stop_after: int = 3) -> Outcome:
    """Run orders of the model called *name*, until so many went wrong."""
    outcome, began = Outcome(), time.perf_counter()
    for order in some:
        outcome.ran += 1
        try:
            stage.run(MODELS[name], order)
        except Exception as error:  # noqa: BLE001  # reported with its order
            letters = "".join("ABC"[at] for at in order)
            outcome.wrong.append(
                f"{name} {stage.backend} {letters}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            )
            if len(outcome.wrong) >= stop_after:
                break
    outcome.seconds = time.perf_counter() - began
    return outcome


def _share(name: str, backend: CacheBackend, mutant: str | None, every: int, share: int, shares: int) -> Outcome:
    some = list(itertools.islice(orders(4, 4, 4), 0, None, every))[share::shares]
    gc.freeze()
    gc.set_threshold(50_000)  # all that lives long has been made
    with stage_for(backend) as stage, MUTANTS[mutant].planted() if mutant else contextlib.nullcontext():
        return run_all(stage, name, some)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run whole sets of orders; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cache.orders", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", choices=MODELS, action="append", help="one of them only (may be repeated)")
    parser.add_argument("--backend", choices=[backend.value for backend in CacheBackend], action="append")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th order only")
    parser.add_argument("--mutant", choices=MUTANTS, help="plant this mistake first")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for backend in options.backend or [backend.value for backend in CacheBackend]:
            for name in options.model or MODELS:
                began = time.perf_counter()
                share = (name, CacheBackend(backend), options.mutant, options.every)
                outcomes = pool.starmap(_share, [(*share, at, options.workers) for at in range(options.workers)], 1)
                found = [line for outcome in outcomes for line in outcome.wrong]
                wrong += found
                ran, seconds = sum(outcome.ran for outcome in outcomes), time.perf_counter() - began
                sys.stdout.write(f"{backend:7} {name:11} {ran:6} orders {seconds:6.1f} s  {len(found)} wrong\n")
                sys.stdout.writelines(f"    {line}\n" for line in found)
                sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
