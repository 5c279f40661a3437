"""CSV files: what goes out comes in again exactly; what cannot be taken is refused as a whole, with every reason."""

import codecs
import contextlib
import csv
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from data import demo, fields, instances, preferences, tasks, transfer
from data.calculations.composite import COMPONENTS
from data.calculations.recommendations import SUB_SCORES
from data.calculations.registry import BY_NAME as METRICS
from data.database import Database
from data.errors import ImportRefusedError, InvalidInputError, UnknownRecordError
from data.fields import Feelings
from data.models import FEELINGS, WEEKDAYS, CancelReason, Instance, Kind, Preferences, Routine, State, Task
from data.sqlite import sqlite
from data.transfer import findings
from data.transfer.cells import FORMULA_STARTS, from_text_cell, to_text_cell
from data.transfer.columns import FILES
from data.transfer.files import Format, name_of
from events.catalog import DataImported, InstanceId, TaskId, UserId
from events.stored import decode
from tests.house import Clock

NAMES = ("tasks.csv", "instances.csv", "user_preferences.csv")
TEN = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(TEN)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Database]:
    """One database for all tests here; each has users of its own."""
    found = Database(f"sqlite:///{tmp_path_factory.mktemp('state')}/reprieve.db", clock=clock)
    found.open()
    yield found
    found.close()


