"""JSON files: any layout is read, and what cannot be taken is refused with the line it stands in.

That a round trip is exact is in `test_csv_files`, for both formats.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import demo, instances, preferences, tasks, transfer
from data.database import Database
from data.errors import ImportRefusedError
from data.fields import Feelings
from data.transfer import json_rows
from data.transfer.columns import PREFERENCES
from data.transfer.findings import Findings
from data.transfer.json_rows import JsonRows
from events.catalog import UserId
from tests.data.ledger import all_rows
from tests.house import Clock

Object = dict[str, Any]


@pytest.fixture
def exported(database: Database, user: UserId, clock: Clock, tmp_path: Path) -> Path:
    """Two tasks, an instance that is planned and one that is completed."""
    task = tasks.create(database, user, name="Wash up", categories=["home"])
    clock.advance(seconds=1)
    tasks.create(database, user, name="Überweisung", notes="=1+1")
    instances.plan(database, user, task, predicted=Feelings(relief=70), estimate_minutes=12.5)
    done = instances.plan(database, user, task)
    instances.complete(database, user, done, actual=Feelings(relief=80))
    preferences.change(database, user, composite_weights={"avg_relief": 2.0})
    transfer.export_to(database, user, tmp_path / "out", transfer.Format.JSON)
    return tmp_path / "out"


def problems(database: Database, user: UserId, folder: Path) -> tuple[str, ...]:
    before = all_rows(database)
    with pytest.raises(ImportRefusedError) as refusal:
        transfer.import_from(database, user, folder)
    assert all_rows(database) == before
    assert all(len(problem) < 500 for problem in refusal.value.problems)
    return refusal.value.problems


def change(path: Path, act: Callable[[list[Object]], object]) -> None:
    rows = json.loads(path.read_text())
    act(rows)
    path.write_text(json.dumps(rows, indent=1))


def test_one_object_a_line_with_values_as_json_has_them(exported: Path) -> None:
    lines = (exported / "tasks.json").read_text(encoding="utf-8").split("\n")
    assert (lines[0], lines[3:], len(lines)) == ("[", ["]", ""], 5)
    found = {row["name"]: row for row in json.loads("\n".join(lines))}
    assert found["Wash up"]["categories"] == ["home"]
    assert found["Wash up"]["archived"] is False
    assert found["Wash up"]["estimate_minutes"] is None
    assert found["Überweisung"]["notes"] == "=1+1", "no spreadsheet reads JSON"
    assert "Ü" in "\n".join(lines)
    [wishes] = json.loads((exported / "user_preferences.json").read_text())
    assert wishes["composite_weights"] == {"avg_relief": 2.0}
    assert all(path.stat().st_mode & 0o077 == 0 for path in exported.iterdir())


@pytest.mark.parametrize("layout", [{"indent": 4}, {"separators": (",", ":")}, {"indent": "\t", "sort_keys": True}])
def test_any_layout_and_a_byte_order_mark_are_fine(
    database: Database, stranger: UserId, exported: Path, layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rows, "_CHUNK_BYTES", 7)  # every object is cut, letters of two bytes as well
    for path in exported.iterdir():
        rows = json.loads(path.read_text())
        path.write_bytes(b"\xef\xbb\xbf" + json.dumps(rows, ensure_ascii=False, **layout).encode())
    counts = transfer.import_from(database, stranger, exported)
    assert (counts.tasks, counts.instances, counts.preferences) == (2, 2, 1)


def test_no_rows_are_an_empty_array(database: Database, stranger: UserId, tmp_path: Path) -> None:
    transfer.export_to(database, stranger, tmp_path / "out", transfer.Format.JSON)
    assert (tmp_path / "out" / "tasks.json").read_text() == "[\n]\n"
    assert transfer.import_from(database, stranger, tmp_path / "out").tasks == 0


def test_files_of_both_formats_are_refused(database: Database, user: UserId, exported: Path) -> None:
    transfer.export_to(database, user, exported)
    assert problems(database, user, exported) == (
        f"{exported}: holds tasks.csv and tasks.json: expected files of one format, move the others",
    )


@pytest.mark.parametrize(
    ("column", "found", "expected"),
    [
        ("predicted_relief", "70", "'70': expected a number"),
        ("predicted_relief", True, "True: expected a number"),
        ("predicted_relief", 101, "101: expected a whole number from 0 to 100"),
        ("predicted_relief", 10**400, "expected a number"),
        ("predicted_relief", [70], "[70]: expected a number"),
        ("estimate_minutes", -0.5, "-0.5: expected 0 to 100,000 minutes"),
        ("timed_minutes", None, "null: expected a value"),
        ("timed_minutes", -1, "-1: expected minutes, 0 or more"),
        ("demo", "true", "'true': expected true or false"),
        ("demo", 1, "1: expected true or false"),
        ("note", 5, "5: expected text, in quotes"),
        ("note", "a\0b", "expected text without NUL"),
        ("note", "\ud800", "expected text without NUL and lone surrogate"),
        ("id", 7, "7: expected text, in quotes"),
        ("id", None, "null: expected a value"),
        ("task_id", {}, "{}: expected text, in quotes"),
        ("state", [], "[]: expected text, in quotes"),
        ("created_at", 1778666400, "1778666400: expected a time with its offset from UTC"),
        ("created_at", "2026-05-13T10:00:00", "expected a time with its offset from UTC"),
        ("due_at", "tomorrow", "'tomorrow': expected a time with its offset"),
    ],
)
def test_a_bad_value_is_named(
    database: Database, user: UserId, exported: Path, column: str, found: Any, expected: str
) -> None:
    change(exported / "instances.json", lambda rows: rows[1].__setitem__(column, found))
    text = (exported / "instances.json").read_text()
    line = 1 + text[: text.index("{", text.index("}"))].count("\n")
    listed = problems(database, user, exported)
    [problem] = [one for one in listed if one.startswith(f"instances.json line {line}, column {column}: ")]
    assert expected in problem


@pytest.mark.parametrize(
    ("column", "found", "expected"),
    [
        ("categories", "home", "'home': expected an array of texts"),
        ("categories", [1], "[1]: expected an array of texts"),
        ("categories", {"home": 1}, "expected an array of texts"),
        ("routine_weekdays", ["someday"], "expected some of mon, tue"),
        ("version", 0, "0: expected a whole number from 1 to 1,000,000,000"),
        ("version", 1.5, "1.5: expected a whole number"),
        ("routine_at", "25:00", "'25:00': expected HH:MM between 00:00 and 23:59"),
    ],
)
def test_a_bad_value_of_a_task_is_named(
    database: Database, user: UserId, exported: Path, column: str, found: Any, expected: str
) -> None:
    change(exported / "tasks.json", lambda rows: rows[0].__setitem__(column, found))
    [problem] = problems(database, user, exported)
    assert problem.startswith(f"tasks.json line 2, column {column}: ")
    assert expected in problem


@pytest.mark.parametrize("weights", [{"avg_relief": "2"}, {"avg_relief": -1}, {"avg_relief": None}, [], "{}"])
def test_bad_weights_are_named(database: Database, user: UserId, exported: Path, weights: Any) -> None:
    change(exported / "user_preferences.json", lambda rows: rows[0].__setitem__("composite_weights", weights))
    [problem] = problems(database, user, exported)
    assert problem.startswith("user_preferences.json line 2, column composite_weights: ")
    assert "expected a" in problem


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda rows: rows[1].pop("kind"), ["tasks.json line {second}: column 'kind' is missing"]),
        (
            lambda rows: rows[1].__setitem__("kimd", rows[1].pop("kind")),
            [
                "tasks.json line {second}: column 'kimd' is unknown; did you mean 'kind'?",
                "tasks.json line {second}: column 'kind' is missing",
            ],
        ),
        (lambda rows: rows.append(5), ["tasks.json line {third}: 5: expected an object with the columns of a row"]),
        (lambda rows: rows.append([]), ["tasks.json line {third}: []: expected an object with the columns of a row"]),
        (
            lambda rows: rows.append({**rows[0], "name": "Again"}),
            ["tasks.json line {third}, column id: '{id}': expected each id once, line 2 has it too"],
        ),
    ],
)
def test_wrong_objects_are_refused(
    database: Database, user: UserId, exported: Path, act: Callable[[list[Object]], object], expected: list[str]
) -> None:
    path = exported / "tasks.json"
    first = json.loads(path.read_text())[0]["id"]
    change(path, act)
    places = {"second": 23, "third": 42, "id": first}
    assert problems(database, user, exported) == tuple(line.format(**places) for line in expected)


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda raw: b"", "tasks.json line 1: expected [ at the beginning of an array of objects"),
        (lambda raw: b"{}", "tasks.json line 1: expected [ at the beginning of an array of objects"),
        (lambda raw: raw[:-2], "tasks.json line 4: expected a comma or ] after an object"),
        (lambda raw: raw[:-5], "tasks.json line 3: "),
        (lambda raw: raw + b"more", "tasks.json line 5: text after the end of the array: expected nothing"),
        (lambda raw: raw.replace(b"\n]", b",\n]"), "tasks.json line 4: a comma before ]: expected another object"),
        (lambda raw: raw.replace(b"},\n{", b"}\n{"), "tasks.json line 3: expected a comma or ] after an object"),
        (lambda raw: raw.replace(b"Wash up", b"Wash\nup"), "tasks.json line 2: Invalid control character"),
        (lambda raw: raw.replace(b"Wash up", b"Wash\0up"), "tasks.json line 2: Invalid control character"),
        (lambda raw: raw.replace(b'"Wash up"', b'"Wash up'), "tasks.json line 2: "),
        (lambda raw: raw.replace(b'"Wash up"', b"NaN"), "tasks.json line 2: NaN is no JSON: expected a number"),
        (lambda raw: raw.replace(b'"Wash up"', b"9" * 5000), "tasks.json line 2: "),
        (lambda raw: raw.replace(b'"Wash up"', b"[" * 99_999), "tasks.json line 2: brackets inside of brackets"),
        (
            lambda raw: raw.replace(b'"kind":', b'"name": "Twice", "kind":', 1),
            "tasks.json line 2: 'name' twice in one object: expected each name once",
        ),
        (lambda raw: raw.decode().encode("utf-32"), "tasks.json line 1: the file is UTF-32: expected UTF-8"),
        (lambda raw: raw.decode().encode("utf-16"), "tasks.json line 1: the file is UTF-16: expected UTF-8"),
        (
            lambda raw: raw.replace("Ü".encode(), b"\xdc"),
            "tasks.json line 3: byte {offset} of the file is 0xDC: expected UTF-8",
        ),
        (
            lambda raw: b"\xef\xbb\xbf" + raw.replace("Ü".encode(), b"\xdc"),
            "tasks.json line 3: byte {offset_after_mark} of the file is 0xDC: expected UTF-8",
        ),
    ],
)
def test_what_is_no_json_in_utf_8_is_refused(
    database: Database, user: UserId, exported: Path, act: Callable[[bytes], bytes], expected: str
) -> None:
    path = exported / "tasks.json"
    raw = path.read_bytes()
    path.write_bytes(act(raw))
    offset = raw.index("Ü".encode()) + 1
    listed = problems(database, user, exported)
    assert listed[0].startswith(expected.format(offset=f"{offset:,}", offset_after_mark=f"{offset + 3:,}")), listed


def test_an_object_that_never_ends_is_given_up(
    database: Database, user: UserId, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rows, "MAX_OBJECT", 10_000)
    monkeypatch.setattr(json_rows, "_CHUNK_BYTES", 1000)
    (exported / "tasks.json").write_text('[{"id": "' + "x" * 100_000)
    [problem] = [one for one in problems(database, user, exported) if one.startswith("tasks.json")]
    assert problem == "tasks.json line 1: an object of more than 10,000 characters, or one that never ends"


def test_preferences_are_one_object(database: Database, user: UserId, exported: Path) -> None:
    path = exported / "user_preferences.json"
    change(path, lambda rows: rows.append(rows[0]))
    [problem] = problems(database, user, exported)
    assert problem.endswith("a second row: expected one row of preferences")
    path.write_text("[]")
    assert problems(database, user, exported) == ("user_preferences.json: no row: expected one row of preferences",)


def test_unreadable_tasks_do_not_make_every_instance_a_problem(
    database: Database, stranger: UserId, exported: Path
) -> None:
    (exported / "tasks.json").write_text("[")
    [problem] = problems(database, stranger, exported)
    assert problem.startswith("tasks.json line 1: ")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps)
    | st.text(st.sampled_from('[]{}",:1e-\\ \nnul'), max_size=30),
    st.sampled_from(["", " "]),
)
def test_whatever_a_file_holds_is_read_or_refused(document: str, end: str) -> None:
    """Reads nothing that the standard parser would refuse, and never raises."""
    found = Findings()
    rows = JsonRows(PREFERENCES, io.BytesIO((document + end).encode("utf-8", "replace")), found)
    read = list(rows)
    assert read == []  # nothing made up has all the columns
    try:
        whole = json.loads(document)
    except ValueError:
        whole = None
    assert bool(found.count) == (whole != [])


def test_a_large_demo_comes_back(database: Database, user: UserId, stranger: UserId, tmp_path: Path) -> None:
    demo.add(database, user, days=60, per_day=40)
    transfer.export_to(database, user, tmp_path / "one", transfer.Format.JSON)
    transfer.import_from(database, stranger, tmp_path / "one")
    transfer.export_to(database, stranger, tmp_path / "two", transfer.Format.JSON)
    for path in (tmp_path / "one").iterdir():
        if path.stem != "user_preferences":
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
