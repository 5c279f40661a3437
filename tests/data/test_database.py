"""The database: commands one after the other, readers on one state each, and everything that gets in their way."""

import contextlib
import itertools
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from data import connections, instances, preferences, tasks
from data import database as database_module
from data.database import Database, Transaction
from data.errors import (
    DatabaseBusyError,
    DatabaseUnusableError,
    DataError,
    UnknownRecordError,
    UnrecordedChangeError,
)
from data.models import Task, User
from data.sqlite import sqlite
from events.catalog import TaskCreated, TaskEdited, TaskId, UserId
from tests.data.ledger import all_rows, another_python, elsewhere, finish, lines, newest, seqs
from tests.house import Clock

AT = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)


def path_of(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


@contextlib.contextmanager
def write_lock(database: Database) -> Iterator[Any]:
    """Hold the lock that writers need, past our own code."""
    connection = sqlite.connect(path_of(database), isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def open_files() -> int:
    """Return how many files this process holds open; 0 where the system does not tell."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


def raise_version(user: UserId, task: TaskId) -> Callable[[Transaction], int]:
    """Return a command that reads a number, adds one and writes it."""

    def command(transaction: Transaction) -> int:
        row = tasks.get(transaction.session, user, task)
        row.version += 1
        transaction.record(TaskEdited(user=user, at=transaction.now, task=task, changed=("version",)))
        return row.version

    return command


# --- one transaction


def test_a_command_returns_its_result_once_the_change_and_its_event_are_there(database: Database, user: UserId) -> None:
    before = newest(database)
    task = tasks.create(database, user, name="Taxes")
    assert lines(database, before) == [("task.created", user, {"task": task})]
    with database.read() as read:
        assert read.connection.scalar(select(Task.name).where(Task.id == task)) == "Taxes"


def test_what_a_command_raises_reaches_the_caller_and_nothing_is_written(database: Database, user: UserId) -> None:
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        now = transaction.now
        transaction.session.add(Task(user_id=user, id="t", name="x", kind="work", created_at=now, updated_at=now))
        transaction.record(TaskCreated(user=user, at=now, task=TaskId("t")))
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        database.write(command)
    assert all_rows(database) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError])
def test_no_error_of_a_command_stops_the_writer(database: Database, user: UserId, error: type[BaseException]) -> None:
    def command(transaction: Transaction) -> None:
        raise error

    with pytest.raises(error):
        database.write(command)
    tasks.create(database, user, name="Taxes")


def test_a_command_that_the_tables_refuse_leaves_nothing_behind(database: Database, user: UserId) -> None:
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        now = transaction.now
        transaction.record(TaskCreated(user=user, at=now, task=TaskId("t")))
        transaction.session.add(Task(user_id=user, id="t", name="x", kind="chore", created_at=now, updated_at=now))

    with pytest.raises(IntegrityError):
        database.write(command)
    assert all_rows(database) == before


@pytest.mark.parametrize("way", ["object", "statement", "driver", "deleted"])
def test_a_command_that_changes_rows_without_an_event_is_refused(database: Database, user: UserId, way: str) -> None:
    task = tasks.create(database, user, name="Taxes")
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        session = transaction.session
        if way == "object":
            tasks.get(session, user, task).name = "Other"
        elif way == "statement":
            session.execute(update(Task).values(name="Other"))
        elif way == "driver":
            session.connection().exec_driver_sql("UPDATE tasks SET name = 'Other'")
        else:
            session.delete(tasks.get(session, user, task))

    with pytest.raises(UnrecordedChangeError, match="changed rows but recorded no event") as refused:
        database.write(command)
    assert isinstance(refused.value, DataError)
    assert all_rows(database) == before


def test_a_command_that_only_looks_needs_no_event(database: Database, user: UserId) -> None:
    before = all_rows(database)
    assert database.write(lambda transaction: transaction.session.scalar(select(User.name))) == "local"
    assert all_rows(database) == before


def test_a_command_cannot_commit_part_of_its_change_by_itself(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        tasks.get(transaction.session, user, task).name = "Other"
        transaction.session.commit()

    with pytest.raises(RuntimeError, match="commits by itself"):
        database.write(command)
    assert all_rows(database) == before
    tasks.edit(database, user, task, name="Third")


def test_a_command_that_rolls_back_by_itself_has_recorded_nothing(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        transaction.record(TaskEdited(user=user, at=transaction.now, task=task, changed=()))
        transaction.session.rollback()
        tasks.get(transaction.session, user, task).name = "Other"

    with pytest.raises(Exception, match="transaction"):
        database.write(command)
    assert all_rows(database) == before
    tasks.edit(database, user, task, name="Third")


def test_an_event_of_a_naive_time_is_refused(database: Database, user: UserId) -> None:
    before = all_rows(database)
    with pytest.raises(Exception, match="has no time zone"):
        database.write(
            lambda transaction: transaction.record(
                TaskCreated(user=user, at=datetime(2026, 5, 13), task=TaskId("t"))  # noqa: DTZ001  # on purpose
            )
        )
    assert all_rows(database) == before


def test_the_seq_of_an_event_that_was_rolled_back_is_given_to_the_next(database: Database, user: UserId) -> None:
    def command(transaction: Transaction) -> None:
        transaction.record(TaskCreated(user=user, at=transaction.now, task=TaskId("t")))
        raise ZeroDivisionError

    before = newest(database)
    with pytest.raises(ZeroDivisionError):
        database.write(command)
    tasks.create(database, user, name="Taxes")
    assert newest(database) == before + 1


# --- many at once


def test_of_many_commands_at_once_none_is_lost_and_seq_follows_the_order_of_commits(
    database: Database, user: UserId, clock: Clock
) -> None:
    task = tasks.create(database, user, name="Taxes")
    before = newest(database)
    ticks = itertools.count()
    database.clock = lambda: datetime.fromtimestamp(1_780_000_000 + next(ticks), UTC)
    order: list[int] = []

    def run(_: int) -> list[int]:
        seen = []
        for _ in range(25):
            version = database.write(raise_version(user, task))
            order.append(version)
            seen.append(version)
        return seen

    with ThreadPoolExecutor(8) as pool:
        by_thread = list(pool.map(run, range(8)))
    assert sorted(order) == list(range(2, 202))
    assert all(seen == sorted(seen) for seen in by_thread)
    assert seqs(database)[before:] == list(range(before + 1, before + 201))
    with database.read() as read:
        times = list(read.connection.exec_driver_sql(f"SELECT at FROM events WHERE seq > {before} ORDER BY seq"))
    assert times == sorted(times), "a later seq was given an earlier moment"


def test_when_write_returns_every_reader_that_starts_later_sees_the_change(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")

    def run(_: int) -> None:
        for _ in range(20):
            version = database.write(raise_version(user, task))
            with database.read() as read:
                assert read.connection.scalar(select(Task.version).where(Task.id == task)) >= version

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))


def test_a_reader_sees_one_state_while_a_writer_commits(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")
    with database.read() as read:
        before = read.seq
        for number in range(3):
            tasks.edit(database, user, task, name=f"Taxes {number}")
            assert read.connection.scalar(select(Task.name).where(Task.id == task)) == "Taxes"
            assert read.connection.exec_driver_sql("SELECT max(seq) FROM events").scalar() == before
    with database.read() as read:
        assert read.seq == before + 3
        assert read.connection.scalar(select(Task.name).where(Task.id == task)) == "Taxes 2"


def test_seq_and_token_of_a_reader_are_those_of_the_newest_row_it_can_see(database: Database) -> None:
    with database.read() as read:
        lineage = read.connection.exec_driver_sql("SELECT token FROM lineage").scalar()
        assert (read.seq, read.token) == (0, lineage)
    preferences.create_user(database, "local")
    with database.read() as read:
        token = read.connection.exec_driver_sql("SELECT token FROM events").scalar()
        assert (read.seq, read.token) == (1, token)


def test_a_reader_cannot_write(database: Database, user: UserId) -> None:
    with database.read() as read, pytest.raises(Exception, match="readonly"):
        read.connection.execute(update(User).values(name="other"))
    with database.read() as read:
        assert read.connection.scalar(select(User.name)) == "local"


def test_many_readers_share_a_small_pool_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "READERS", 2)
    database = Database(f"sqlite:///{tmp_path}/reprieve.db")
    database.open()
    preferences.create_user(database, "local")
    before = open_files()
    at_once = itertools.count(1)
    most = 0
    inside = threading.Semaphore(2)

    def run(number: int) -> None:
        nonlocal most
        for _ in range(20):
            with contextlib.suppress(ZeroDivisionError), database.read() as read:
                assert inside.acquire(blocking=False), "more readers than the pool holds"
                try:
                    most = max(most, next(at_once))
                    read.connection.execute(select(User))
                    if number % 3 == 0:
                        raise ZeroDivisionError
                    if number % 3 == 1:
                        next(iter(read.connection.execute(select(User).execution_options(yield_per=1))))
                finally:
                    inside.release()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(run, range(16)))
    assert most == 16 * 20
    assert open_files() <= before + 2 * 3  # of each connection: database, WAL, shared memory
    database.close()


def test_a_reader_that_finds_no_free_connection_in_time_is_told_so_by_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "READERS", 1)
    monkeypatch.setattr(connections, "READER_TIMEOUT_SECONDS", 0.05)
    database = Database(f"sqlite:///{tmp_path}/reprieve.db")
    database.open()
    with database.read(), pytest.raises(DatabaseBusyError, match="readers"), database.read():
        pytest.fail("two readers on one connection")
    with database.read():
        pass
    database.close()


# --- other processes


def test_a_command_waits_while_another_process_writes(database: Database, user: UserId) -> None:
    process = another_python(
        "import sys, time\n"
        "from data.sqlite import sqlite\n"
        f"connection = sqlite.connect({str(path_of(database))!r}, isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('locked')\n"
        "time.sleep(1)\n"
        "connection.execute('COMMIT')\n"
    )
    assert process.stdout
    assert process.stdout.readline() == "locked\n"
    began = time.monotonic()
    tasks.create(database, user, name="Taxes")
    assert time.monotonic() - began > 0.5
    finish(process)


def test_a_command_that_waits_too_long_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.1)
    database = Database(f"sqlite:///{tmp_path}/reprieve.db")
    database.open()
    user = preferences.create_user(database, "local")
    before = all_rows(database)
    with write_lock(database), pytest.raises(DatabaseBusyError) as refused:
        tasks.create(database, user, name="Taxes")
    assert str(refused.value) == "another process has been writing for 0.1 s: nothing was changed, try again"
    assert isinstance(refused.value, TimeoutError)
    assert all_rows(database) == before
    tasks.create(database, user, name="Taxes")
    database.close()


def test_a_watch_drops_none_of_the_locks_that_this_process_holds(database: Database, user: UserId) -> None:
    """Closing any handle of SQLite's files would (POSIX): two processes would write at once, and one for nothing."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        inside.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(database.write, slow)
        assert inside.wait(10)
        database.watch().close()
        other = another_python(
            "from data.sqlite import sqlite\n"
            f"connection = sqlite.connect({str(path_of(database))!r}, timeout=0, isolation_level=None)\n"
            "try:\n"
            "    connection.execute('BEGIN IMMEDIATE')\n"
            "    print('two writers at once')\n"
            "except sqlite.OperationalError as error:\n"
            "    print(error)\n"
        )
        try:
            assert finish(other) == "database is locked\n"
        finally:
            go_on.set()
        writing.result(10)


def test_readers_do_not_wait_for_a_writer_of_another_process(database: Database, user: UserId) -> None:
    with write_lock(database) as connection:
        connection.execute("UPDATE users SET name = 'half'")
        began = time.monotonic()
        with database.read() as read:
            assert read.connection.scalar(select(User.name)) == "local"
        assert time.monotonic() - began < 1


def test_commands_of_two_processes_make_one_gapless_log(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")
    before = newest(database)
    process = elsewhere(
        database,
        "from data import tasks\n"
        "print('ready')\n"
        "for number in range(40):\n"
        f"    tasks.edit(database, {user}, {task!r}, notes=str(number))\n",
    )
    assert process.stdout
    process.stdout.readline()
    for number in range(40):
        tasks.edit(database, user, task, description=str(number))
    finish(process)
    assert seqs(database)[before:] == list(range(before + 1, before + 81))
    with database.read() as read:
        assert read.connection.scalar(select(Task.version).where(Task.id == task)) == 81


def test_a_process_killed_in_the_middle_of_a_command_leaves_neither_change_nor_event(
    database: Database, user: UserId
) -> None:
    before = all_rows(database)
    process = elsewhere(
        database,
        "import time\n"
        "from data.models import Task\n"
        "from events.catalog import TaskCreated\n"
        "def command(transaction):\n"
        "    now = transaction.now\n"
        f"    task = Task(user_id={user}, id='t', name='x', kind='work', created_at=now, updated_at=now)\n"
        "    transaction.session.add(task)\n"
        f"    transaction.record(TaskCreated(user={user}, at=now, task='t'))\n"
        "    print('written')\n"
        "    time.sleep(60)\n"
        "database.write(command)\n",
    )
    assert process.stdout
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    assert all_rows(database) == before
    tasks.create(database, user, name="Taxes")


# --- who may not wait for whom


def test_a_command_inside_a_command_is_refused_instead_of_waiting_for_itself(database: Database, user: UserId) -> None:
    before = all_rows(database)

    def command(transaction: Transaction) -> None:
        tasks.create(database, user, name="Inner")

    with pytest.raises(RuntimeError, match="a command cannot run another command"):
        database.write(command)
    assert all_rows(database) == before


def test_a_command_may_read_what_was_committed_before_it(database: Database, user: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")

    def command(transaction: Transaction) -> str | None:
        tasks.get(transaction.session, user, task).name = "Other"
        transaction.record(TaskEdited(user=user, at=transaction.now, task=task, changed=("name",)))
        transaction.session.flush()
        with database.read() as read:
            return read.connection.scalar(select(Task.name))

    assert database.write(command) == "Taxes"


def test_a_closed_database_refuses_commands_and_readers_with_a_sentence(database: Database) -> None:
    database.close()
    with pytest.raises(DatabaseUnusableError, match="is not open"):
        preferences.create_user(database, "local")
    with pytest.raises(DatabaseUnusableError, match="is not open"), database.read():
        pass
    with pytest.raises(DatabaseUnusableError, match="is not open"):
        database.watch()
    never_opened = Database(database.url)
    with pytest.raises(DatabaseUnusableError, match="is not open"):
        preferences.create_user(never_opened, "local")


def test_open_and_close_may_be_called_again(database: Database) -> None:
    database.open()
    user = preferences.create_user(database, "local")
    database.close()
    database.close()
    database.open()
    assert preferences.create_user(database, "local") == user
    assert seqs(database) == [1]


def test_a_command_cannot_close_the_database_it_runs_on(database: Database, user: UserId) -> None:
    with pytest.raises(RuntimeError, match="close"):
        database.write(lambda transaction: database.close())
    tasks.create(database, user, name="Taxes")


def test_closing_finishes_the_commands_that_wait_and_refuses_those_that_come_later(
    database: Database, user: UserId
) -> None:
    """Every caller gets an answer: done, or a sentence. Nobody waits for ever."""
    for _ in range(10):
        database.open()
        barrier = threading.Barrier(9)
        done: list[str] = []
        refused: list[str] = []

        def run(number: int, barrier: threading.Barrier, done: list[str], refused: list[str]) -> None:
            barrier.wait()
            try:
                while True:
                    done.append(tasks.create(database, user, name=f"Task {number}"))
            except DatabaseUnusableError as error:
                refused.append(str(error))

        threads = [
            threading.Thread(target=run, args=(number, barrier, done, refused), daemon=True) for number in range(8)
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        database.close()
        for thread in threads:
            thread.join(timeout=5)
        assert not any(thread.is_alive() for thread in threads), "a caller waits for ever"
        assert len(refused) == 8
        database.open()
        with database.read() as read:
            assert set(done) <= set(read.connection.scalars(select(Task.id)))


def test_closing_waits_for_the_command_that_runs_and_refuses_the_one_that_arrives_meanwhile(
    database: Database, user: UserId
) -> None:
    in_command, go_on = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        in_command.set()
        go_on.wait(10)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(database.write, slow)
        in_command.wait(10)
        closing = pool.submit(database.close)
        with pytest.raises(TimeoutError):
            closing.result(0.05)
        late = pool.submit(tasks.create, database, user, name="Late")
        with pytest.raises(TimeoutError):
            late.result(0.05)
        go_on.set()
        first.result(10)
        closing.result(10)
        with pytest.raises(DatabaseUnusableError, match="is not open"):
            late.result(10)


def test_readers_that_are_inside_while_the_database_closes_finish_and_later_ones_are_refused(
    database: Database, user: UserId
) -> None:
    with database.read() as read:
        database.close()
        assert read.connection.scalar(select(User.name)) == "local"
    with pytest.raises(DatabaseUnusableError, match="is not open"), database.read():
        pass
    database.open()
    with database.read() as read:
        assert read.connection.scalar(select(User.name)) == "local"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12: what is warned of is tested here
def test_a_forked_child_is_refused_instead_of_waiting_for_a_writer_that_it_does_not_have(
    database: Database, user: UserId
) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)  # a child that hangs dies without a word
        try:
            tasks.create(database, user, name="Child")
            os.write(writing, b"written")
        except DatabaseUnusableError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert "not open in this process" in answer.read()
    os.waitpid(child, 0)
    tasks.create(database, user, name="Parent")


def test_a_spawned_child_opens_the_same_file_by_itself(database: Database, user: UserId) -> None:
    process = elsewhere(database, f"from data import tasks\nprint(tasks.create(database, {user}, name='Child'))")
    task = finish(process).strip()
    with database.read() as read:
        assert read.connection.scalar(select(Task.id)) == task


# --- after the commit


def test_after_each_commit_those_who_asked_are_told_before_write_returns(database: Database, user: UserId) -> None:
    told: list[tuple[str, int]] = []
    database.after_commit.append(lambda: told.append((threading.current_thread().name, newest(database))))
    tasks.create(database, user, name="Taxes")
    assert told == [(threading.current_thread().name, newest(database))]


def test_nobody_is_told_of_a_command_that_was_refused(database: Database, user: UserId) -> None:
    told: list[None] = []
    database.after_commit.append(lambda: told.append(None))
    with pytest.raises(UnknownRecordError):
        tasks.archive(database, user, TaskId("nope"))
    assert told == []


def test_who_fails_to_listen_after_a_commit_does_not_make_the_command_look_failed(
    database: Database, user: UserId, caplog: pytest.LogCaptureFixture
) -> None:
    """The row is on disk: an error now would make a person do it again."""
    told: list[None] = []

    def broken() -> None:
        raise ZeroDivisionError("on purpose")

    database.after_commit += [broken, lambda: told.append(None)]
    task = tasks.create(database, user, name="Taxes")
    assert told == [None]
    assert "on purpose" in caplog.text
    with database.read() as read:
        assert read.connection.scalar(select(Task.id)) == task


# --- opening


def test_opening_makes_the_folder_for_its_owner_only(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/reprieve.db")
    database.open()
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o700
    database.close()


def test_a_database_outside_of_its_usual_folder_is_private_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    with Database(f"sqlite:///{folder}/reprieve.db").opened():
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == dict.fromkeys(("reprieve.db", "reprieve.db-wal", "reprieve.db-shm"), 0o600)


def test_the_permissions_of_a_database_that_is_there_stay(tmp_path: Path) -> None:
    file = tmp_path / "reprieve.db"
    file.touch(mode=0o640)
    file.chmod(0o640)
    with Database(f"sqlite:///{file}").opened():
        assert file.stat().st_mode & 0o777 == 0o640


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all, " * 500)


def cut_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 64)


def damaged_schema(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3900)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def of_another_program(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite.connect(path)) as connection:
        connection.execute("CREATE TABLE users (nick TEXT)")
        connection.commit()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage", [garbage, cut_header, damaged_schema, truncated, of_another_program, a_folder], ids=lambda it: it.__name__
)
def test_a_file_that_cannot_be_used_is_refused_by_one_sentence(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "reprieve.db"
    database = Database(f"sqlite:///{path}")
    database.open()
    database.close()
    damage(path)
    with pytest.raises(DatabaseUnusableError) as refused:
        database.open()
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert "SELECT" not in sentence
    database.close()


def test_a_database_that_was_refused_can_be_opened_once_it_is_repaired(tmp_path: Path) -> None:
    path = tmp_path / "reprieve.db"
    path.write_bytes(b"garbage" * 1000)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnusableError):
        database.open()
    path.unlink()
    database.open()
    preferences.create_user(database, "local")
    database.close()


def test_a_folder_that_cannot_be_made_is_refused_by_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for below in ("file/reprieve.db", "file/state/reprieve.db"):
        with pytest.raises(DatabaseUnusableError, match=r"file(/state)? of the database cannot be made"):
            Database(f"sqlite:///{tmp_path}/{below}").open()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused_by_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    with pytest.raises(DatabaseUnusableError):
        Database(f"sqlite:///{folder}/reprieve.db").open()


def test_opening_while_another_process_writes_for_too_long_is_refused_by_one_sentence(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.close()
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.1)
    with write_lock(database), pytest.raises(DataError, match="another process") as refused:
        database.open()
    assert "\n" not in str(refused.value)
    database.open()


def limit_pages(most: int) -> Callable[[Transaction], None]:
    """Return a command after which the disk ends at the present size (1), or is large again."""
    return lambda transaction: (
        transaction.session.connection().exec_driver_sql(f"PRAGMA max_page_count = {most}").close()
    )


def test_a_full_disk_is_a_sentence_and_writes_neither_change_nor_event(database: Database, user: UserId) -> None:
    before = all_rows(database)
    database.write(limit_pages(1))
    with pytest.raises(DatabaseUnusableError, match="database or disk is full") as refused:
        tasks.create(database, user, name="Taxes", notes="x" * 10**5)
    assert "\n" not in str(refused.value)
    assert all_rows(database) == before
    database.write(limit_pages(1_073_741_823))
    tasks.create(database, user, name="Taxes")


def test_no_personal_text_is_in_what_an_error_says(database: Database, user: UserId) -> None:
    database.write(limit_pages(1))
    private = "".join(map(chr, range(ord("a"), ord("z"))))
    with pytest.raises(DatabaseUnusableError) as refused:
        tasks.create(database, user, name=private, notes=private * 10**4)
    shown = "".join(traceback.format_exception(refused.value))
    assert "disk is full" in shown
    assert private not in shown


def test_instances_and_tasks_of_unknown_users_are_refused(database: Database, user: UserId) -> None:
    before = all_rows(database)
    with pytest.raises(DataError, match="there is no user 999"):
        tasks.create(database, UserId(999), name="Taxes")
    with pytest.raises(UnknownRecordError):
        instances.plan(database, UserId(999), TaskId("t"))
    assert all_rows(database) == before
