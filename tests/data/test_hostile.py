"""Whatever is typed, imported or given to a command line is refused in a sentence, or kept exactly as it is."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cache import __main__ as cache_cli
from data import instances, preferences, tasks, transfer
from data.__main__ import main
from data.database import Database
from data.errors import DataError, ImportRefusedError, InvalidInputError, UnknownRecordError
from data.models import Kind
from data.transfer.archive import import_files
from data.transfer.columns import FILES
from events import __main__ as events_cli
from events.catalog import UserId
from scheduler import __main__ as scheduler_cli
from tests.data.ledger import all_rows
from tests.hostile import EVERYTHING, HUGE, IMPOSSIBLE, PRINTABLE, TOO_LONG, UNSEEN

HOUSE = Path(__file__).parents[2]
ANY_TEXT = st.text() | st.sampled_from(EVERYTHING) | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zl", "Lo"]))
QUICKLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""The database is shared by the examples, as it would be by a day's work."""


def column(database: Database, sql: str, *arguments: object) -> Any:
    with database.read() as read:
        return read.connection.exec_driver_sql(sql, arguments).scalar_one()


def refusal_of(command: Callable[[], object]) -> DataError | None:
    """Carry *command* out; return how it was refused, if it was."""
    try:
        command()
    except DataError as refusal:
        return refusal
    return None


def is_sentence(refusal: DataError) -> bool:
    words = str(refusal)
    return 0 < len(words) < 400 and "expected" in words and words.isprintable()


@QUICKLY
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_text_of_a_task_is_kept_exactly_or_refused(
    database: Database, user: UserId, name: str, description: str, category: str
) -> None:
    made: list[str] = []
    given_values = {"name": name, "description": description, "notes": name, "categories": (category,)}
    if refusal := refusal_of(lambda: made.append(tasks.create(database, user, **given_values))):
        assert is_sentence(refusal), refusal
        return
    [task] = made
    assert column(database, "SELECT name FROM tasks WHERE id = ?", task) == name.strip()
    assert column(database, "SELECT description FROM tasks WHERE id = ?", task) == description
    assert column(database, "SELECT notes FROM tasks WHERE id = ?", task) == name
    assert json.loads(column(database, "SELECT categories FROM tasks WHERE id = ?", task)) == [category.strip()]


@QUICKLY
@given(ANY_TEXT)
def test_notes_of_an_attempt_are_kept_exactly_or_refused(database: Database, user: UserId, note: str) -> None:
    one = instances.plan(database, user, tasks.create(database, user, name="Tax return"))
    for command in (instances.complete, instances.edit):
        if refusal := refusal_of(lambda command=command: command(database, user, one, note=note)):
            assert is_sentence(refusal), refusal
            return
    assert column(database, "SELECT note FROM instances WHERE id = ?", one) == note


@pytest.mark.parametrize("text", PRINTABLE)
def test_what_can_be_seen_may_be_a_name(database: Database, user: UserId, text: str) -> None:
    task = tasks.create(database, user, name=text[:200])
    assert column(database, "SELECT name FROM tasks WHERE id = ?", task) == text[:200].strip()


