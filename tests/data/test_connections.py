"""Who closes a connection that several threads read from."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from data.database import Database, ReadTransaction

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/reprieve.db")
    with database.opened():
        yield database


def read_without_end(read: ReadTransaction, held: contextlib.AbstractContextManager[None]) -> threading.Thread:
    """Run an endless statement in *read* from another thread, which holds it as *held* for so long."""

    def run() -> None:
        with held, pytest.raises(OperationalError, match="interrupted"):
            read.connection.exec_driver_sql(ENDLESS).one()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def stop(read: ReadTransaction, thread: threading.Thread) -> None:
    give_up_at = time.monotonic() + 10
    while thread.is_alive():
        assert time.monotonic() < give_up_at, "it cannot be stopped any more"
        read.abandon()
        thread.join(0.01)


def test_a_statement_can_still_be_stopped_after_the_reader_has_left(database: Database) -> None:
    with database.read() as read, contextlib.ExitStack() as stack:
        stack.enter_context(read.held())
        held = stack.pop_all()
        thread = read_without_end(read, held)
    time.sleep(0.05)  # the statement runs, and who opened the transaction is gone
    stop(read, thread)
    assert read.connection.closed


def test_the_last_to_leave_gives_the_connection_back(database: Database) -> None:
    for _ in range(20):  # more often than there are connections
        with database.read() as read, contextlib.ExitStack() as stack:
            stack.enter_context(read.held())
            held = stack.pop_all()
        assert not read.connection.closed
        held.close()
        assert read.connection.closed


def test_what_is_closed_is_not_stopped_and_not_held(database: Database) -> None:
    with database.read() as read:
        pass
    with database.read() as next_one:  # on the same connection
        read.abandon()
        assert next_one.connection.exec_driver_sql("SELECT 1").scalar() == 1
    with pytest.raises(RuntimeError, match="closed already"), read.held():
        pass
