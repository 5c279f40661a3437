"""What is read and written is recorded by column, whatever was compiled before and whatever rows there are."""

from sqlalchemy import func, select

from data import access, preferences, tasks
from data.models import Instance, Task
from data.viewpoint import Viewpoint
from tests.house import House


def view_of(house: House) -> Viewpoint:
    with house.database.read() as read:
        return Viewpoint.at(house.user, preferences.load(read, house.user), house.clock())


def test_each_column_that_a_statement_names_is_read_also_in_conditions_and_for_no_row(house: House) -> None:
    with house.database.read() as read, access.reads_of(read, view_of(house)) as (_, seen):
        read.connection.execute(select(Task.name).where(Task.user_id == house.user, ~Task.archived)).all()
    assert seen.reads == {"tasks.name", "tasks.user_id", "tasks.archived"}
    assert not seen.writes


def test_a_statement_that_is_known_already_is_recorded_again(house: House) -> None:
    statement = select(Task.notes)
    with house.database.read() as read:
        for _ in range(3):
            with access.reads_of(read, view_of(house)) as (_, seen):
                read.connection.execute(statement).all()
            assert seen.reads == {"tasks.notes"}
        read.connection.execute(select(Task.kind)).all()
    assert seen.reads == {"tasks.notes"}, "nothing is recorded afterwards"


def test_counting_rows_reads_which_there_are_and_inserting_writes_that(house: House) -> None:
    with house.database.read() as read, access.reads_of(read, view_of(house)) as (_, seen):
        read.connection.scalar(select(func.count()).select_from(Instance))
    assert seen.reads <= {"instances.*", "instances.user_id", "instances.id"}
    assert seen.reads
    written = access.writes_of(house.database)
    tasks.create(house.database, house.user, name="A")
    assert {"tasks.*", "tasks.name", "tasks.notes"} <= written.writes
    assert not any(column.startswith("events.") for column in written.writes), "the log is written by every command"


def test_an_update_writes_the_columns_that_it_sets(house: House) -> None:
    task = tasks.create(house.database, house.user, name="A")
    written = access.writes_of(house.database)
    tasks.edit(house.database, house.user, task, notes="B")
    assert "tasks.notes" in written.writes
    assert "tasks.name" not in written.writes
    assert "tasks.*" not in written.writes


def test_preferences_that_a_loader_is_handed_are_read_when_it_looks_at_them(house: House) -> None:
    with house.database.read() as read, access.reads_of(read, view_of(house)) as (view, seen):
        assert not seen.reads
        assert view.profile.baseline == "month"
        assert seen.reads == {"preferences.baseline"}
        assert view.profile.calendar.zone.key == "UTC"
        assert view.profile.account_tier == "standard"
    assert seen.reads == {
        "preferences.baseline",
        "preferences.time_zone",
        "preferences.day_start",
        "users.account_tier",
    }
