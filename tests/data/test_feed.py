"""The feed: every row of the log reaches the bus once, in order, whoever wrote it and whatever receivers do."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data import check, instances, preferences, tasks
from data import feed as feed_module
from data import log as event_log
from data.database import Database, Transaction
from data.feed import Feed
from data.sqlite import sqlite
from events.bus import Bus
from events.catalog import (
    DayStarted,
    EventUnreadable,
    InstancePlanned,
    InstanceStarted,
    Logged,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    TaskId,
    UserCreated,
    UserId,
)
from tests.data.ledger import elsewhere, finish, newest, seqs
from tests.house import Clock


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def heard(bus: Bus) -> list[Logged]:
    """Everything that the bus announced."""
    received: list[Logged] = []
    bus.on_event(received.append)
    return received


@pytest.fixture
def feed(database: Database, user: UserId, bus: Bus) -> Iterator[Feed]:
    started = Feed(database, bus)
    started.start()
    yield started
    started.stop()


@contextlib.contextmanager
def past_our_code(database: Database) -> Iterator[sqlite.Connection]:
    """Write as somebody would who does not know our code."""
    with contextlib.closing(sqlite.connect(database.url.removeprefix("sqlite:///"))) as connection:
        yield connection
        connection.commit()


def plant(connection: sqlite.Connection, user: UserId, name: str, body: str) -> None:
    """Write a log row by hand."""
    connection.execute(
        "INSERT INTO events (user_id, name, at, token, body) VALUES (?, ?, ?, ?, ?)", (user, name, 0, 1, body)
    )


# --- who wrote it


def test_own_events_arrive_once_in_order_and_typed_before_the_command_returns(
    database: Database, user: UserId, feed: Feed, heard: list[Logged], clock: Clock
) -> None:
    before = newest(database)
    task = tasks.create(database, user, name="Taxes")
    assert heard == [Logged(seq=before + 1, event=TaskCreated(user=user, at=clock.now, task=task))]
    instance = instances.plan(database, user, task)
    instances.start(database, user, instance)
    instances.complete(database, user, instance)
    assert [type(logged.event) for logged in heard] == [TaskCreated, InstancePlanned, InstanceStarted, TaskCompleted]
    assert [logged.seq for logged in heard] == list(range(before + 1, before + 5))
    assert feed.seq == newest(database)


def test_events_of_another_process_arrive_once_in_order_and_typed(
    database: Database, user: UserId, feed: Feed, heard: list[Logged]
) -> None:
    before = newest(database)
    process = elsewhere(
        database,
        "from data import instances, tasks\n"
        f"task = tasks.create(database, {user}, name='Taxes')\n"
        f"instance = instances.plan(database, {user}, task)\n"
        f"instances.start(database, {user}, instance)\n"
        "print(task, instance)",
    )
    task, instance = finish(process).split()
    assert heard == []
    assert feed.catch_up() == before + 3
    assert feed.catch_up() == before + 3
    assert [logged.seq for logged in heard] == [before + 1, before + 2, before + 3]
    assert [type(logged.event) for logged in heard] == [TaskCreated, InstancePlanned, InstanceStarted]
    started = heard[-1].event
    assert isinstance(started, InstanceStarted)
    assert (started.user, started.task, started.instance) == (user, task, instance)


def test_own_events_and_those_of_another_process_that_writes_meanwhile_make_one_sequence(
    database: Database, user: UserId, feed: Feed, heard: list[Logged]
) -> None:
    task = tasks.create(database, user, name="Taxes")
    process = elsewhere(
        database,
        "from data import tasks\n"
        "print('ready')\n"
        "for number in range(30):\n"
        f"    tasks.edit(database, {user}, {task!r}, notes=str(number))\n",
    )
    assert process.stdout
    process.stdout.readline()
    for number in range(30):
        tasks.edit(database, user, task, description=str(number))
    finish(process)
    feed.catch_up()
    assert [logged.seq for logged in heard] == seqs(database)[1:]


def test_what_was_there_before_the_start_is_not_sent(
    database: Database, user: UserId, bus: Bus, heard: list[Logged]
) -> None:
    feed = Feed(database, bus)
    feed.start()
    assert feed.catch_up() == newest(database) == 1
    feed.stop()
    assert heard == []


def test_many_rows_arrive_in_order_over_several_batches(
    database: Database, user: UserId, feed: Feed, heard: list[Logged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "BATCH", 7)
    with past_our_code(database) as connection:
        for _ in range(21):
            plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    assert feed.catch_up() == 22
    assert [logged.seq for logged in heard] == list(range(2, 23))


def test_rows_that_this_version_cannot_read_arrive_as_unreadable_and_the_next_as_themselves(
    database: Database, user: UserId, feed: Feed, heard: list[Logged]
) -> None:
    with past_our_code(database) as connection:
        plant(connection, user, "task.shared", '{"task": "t"}')
        plant(connection, user, "task.created", "{")
        plant(connection, user, "task.created", "[" * 100_000)
        plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    feed.catch_up()
    assert [type(logged.event) for logged in heard] == [EventUnreadable, EventUnreadable, EventUnreadable, DayStarted]
    assert [logged.event.stored_name for logged in heard if isinstance(logged.event, EventUnreadable)] == [
        "task.shared",
        "task.created",
        "task.created",
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "9223372036854775807"),
        ("at", "-9223372036854775808"),
        ("at", "'yesterday'"),
        ("at", "1e300"),
        ("body", "CAST(X'7B22FF' AS TEXT)"),
        ("body", "X'FFFE'"),
        ("body", "''"),
        ("name", "CAST(X'FF74' AS TEXT)"),
        ("name", "X'00FF'"),
        ("name", "''"),
    ],
)
def test_a_row_that_holds_what_no_program_wrote_arrives_as_unreadable_wherever_the_log_is_read(
    column: str, value: str, database: Database, user: UserId, feed: Feed, heard: list[Logged]
) -> None:
    with past_our_code(database) as connection:
        plant(connection, user, "task.archived", '{"task": "t", "archived": true}')
        connection.execute(f"UPDATE events SET {column} = {value} WHERE seq = (SELECT max(seq) FROM events)")
        plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    seq = feed.catch_up()
    assert [type(logged.event) for logged in heard] == [EventUnreadable, DayStarted]
    with database.read() as read:
        latest = event_log.latest(read.connection, user, 2)
        assert [type(logged.event) for logged in latest] == [DayStarted, EventUnreadable]
        names = event_log.names_of(read.connection, user)
        found = [logged for name in names for logged in event_log.newest_of(read.connection, user, name)]
        assert sorted(logged.seq for logged in found) == [1, seq - 1, seq]
        assert event_log.at(read.connection, seq - 1) is not None
    problems = check.check(database.file).problems
    assert any(f"row {seq - 1} of events" in problem for problem in problems), problems


# --- what receivers do


def test_a_raising_receiver_stops_neither_the_feed_nor_the_command(
    database: Database, user: UserId, feed: Feed, bus: Bus
) -> None:
    def broken(logged: Logged) -> None:
        raise ZeroDivisionError("on purpose")

    heard: list[Logged] = []
    bus.on_event(broken)
    bus.on_event(heard.append)
    tasks.create(database, user, name="Taxes")
    tasks.create(database, user, name="Dishes")
    assert [logged.seq for logged in heard] == [2, 3]


def test_a_receiver_that_is_interrupted_lets_its_event_be_sent_again(
    database: Database, user: UserId, feed: Feed, bus: Bus, heard: list[Logged]
) -> None:
    interrupts = iter([KeyboardInterrupt])

    def interrupted(logged: Logged) -> None:
        for interrupt in interrupts:
            raise interrupt

    bus.on_event(interrupted)
    with past_our_code(database) as connection:
        plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    with pytest.raises(KeyboardInterrupt):
        feed.catch_up()
    assert feed.catch_up() == 2
    assert [logged.seq for logged in heard] == [2, 2]


def test_a_receiver_that_catches_up_gets_the_seq_before_its_event_and_nothing_twice(
    database: Database, user: UserId, feed: Feed, bus: Bus, heard: list[Logged]
) -> None:
    answers: list[tuple[int, int]] = []
    bus.on_event(lambda logged: answers.append((logged.seq, feed.catch_up())))
    tasks.create(database, user, name="Taxes")
    tasks.create(database, user, name="Dishes")
    assert answers == [(2, 1), (3, 2)]
    assert [logged.seq for logged in heard] == [2, 3]


def test_a_command_inside_a_receiver_is_done_and_its_event_sent_next(
    database: Database, user: UserId, feed: Feed, bus: Bus, heard: list[Logged]
) -> None:
    def plans(logged: Logged) -> None:
        assert isinstance(logged.event, TaskCreated)
        instances.plan(database, user, logged.event.task)

    bus.on_event(plans, TaskCreated)
    tasks.create(database, user, name="Taxes")
    assert [type(logged.event) for logged in heard] == [TaskCreated, InstancePlanned]
    assert [logged.seq for logged in heard] == [2, 3]


def test_a_receiver_may_read_the_database(database: Database, user: UserId, feed: Feed, bus: Bus) -> None:
    states: list[int] = []
    bus.on_event(lambda logged: states.append(newest(database)))
    tasks.create(database, user, name="Taxes")
    assert states == [2]


def test_a_receiver_that_stops_the_feed_is_the_last_to_hear(
    database: Database, user: UserId, feed: Feed, bus: Bus, heard: list[Logged]
) -> None:
    bus.on_event(lambda logged: feed.stop())
    with past_our_code(database) as connection:
        for _ in range(3):
            plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    feed.catch_up()
    feed.catch_up()
    assert [logged.seq for logged in heard] == [2]


def test_a_receiver_that_closes_the_database_does_not_wait_for_ever(
    database: Database, user: UserId, feed: Feed, bus: Bus
) -> None:
    bus.on_event(lambda logged: database.close())
    tasks.create(database, user, name="Taxes")
    database.open()
    assert newest(database) == 2


# --- who asks


def test_of_eight_threads_that_ask_at_once_exactly_one_sends_each_event_and_all_get_its_seq(
    database: Database, user: UserId, feed: Feed, bus: Bus, heard: list[Logged]
) -> None:
    sending: list[str] = []
    overlaps: list[str] = []

    def alone(logged: Logged) -> None:
        sending.append(threading.current_thread().name)
        if len(sending) > 1:
            overlaps.append(f"seq {logged.seq}")
        sending.pop()

    bus.on_event(alone)
    barrier = threading.Barrier(9)

    def ask(_: int) -> list[int]:
        barrier.wait()
        return [feed.catch_up() for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(8))
        barrier.wait()
        for number in range(20):
            tasks.create(database, user, name=f"Task {number}")
        by_thread = list(answers)
    assert [logged.seq for logged in heard] == list(range(2, 22))
    assert overlaps == []
    assert all(seen == sorted(seen) for seen in by_thread)
    assert feed.catch_up() == 21


def test_when_a_command_returns_its_event_has_been_sent_even_if_another_thread_is_sending(
    database: Database, user: UserId, feed: Feed, heard: list[Logged]
) -> None:
    def run(_: int) -> None:
        for _ in range(20):
            task = tasks.create(database, user, name="Taxes")
            assert any(isinstance(it.event, TaskCreated) and it.event.task == task for it in tuple(heard))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert [logged.seq for logged in heard] == list(range(2, 162))


def test_who_asks_while_another_thread_sends_waits_until_it_has_sent(
    database: Database, user: UserId, feed: Feed, bus: Bus
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(logged: Logged) -> None:
        inside.set()
        assert go_on.wait(10)

    bus.on_event(slow)
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(tasks.create, database, user, name="Taxes")
        assert inside.wait(10)
        asking = pool.submit(feed.catch_up)
        with pytest.raises(TimeoutError):
            asking.result(0.05)
        go_on.set()
        assert asking.result(10) == 2
        writing.result(10)


# --- start and stop


def test_start_and_stop_may_be_called_again(database: Database, user: UserId, feed: Feed, heard: list[Logged]) -> None:
    feed.start()
    tasks.create(database, user, name="Taxes")
    feed.stop()
    feed.stop()
    tasks.create(database, user, name="Unheard")
    assert feed.catch_up() == 2
    feed.start()
    tasks.create(database, user, name="Dishes")
    assert [logged.seq for logged in heard] == [2, 4]
    assert len(database.after_commit) == 1


def test_nothing_is_sent_before_the_start(database: Database, user: UserId, bus: Bus, heard: list[Logged]) -> None:
    feed = Feed(database, bus)
    assert feed.catch_up() == 0
    assert feed.token_at(1) is None
    tasks.create(database, user, name="Taxes")
    assert heard == []


def test_the_token_of_a_row_is_found_while_it_is_there(database: Database, user: UserId, feed: Feed) -> None:
    with database.read() as read:
        assert feed.token_at(read.seq) == read.token
        assert feed.token_at(read.seq + 1) is None
        lineage = read.connection.exec_driver_sql("SELECT token FROM lineage").scalar()
    assert feed.token_at(0) == lineage


# --- backups


class Backup:
    """A copy of the database as it is now, made while it runs."""

    def __init__(self, database: Database, path: Path) -> None:
        self._path = path
        with contextlib.closing(sqlite.connect(database.url.removeprefix("sqlite:///"))) as source:
            source.execute(f"VACUUM INTO '{path}'")

    def restore_under(self, database: Database) -> None:
        """Write the copy back into the running database, as the command line tool's `.restore` does."""
        with (
            contextlib.closing(sqlite.connect(self._path)) as source,
            contextlib.closing(sqlite.connect(database.url.removeprefix("sqlite:///"))) as target,
        ):
            source.backup(target)

    def put_in_place_of(self, database: Database) -> None:
        """Copy the file back while the database is closed."""
        path = Path(database.url.removeprefix("sqlite:///"))
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(self._path, path)


