"""What counts as emitting an event, and what does not."""

from pathlib import Path

import pytest

from cache.rulebook.emission import emitted, unemitted
from events.catalog import CATALOG

USES = {
    "transaction.record(TaskCreated(user=user))": True,
    "_move(database, user, TaskCreated, change)": True,
    "kind = TaskCreated if new else TaskEdited": True,
    "return TaskCreated": True,
    "kinds = {'new': TaskCreated}": True,
    "def command(event: TaskCreated) -> type[TaskCreated]: ...": False,
    "event_class: type[TaskCreated] | None = None": False,
    "if isinstance(event, TaskCreated): ...": False,
    "if type(event) is TaskCreated: ...": False,
    "bus.on_event(receiver, TaskCreated)": False,
    "from events.catalog import TaskCreated": False,
    "'''Records TaskCreated.'''": False,
    "match event:\n    case TaskCreated(): ...": False,
    "Union = TaskCreated | TaskEdited": False,
}


@pytest.mark.parametrize("line", USES)
def test_a_class_is_emitted_where_it_makes_something(line: str, tmp_path: Path) -> None:
    for folder in ("data", "events"):
        (tmp_path / folder).mkdir()
    (tmp_path / "events" / "catalog.py").write_text("CATALOG = (TaskCreated, TaskEdited)\n")
    inside = f"def act():\n    {line}\n" if line.startswith("return") else line + "\n"
    (tmp_path / "data" / "tasks.py").write_text(inside)
    assert ("TaskCreated" in emitted(frozenset({"TaskCreated"}), tmp_path)) is USES[line]


def test_all_events_of_the_catalog_are_emitted() -> None:
    assert unemitted(CATALOG) == []


def test_a_rehearsal_emits_nothing(tmp_path: Path) -> None:
    for folder in ("data", "events"):
        (tmp_path / folder).mkdir()
    (tmp_path / "events" / "catalog.py").write_text("")
    (tmp_path / "data" / "rehearsal.py").write_text("TaskCreated()\n")
    assert {finding.sentence.partition(":")[0] for finding in unemitted(CATALOG[3:4], tmp_path)} == {
        "nothing emits task.created"
    }
