"""Which tables and columns somebody reads or writes, as SQLite itself says (its authorizer).

SQLite asks when it compiles a statement, so this sees every column that a statement names, in conditions as well,
whatever rows it then finds. Setting the authorizer makes it compile known statements anew.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from data.database import Database, ReadTransaction
from data.models import Base, EventRow
from data.preferences import Profile
from data.sqlite import sqlite
from data.viewpoint import Viewpoint

_LOG = EventRow.__tablename__
_ROWS = "*"
"""Stands for which rows a table has, as `count(*)` reads it."""


class Access:
    """What was read and written: `table.column`, and `table.*` for which rows there are. The log is left out.

    `updates` are those of the `writes` that gave rows that were there another value.
    """

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        self.updates: set[str] = set()

    def _asked(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        if first is not None and first in Base.metadata.tables and first != _LOG:
            if action == sqlite.SQLITE_READ:
                self.reads.add(f"{first}.{second or _ROWS}")
            elif action == sqlite.SQLITE_UPDATE:
                self.writes.add(f"{first}.{second}")
                self.updates.add(f"{first}.{second}")
            elif action in (sqlite.SQLITE_INSERT, sqlite.SQLITE_DELETE):
                columns = Base.metadata.tables[first].columns
                self.writes.update(f"{first}.{column.name}" for column in columns)
                self.writes.add(f"{first}.{_ROWS}")
        return int(sqlite.SQLITE_OK)


def writes_of(database: Database) -> Access:
    """Return what the commands of *database* write from now on. Not for the one that runs."""
    access = Access()
    database.write(lambda transaction: _driver(transaction.session.connection()).set_authorizer(access._asked))
    return access


@contextlib.contextmanager
def reads_of(read: ReadTransaction, view: Viewpoint) -> Iterator[tuple[Viewpoint, Access]]:
    """Record what is read in *read* meanwhile. The viewpoint that is yielded says which preferences are looked at."""
    access = Access()
    connection = _driver(read.connection)
    connection.set_authorizer(access._asked)
    try:
        yield msgspec.structs.replace(view, profile=_watched(view.profile, access.reads.add)), access
    finally:
        connection.set_authorizer(None)


def can_change(column: str) -> bool:
    """Whether a row of `table.column` may get another value: which row it is, and whose, stays as it is."""
    table, _, name = column.partition(".")
    found = Base.metadata.tables[table].columns.get(name)
    return found is not None and not found.primary_key and not found.foreign_keys


def _driver(connection: Any) -> Any:
    return connection.connection.dbapi_connection


def _watched(profile: Profile, read: Callable[[str], object]) -> Profile:
    """Return *profile* so that it tells which of its fields are looked at."""
    fields = Profile.__struct_fields__

    class Watched(Profile, frozen=True):
        def __getattribute__(self, name: str) -> Any:
            if name in fields:
                read(f"users.{name}" if name == "account_tier" else f"preferences.{name}")
            return super().__getattribute__(name)

    return Watched(**{name: getattr(profile, name) for name in fields})
