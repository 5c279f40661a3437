"""F17, F18: one call after the other fails, the first, the second, and so on, in a little life of the whole house.

Nothing here knows which calls there are: each statement to either database and each call to the file system that the
cache makes is counted in a life that nothing befalls, and then has its turn.
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from cache import file_store
from cache.values import DASHBOARD_METRICS, DASHBOARD_TASKS, VALUES
from data import files, instances, tasks
from data.errors import DatabaseUnusableError
from data.sqlite import sqlite
from tests.faults.power import complete_one
from tests.house import House, open_house

SQLITE_ERRORS = {"disk I/O error": "IOERR", "database or disk is full": "FULL", "database is locked": "BUSY"}
FILE_FUNCTIONS = ("stat", "mkdir", "chmod", "unlink", "scandir", "listdir")
SHOWN = (DASHBOARD_TASKS, DASHBOARD_METRICS)


class Turns:
    """Counts calls, and raises at the one whose turn it is."""

    def __init__(self, fatal: int | None, error: Callable[[], Exception]) -> None:
        self.count = 0
        self.armed = False
        self._fatal, self._error = fatal, error

    def __call__(self) -> None:
        if self.armed:
            self.count += 1
            if self.count == self._fatal:
                raise self._error()


def sqlite_error(module: Any, text: str) -> Callable[[], Exception]:
    def make() -> Exception:
        error: Exception = module.OperationalError(text)
        error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{SQLITE_ERRORS[text]}")  # type: ignore[attr-defined]
        return error

    return make


@contextmanager
def failing_connections(module: Any, turns: Turns) -> Iterator[None]:
    """Let each statement on a connection that *module* opens meanwhile be a call."""

    class Cursor(module.Cursor):  # type: ignore[misc]
        def execute(self, *given: Any) -> Any:
            turns()
            return super().execute(*given)

        def executemany(self, *given: Any) -> Any:
            turns()
            return super().executemany(*given)

    class Connection(module.Connection):  # type: ignore[misc]
        def cursor(self, *_: Any, **__: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, *given: Any) -> Any:
            return self.cursor().execute(*given)

    connect = module.connect
    with mock.patch.object(module, "connect", lambda *given, **named: connect(*given, **named, factory=Connection)):
        yield


@contextmanager
def failing_files(turns: Turns) -> Iterator[None]:
    """Let each call to the file system be one that may fail."""

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if sys._getframe(1).f_code.co_filename != files.__file__:  # which looks before each read
                turns()
            return function(*given, **named)

        return call

    with mock.patch.multiple(os, **{name: counted(getattr(os, name)) for name in FILE_FUNCTIONS}):
        yield


def live(folder: Path, turns: Turns) -> None:
    """Look, change something, look again, clear, sweep, look; every number has to be right all the time."""
    with open_house(folder) as house:
        house.manager._leases._seconds = 0.05  # one that could not be given back would be waited for
        complete_one(house)
        turns.armed = True
        for step in (look, complete_one, look, clear, look, sweep, look):
            step(house)
        turns.armed = False


def look(house: House) -> None:
    house.manager._memory.clear()
    for value in SHOWN:
        found = house.manager.get_or_load(value, house.user)
        with house.database.read() as read, house.manager.snapshot(house.user) as snapshot:
            assert found == value.loader(read, snapshot.view)


def clear(house: House) -> None:
    house.manager.clear_subsystem("dashboard", user=house.user)


def sweep(house: House) -> None:
    house.manager.reclaim()
    house.manager.get_cache_stats()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("text", SQLITE_ERRORS)
@pytest.mark.fault(
    "F17", inject="each statement to the cache's database fails in turn", holds="right numbers, no error"
)
def test_no_statement_to_the_cache_is_needed(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_store, "REST_SECONDS", 0.0)
    through_all(tmp_path, sqlite_error(sqlite3, text), lambda turns: failing_connections(sqlite3, turns))


@pytest.mark.fault("F19", inject="each call to the file system fails in turn", holds="right numbers, no error")
def test_no_call_to_the_file_system_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_store, "REST_SECONDS", 0.0)
    through_all(tmp_path, lambda: PermissionError(13, "on purpose"), failing_files)


def through_all(folder: Path, error: Callable[[], Exception], failing: Callable[[Turns], Any]) -> None:
    fatal = 0
    while True:
        turns = Turns(fatal or None, error)
        with failing(turns):
            live(folder / str(fatal), turns)
        if fatal and turns.count < fatal:  # none is left
            break
        fatal += 1
    assert fatal > 10, "hardly anything was called"


@pytest.mark.parametrize("text", ["disk I/O error", "database or disk is full"])
@pytest.mark.fault(
    "F18", inject="each statement to the database fails in turn", holds="change and event: both or neither"
)
def test_a_statement_that_fails_leaves_change_and_event_or_neither(tmp_path: Path, text: str) -> None:
    fatal = 1
    while True:
        turns = Turns(fatal, sqlite_error(sqlite, text))
        with failing_connections(sqlite, turns), open_house(tmp_path / str(fatal)) as house:
            task = tasks.create(house.database, house.user, name="Tax return")
            planned = instances.plan(house.database, house.user, task)
            before = house.feed.seq
            turns.armed = True
            try:
                instances.complete(house.database, house.user, planned)
            except DatabaseUnusableError as error:
                assert text in str(error)  # noqa: PT017  # whether it raises is what differs
            turns.armed = False
            with house.database.read() as read:
                sql = "SELECT completed_at IS NOT NULL FROM instances"
                is_completed = bool(read.connection.exec_driver_sql(sql).scalar())
                assert read.seq == before + is_completed
            with house.manager.snapshot(house.user) as snapshot:
                for value in VALUES:
                    assert snapshot.get(value) == snapshot.load(value)
            if not is_completed:
                instances.complete(house.database, house.user, planned)
        if turns.count < fatal:
            break
        fatal += 1
    assert fatal > 5, "hardly anything was called"
