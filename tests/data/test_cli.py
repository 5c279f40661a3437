"""The command line, called as a function and, to be sure, as a program beside an open database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from data import preferences
from data.__main__ import main
from data.database import Database
from data.models import Instance, User

HOUSE = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = f"sqlite:///{tmp_path}/state/reprieve.db"
    monkeypatch.setenv("DATABASE_URL", found)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    return found


@pytest.fixture
def database(url: str) -> Database:
    return Database(url)


def count(database: Database, user: int) -> int:
    with database.read() as read:
        return read.connection.scalar(select(func.count()).where(Instance.user_id == user)) or 0


def test_demo_export_import_and_remove(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["demo", "--days", "10", "--per-day", "3", "--seed", "7"]) == 0
    assert main(["export", out]) == 0
    assert main(["import", out]) == 0
    assert main(["demo", "--remove"]) == 0
    assert main(["demo", "--remove"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "made 36 tasks and 30 instances; to remove them: python -m data demo --remove",
        f"exported 36 tasks and 30 instances to {out}",
        f"imported 36 tasks and 30 instances and the preferences from {out}",
        "removed 36 tasks and 30 instances of the demo",
        "there is no demo data",
    ]


def test_counts_for_machines(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--days", "1", "--per-day", "1", "--json"])
    main(["export", str(tmp_path / "out"), "--json"])
    main(["demo", "--remove", "--json"])
    main(["demo", "--remove", "--json"])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"tasks": 36, "instances": 1},
        {"tasks": 36, "instances": 1, "preferences": 1},
        {"tasks": 36, "instances": 1},
        {"tasks": 0, "instances": 0},
    ]


def test_the_local_user_is_made_in_the_systems_time_zone(database: Database, tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "out")]) == 0
    database.open()
    with database.read() as read:
        assert read.connection.scalars(select(User.name)).all() == ["local"]
        assert preferences.load(read, preferences.LOCAL_USER).time_zone == "Asia/Kolkata"
    database.close()


def test_another_user_has_to_exist(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database.open()
    preferences.create_user(database, "Aaron")
    local = preferences.create_user(database, "local")
    amelie = preferences.create_user(database, "Amelie")
    assert main(["export", str(tmp_path / "out"), "--user", "Amelia"]) == 1
    assert capsys.readouterr().err == "there is no user 'Amelia'; did you mean 'Amelie'?\n"
    assert not (tmp_path / "out").exists()
    assert main(["demo", "--days", "2", "--user", "Amelie"]) == 0
    assert "to remove them: python -m data demo --remove --user Amelie" in capsys.readouterr().out
    assert (count(database, local), count(database, amelie)) == (0, 12)
    database.close()


def test_refusals_are_sentences_on_stderr(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main(["demo", "--days", "2"])
    main(["export", str(out)])
    path = out / "tasks.csv"
    path.write_bytes(path.read_bytes().replace(b",kind,", b",kimd,"))
    capsys.readouterr()
    assert main(["import", str(out)]) == 1
    assert main(["demo", "--days", "0"]) == 1
    assert main(["export", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "nothing was imported:",
        "  tasks.csv line 1: column 'kimd' is unknown; did you mean 'kind'?",
        "  tasks.csv line 1: column 'kind' is missing",
        "0 days: expected a whole number from 1 to 36,500",
        f"{path}: File exists",
    ]


@pytest.mark.parametrize(
    "arguments",
    [[], ["export"], ["burn"], ["demo", "--days", "many"], ["import", "a", "b"], ["export", ".", "--days", "1"]],
)
def test_a_wrong_command_line_is_usage(url: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: python -m data" in capsys.readouterr().err


def test_as_a_program_beside_an_open_database(database: Database, tmp_path: Path) -> None:
    database.open()
    made = _run("demo", "--days", "5", "--json")
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout) == {"tasks": 36, "instances": 30}
    assert count(database, preferences.LOCAL_USER) == 30
    refused = _run("import", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr.startswith("nothing was imported:\n")
    assert "Traceback" not in refused.stderr
    database.close()


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "data", *arguments],
        cwd=HOUSE,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
