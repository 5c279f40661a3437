"""`python -m events`: what it prints for people and for machines, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from cache.pieces import ROWS
from cache.rulebook import graph
from data import tasks
from events import __main__ as command_line
from events.catalog import CATALOG, TaskCreated, TouchesDays
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from pages import inventory
from tests.expect import specimen
from tests.house import open_house
from tests.readme import PICTURE, README, picture


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = command_line.main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_list_has_a_line_for_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [event.name for event in CATALOG]
    assert "the prefix that it carries" in out


def test_explain_follows_an_event_down_to_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explain", "task.edited")
    assert code == 0
    rows = [rule.where for rule in RULES if "task.edited" in {event.name for event in rule.on}]
    assert f"rule {rows[0]}" in out
    assert f"rule {rows[1]}, if it changes label" in out
    assert "makes stale analytics.*: analytics.relief_summary, " in out
    assert "keeps summary.*: numbers of the past" in out
    assert "redraws Score on /summary (pages/summary.py:" in out

    found = json.loads(run(capsys, "explain", "task.edited", "--json")[1])
    assert found["pages"][:1] == ["/"] or "/" in found["pages"]
    assert set(found["values"]) >= {"summary.daily", "dashboard.tasks"}


def test_an_event_that_is_misspelt_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "explain", "task.complete")
    assert code == 1
    assert err == "no event 'task.complete' in events/catalog.py; did you mean 'task.completed'?\n"


def test_the_graph_is_mermaid_or_an_svg(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = run(capsys, "graph")[1]
    assert out.startswith("flowchart LR\n")
    assert 'analytics_trends["analytics.trends"]' in out
    assert "-. only the later days .-> summary_daily" in out
    assert run(capsys, "graph", "--svg", str(tmp_path / "rules.svg"))[0] == 0
    assert (tmp_path / "rules.svg").read_text().startswith("<svg ")


def test_a_file_that_cannot_be_written_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "none" / "rules.svg"
    assert run(capsys, "graph", "--svg", str(file)) == (1, "", f"{file}: No such file or directory\n")


def test_the_picture_in_the_documentation_is_that_of_the_rules() -> None:
    assert PICTURE.read_text() == picture(), "run `make readme`"
    assert "(docs/rules.svg)" in README.read_text()


def test_every_box_has_its_place() -> None:
    drawn = graph.draw(graph.graph(RULES, ROWS, inventory.parts()))
    texts = {text for box in drawn.boxes for text in box.texts}
    assert {event.name for event in CATALOG} <= texts
    assert {row.key for row in ROWS} <= {box.name for box in drawn.boxes}
    for box in drawn.boxes:
        assert 0 <= box.left < box.left + box.width <= drawn.width
        assert 0 <= box.top < box.top + box.height <= drawn.height


@pytest.fixture
def with_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with open_house(tmp_path) as house:
        task = tasks.create(house.database, house.user, name="Tax return")
        tasks.edit(house.database, house.user, task, name="Taxes")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/state/reprieve.db")
    return tmp_path


def test_tail_shows_what_happened_and_what_that_made_stale(
    with_events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "tail", "--no-follow")
    assert code == 0
    assert [line.split()[5] for line in out.splitlines()] == ["user.created", "task.created", "task.edited"]
    assert out.splitlines()[1].endswith("  " + ", ".join(Ruleset(RULES).prefixes(specimen(TaskCreated))))
    assert "Tax" not in out

    (line,) = run(capsys, "tail", "--no-follow", "--last", "1", "--json")[1].splitlines()
    row = json.loads(line)
    assert (row["seq"], row["event"], row["fields"]["changed"]) == (3, "task.edited", ["name"])
    assert "summary" in row["invalidates"]


def test_tail_follows_what_another_process_writes(
    with_events: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thing that happens arrives while it waits; the third time it looks, somebody presses Ctrl-C."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) > 1:
            raise KeyboardInterrupt
        with open_house(with_events) as house:
            tasks.create(house.database, house.user, name="Another")

    monkeypatch.setattr(command_line.time, "sleep", wait)
    code, out, _ = run(capsys, "tail", "--last", "0")
    assert code == 0
    assert [line.split()[5] for line in out.splitlines()] == ["task.created"]


def test_without_a_database_tail_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    code, _, err = run(capsys, "tail")
    assert code == 1
    assert "start the application once" in err


def test_check_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check")[:2] == (0, "nothing is wrong\n")
    assert json.loads(run(capsys, "check", "--json")[1]) == {"findings": []}


def test_check_says_everything_with_file_and_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = (*RULES, Rule(on=(CATALOG[0],), invalidates=("dashboard.metrix", "analytic.*")))
    monkeypatch.setattr("events.rules.RULES", wrong)
    code, out, _ = run(capsys, "check")
    assert code == 1
    lines = out.splitlines()
    assert lines[-1] == "3 wrong"
    assert all(line.startswith("tests/events/test_main.py:") for line in lines[:-1])


def test_check_deep_says_what_was_run_and_what_never_mattered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, observed: Any
) -> None:
    monkeypatch.setattr(command_line, "observe", lambda commands, values: observed)
    code, out, _ = run(capsys, "check", "--deep")
    assert code == 0
    assert out.startswith(f"ran {len(observed.observations)} commands, compared ")
    assert "for information: events/rules.py:" in out
    assert out.endswith("nothing is wrong\n")

    conditional = next(rule for rule in RULES if rule.parts is TouchesDays.later_days)
    monkeypatch.setattr("events.rules.RULES", tuple(rule for rule in RULES if rule is not conditional))
    code, out, _ = run(capsys, "check", "--deep")
    assert code == 1
    assert "is said to keep 'summary.*'" in out
