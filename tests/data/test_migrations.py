"""Migrations: a fresh database is what the models say, a failing step leaves the old state, a newer one is refused."""

import contextlib
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint

import data.database
from data import preferences
from data.database import Database, make_file
from data.errors import DatabaseUnusableError
from data.models import Base, EventRow, Instance
from data.sqlite import sqlite
from events.catalog import UserId
from tests.data.ledger import all_rows, another_python, elsewhere, finish, lines, raw, schema

HEAD = "0004"


@pytest.fixture(scope="module", autouse=True)
def from_nothing() -> Iterator[None]:
    """Let each new database be made from nothing, as outside the tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(data.database, "make_file", make_file)
        yield


def test_a_fresh_database_is_what_the_models_say(database: Database) -> None:
    with database.read() as read:
        context = MigrationContext.configure(read.connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_fresh_database_has_the_constraints_of_the_models(database: Database) -> None:
    """Alembic compares no check constraints, so they are compared as text."""
    created = {name: " ".join(sql.split()) for kind, name, _, sql in schema(database) if kind == "table"}
    for table in Base.metadata.sorted_tables:
        wanted = {
            f"CONSTRAINT {constraint.name} CHECK ({constraint.sqltext})"
            for constraint in table.constraints
            if isinstance(constraint, CheckConstraint)
        }
        found = set(re.findall(r"CONSTRAINT \w+ CHECK \((?:[^()]|\([^()]*\))*\)", created[table.name]))
        assert found == wanted, table.name
    assert "AUTOINCREMENT" in created["events"]
    assert EventRow.__table__.dialect_options["sqlite"]["autoincrement"] is True
    assert sum("CHECK" in sql for sql in created.values()) == 2
    assert created["instances"].count("CHECK") == sum(
        isinstance(constraint, CheckConstraint) for constraint in Instance.__table__.constraints
    )


def test_every_database_has_a_lineage_of_its_own(tmp_path: Path) -> None:
    tokens = set()
    for number in range(3):
        database = Database(f"sqlite:///{tmp_path}/{number}.db")
        database.open()
        with database.read() as read:
            tokens.add(read.token)
        database.close()
    assert len(tokens) == 3


def test_the_second_opening_does_nothing(database: Database, user: UserId) -> None:
    before, tables = all_rows(database), schema(database)
    database.close()
    database.open()
    assert (all_rows(database), schema(database)) == (before, tables)


def test_foreign_keys_hold_again_after_opening(database: Database, user: UserId) -> None:
    def command(transaction: Any) -> None:
        transaction.session.connection().exec_driver_sql("DELETE FROM users")

    with pytest.raises(Exception, match="FOREIGN KEY constraint failed"):
        database.write(command)


def test_a_database_of_a_newer_version_is_refused_by_a_sentence_and_left_alone(
    database: Database, user: UserId
) -> None:
    before = all_rows(database)
    with raw(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    database.close()
    for _ in range(2):
        with pytest.raises(
            DatabaseUnusableError, match=r"of version 0099, which this program does not know"
        ) as refused:
            database.open()
        assert "\n" not in str(refused.value)
    with raw(database) as connection:
        connection.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")
    database.open()
    assert all_rows(database) == before


def test_processes_that_open_an_empty_folder_at_the_same_moment_all_succeed(tmp_path: Path) -> None:
    waiting = "input()\n"
    opening = (
        "from data import preferences\n"
        "from data.database import Database\n"
        f"database = Database('sqlite:///{tmp_path}/state/reprieve.db')\n"
        "print('ready')\n" + waiting + "database.open()\n"
        "print(preferences.create_user(database, 'local'))\n"
        "database.close()\n"
    )
    processes = [another_python(opening) for _ in range(4)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [finish(process) for process in processes] == ["1\n"] * 4
    database = Database(f"sqlite:///{tmp_path}/state/reprieve.db")
    database.open()
    assert lines(database) == [("user.created", 1, {})]
    database.close()


def test_an_empty_database_is_opened_once_the_process_that_writes_it_is_done(tmp_path: Path) -> None:
    """SQLite itself does not wait here, whatever the timeout: switching to WAL fails at once beside a writer."""
    database = Database(f"sqlite:///{tmp_path}/reprieve.db")
    path = tmp_path / "reprieve.db"
    with contextlib.closing(sqlite.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.3, connection.execute, ("COMMIT",))
        done.start()
        database.open()
        done.join()
    assert preferences.create_user(database, "local") == 1
    database.close()


def test_a_process_that_opens_while_the_app_runs_disturbs_nobody(database: Database, user: UserId) -> None:
    with database.read():
        finish(elsewhere(database, f"from data import tasks\ntasks.create(database, {user}, name='Taxes')"))
    preferences.change(database, user, theme="dark")


def test_threads_that_open_databases_of_their_own_do_not_meet(tmp_path: Path) -> None:
    def open_one(number: int) -> int:
        database = Database(f"sqlite:///{tmp_path}/{number}.db")
        database.open()
        try:
            return preferences.create_user(database, "local")
        finally:
            database.close()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_one, range(12))) == [1] * 12