@pytest.mark.parametrize("text", [*UNSEEN, *IMPOSSIBLE, "", " ", "\u200d"], ids=ascii)
def test_what_cannot_be_seen_may_not(database: Database, user: UserId, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        tasks.create(database, user, name=text)
    assert is_sentence(refused.value)


@pytest.mark.parametrize("text", [*UNSEEN, *HUGE], ids=lambda text: ascii(text)[:20])
def test_notes_hold_anything_up_to_a_million_characters(database: Database, user: UserId, text: str) -> None:
    task = tasks.create(database, user, name="Tax return", notes=text)
    assert column(database, "SELECT notes FROM tasks WHERE id = ?", task) == text


@pytest.mark.parametrize("text", [*IMPOSSIBLE, *TOO_LONG], ids=lambda text: ascii(text)[:20])
def test_what_is_longer_or_no_text_is_refused(database: Database, user: UserId, text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        tasks.create(database, user, name="Tax return", notes=text)
    assert is_sentence(refused.value)


def commands(database: Database, user: UserId) -> dict[str, Callable[[Any], object]]:
    """Every other place where a person's value goes in."""
    task = tasks.create(database, user, name="Tax return")
    one = instances.plan(database, user, task)
    found: dict[str, Callable[[Any], object]] = {
        f"task {name}": lambda value, name=name: tasks.edit(database, user, task, **{name: value})
        for name in tasks.CHECKS
    }
    found |= {
        f"preference {name}": lambda value, name=name: preferences.change(database, user, **{name: value})
        for name in ("time_zone", "day_start", "theme", "goal_hours_per_week", "composite_weights", "cache_mode")
    }
    found |= {
        "task id": lambda value: tasks.archive(database, user, value),
        "instance id": lambda value: instances.start(database, user, value),
        "reason": lambda value: instances.cancel(database, user, one, reason=value),
        "user name": lambda value: preferences.create_user(database, value),
    }
    return found


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "", "\U0001f600" * 1000], ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("name", ["task id", "instance id"])
def test_what_can_be_no_id_is_an_id_that_nobody_has(database: Database, user: UserId, name: str, text: str) -> None:
    with pytest.raises(UnknownRecordError, match="may have been removed meanwhile"):
        commands(database, user)[name](text)


ANYTHING = (
    ANY_TEXT
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.lists(ANY_TEXT, max_size=3)
    | st.dictionaries(ANY_TEXT, st.integers() | ANY_TEXT, max_size=2)
    | st.binary(max_size=10)
)


@QUICKLY
@given(st.data())
def test_every_command_takes_a_value_or_refuses_it_in_a_sentence(
    database: Database, user: UserId, data: st.DataObject
) -> None:
    name, command = data.draw(st.sampled_from(sorted(commands(database, user).items())), "command")
    value = data.draw(ANY_TEXT if name.endswith(" id") else ANYTHING, name)  # ids are text wherever they come from
    if refusal := refusal_of(lambda: command(value)):
        assert 0 < len(str(refusal)) < 400
        assert str(refusal).isprintable()


@QUICKLY
@given(st.lists(ANY_TEXT, min_size=1, max_size=4), st.sampled_from(transfer.Format))
def test_a_file_with_any_text_is_taken_exactly_or_refused(
    database: Database, user: UserId, texts: list[str], format_: transfer.Format
) -> None:
    before = all_rows(database)
    name = f"tasks.{format_}"
    content = _file_of_tasks(texts, format_)
    refusal = refusal_of(lambda: import_files(database, user, {name: content}))
    if refusal is not None:
        assert isinstance(refusal, ImportRefusedError)
        assert all(len(problem) < 400 and problem.isprintable() for problem in refusal.problems)
        assert all_rows(database) == before
        return
    for number, text in enumerate(texts):
        assert column(database, "SELECT notes FROM tasks WHERE id = ?", _id(number)) == text


def _id(number: int) -> str:
    return f"{number:032x}"


def _file_of_tasks(texts: list[str], format_: transfer.Format) -> bytes:
    """Return a file as somebody else's program would write it, with *texts* as notes."""
    names = [col.name for col in next(file for file in FILES if file.stem == "tasks").columns]
    plain = {
        "name": "Tax return",
        "kind": Kind.WORK.value,
        "routine": "none",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "version": 1,
        "archived": False,
        "categories": [],
        "routine_weekdays": [],
        "description": "",
    }
    rows = [{**dict.fromkeys(names), **plain, "id": _id(number), "notes": text} for number, text in enumerate(texts)]
    if format_ == "json":
        return json.dumps([{name: row[name] for name in names} for row in rows]).encode()
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, names, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        note = row["notes"]
        escaped = "'" + note if note[:1] and note[0] in "=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20" else note
        writer.writerow(row | {"archived": "false", "categories": "[]", "routine_weekdays": "[]", "notes": escaped})
    return stream.getvalue().encode("utf-8", "surrogatepass")


@QUICKLY
@given(st.binary(max_size=300), st.sampled_from(["a.zip", "tasks.csv", "tasks.json", "instances.csv", "evil.exe"]))
@example(b"PK\x05\x06" + b"\0" * 18, "a.zip")
def test_files_of_any_bytes_are_refused_in_sentences(
    database: Database, user: UserId, content: bytes, name: str
) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        import_files(database, user, {name: content})
    assert all(len(problem) < 1000 and problem.isprintable() for problem in refused.value.problems)


@QUICKLY
@given(
    st.integers(0, 10_000),
    st.integers(0, 255),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]),
)
def test_a_damaged_archive_is_taken_or_refused(
    database: Database, user: UserId, place: int, byte: int, method: int
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        made.writestr("tasks.csv", _file_of_tasks(["x" * 500], transfer.Format.CSV))
    content = bytearray(stream.getvalue())
    content[place % len(content)] = byte
    refusal = refusal_of(lambda: import_files(database, user, {"a.zip": bytes(content)}))
    if refusal is not None:
        assert isinstance(refusal, ImportRefusedError)
        assert all(problem.isprintable() for problem in refusal.problems)


COMMAND_LINES: list[tuple[Callable[[list[str]], int], list[str]]] = [
    (main, ["export", "{}"]),
    (main, ["export", "out", "--format", "{}"]),
    (main, ["export", "out", "--user", "{}"]),
    (main, ["import", "{}"]),
    (main, ["demo", "--days", "{}"]),
    (main, ["demo", "--days", "1", "--per-day", "{}"]),
    (main, ["demo", "--days", "1", "--per-day", "1", "--seed", "{}"]),
    (main, ["demo", "--days", "1", "--user", "{}"]),
    (main, ["tier", "{}"]),
    (main, ["backup", "{}"]),
    (main, ["restore", "{}"]),
    (main, ["check", "{}"]),
    (main, ["{}"]),
    (cache_cli.main, ["why", "{}"]),
    (cache_cli.main, ["clear", "--user", "{}"]),
    (cache_cli.main, ["audit", "--user", "{}"]),
    (events_cli.main, ["explain", "{}"]),
    (events_cli.main, ["{}"]),
    (scheduler_cli.main, ["{}"]),
]
ARGUMENTS = [
    *(text for text in EVERYTHING[:: len(EVERYTHING) // 10] if text.isprintable()),
    "escape\x1b[31m",
    "line\nbreak",
    "",
    "x" * 5000,
    "/" * 5000,
    "-1",
    "1e400",
    "nan",
    "inf",
    "9" * 5000,
    "1000000000000",
]


@pytest.mark.parametrize(
    ("command", "line"), COMMAND_LINES, ids=lambda part: " ".join(part) if isinstance(part, list) else ""
)
def test_a_command_line_with_anything_in_it_ends_in_order(
    command: Callable[[list[str]], int],
    line: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/state/reprieve.db")
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    Database(f"sqlite:///{tmp_path}/state/reprieve.db").upgrade()
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    for text in ARGUMENTS:
        try:
            code = command([part.format(text) if part == "{}" else part for part in line])
        except SystemExit as ended:
            code = int(str(ended.code))
        assert code in (0, 1, 2), text
        said = capsys.readouterr()
        assert bool(said.err) == bool(code), text
        if code == 1:
            assert said.err.count("\n") <= 2 or "nothing was imported" in said.err, said.err


@pytest.mark.parametrize("module", ["data", "cache", "events", "scheduler"])
@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_a_program_says_names_that_are_no_text_without_a_traceback(module: str, encoding: str, tmp_path: Path) -> None:
    line = {"data": [b"export", b"\xff\xfe"], "cache": [b"why", b"\xff"], "events": [b"explain", b"\xff"]}.get(
        module, [b"\xff"]
    )
    done = subprocess.run(
        [sys.executable, "-m", module, *line],
        env={
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PYTHONIOENCODING": encoding,
            "PYTHONPATH": str(HOUSE),
            "DATABASE_URL": f"sqlite:///{tmp_path}/reprieve.db",
            "CACHE_DIR": str(tmp_path / "cache"),
        },
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr, done.stderr