@pytest.fixture
def rewinds(feed: Feed) -> list[int]:
    """Where the feed stood each time that it found rows gone."""
    found: list[int] = []
    feed.on_rewind.append(lambda: found.append(feed.seq))
    return found


@pytest.fixture
def backup(database: Database, user: UserId, feed: Feed, tmp_path: Path) -> Backup:
    """Of when there was one task: the log was at 2. It is at 5 now."""
    task = tasks.create(database, user, name="Taxes")
    made = Backup(database, tmp_path / "backup.db")
    for number in range(3):
        tasks.edit(database, user, task, notes=str(number))
    assert feed.seq == 5
    return made


def test_a_backup_restored_under_the_running_app_is_noticed(
    database: Database, feed: Feed, backup: Backup, rewinds: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    backup.restore_under(database)
    with caplog.at_level(logging.ERROR, "data.feed"):
        assert feed.catch_up() == 2
    assert rewinds == [2]
    assert "was a backup restored?" in caplog.text
    assert feed.catch_up() == 2
    assert rewinds == [2]


@pytest.mark.parametrize("more", [1, 2, 3, 4, 10])
def test_a_restored_backup_is_noticed_even_after_more_events_however_many(
    database: Database, user: UserId, feed: Feed, backup: Backup, rewinds: list[int], more: int
) -> None:
    """The log may have passed the old place before anybody looks: its newest seq says nothing."""
    backup.restore_under(database)
    with past_our_code(database) as connection:
        for _ in range(more):
            plant(connection, user, "day.started", '{"day": "2026-05-13"}')
    assert feed.catch_up() == 2 + more
    assert rewinds == [2 + more]


def test_after_a_restored_backup_the_feed_goes_on(
    database: Database, user: UserId, feed: Feed, backup: Backup, heard: list[Logged]
) -> None:
    backup.restore_under(database)
    feed.catch_up()
    heard.clear()
    tasks.create(database, user, name="Dishes")
    assert [(logged.seq, type(logged.event)) for logged in heard] == [(3, TaskCreated)]


def test_a_restored_backup_of_an_empty_log_is_noticed(
    database: Database, tmp_path: Path, bus: Bus, heard: list[Logged]
) -> None:
    feed = Feed(database, bus)
    feed.start()
    rewinds: list[int] = []
    feed.on_rewind.append(lambda: rewinds.append(feed.seq))
    backup = Backup(database, tmp_path / "backup.db")
    preferences.create_user(database, "local")
    assert [type(logged.event) for logged in heard] == [UserCreated]
    backup.restore_under(database)
    assert feed.catch_up() == 0
    assert rewinds == [0]
    feed.stop()


def test_a_backup_put_back_while_closed_shows_in_the_tokens(
    database: Database, user: UserId, feed: Feed, backup: Backup, rewinds: list[int]
) -> None:
    tokens = {seq: feed.token_at(seq) for seq in range(6)}
    feed.stop()
    database.close()
    backup.put_in_place_of(database)
    database.open()
    feed.start()
    assert feed.seq == 2
    tasks.create(database, user, name="Dishes")
    assert [seq for seq in range(6) if feed.token_at(seq) == tokens[seq]] == [0, 1, 2]
    assert feed.token_at(3) is not None
    assert feed.token_at(4) is None
    assert rewinds == []


def test_rows_that_another_process_prunes_before_they_were_sent_count_as_gone(
    database: Database, user: UserId, feed: Feed, rewinds: list[int]
) -> None:
    with past_our_code(database) as connection:
        for _ in range(5):
            plant(connection, user, "day.started", '{"day": "2026-05-13"}')
        connection.execute("DELETE FROM events WHERE seq < 5")
    assert feed.catch_up() == 6
    assert rewinds == [6]


def test_pruning_rows_that_were_sent_is_no_rewind(
    database: Database, user: UserId, feed: Feed, rewinds: list[int], heard: list[Logged], clock: Clock
) -> None:
    task = tasks.create(database, user, name="Taxes")
    clock.advance(days=2)

    def prune(transaction: Transaction) -> None:
        event_log.prune(transaction.session, before=transaction.now, keep=1)
        transaction.record(TaskEdited(user=user, at=transaction.now, task=TaskId(task), changed=()))

    database.write(prune)
    assert seqs(database) == [2, 3]
    assert [logged.seq for logged in heard] == [2, 3]
    assert rewinds == []
