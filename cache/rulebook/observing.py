"""Runs every command on made-up data and watches: what it writes, what values read, and which of them then differ.

Knows nothing of rules and needs no cache: what it saw is held against any table of rules by `judging`.
"""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cache.difference import difference
from cache.pieces import value_of
from cache.rulebook import surroundings
from cache.values import Value
from data import access, preferences
from data.database import Database, ReadTransaction, Transaction
from data.feed import Feed
from data.pieces import Piece, anew
from data.preferences import LOCAL_USER
from data.rehearsal import START, Clock, Command, Stage, live
from data.viewpoint import Viewpoint
from events.bus import Bus
from events.catalog import Logged, UserId

T = TypeVar("T")

OTHER_DAYS = 9
"""How much of a past the second user has: enough to see whether anything of theirs changes."""
_FILE = Path("reprieve.db")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A value of *user* that at seq `until` is another than the one which was kept under its key at seq `since`."""

    user: UserId
    key: str
    full_key: str
    since: int
    until: int
    example: str


@dataclass(kw_only=True)
class Observation:
    """What one command did. `failure` says why it could not be carried out."""

    command: str
    user: UserId
    events: list[Logged] = field(default_factory=list)
    writes: frozenset[str] = frozenset()
    updates: frozenset[str] = frozenset()
    """Those of the writes that gave rows that were there another value."""
    changes: list[Change] = field(default_factory=list)
    failure: str | None = None
    went_back: bool = False
    """Whether the log lost rows, after which caches forget everything."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What all commands did. `reads` are the columns that each value reads, by key; `fickle` are the keys of values
    that differ when they are computed twice from the same state.
    """

    observations: Sequence[Observation]
    reads: Mapping[str, frozenset[str]]
    fickle: frozenset[str]
    clocked: frozenset[str]
    """Keys of values that differ when the system's clock shows another time."""
    opened: Mapping[str, frozenset[str]]
    """Key -> what a loader opens besides its transaction."""
    failures: Mapping[str, str]
    """Key -> why a value could not be computed."""
    writers: frozenset[tuple[str, str]]
    """The functions by which commands wrote: file and name."""


@dataclass(frozen=True)
class _Kept:
    value: Any
    since: int


_Memory = dict[tuple[UserId, str], tuple[_Kept, ...]]
"""All that may be kept under a key: whether something older still is depends on the rules."""


