"""The log as a table: numbers that never restart, looking back, and pruning that leaves no hole."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from data import log as event_log
from data import tasks
from data.database import Database, Transaction
from data.models import EventRow
from events.catalog import DayStarted, EventUnreadable, TaskCreated, TaskEdited, UserCreated, UserId
from tests.data.ledger import seqs
from tests.house import Clock


def record_days(database: Database, user: UserId, moments: list[datetime]) -> None:
    """Record one event at each of *moments*, whatever the order of these."""

    def command(transaction: Transaction) -> None:
        for moment in moments:
            transaction.record(DayStarted(user=user, at=moment, day=moment.date()))

    database.write(command)


def pruning(before: datetime, keep: int) -> Callable[[Transaction], int]:
    """Return a command that prunes; not through our own door, since there is nothing to record about it."""

    def command(transaction: Transaction) -> int:
        transaction._recorded += 1
        return event_log.prune(transaction.session, before=before, keep=keep)

    return command


def horizon(database: Database) -> int:
    with database.read() as read:
        return event_log.horizon(read.connection)


def test_every_row_has_another_token_than_the_one_before(database: Database, user: UserId, clock: Clock) -> None:
    record_days(database, user, [clock.now] * 50)
    with database.read() as read:
        tokens = list(read.connection.exec_driver_sql("SELECT token FROM events").scalars())
    assert len(set(tokens)) == len(tokens) == 51
    assert all(0 <= token < 2**63 for token in tokens)


def test_seq_does_not_restart_when_all_rows_are_gone(database: Database, user: UserId, clock: Clock) -> None:
    record_days(database, user, [clock.now] * 3)

    def empty(transaction: Transaction) -> None:
        transaction.session.execute(delete(EventRow))
        transaction.record(UserCreated(user=user, at=transaction.now))

    database.write(empty)
    assert seqs(database) == [5]


def test_an_event_is_kept_to_the_microsecond_in_utc(database: Database, user: UserId, clock: Clock) -> None:
    clock.now = clock.now.replace(microsecond=123_457)
    task = tasks.create(database, user, name="Taxes")
    with database.read() as read:
        (logged,) = event_log.newest_of(read.connection, user, "task.created")
    assert logged.event == TaskCreated(user=user, at=clock.now, task=task)
    assert logged.event.at.utcoffset() == timedelta()


def test_looking_back_yields_one_users_events_of_one_name_newest_first(
    database: Database, user: UserId, stranger: UserId
) -> None:
    mine = tasks.create(database, user, name="Taxes")
    tasks.create(database, stranger, name="Dishes")
    tasks.edit(database, user, mine, notes="a")
    tasks.edit(database, user, mine, name="b")
    with database.read() as read:
        edits = list(event_log.newest_of(read.connection, user, "task.edited"))
        assert [logged.seq for logged in edits] == [6, 5]
        assert [logged.event.changed for logged in edits if isinstance(logged.event, TaskEdited)] == [
            ("name",),
            ("notes",),
        ]
        assert [logged.seq for logged in event_log.newest_of(read.connection, user, "task.created")] == [3]
        assert list(event_log.newest_of(read.connection, user, "day.started")) == []


def test_who_has_seen_enough_while_looking_back_leaves_the_reader_usable(
    database: Database, user: UserId, clock: Clock
) -> None:
    record_days(database, user, [clock.now] * 200)
    with database.read() as read:
        looking = event_log.newest_of(read.connection, user, "day.started")
        assert next(looking).seq == 201
        looking.close()  # type: ignore[attr-defined]
        assert event_log.names_of(read.connection, user) == ["day.started", "user.created"]


def test_the_names_of_a_users_events_are_found_each_once(database: Database, user: UserId, stranger: UserId) -> None:
    task = tasks.create(database, user, name="Taxes")
    tasks.create(database, user, name="Dishes")
    tasks.edit(database, user, task, notes="a")
    with database.read() as read:
        assert event_log.names_of(read.connection, user) == ["task.created", "task.edited", "user.created"]
        assert event_log.names_of(read.connection, stranger) == ["user.created"]
        assert event_log.names_of(read.connection, UserId(99)) == []


def test_an_unreadable_row_is_found_under_its_stored_name(database: Database, user: UserId) -> None:
    def command(transaction: Transaction) -> None:
        transaction.record(UserCreated(user=user, at=transaction.now))
        transaction.session.connection().exec_driver_sql("UPDATE events SET name = 'user.renamed' WHERE seq = 2")

    database.write(command)
    with database.read() as read:
        (logged,) = event_log.newest_of(read.connection, user, "user.renamed")
    assert isinstance(logged.event, EventUnreadable)
    assert logged.event.stored_name == "user.renamed"


# --- pruning


def test_pruning_removes_what_is_older_and_moves_the_horizon(database: Database, user: UserId, clock: Clock) -> None:
    start = clock.now
    record_days(database, user, [start + timedelta(days=days) for days in range(10)])  # seq 2 to 11
    assert horizon(database) == 0
    assert database.write(pruning(start + timedelta(days=4), keep=1)) == 5
    assert seqs(database) == [6, 7, 8, 9, 10, 11]
    assert horizon(database) == 5


def test_pruning_everything_keeps_the_newest_row(database: Database, user: UserId, clock: Clock) -> None:
    record_days(database, user, [clock.now] * 5)
    for keep in (1, 0, -5):
        database.write(pruning(clock.now + timedelta(days=1), keep=keep))
        assert seqs(database) == [6]
        assert horizon(database) == 5
    tasks.create(database, user, name="Taxes")
    assert seqs(database) == [6, 7]


def test_pruning_keeps_as_many_rows_as_it_is_told(database: Database, user: UserId, clock: Clock) -> None:
    record_days(database, user, [clock.now] * 9)
    assert database.write(pruning(clock.now + timedelta(days=1), keep=4)) == 6
    assert seqs(database) == [7, 8, 9, 10]
    assert database.write(pruning(clock.now + timedelta(days=1), keep=100)) == 0
    assert seqs(database) == [7, 8, 9, 10]


def test_pruning_an_empty_log_does_nothing(database: Database, clock: Clock) -> None:
    def command(transaction: Transaction) -> int:
        return event_log.prune(transaction.session, before=clock.now, keep=1)

    assert database.write(command) == 0
    assert horizon(database) == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    before=st.integers(0, 10),
    keep=st.integers(0, 6),
)
def test_pruning_leaves_no_hole_whatever_the_clock_did(
    database: Database, user: UserId, clock: Clock, days: list[int], before: int, keep: int
) -> None:
    """Rows between the horizon and the newest are what judges entries: none of them may be missing."""
    start = clock.now
    record_days(database, user, [start + timedelta(days=day) for day in days])
    there = seqs(database)
    gone = database.write(pruning(start + timedelta(days=before), keep=keep))
    left = seqs(database)
    assert left == there[gone:]
    assert len(left) >= min(max(keep, 1), len(there))
    assert horizon(database) == left[0] - 1


def test_a_row_dated_in_the_future_by_a_wrong_clock_keeps_the_rows_after_it(
    database: Database, user: UserId, clock: Clock
) -> None:
    start = clock.now
    record_days(database, user, [start, start + timedelta(days=3650), start, start, start])  # seq 2 to 6
    database.write(pruning(start + timedelta(days=1), keep=1))
    assert seqs(database) == [3, 4, 5, 6]


def test_a_users_day_reads_as_it_was_written(database: Database, user: UserId) -> None:
    def command(transaction: Transaction) -> None:
        transaction.record(DayStarted(user=user, at=transaction.now, day=date(2026, 2, 28)))

    database.write(command)
    with database.read() as read:
        (logged,) = event_log.newest_of(read.connection, user, "day.started")
    assert isinstance(logged.event, DayStarted)
    assert logged.event.day == date(2026, 2, 28)
