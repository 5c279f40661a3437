"""Where actors of the orders kit can be held: hooks around one house's database, feed, stores and loads.

The product is not changed for this. Three of its parts take so long beside all else that most orders go round them,
by `OpenReaders`, `OpenWriter` and `Board`; what these do is the same, and the parts have tests of their own. What
happens between the seams, and what must be true, is in `stage`.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from cache.lookup import Lookup
from cache.store import Place
from data import connections
from data import log as event_log
from data.connections import Share
from data.database import ReadTransaction
from data.feed import Feed
from data.sqlite import sqlite
from data.viewpoint import Viewpoint
from events.catalog import Event
from events.stored import encode
from tests.cache.actors import acting, pause
from tests.house import House

if TYPE_CHECKING:
    from tests.cache.stage import Stage

T = TypeVar("T")

MOST_READERS = 20


class OpenReaders:
    """Read transactions as `Database.read` opens them, on connections that are never given back in between."""

    def __init__(self, url: str) -> None:
        self._engine = connections.engine(url, begin="BEGIN", pool_size=MOST_READERS, read_only=True)
        self._idle: list[tuple[Connection, Any]] = []

    @contextlib.contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        connection, cursor = self._idle.pop() if self._idle else self._open()
        cursor.execute("BEGIN")
        try:
            seq, token = event_log.newest_raw(cursor)  # the first read fixes the state
            yield ReadTransaction(connection=connection, seq=seq, token=token, share=Share(connection))
        finally:
            cursor.execute("ROLLBACK")
            self._idle.append((connection, cursor))

    def close(self) -> None:
        for connection, _ in self._idle:
            connection.close()
        self._engine.dispose()

    def _open(self) -> tuple[Connection, Any]:
        connection = self._engine.connect()
        connection.begin()  # for as long as SQLAlchemy can tell
        cursor = connection.connection.cursor()
        cursor.execute("ROLLBACK")
        return connection, cursor


class OpenWriter:
    """Write transactions as `Database.write` opens them, on one connection and without SQLAlchemy's session.

    To a command it is the transaction as well, and as much of a session as commands here make use of.
    """

    def __init__(self, path: Path, now: datetime) -> None:
        self._connection: Any = sqlite.connect(path, isolation_level=None, check_same_thread=False)
        self.execute = self.exec_driver_sql = self._connection.execute
        self.now = now
        self.close = self._connection.close

    def run(self, command: Callable[[Any], T]) -> T:
        self.execute("BEGIN IMMEDIATE")
        try:
            result = command(self)
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")
        return result

    def record(self, happened: Event) -> None:
        row = (happened.user, happened.name, secrets.randbits(63), encode(happened))
        self.execute("INSERT INTO events (user_id, name, at, token, body) VALUES (?, ?, 0, ?, ?)", row)

    @property
    def session(self) -> "OpenWriter":
        return self

    def connection(self) -> "OpenWriter":
        return self

    def flush(self) -> None:
        """Nothing waits here."""


class Board:
    """Where the leases of all houses are written down, instead of in the folder (see `cache.leases.Board`)."""

    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}

    def exchange(self, address: str, change: Callable[[bytes | None], bytes | None]) -> bool:
        row = change(self._rows.get(address))
        if row:
            self._rows[address] = row
        elif row is not None:
            self._rows.pop(address, None)
        return row is not None


def hold(stage: "Stage", house: House) -> OpenReaders:
    """Let actors be held on their way through *house*; return what has to be closed before it."""
    hold_reads(stage, house, readers := OpenReaders(house.database.url))
    hold_writes(stage, house)
    hold_looks(house)
    hold_loads(stage, house)
    return readers


def hold_reads(stage: "Stage", house: House, readers: OpenReaders) -> None:
    """Held at "opened", and after the look there at "caught up"; in a load, at "load opened" and "load caught up"."""
    read = house.database.read

    @contextlib.contextmanager
    def held_read(for_load: bool = False) -> Iterator[ReadTransaction]:
        actor = acting()
        with read(for_load=for_load) if stage.is_thorough else readers.read() as transaction:
            if actor is None:
                yield transaction
                return
            before, actor.after_look = actor.after_look, "load caught up" if for_load else "caught up"
            pause("load opened" if for_load else "opened")
            try:
                yield transaction
            finally:
                actor.after_look = before

    house.database.read = held_read  # type: ignore[method-assign]


def hold_writes(stage: "Stage", house: House) -> None:
    """Held at "begun" and "written", inside of the transaction, and at "committed", before anybody is told."""
    write = house.database.write

    def held_write(command: Callable[[Any], Any]) -> Any:
        """What `Database.write` does, in the actor itself."""
        actor = acting()
        if actor is None:
            return write(command)

        def held_command(transaction: Any) -> Any:
            pause("begun")
            result = command(transaction)
            transaction.session.flush()
            pause("written")
            return result

        with stage.writing(actor):
            result = (house.database._run if stage.is_thorough else stage.raw_writer.run)(held_command)
            stage.committed(actor.writes or None)
        pause("committed")
        for told in tuple(house.database.after_commit):
            told()
        return result

    house.database.write = held_write  # type: ignore[method-assign]


def hold_looks(house: House) -> None:
    """Held at "looked" after a look at the log, or as a read or a load says; at "viewed"; before "looking"."""
    feed, lookup = house.feed, house.manager._lookup

    def held_catch_up() -> int:
        seq = Feed.catch_up(feed)  # looked up each time: a mistake may be planted there
        actor = acting()
        if actor is not None:
            pause(actor.after_look)
        return seq

    def held_view(*at: Any) -> Viewpoint:
        view = Lookup.view(lookup, *at)
        pause("viewed")
        return view

    for store in (house.manager._memory, house.manager._file):

        def held_get(
            place: Place, least_as_of: int = 0, get: Callable[..., Any] = store.get, **beyond: int | None
        ) -> Any:
            if place.key.startswith("analytics."):
                pause("looking")
            return get(place, least_as_of, **beyond)

        store.get = held_get  # type: ignore[method-assign]
    feed.catch_up = held_catch_up  # type: ignore[method-assign]
    lookup.view = held_view  # type: ignore[method-assign]


def hold_loads(stage: "Stage", house: House) -> None:
    """A load runs in the reader itself, or waits for the actor that loads behind the readers' backs."""

    def start(job: Callable[[], None]) -> None:
        if stage.is_loading_behind and acting():
            stage.jobs.append(job)
        else:
            job()

    house.manager._lookup.loading.start = start