class _Parts:
    """Computes each part once in a state, however many values ask for it, and counts what it reads as theirs."""

    def __init__(self, seen: access.Access) -> None:
        self.found: dict[tuple[Piece, str], Any] = {}
        self._seen = seen
        self._reads: dict[tuple[Piece, str], set[str]] = {}

    def __call__(self, piece: Piece, read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> list[Any]:
        missing = [part for part in parts if (piece, part) not in self.found]
        if missing:
            reads: set[str] = set()
            with self.counted(reads):
                computed = anew(piece, read, view, missing)
            for part, found in zip(missing, computed, strict=True):
                self.found[piece, part], self._reads[piece, part] = found, reads
        for part in parts:
            self._seen.reads |= self._reads[piece, part]
        return [self.found[piece, part] for part in parts]

    @contextlib.contextmanager
    def counted(self, reads: set[str]) -> Iterator[None]:
        """Add to *reads* what is read meanwhile."""
        before = set(self._seen.reads)
        self._seen.reads.clear()  # not another set: the viewpoint tells this one which preferences it is asked for
        try:
            yield
        finally:
            reads |= self._seen.reads
            self._seen.reads |= before


class _Watcher:
    """Computes all values of both users and remembers what was read and what came out."""

    def __init__(self, values: Sequence[Value[Any]]) -> None:
        self.values = values
        self.reads: dict[str, set[str]] = {value.key: set() for value in values}
        self.fickle: set[str] = set()
        self.clocked: set[str] = set()
        self.opened: dict[str, set[str]] = {value.key: set() for value in values}
        self.failures: dict[str, str] = {}
        self.writers: set[tuple[str, str]] = set()

    def load(self, database: Database, users: Sequence[UserId]) -> Iterator[tuple[UserId, Value[Any], str, _Kept]]:
        """Yield every value of *users* that can be computed, and every part of one, with its full key."""
        with database.read() as read:
            for user in users:
                view = Viewpoint.at(user, preferences.load(read, user), database.clock())
                with access.reads_of(read, view) as (watched, seen):
                    parts = _Parts(seen)
                    for value in self.values:
                        with parts.counted(self.reads[value.key]):
                            loaded = self._load(value, replace(read, pieces=parts, found={}), watched)
                        if loaded is not None:
                            yield user, value, value.key_for(view), _Kept(loaded, read.seq)
                for (piece, name), part in parts.found.items():  # what it was added up from is kept as well
                    kept_as = value_of(piece, name)
                    yield user, kept_as, kept_as.key_for(view), _Kept(part, read.seq)

    def is_steady(self, database: Database, user: UserId) -> None:
        """Compute every value from one state twice, and once by another clock; remember those that differ."""
        with database.read() as read:
            view = Viewpoint.at(user, preferences.load(read, user), database.clock())

            def load_at(moment: datetime, value: Value[Any]) -> Any:
                with surroundings.clock_at(moment, getattr(value.loader, "__module__", "")):
                    return self._load(value, replace(read, pieces=anew, found={}), view)

            for value in self.values:
                first, second = (load_at(surroundings.STANDS_AT, value) for _ in range(2))
                if first != second:
                    self.fickle.add(value.key)
                elif first != load_at(surroundings.MOVED_TO, value):
                    self.clocked.add(value.key)

    def _load(self, value: Value[Any], read: ReadTransaction, view: Viewpoint) -> Any:
        try:
            with surroundings.opened() as opened:
                loaded = value.loader(read, view)
            self.opened[value.key] |= opened
            return loaded
        except Exception as error:  # noqa: BLE001  # whatever a loader raises is what the check is to say
            self.failures.setdefault(value.key, f"{type(error).__name__}: {error}")
            return None


def observe(commands: Mapping[str, Command], values: Sequence[Value[Any]], *, days: int = 60) -> Observed:
    """Run each of *commands* on a copy of the same past, so many days long. Takes some seconds."""
    watcher = _Watcher(values)
    with tempfile.TemporaryDirectory() as folder:
        past, before, other = _make_past(Path(folder) / "past", watcher, days)
        observations = []
        for number, (name, command) in enumerate(commands.items()):
            copy = Path(folder) / str(number)
            copy.mkdir()
            shutil.copyfile(past, copy / _FILE)
            observations.append(_watch(name, command, copy, dict(before), other, watcher))
            shutil.rmtree(copy)
    return Observed(
        observations=observations,
        reads={key: frozenset(columns) for key, columns in watcher.reads.items()},
        fickle=frozenset(watcher.fickle),
        clocked=frozenset(watcher.clocked),
        opened={key: frozenset(opened) for key, opened in watcher.opened.items()},
        failures=dict(watcher.failures),
        writers=frozenset(watcher.writers),
    )


def _make_past(folder: Path, watcher: _Watcher, days: int) -> tuple[Path, _Memory, UserId]:
    clock = Clock(START)
    with _opened(folder, clock) as database:
        preferences.create_user(database, "local")
        other = preferences.create_user(database, "another")
        live(database, clock, other, days=OTHER_DAYS)
        live(database, clock, LOCAL_USER, days=days)
        found = watcher.load(database, (LOCAL_USER, other))
        before: _Memory = {(user, key): (kept,) for user, _, key, kept in found}
        watcher.is_steady(database, LOCAL_USER)
    return folder / _FILE, before, other


def _watch(name: str, command: Command, folder: Path, memory: _Memory, other: UserId, watcher: _Watcher) -> Observation:
    clock = Clock(START)
    seen = Observation(command=name, user=LOCAL_USER)
    with _opened(folder, clock) as database:
        database.writers = watcher.writers

        def look() -> None:
            """Compare with what is kept, and keep what is new, as a cache would."""
            for user, value, key, now in watcher.load(database, (LOCAL_USER, other)):
                older = memory.get((user, key), ())
                for kept in older:
                    if kept.value != now.value:
                        example = ": ".join(difference(kept.value, now.value))
                        seen.changes.append(
                            Change(
                                user=user,
                                key=value.key,
                                full_key=key,
                                since=kept.since,
                                until=now.since,
                                example=example,
                            )
                        )
                memory[user, key] = (*older, now)

        with _listening(database, seen):
            written = access.writes_of(database)
            try:
                command(Stage(database=database, user=LOCAL_USER, clock=clock, look=look))
            except Exception as error:  # noqa: BLE001  # what it raises is what the check is to say
                seen.failure = f"{type(error).__name__}: {error}"
        seen.writes, seen.updates = frozenset(written.writes), frozenset(written.updates)
        look()
    return seen


class _Database(Database):
    """Remembers which functions write."""

    writers: set[tuple[str, str]]

    def write(self, command: Callable[[Transaction], T], *, staged: Path | None = None) -> T:
        """Carry out *command*."""
        caller = sys._getframe(1).f_code
        self.writers.add((caller.co_filename, caller.co_name))
        return super().write(command, staged=staged)


@contextlib.contextmanager
def _opened(folder: Path, clock: Clock) -> Iterator[_Database]:
    database = _Database(f"sqlite:///{folder / _FILE}", clock=clock)
    database.writers = set()
    database.open()
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _listening(database: Database, seen: Observation) -> Iterator[None]:
    bus = Bus()
    feed = Feed(database, bus)
    stop = bus.on_event(seen.events.append)

    def went_back() -> None:
        seen.went_back = True

    feed.on_rewind.append(went_back)
    feed.start()
    try:
        yield
    finally:
        feed.stop()
        stop()
