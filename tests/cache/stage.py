"""Where the actors of the orders kit meet: houses on the same files, and what must be true there. Their seams are in
`seams`, what the actors do in `models`.

Each value that a reader gets must be of a state not older than the one current when that read began, and all values of
one snapshot of exactly its state. When all have finished, every path must give what a fresh load gives.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from sqlalchemy import insert

import cache.flights
import cache.loading
import cache.manager
import cache.warming
from cache.named import MISS
from cache.store import Place
from data.database import ReadTransaction
from data.models import Preferences, Task, User
from data.preferences import CacheBackend, CacheMode
from data.sqlite import sqlite
from data.viewpoint import Viewpoint
from events.catalog import TaskId, UserCreated, UserId
from tests.cache.actors import Actor, Locks, PatientFuture, PatientTime, pause, wait_until
from tests.cache.probes import probe
from tests.cache.seams import Board, OpenWriter, hold
from tests.house import Clock, House, open_house

THOROUGH_EVERY = 23
"""In how many orders one is thorough, and takes several times as long: of a user whom no process knows yet, so that
the log is searched on the way, and with nothing in the place of the product's own parts."""
RESTART_EVERY = 11
"""In how many orders one ends with a look of a process that knows nothing but the log and the folder."""
USERS_AT_ONCE = 200
TASK = TaskId("task")
MINUTES_SQL = "SELECT estimate_minutes FROM tasks WHERE user_id = ?"

Order = tuple[int, ...]
"""Whose turn it is, one after the other."""


class WrongError(AssertionError):
    """A reader got what it must not get."""


class Shown(msgspec.Struct, frozen=True):
    """What the probes show: a number that every write raises."""

    minutes: int


@dataclass(frozen=True)
class Part:
    """What one actor does, and where it is held."""

    play: "Callable[[Stage, Actor], None]"
    held: frozenset[str] = frozenset({"begun", "written", "committed"})


@dataclass(frozen=True)
class Model:
    """Some actors, and how many turns each has. There are 34,650 orders of 4, 4 and 4, and of 4, 4, 2 and 1 as well.

    `warm`: what they read has been read before they begin; `both`: they read both values.
    """

    parts: tuple[Part, ...]
    turns: tuple[int, ...] = (4, 4, 4)
    warm: bool = False
    both: bool = False
    by_name: bool = False
    two_processes: bool = False
    loads_behind: bool = False


