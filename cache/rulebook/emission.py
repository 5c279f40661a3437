"""What can happen at all, by the look of the source: a class that nobody uses to make an event is dead, and whoever
writes to the database makes one.

It sees names, not what runs: a class that is called, handed over or assigned outside of the tables counts as emitted.
What really reaches the log is looked at by `python -m events check --deep`.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from events.catalog import Event
from events.findings import ROOT, Finding, place_of
from events.ruleset import called

EMITTERS = ("data", "cache", "scheduler")
"""The packages that write events, or ask for one to be written."""
_NOT_USES = frozenset({"isinstance", "issubclass", "on_event"})
"""Calls that are handed a class and make nothing of it."""


def unemitted(catalog: Sequence[type[Event]], root: Path = ROOT) -> list[Finding]:
    """Return a finding for each event of *catalog* that nothing below *root* emits."""
    used = emitted(frozenset(event_class.__name__ for event_class in catalog), root)
    return [
        Finding(
            place_of(event_class),
            f"nothing emits {called(event_class)}: no command in data/ makes a {event_class.__name__}",
        )
        for event_class in catalog
        if event_class.__name__ not in used
    ]


@cache
def emitted(names: frozenset[str], root: Path = ROOT) -> frozenset[str]:
    """Return those of the *names* that are used as if to make one."""
    found: set[str] = set()
    is_named = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b")
    for file in _sources(root):
        text = file.read_text(encoding="utf-8")
        if is_named.search(text):  # most files name none, and parsing takes its time
            uses = _Uses(calls_only=file.name == "catalog.py")
            uses.visit(ast.parse(text, filename=str(file)))
            found |= uses.names
    return names & found


@dataclass(frozen=True, slots=True)
class Writer:
    """A function that has something written to the database."""

    file: str
    name: str
    line: int


@cache
def writers(root: Path = ROOT) -> tuple[Writer, ...]:
    """Return the functions in `data` that write; not those of housekeeping, which waive their event."""
    found = []
    for file in sorted((root / "data").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if ".write(" in text and file.name != "rehearsal.py":
            for node in ast.walk(ast.parse(text, filename=str(file))):
                if isinstance(node, ast.FunctionDef) and _writes(node):
                    found.append(Writer(str(file), node.name, node.lineno))
    return tuple(found)


def _writes(function: ast.FunctionDef) -> bool:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    methods = [call for call in calls if isinstance(call, ast.Attribute)]
    if any(method.attr == "waive_event" for method in methods):
        return False
    return any(method.attr == "write" and ast.unparse(method.value).endswith("database") for method in methods)


def _sources(root: Path) -> Iterator[Path]:
    for package in EMITTERS:
        for file in sorted((root / package).rglob("*.py")):
            if "rulebook" not in file.parts and file.name != "rehearsal.py":
                yield file
    yield root / "events" / "catalog.py"  # where rows that cannot be read become an event


class _Uses(ast.NodeVisitor):
    """Collects names in places where a class makes something: not annotations, not comparisons, not type checks."""

    def __init__(self, *, calls_only: bool) -> None:
        self.names: set[str] = set()
        self._calls_only = calls_only

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(node.func, ast.Name):
            self.names.add(node.func.id)
        else:
            self.visit(node.func)
        if called not in _NOT_USES:
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not self._calls_only:
            self.names.add(node.id)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *(default for default in node.kw_defaults if default is not None)):
            self.visit(default)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.visit(node.args)
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)  # `type[TaskCompleted]` makes none

    def visit_Compare(self, node: ast.Compare) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                self.visit(part)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, ast.BitOr):  # a union of types makes none
            self.generic_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        pass
