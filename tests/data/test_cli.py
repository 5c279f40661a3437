"""The command line, called as a function and, to be sure, as a program beside an open database."""

import json
import os
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from data import preferences
from data.__main__ import main
from data.command_line.answer import progress
from data.command_line.rows import _python
from data.database import Database
from data.models import Instance, User

HOUSE = Path(__file__).parents[2]
PYTHON = shlex.quote(_python())


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
        f"made 36 tasks and 30 instances; to remove them: {PYTHON} -m data demo --remove",
        f"exported 36 tasks and 30 instances to {out}",
        f"imported 36 tasks and 30 instances and the preferences from {out}",
        "removed 36 tasks and 30 instances of the demo",
        "there is no demo data",
    ]


def test_a_second_demo_has_to_be_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--days", "2", "--per-day", "2"]) == 0
    assert main(["demo", "--days", "2", "--per-day", "3"]) == 1
    refused = capsys.readouterr().err
    assert "there is demo data already" in refused
    assert "nothing was changed" in refused
    assert main(["demo", "--days", "2", "--per-day", "3", "--replace"]) == 0
    assert "replaced the demo that was there, now 36 tasks and 6 instances" in capsys.readouterr().out


def test_ctrl_c_stops_work_where_it_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with progress(is_wanted=True) as told, ThreadPoolExecutor(1) as writer:
        told(1, 10)
        os.kill(os.getpid(), signal.SIGINT)
        under_way = writer.submit(told, 2, 10)
        with pytest.raises(KeyboardInterrupt):
            under_way.result()
        told(10, 10)  # too late: everything is done
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


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
    assert f"to remove them: {PYTHON} -m data demo --remove --user Amelie" in capsys.readouterr().out
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
    assert main(["demo", "--days", "0", "--replace"]) == 1
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


def test_json_files_and_progress(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["demo", "--days", "100", "--per-day", "30", "--progress"]) == 0
    assert main(["export", out, "--format", "json"]) == 0
    assert sorted(path.name for path in Path(out).iterdir()) == [
        "instances.json",
        "tasks.json",
        "user_preferences.json",
    ]
    made = capsys.readouterr().err.splitlines()
    assert main(["import", out, "--progress"]) == 0
    for told in (made, capsys.readouterr().err.splitlines()):
        assert told[0].split(" %")[0].strip() == "0"
        assert told[-1].startswith("100 %  3,0")
        assert told[-1].endswith(" rows written")
        assert any(line.endswith(" rows read") for line in told)
        assert 5 < len(told) < 15


def test_without_a_terminal_progress_is_shown_only_where_it_is_wanted(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["demo", "--days", "10"])
    assert capsys.readouterr().err == ""


def test_backup_restore_and_check(
    url: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.db"
    main(["demo", "--days", "2"])
    capsys.readouterr()
    assert main(["check"]) == 0
    assert main(["backup", str(copy)]) == 0
    assert main(["demo", "--remove"]) == 0
    assert main(["restore", str(copy)]) == 0
    assert main(["check", str(copy), "--quick"]) == 0
    said = capsys.readouterr().out.splitlines()
    state = tmp_path / "state"
    [kept] = (state / "backups").iterdir()
    assert said[0] == f"{state}/reprieve.db is sound, its log ends with row 2 (read 53 rows)"
    assert said[1].startswith(f"wrote {copy} (0.")
    assert said[1].endswith(" MB) and read it back")
    assert said[3] == f"restored 1 user, 36 tasks and 12 instances; what was there before is in {kept}"
    assert said[4].startswith(f"{copy} is sound, its log ends with row 2 (looked at pages, references and the log;")
    database.open()
    assert count(database, preferences.LOCAL_USER) == 12
    database.close()


def test_backups_for_machines(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo", "--days", "2"])
    capsys.readouterr()
    main(["backup", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert Path(made["file"]).parent == tmp_path / "state" / "backups"
    assert Path(made["file"]).stat().st_size == made["bytes"]
    main(["restore", made["file"], "--json"])
    restored = json.loads(capsys.readouterr().out)
    assert Path(restored.pop("kept")).exists()
    assert restored == {"users": 1, "tasks": 36, "instances": 12}
    main(["check", "--json", made["file"]])
    looked = json.loads(capsys.readouterr().out)
    assert (looked["sound"], looked["problems"], looked["seq"], looked["rows"]["instances"]) == (True, [], 2, 12)


def test_a_damaged_database_is_found_named_and_restored(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["demo", "--days", "30"])
    main(["backup"])
    state = tmp_path / "state"
    [kept] = (state / "backups").iterdir()
    (state / "reprieve.db").write_bytes(b"x" * 5000)
    capsys.readouterr()
    assert main(["check"]) == 1
    assert main(["check", "--json"]) == 1
    assert main(["export", str(tmp_path / "out")]) == 1
    assert main(["backup"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["problems"] == ["file is not a database"]
    assert f"python -m data restore {kept}" in captured.err
    assert "Traceback" not in captured.err
    assert main(["restore", str(kept)]) == 0
    assert main(["check"]) == 0


def test_a_backup_beside_a_running_app(database: Database, tmp_path: Path) -> None:
    database.open()
    _run("demo", "--days", "5")
    made = _run("backup", str(tmp_path / "copy.db"))
    assert (made.returncode, made.stderr) == (0, "")
    again = _run("backup", str(tmp_path / "copy.db"))
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"{tmp_path}/copy.db exists already: expected the name of a new file\n"
    _run("demo", "--remove")
    assert count(database, preferences.LOCAL_USER) == 0
    restored = _run("restore", str(tmp_path / "copy.db"))
    assert (restored.returncode, restored.stderr) == (0, "")
    assert count(database, preferences.LOCAL_USER) == 30
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


def test_the_operator_gives_an_account_another_tier(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tier", "premium"]) == 0
    assert main(["tier", "premium"]) == 0
    assert main(["tier", "free", "--user", "nobody"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "local has the account tier premium",
        "local had the account tier already: premium",
    ]
    assert "there is no user 'nobody'" in told.err
    with pytest.raises(SystemExit):
        main(["tier", "gold"])