class Stage:
    """One house, a second one on the same files (another process, as far as the cache can tell), and the actors."""

    def __init__(self, folder: Path, backend: CacheBackend, opened: contextlib.ExitStack, thorough_every: int) -> None:
        clock = Clock()
        self.backend = backend
        self._locks = Locks()
        with self._locks.recorded():
            self.here, self.there, self.after_restart = (
                opened.enter_context(open_house(folder, clock=clock, backend=backend, mode=CacheMode.FULL))
                for _ in range(3)
            )
        path = folder / "state" / "reprieve.db"
        self.raw = sqlite.connect(path, isolation_level=None, check_same_thread=False)
        self.raw_writer = OpenWriter(path, clock())
        opened.callback(self.raw.close)
        opened.callback(self.raw_writer.close)
        self.one = probe(_load, kind=Shown)
        self.other = probe(_load, kind=Shown, key="analytics.other")
        self._users: list[UserId] = []
        self._scenes = 0
        self._left_by: Model | None = None
        """The model whose order ended well before this one."""
        self._thorough_every = thorough_every
        self.is_thorough = False
        self._board = Board()
        self.actors: list[Actor] = []
        self.written_by: Actor | None = None
        self.user = UserId(0)
        self.truth = 0
        self.states: list[tuple[int, int]] = []
        """The number after each commit, with the commit's seq."""
        for house in (self.here, self.there, self.after_restart):
            opened.callback(hold(self, house).close)
            house.manager.warming._thread = threading.main_thread()  # as if one re-warmed already: an actor does
        opened.enter_context(mock.patch.object(cache.flights, "Future", PatientFuture))
        opened.enter_context(mock.patch.object(cache.loading, "time", PatientTime))
        for module in (cache.manager, cache.warming):
            opened.enter_context(mock.patch.object(module, "VALUES", (self.one, self.other)))
        self.is_loading_behind = False
        self.jobs: list[Callable[[], None]] = []
        """Loads that nobody has begun yet, where somebody does that for the readers."""

    def run(self, model: Model, order: Order) -> None:
        """Let the actors move in this order, then finish.

        Raises:
            WrongError: something stale was shown as fresh.
        """
        self._new_scene(model)
        self.is_loading_behind, self.jobs = model.loads_behind, []
        self.actors = [
            Actor(partial(part.play, self), part.held, order.count(at)) for at, part in enumerate(model.parts)
        ]
        try:
            self._move(order)
        finally:
            for actor in self.actors:
                actor.leave()
            self.is_loading_behind, self._left_by = False, None
        for actor in self.actors:
            if actor.error is not None:
                raise actor.error
        self._check_at_rest(model)
        self._left_by = model

    def _move(self, order: Order) -> None:
        for at in order:
            self.actors[at].left -= 1
            self._turn(self.actors[at])
        for _ in range(100):
            if all(actor.dead for actor in self.actors):
                return
            for actor in self.actors:
                self._turn(actor)
        raise RuntimeError("they wait for each other for ever")

    def _turn(self, actor: Actor) -> None:
        if not actor.dead:
            actor.switch()
            self._locks.check()

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

    def _check_at_rest(self, model: Model) -> None:
        ((stored,),) = self.raw.execute(MINUTES_SQL, (self.user,))
        assert stored == self.truth, "the kit has lost count"
        for house in (self.here, self.there) if model.two_processes else (self.here,):
            self._check_read(model, house, "at rest")
            self._check_kept(house)
        if model.both:
            with self.here.manager.snapshot(self.user) as snapshot:
                for value in (self.one, self.other):
                    self.seen(snapshot.get(value), self.truth, "a snapshot at rest")
        if self.backend is not CacheBackend.MEMORY and self._scenes % RESTART_EVERY == 0:
            self._restart()
            self._check_read(model, self.after_restart, "after a restart")

    def _check_read(self, model: Model, house: House, when: str) -> None:
        if model.by_name:
            named = house.manager.get("named", "analytics", user=self.user)
            if named is not MISS:
                self.seen(Shown(named), self.truth, f"by name {when}")
        else:
            self.seen(house.manager.get_or_load(self.one, self.user), self.truth, f"get_or_load {when}")

    def _check_kept(self, house: House) -> None:
        """Whatever is kept anywhere and would be judged fresh by this process, which has seen all events, is right."""
        manager, now = house.manager, house.clock()
        shelf = manager._shelves.get(self.user)
        tiers = [manager._memory] if self.backend is CacheBackend.MEMORY else [manager._memory, manager._file]
        for value in (self.one, self.other):
            place = Place(user=self.user, key=value.key, shape=value.shape, value_type=value.kind)
            generation = manager._generations.of(self.user, value.key)
            judged = shelf.get(value) if shelf is not None and shelf.holds_at(now) else None
            if judged is not None:
                self.seen(judged.value, self.truth, "what was judged fresh")
            for tier in tiers:
                entry = tier.get(place)
                if entry is not None and entry.as_of >= generation:
                    self.seen(entry.value, self.truth, f"what {type(tier).__name__} would give as fresh")

    def _restart(self) -> None:
        """Make a process that knows nothing but the log and the folder."""
        house = self.after_restart
        house.manager._generations.forget()
        house.manager._memory.clear()
        house.manager._drop_shelves(None)
        assert house.feed._watch is not None
        house.feed._watch.has_news()
        house.feed.seq, house.feed._token = house.feed._watch.newest()

    def _new_scene(self, model: Model) -> None:
        """Have what the model begins with: all kept that is read there, or nothing.

        The same user is taken again and again, since that costs least; now and then one whom no process has heard of.
        """
        self._scenes += 1
        self.here.manager.warming._cold.clear()
        self.is_thorough = self._scenes % self._thorough_every == 0
        for house in (self.here, self.there):
            house.manager._leases._board = house.manager._file if self.is_thorough else self._board
        if self.is_thorough or self._left_by is None:
            self.user, self.truth, self.states = self._stranger(), 0, [(0, 0)]
        elif model.warm and self._left_by is model:
            self.states = self.states[-1:]  # the last check has found and left everything
            return
        else:
            self.states = self.states[-1:]
            self.forget()
        if model.warm:
            with self.here.manager.snapshot(self.user) as snapshot:
                for value in (self.one, self.other) if model.both else (self.one,):
                    snapshot.get(value)

    def _stranger(self) -> UserId:
        if not self._users:
            self._users = self.here.database.write(_make_users)
        for house in (self.here, self.there):
            house.manager._memory.clear()
        return self._users.pop()

    def forget(self) -> None:
        """Keep nothing of what the actors read."""
        for house in (self.here, self.there):
            house.manager._memory.clear(self.user, "analytics")
            house.manager._drop_shelves(self.user)
        self.forget_on_disk()

    def forget_on_disk(self) -> None:
        """Do as the disk tier does when its folder is full."""
        if self.backend is not CacheBackend.MEMORY:
            for key in (self.one.key, self.other.key, "analytics.named"):
                self.here.manager._file._try(lambda rows, key=key: rows.delete(f"{self.user}/{key}", retry=False))

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
    cursor: Any = read.connection.connection.cursor()
    ((minutes,),) = cursor.execute(MINUTES_SQL, (view.user,))
    pause("loaded")
    return Shown(int(minutes))


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