@pytest.fixture(scope="module")
def exported(database: Database, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of two tasks and of one instance in each state."""
    clock.now = TEN
    user = preferences.create_user(database, "example", time_zone="Europe/Berlin")
    call = tasks.create(database, user, name="Call the dentist", kind="self_care", categories=["calls"])
    clock.advance(seconds=1)
    tasks.create(
        database, user, name="Wash up", kind="other", estimate_minutes=12.5, routine="daily", routine_at="20:00"
    )
    clock.now = TEN
    made: list[InstanceId] = []
    for _ in range(5):
        clock.advance(minutes=1)
        made.append(instances.plan(database, user, call, predicted=Feelings(relief=70)))
    for started in made[1:]:
        instances.start(database, user, started)
    clock.advance(minutes=7)
    instances.pause(database, user, made[2])
    instances.complete(database, user, made[3], actual=Feelings(relief=80, aversion=3), note="Fine.")
    instances.cancel(database, user, made[4], reason="no_time")
    out = tmp_path_factory.mktemp("exported")
    transfer.export_to(database, user, out)
    return out


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of the export, to be spoilt."""
    return Path(shutil.copytree(exported, tmp_path / "out"))


@pytest.fixture
def nobody(database: Database) -> UserId:
    """A user without rows."""
    return new_user(database)


@pytest.fixture
def user(database: Database, exported: Path) -> UserId:
    """A user with the rows of the export."""
    made = new_user(database)
    transfer.import_from(database, made, exported)
    return made


_numbers = iter(range(1_000_000))


def new_user(database: Database) -> UserId:
    return preferences.create_user(database, f"user {next(_numbers)}")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextlib.contextmanager
def nothing_written(database: Database) -> Iterator[None]:
    """Fail if anything at all, the log included, is committed meanwhile."""
    with contextlib.closing(database.watch()) as watch:
        watch.has_news()
        yield
        assert not watch.has_news()


def log_of(database: Database, user: UserId) -> list[Any]:
    with database.read() as read:
        rows = read.connection.execute(
            text("SELECT name, body FROM events WHERE user_id = :user ORDER BY seq"), {"user": user}
        )
        return [decode(name, user, TEN, body) for name, body in rows]


def rewrite(path: Path, change: Callable[[list[list[str]]], None]) -> None:
    """Change the cells of a file in place."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


def set_cell(path: Path, line: int, column: str, cell: str) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[line - 1][rows[0].index(column)] = cell

    rewrite(path, change)


def cell(path: Path, line: int, column: str) -> str:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    return rows[line - 1][rows[0].index(column)]


def line_of(path: Path, column: str, value: str) -> int:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    return 1 + next(number for number, row in enumerate(rows) if row[rows[0].index(column)] == value)


def problems(database: Database, user: UserId, folder: Path) -> tuple[str, ...]:
    """What the refusal lists; nothing may have been written."""
    with nothing_written(database), pytest.raises(ImportRefusedError) as refusal:
        transfer.import_from(database, user, folder)
    return refusal.value.problems


# --- out and in again

NASTY = (
    "", " ", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'", "''", "'=1", "''=1", "'tis",
    "\uff1d1", "\uff201",     '"', '""', ",", ";", "a,b", 'say "no"', "a\rb", "a\nb", "a\r\nb",
    "\r\n", "\ufeff", "\u2028\u2029\x85\x0b\x0c\x1c",
    "\u202eevil\u202c", "👩‍💻 🧑🏽‍🦰", "e\u0301é", "null", "None", "\\N", "NaN", "true", "\\", "\x01\x7f", "x" * 5000,
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.text(st.sampled_from("=+-@'\",;\r\n\t aé"), max_size=8),
)


def _is_name(given_text: str) -> bool:
    try:
        return fields.name(given_text) == given_text
    except InvalidInputError:
        return False


names = texts.map(lambda letters: "".join(letters.split("\n")).strip()[:200].strip()).filter(_is_name)
feelings = st.none() | st.integers(0, 100)
minutes = st.floats(0, fields.MAX_MINUTES)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # asks for naive
ids = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_.\-]{0,40}", fullmatch=True)
clock_times = st.times().map(lambda moment: moment.strftime("%H:%M"))


def weights_of(named: Iterable[str]) -> st.SearchStrategy[dict[str, float]]:
    return st.dictionaries(st.sampled_from(sorted(named)), st.floats(0, 1e300), max_size=3)


@st.composite
def task_rows(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "id": draw(ids),
        "name": draw(names),
        "description": draw(texts),
        "kind": draw(st.sampled_from([*Kind])).value,
        "categories": tuple(draw(st.lists(names, max_size=3, unique=True))),
        "estimate_minutes": draw(st.none() | minutes),
        "default_aversion": draw(feelings),
        "routine": draw(st.sampled_from([*Routine])).value,
        "routine_weekdays": tuple(day for day in WEEKDAYS if draw(st.booleans())),
        "routine_at": draw(st.none() | clock_times),
        "due_at": draw(st.none() | instants),
        "notes": draw(texts),
        "archived": draw(st.booleans()),
        "demo": draw(st.booleans()),
        "version": draw(st.integers(1, 10**9)),
        **dict(zip(("created_at", "updated_at"), sorted((draw(instants), draw(instants))), strict=True)),
    }


@st.composite
def instance_rows(draw: st.DrawFn) -> dict[str, Any]:
    """Any instance of any state that commands can lead to; its task is to be filled in."""
    state = draw(st.sampled_from([*State]))
    created, *later = sorted(draw(st.lists(instants, min_size=3, max_size=3)))
    row: dict[str, Any] = dict.fromkeys(
        column.name for column in Instance.__table__.columns if column.name != "user_id"
    )
    row |= {f"predicted_{feeling}": draw(feelings) for feeling in (*FEELINGS, "motivation")}
    row |= {
        "id": draw(ids),
        "state": state.value,
        "estimate_minutes": draw(st.none() | minutes),
        "note": draw(texts),
        "created_at": created,
        "started_at": draw(st.none() | st.just(later[0])),
        "paused_at": draw(st.just(later[0]) if state == State.PAUSED else st.none() | st.just(later[0])),
        "timed_minutes": draw(st.floats(0, 1e9)),
        "due_at": draw(st.none() | instants),
        "demo": draw(st.booleans()),
    }
    if state == State.ACTIVE:
        row["resumed_at"] = draw(instants)
    if state in (State.COMPLETED, State.CANCELLED):
        row["undo_state"] = draw(st.sampled_from([None, "planned", "active", "paused"]))
    if state == State.CANCELLED:
        row |= {"cancelled_at": later[1], "cancel_reason": draw(st.sampled_from([*CancelReason])).value}
    if state == State.COMPLETED:
        row |= {f"actual_{feeling}": draw(feelings) for feeling in FEELINGS}
        row["completed_at"] = later[1]
        row["actual_minutes"] = draw(st.none() | minutes | st.just(row["timed_minutes"]))
        row["completion_percent"] = draw(st.none() | st.floats(0, 200))
    return row


preference_rows = st.fixed_dictionaries(
    {
        "cache_mode": st.sampled_from([None, "full", "selective", "disabled"]),
        "cache_backend": st.sampled_from([None, "memory", "file", "hybrid"]),
        "analytics_refresh": st.sampled_from(["auto", "manual"]),
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]),
        "day_start": clock_times,
        "first_weekday": st.sampled_from(WEEKDAYS),
        "clock_hours": st.sampled_from([12, 24]),
        "theme": st.sampled_from(["auto", "light", "dark"]),
        "target_minutes_per_day": st.floats(0, 1440),
        "goal_hours_per_week": st.floats(0, 168),
        "composite_weights": weights_of(component.name for component in COMPONENTS),
        "recommendation_weights": weights_of(SUB_SCORES),
        "monitored_metrics": st.lists(st.sampled_from(sorted(METRICS)), max_size=4, unique=True).map(tuple),
        "baseline": st.sampled_from(["week", "month", "quarter", "all"]),
    }
)


def rows_of(database: Database, user: UserId) -> list[list[tuple[Any, ...]]]:
    found = []
    with database.read() as read:
        for file in FILES:
            columns = [file.table.columns[column.name] for column in file.columns]
            rows = read.connection.execute(select(*columns).where(file.table.columns.user_id == user))
            found.append(sorted(map(tuple, rows), key=repr))
    return found


def test_every_column_of_the_models_is_in_the_files() -> None:
    for file, model in zip(FILES, (Task, Instance, Preferences), strict=True):
        in_table = [column.name for column in model.__table__.columns]
        assert ["user_id", *(column.name for column in file.columns)] == in_table
    assert tuple(name_of(file, Format.CSV) for file in FILES) == NAMES


def test_no_column_can_hold_both_none_and_empty_text() -> None:
    """Otherwise an empty cell would have to mean two things."""
    for file in FILES:
        for column in file.columns:
            if column.is_optional and file.table.columns[column.name].type.python_type is str:
                with pytest.raises(InvalidInputError):
                    column.check("")


@pytest.mark.parametrize("format_", Format)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(task_rows(), max_size=6, unique_by=lambda row: row["id"]),
    attempts=st.lists(instance_rows(), max_size=8, unique_by=lambda row: row["id"]),
    wishes=preference_rows,
)
def test_a_round_trip_is_exact(
    database: Database,
    format_: Format,
    rows: list[dict[str, Any]],
    attempts: list[dict[str, Any]],
    wishes: dict[str, Any],
) -> None:
    first, second = new_user(database), new_user(database)
    if not rows:
        attempts = []
    for position, row in enumerate(attempts):
        row["task_id"] = rows[position % len(rows)]["id"]

    def fill(transaction: Any) -> None:
        for model, made in ((Task, rows), (Instance, attempts)):
            if made:
                transaction.session.execute(insert(model.__table__), [{**row, "user_id": first} for row in made])
        transaction.session.execute(Preferences.__table__.update().where(Preferences.user_id == first).values(**wishes))
        transaction.record(DataImported(user=first, at=TEN, source="test", tasks=0, instances=0))

    database.write(fill)
    with tempfile.TemporaryDirectory() as temporary:
        one, two = Path(temporary, "one"), Path(temporary, "two")
        counts = transfer.export_to(database, first, one, format_)
        assert counts == transfer.Counts(tasks=len(rows), instances=len(attempts), preferences=1)
        assert transfer.import_from(database, second, one) == counts
        assert rows_of(database, second) == rows_of(database, first)
        transfer.export_to(database, second, two, format_)
        assert content(two) == content(one)


@given(texts)
@example("'")
@example("''=1")
def test_text_never_reads_as_a_formula_and_comes_back(given_text: str) -> None:
    written = to_text_cell(given_text)
    assert written[:1] not in tuple(FORMULA_STARTS)
    assert from_text_cell(written) == given_text


@given(st.text(st.sampled_from(";\t\n\r'\"=-a"), max_size=8))
def test_no_part_of_a_text_reads_as_a_formula_and_it_comes_back(given_text: str) -> None:
    written = to_text_cell(given_text)
    assert written[:1] not in tuple(FORMULA_STARTS)
    assert not re.search('[;\t\r\n]"*[=-]', written)
    assert from_text_cell(written) == given_text


@pytest.mark.parametrize("dangerous", [*"=+-@\t\r"])
def test_exported_files_hold_no_cell_that_a_spreadsheet_would_run(
    database: Database, nobody: UserId, tmp_path: Path, dangerous: str
) -> None:
    evil = f"{dangerous}cmd|' /C calc'!A0"
    task = tasks.create(database, nobody, name=evil.strip(), description=evil, notes=evil, categories=[evil.strip()])
    instances.plan(database, nobody, task, note=evil)
    transfer.export_to(database, nobody, tmp_path / "out")
    for name in NAMES:
        with (tmp_path / "out" / name).open(newline="", encoding="utf-8") as stream:
            for row in csv.reader(stream):
                assert not [found for found in row if found.startswith(tuple("=+-@\t\r"))]
    assert cell(tmp_path / "out" / "tasks.csv", 2, "notes") == "'" + evil


SPLIT = [
    f"a{separator}{inner}{separator}b" for separator in ";\t\n" for inner in ("=1+1", "-1", '"=1"', "'=1", "\uff1d1")
]


def cells_of(text: str, separators: str) -> Iterator[str]:
    """Yield what a spreadsheet that splits at *separators* sees: quotes count at the beginning of a cell only."""
    place = 0
    while place < len(text):
        if text[place] == '"':
            begin, place = place + 1, place + 1
            while place < len(text) and (text[place] != '"' or text[place : place + 2] == '""'):
                place += 2 if text[place] == '"' else 1
            yield text[begin:place].replace('""', '"')
            place += 1
        begin = place
        while place < len(text) and text[place] not in separators + "\r\n":
            place += 1
        yield text[begin:place]
        place += 1


@pytest.mark.parametrize("evil", SPLIT)
def test_no_part_of_a_cell_is_run_by_a_spreadsheet_that_splits_elsewhere(
    database: Database, nobody: UserId, tmp_path: Path, evil: str
) -> None:
    name = evil if evil.isprintable() else "x"
    task = tasks.create(database, nobody, name=name, description=evil, notes=evil, categories=[name, "b"])
    instances.plan(database, nobody, task, note=evil)
    transfer.export_to(database, nobody, tmp_path)
    for file in NAMES:
        text = (tmp_path / file).read_bytes().decode()
        for separators in (",", ";", "\t", ",;", ",\t", ",;\t", ";\t"):
            assert not [found for found in cells_of(text, separators) if found.startswith(tuple("=+-@\uff1d"))]
    before = rows_of(database, nobody)
    transfer.import_from(database, nobody, tmp_path)
    assert rows_of(database, nobody) == before


def test_whoever_splits_at_semicolons_as_well_sees_the_columns_where_they_are(
    database: Database, nobody: UserId, tmp_path: Path
) -> None:
    tasks.create(database, nobody, name="a;=1+1;b", notes="one\ttwo")
    transfer.export_to(database, nobody, tmp_path)
    row = (tmp_path / "tasks.csv").read_text("utf-8").splitlines()[1]
    found = [one for one in cells_of(row, ",;\t") if one]
    assert "a;'=1+1;b" in found
    assert "one\ttwo" in found


def test_an_apostrophe_typed_by_hand_stays(database: Database, user: UserId, folder: Path) -> None:
    set_cell(folder / "tasks.csv", 2, "notes", "'tis nothing")
    transfer.import_from(database, user, folder)
    with database.read() as read:
        assert "'tis nothing" in read.connection.scalars(select(Task.notes)).all()


def test_files_are_utf_8_with_crlf_and_private(folder: Path) -> None:
    for name in NAMES:
        path = folder / name
        assert path.read_bytes().decode("utf-8").endswith("\r\n")
        assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert path.stat().st_mode & 0o077 == 0
    assert cell(folder / "instances.csv", 2, "created_at") == "2026-05-13T10:01:00Z"


def test_a_failed_export_leaves_the_old_files_and_no_others(
    database: Database, user: UserId, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(folder)
    tasks.create(database, user, name="New")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.transfer.export.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        transfer.export_to(database, user, folder)
    assert content(folder) == before


def test_an_unknown_user_has_nothing_to_export_or_import(database: Database, folder: Path, tmp_path: Path) -> None:
    stranger = UserId(10_000_000)
    with pytest.raises(UnknownRecordError):
        transfer.export_to(database, stranger, tmp_path / "none")
    with pytest.raises(UnknownRecordError):
        transfer.import_from(database, stranger, folder)


# --- taking files


def test_an_import_is_one_event(database: Database, nobody: UserId, folder: Path) -> None:
    transfer.import_from(database, nobody, folder)
    happened = log_of(database, nobody)[1:]
    assert [(event.name, event.source, event.tasks, event.instances) for event in happened] == [
        ("data.imported", "files", 2, 5)
    ]


def test_rows_that_are_there_take_the_files_content_and_others_stay(
    database: Database, user: UserId, folder: Path
) -> None:
    first = TaskId(cell(folder / "tasks.csv", 2, "id"))
    tasks.edit(database, user, first, name="Renamed", notes="later")
    added = tasks.create(database, user, name="Not in the files")
    preferences.change(database, user, theme="dark")
    transfer.import_from(database, user, folder)
    once = rows_of(database, user)
    with database.read() as read:
        found = dict(map(tuple, read.connection.execute(select(Task.id, Task.name).where(Task.user_id == user))))
        assert preferences.load(read, user).theme == "auto"
    assert found[first] == "Call the dentist"
    assert found[added] == "Not in the files"
    transfer.import_from(database, user, folder)
    assert rows_of(database, user) == once


def test_another_users_rows_of_the_same_ids_stay(
    database: Database, user: UserId, nobody: UserId, folder: Path
) -> None:
    before = rows_of(database, user)
    set_cell(folder / "tasks.csv", 2, "name", "Mine")
    transfer.import_from(database, nobody, folder)
    assert rows_of(database, user) == before
    assert "Mine" in str(rows_of(database, nobody))


@pytest.mark.parametrize("kept", NAMES)
def test_one_of_the_files_is_enough(database: Database, user: UserId, folder: Path, kept: str) -> None:
    for name in NAMES:
        if name != kept:
            (folder / name).unlink()
    counts = transfer.import_from(database, user, folder)
    assert (counts.tasks, counts.instances, counts.preferences) == tuple(
        number * (name == kept) for name, number in zip(NAMES, (2, 5, 1), strict=True)
    )


def test_columns_in_another_order_blank_lines_and_a_byte_order_mark_are_fine(
    database: Database, user: UserId, folder: Path
) -> None:
    before = rows_of(database, user)

    def change(rows: list[list[str]]) -> None:
        for row in rows:
            row.reverse()
        rows.insert(1, [])
        rows.append([""] * len(rows[0]))

    for name in NAMES:
        rewrite(folder / name, change)
        path = folder / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n"))
    transfer.import_from(database, user, folder)
    assert rows_of(database, user) == before


def test_what_a_spreadsheet_makes_of_values_is_understood(database: Database, user: UserId, folder: Path) -> None:
    before = rows_of(database, user)
    line = line_of(folder / "instances.csv", "state", "completed")
    for column, changed in (
        ("predicted_relief", "70.0"),
        ("actual_relief", "8.0e1"),
        ("demo", "FALSE"),
        ("created_at", "2026-05-13 12:04:00+02:00"),
        ("completion_percent", "100"),
    ):
        set_cell(folder / "instances.csv", line, column, changed)
    set_cell(folder / "tasks.csv", 3, "categories", "")
    transfer.import_from(database, user, folder)
    assert rows_of(database, user) == before


def test_a_timer_that_ran_for_months_comes_back(database: Database, user: UserId, clock: Clock, tmp_path: Path) -> None:
    instance = instances.plan(database, user, tasks.create(database, user, name="Forgotten"))
    instances.start(database, user, instance)
    clock.advance(days=100)
    instances.complete(database, user, instance)
    transfer.export_to(database, user, tmp_path / "out")
    other = new_user(database)
    transfer.import_from(database, other, tmp_path / "out")
    assert rows_of(database, other)[1] == rows_of(database, user)[1]


def test_progress_rises_to_the_end_and_can_stop_the_import(
    database: Database, user: UserId, clock: Clock, tmp_path: Path
) -> None:
    demo.add(database, user, days=60, per_day=50)
    transfer.export_to(database, user, tmp_path / "out")
    told: list[tuple[int, int]] = []
    transfer.import_from(database, user, tmp_path / "out", lambda done, total: told.append((done, total)))
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert shares[-1] == 1.0
    assert 20 < len(told) < 500

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 0.8 * total:
            raise Enough

    other = new_user(database)
    with nothing_written(database), pytest.raises(Enough):
        transfer.import_from(database, other, tmp_path / "out", stop)


@pytest.mark.parametrize("format_", Format)
def test_while_an_import_checks_its_rows_others_can_write(
    database: Database, user: UserId, tmp_path: Path, format_: Format
) -> None:
    demo.add(database, user, days=60, per_day=50)
    transfer.export_to(database, user, tmp_path / "out", format_)
    locked: list[bool] = []

    def told(done: int, total: int) -> None:
        with contextlib.closing(sqlite.connect(str(database.file), timeout=0, isolation_level=None)) as somebody:
            try:
                somebody.execute("BEGIN IMMEDIATE")
                locked.append(False)
            except sqlite.OperationalError:
                locked.append(True)

    transfer.import_from(database, user, tmp_path / "out", told)
    assert locked.index(True) >= 0.45 * len(locked), "the lock was taken before all rows were checked"
    assert not locked[-1]


def test_a_task_that_is_removed_meanwhile_is_noticed(database: Database, nobody: UserId, tmp_path: Path) -> None:
    demo.add(database, nobody, days=5)
    transfer.export_to(database, nobody, tmp_path / "out")
    (tmp_path / "out" / "tasks.csv").unlink()
    removed: list[Any] = []

    def remove_once(done: int, total: int) -> None:
        if not removed:
            removed.append(demo.remove(database, nobody))

    with pytest.raises(ImportRefusedError, match="was removed meanwhile"):
        transfer.import_from(database, nobody, tmp_path / "out", remove_once)
    assert rows_of(database, nobody)[:2] == [[], []]


# --- refusing files


@pytest.mark.parametrize(
    ("file", "column", "found", "expected"),
    [
        ("instances", "predicted_relief", "abc", "'abc': expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", "101", "101: expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", "50.5", "50.5: expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", "\u0665", "'\u0665': expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", "1_0", "'1_0': expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", "9" * 5000, "'" + "9" * 56 + "...: expected a whole number from 0 to 100"),
        ("instances", "predicted_relief", " 5", "' 5': expected the number without space around it"),
        ("instances", "estimate_minutes", "1,5", "'1,5': expected a decimal point, and no comma, such as 1.5"),
        ("instances", "estimate_minutes", "1.5 ", "'1.5 ': expected the number without space around it"),
        ("instances", "estimate_minutes", " ", "' ': expected 0 to 100,000 minutes"),
        ("instances", "estimate_minutes", "nan", "'nan': expected 0 to 100,000 minutes"),
        ("instances", "estimate_minutes", "1e999", "inf: expected 0 to 100,000 minutes"),
        ("instances", "timed_minutes", "-1", "-1: expected minutes, 0 or more"),
        ("instances", "timed_minutes", "", "'': expected minutes, 0 or more"),
        ("instances", "created_at", "", "'': expected a time with its offset from UTC, such as 2026-11-22T14:03:05Z"),
        ("instances", "created_at", "2026-05-13T10:01:00", "'2026-05-13T10:01:00': expected a time with its offset"),
        ("instances", "created_at", "2026-02-30T10:01:00Z", "'2026-02-30T10:01:00Z': expected a day that there is"),
        ("instances", "created_at", "2026-02-28T24:01:00Z", "'2026-02-28T24:01:00Z': expected a time of day that"),
        (
            "instances",
            "created_at",
            "2026-02-28T10:01:61Z",
            "expected seconds below 60, and an offset from UTC of less",
        ),
        ("instances", "created_at", "2026-02-28T10:01:00+24:00", "expected seconds below 60, and an offset from UTC"),
        ("instances", "created_at", "13.05.2026 10:01", "'13.05.2026 10:01': expected a time with its offset"),
        (
            "instances",
            "created_at",
            "1969-12-31T23:59:59Z",
            ": 1969-12-31T23:59:59+00:00: expected a time of the years 1970 to 2999",
        ),
        (
            "instances",
            "due_at",
            "9999-12-31T23:59:59-12:00",
            ": 9999-12-31T23:59:59-12:00: expected a time of the years 1970 to 2999",
        ),
        ("instances", "due_at", "3000-01-01T00:00:00Z", "expected a time of the years 1970 to 2999"),
        ("instances", "state", "done", "'done': expected one of planned, active, paused, completed, cancelled"),
        ("instances", "demo", "yes", "'yes': expected true or false"),
        ("instances", "undo_state", "completed", "'completed': expected one of planned, active, paused"),
        ("instances", "cancel_reason", "lazy", "'lazy': expected one of no_time,"),
        ("instances", "task_id", "nobody", "'nobody': expected the id of a task in tasks.csv or of one that is there"),
        ("instances", "id", "", "'': expected 1 to 64 letters, digits"),
        ("instances", "id", "a b", "'a b': expected 1 to 64 letters, digits"),
        ("tasks", "name", "", "'': expected 1 to 200 printable characters on one line"),
        (
            "tasks",
            "name",
            "a\nb",
            "U+000A is an invisible control character, expected printable characters on one line",
        ),
        ("tasks", "kind", "chore", "'chore': expected one of work, play, self_care, sleep, other"),
        ("tasks", "categories", "home", "'home': expected a JSON array of texts"),
        ("tasks", "categories", "[1]", "'[1]': expected a JSON array of texts"),
        ("tasks", "categories", '[""]', "'': expected 1 to 200 printable characters"),
        ("tasks", "routine_weekdays", '["fri", "someday"]', "expected some of mon, tue"),
        ("tasks", "routine_at", "25:00", "'25:00': expected HH:MM between 00:00 and 23:59"),
        ("tasks", "version", "0", "0: expected a whole number from 1 to 1,000,000,000"),
        ("tasks", "notes", "x" * 1_000_001, "of 1,000,001 characters: expected at most 1,000,000"),
        ("user_preferences", "time_zone", "Mars/Base", "'Mars/Base': expected an IANA name such as 'Europe/Berlin'"),
        ("user_preferences", "theme", "pink", "'pink': expected one of auto, light, dark"),
        ("user_preferences", "clock_hours", "13", "13: expected 12 or 24"),
        (
            "user_preferences",
            "composite_weights",
            '{"avg_releif": 1}',
            "'avg_releif' is no component of the composite score; did you mean 'avg_relief'?",
        ),
        (
            "user_preferences",
            "recommendation_weights",
            '{"x": 1}',
            "'x' is no sub-score of recommendations: expected some of gain, pace, ease, urgency",
        ),
        (
            "user_preferences",
            "monitored_metrics",
            '["nope"]',
            "'nope' is no metric: expected names of the glossary",
        ),
        ("user_preferences", "monitored_metrics", '["complete"]', "is no metric; did you mean 'completed'?"),
        ("user_preferences", "composite_weights", '{"a": -1}', "expected a finite number that is not negative"),
        ("user_preferences", "composite_weights", "[]", "'[]': expected a JSON object of numbers"),
        ("user_preferences", "monitored_metrics", '["a","b","c","d","e"]', "expected at most 4"),
    ],
)
def test_a_bad_cell_is_named(
    database: Database, nobody: UserId, folder: Path, file: str, column: str, found: str, expected: str
) -> None:
    set_cell(folder / f"{file}.csv", 2, column, found)
    listed = problems(database, nobody, folder)
    [problem] = [one for one in listed if one.startswith(f"{file}.csv line 2, column {column}: ")]
    assert expected in problem
    assert len(problem) < 500


def _in_state(state: str, column: str, found: str, expected: str) -> tuple[str, str, str, str]:
    return state, column, found, expected


@pytest.mark.parametrize(
    ("state", "column", "found", "expected"),
    [
        ("completed", "completed_at", "", "empty: expected a value, because the state is completed"),
        ("planned", "completed_at", "2026-05-14T00:00:00Z", "expected nothing, because the state is planned"),
        ("cancelled", "cancelled_at", "", "empty: expected a value, because the state is cancelled"),
        ("active", "cancelled_at", "2026-05-14T00:00:00Z", "expected nothing, because the state is active"),
        ("cancelled", "cancel_reason", "", "empty: expected a value, because the state is cancelled"),
        ("completed", "cancel_reason", "other", "'other': expected nothing, because the state is completed"),
        ("active", "resumed_at", "", "empty: expected a value, because the state is active"),
        ("paused", "resumed_at", "2026-05-14T00:00:00Z", "expected nothing, because the state is paused"),
        ("paused", "paused_at", "", "empty: expected a value, because the state is paused"),
        ("planned", "undo_state", "active", "'active': expected nothing, because the state is planned"),
        ("planned", "actual_relief", "50", "50: expected nothing, because the state is planned"),
        ("cancelled", "actual_minutes", "5", "5.0: expected nothing, because the state is cancelled"),
        ("completed", "actual_minutes", "100001", "100001.0: expected at most 100,000 minutes"),
        ("completed", "started_at", "2026-05-13T10:03:59Z", "not before created_at (2026-05-13T10:04:00+00:00)"),
        ("paused", "paused_at", "2026-05-13T10:00:00Z", "not before created_at ("),
        ("completed", "paused_at", "2026-05-13T10:00:00Z", "not before created_at ("),
        ("completed", "paused_at", "2026-05-14T10:04:30Z", "not after completed_at ("),
        ("completed", "completed_at", "2026-05-13T10:04:30Z", "not before started_at (2026-05-13T10:05:00+00:00)"),
        ("cancelled", "cancelled_at", "2026-05-13T10:04:30Z", "not before started_at (2026-05-13T10:05:00+00:00)"),
    ],
)
def test_what_cannot_be_true_together_is_refused(
    database: Database, nobody: UserId, folder: Path, state: str, column: str, found: str, expected: str
) -> None:
    line = line_of(folder / "instances.csv", "state", state)
    set_cell(folder / "instances.csv", line, column, found)
    [problem] = problems(database, nobody, folder)
    assert problem.startswith(f"instances.csv line {line}, column {column}: ")
    assert expected in problem


def test_a_task_is_not_changed_before_it_is_made(database: Database, nobody: UserId, folder: Path) -> None:
    set_cell(folder / "tasks.csv", 2, "updated_at", "2026-05-01T00:00:00Z")
    [problem] = problems(database, nobody, folder)
    assert problem.startswith("tasks.csv line 2, column updated_at: 2026-05-01T00:00:00")
    assert "expected a time that is not before created_at (" in problem


def test_every_problem_is_listed_with_its_line(database: Database, nobody: UserId, folder: Path) -> None:
    set_cell(folder / "tasks.csv", 2, "notes", "first\nsecond\r\nthird")
    set_cell(folder / "tasks.csv", 3, "kind", "chore")
    set_cell(folder / "instances.csv", 3, "predicted_relief", "abc")
    set_cell(folder / "instances.csv", 3, "state", "done")
    set_cell(folder / "user_preferences.csv", 2, "theme", "pink")
    listed = problems(database, nobody, folder)
    states = "planned, active, paused, completed, cancelled"
    assert listed == (
        "tasks.csv line 5, column kind: 'chore': expected one of work, play, self_care, sleep, other",
        f"instances.csv line 3, column state: 'done': expected one of {states}",
        "instances.csv line 3, column predicted_relief: 'abc': expected a whole number from 0 to 100",
        "user_preferences.csv line 2, column theme: 'pink': expected one of auto, light, dark",
    )
    with pytest.raises(ImportRefusedError) as refusal:
        transfer.import_from(database, nobody, folder)
    assert str(refusal.value) == "nothing was imported:\n" + "\n".join(f"  {problem}" for problem in listed)


def test_problems_beyond_the_limit_are_counted(
    database: Database, nobody: UserId, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MAX_PROBLEMS", 2)
    for line in range(2, 7):
        set_cell(folder / "instances.csv", line, "demo", "maybe")
    listed = problems(database, nobody, folder)
    assert len(listed) == 3
    assert listed[-1] == "and 3 more"


def test_an_id_twice_in_a_file_is_refused(database: Database, nobody: UserId, folder: Path) -> None:
    twice = cell(folder / "instances.csv", 2, "id")
    set_cell(folder / "instances.csv", 4, "id", twice)
    assert problems(database, nobody, folder) == (
        f"instances.csv line 4, column id: {twice!r}: expected each id once, line 2 has it too",
    )


def _drop_column(path: Path) -> None:
    rewrite(path, lambda rows: [row.pop(1) for row in rows] and None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: [row.pop(1) for row in rows], ["tasks.csv line 1: column 'name' is missing"]),
        (
            lambda rows: rows[0].__setitem__(1, "nmae"),
            [
                "tasks.csv line 1: column 'nmae' is unknown; did you mean 'name'?",
                "tasks.csv line 1: column 'name' is missing",
            ],
        ),
        (
            lambda rows: [row.append("x") for row in rows],
            ["tasks.csv line 1: column 'x' is unknown"],
        ),
        (
            lambda rows: [row.append(row[0]) for row in rows],
            ["tasks.csv line 1: column 'id' twice: expected each column once"],
        ),
        (lambda rows: rows[0].extend("x" * 2_000_000), ["tasks.csv line 1: 2,000,017 columns: expected id,name,"]),
        (lambda rows: rows.__delitem__(0), ["tasks.csv line 1: no column names: expected id,name,description,"]),
        (lambda rows: rows.clear(), ["tasks.csv line 1: no column names: expected id,name,description,"]),
        (lambda rows: rows[1].pop(), ["tasks.csv line 2: 16 cells: expected 17, as many as in the first line"]),
        (lambda rows: rows[2].append(""), ["tasks.csv line 3: 18 cells: expected 17, as many as in the first line"]),
    ],
)
def test_wrong_headers_and_ragged_rows_are_refused(
    database: Database,
    nobody: UserId,
    folder: Path,
    change: Callable[[list[list[str]]], None],
    expected: list[str],
) -> None:
    rewrite(folder / "tasks.csv", change)
    listed = problems(database, nobody, folder)
    assert len(listed) == len(expected)
    for problem, begin in zip(listed, expected, strict=True):
        assert problem.startswith(begin)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda raw: raw.replace(b",", b";"), "tasks.csv line 1: columns separated by semicolons: expected commas"),
        (
            lambda raw: raw.replace(b"Wash up", "Spülen".encode("latin-1")),
            "tasks.csv line 3: byte {offset} of the file is 0xFC: expected UTF-8",
        ),
        (lambda raw: raw.decode().encode("utf-32"), "tasks.csv line 1: the file is UTF-32: expected UTF-8"),
        (
            lambda raw: codecs.BOM_UTF32_BE + raw.decode().encode("utf-32-be"),
            "tasks.csv line 1: the file is UTF-32: expect",
        ),
        (lambda raw: raw.decode().encode("utf-16"), "tasks.csv line 1: the file is UTF-16: expected UTF-8"),
        (lambda raw: raw.replace(b"Wash up", b"Wash\0up"), "tasks.csv line 3: byte {offset} of the file is NUL"),
        (lambda raw: raw.replace(b"Wash up", b'"Wash up'), "tasks.csv line 3: a quote that is opened in this row is"),
        (lambda raw: raw.replace(b"Wash up", b'"Wash" up'), "tasks.csv line 3: text after a closing quote: expected"),
        (lambda raw: raw.replace(b"\r\n", b"\r"), "tasks.csv line 1: a carriage return without a line feed: expected"),
        (
            lambda raw: raw.replace(b"Wash up", b'"' + b"x" * 10_000_001 + b'"'),
            "tasks.csv line 3: a cell of more than 10,000,000 characters, or a quote that is never closed",
        ),
        (lambda raw: raw + b"x" * 64_000_001, "tasks.csv line 4: a line longer than 64 MB"),
        (lambda raw: b"", "tasks.csv line 1: no column names: expected id,name,"),
    ],
)
def test_what_is_no_csv_in_utf_8_is_refused(
    database: Database, nobody: UserId, folder: Path, change: Callable[[bytes], bytes], expected: str
) -> None:
    path = folder / "tasks.csv"
    raw = path.read_bytes()
    offset = raw.index(b"Wash up") + (5 if "NUL" in expected else 3)
    path.write_bytes(change(raw))
    listed = problems(database, nobody, folder)
    assert listed[0].startswith(expected.replace("{offset}", str(offset)))
    assert all(len(problem) < 500 for problem in listed)


@pytest.mark.parametrize("others", [True, False])
def test_a_name_in_other_letters_is_not_passed_over(
    database: Database, nobody: UserId, folder: Path, others: bool
) -> None:
    (folder / "tasks.csv").rename(folder / "Tasks.csv")
    if (folder / "tasks.csv").exists():
        pytest.skip("here, small and capital letters name the same file")
    if not others:
        (folder / "instances.csv").unlink()
        (folder / "user_preferences.csv").unlink()
    assert problems(database, nobody, folder) == ("Tasks.csv: expected the name tasks.csv, in these letters",)


def test_preferences_are_one_row(database: Database, nobody: UserId, folder: Path) -> None:
    path = folder / "user_preferences.csv"
    rewrite(path, lambda rows: rows.append(rows[1]))
    assert problems(database, nobody, folder) == (
        "user_preferences.csv line 3: a second row: expected one row of preferences",
    )
    rewrite(path, lambda rows: rows.__delitem__(slice(1, None)))
    assert problems(database, nobody, folder) == ("user_preferences.csv: no row: expected one row of preferences",)


def test_a_folder_without_files_is_refused(database: Database, nobody: UserId, folder: Path, tmp_path: Path) -> None:
    for nothing in (tmp_path / "missing", folder / "tasks.csv", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        for problem in problems(database, nobody, nothing):
            assert "at least one of tasks.csv" in problem or "cannot be read: Not a directory" in problem
    (folder / "tasks.csv").unlink()
    (folder / "tasks.csv").mkdir()
    assert problems(database, nobody, folder) == ("tasks.csv: this is no regular file",)


def test_unreadable_tasks_do_not_make_every_instance_a_problem(
    database: Database, nobody: UserId, folder: Path
) -> None:
    set_cell(folder / "instances.csv", 2, "task_id", "nothing")
    set_cell(folder / "tasks.csv", 2, "kind", "chore")
    assert [problem.split(":")[0] for problem in problems(database, nobody, folder)] == [
        "tasks.csv line 2, column kind",
        "instances.csv line 2, column task_id",
    ]
    set_cell(folder / "tasks.csv", 1, "name", "nmae")
    assert len(problems(database, nobody, folder)) == 2


def test_weights_are_numbers_in_the_file(database: Database, nobody: UserId, folder: Path) -> None:
    set_cell(folder / "user_preferences.csv", 2, "composite_weights", json.dumps({"avg_relief": 2}))
    transfer.import_from(database, nobody, folder)
    with database.read() as read:
        assert preferences.load(read, nobody).composite_weights == (("avg_relief", 2.0),)
