"""Gets the table out of `rules.py`: a name in it that does not exist is a finding with its line, not a traceback.

What is misspelt is taken for what was probably meant, so that everything else that is wrong is found in the same go.
Whoever needs the rules asks here; nothing else imports `events.rules`.
"""

import ast
import importlib
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from events import catalog
from events.catalog import CATALOG, Event
from events.errors import RulesError
from events.findings import Finding, place
from events.patterns import did_you_mean
from events.ruleset import Rule

FILE = Path(__file__).with_name("rules.py")


def rules() -> tuple[Rule, ...]:
    """Return the rules.

    Raises:
        RulesError: names in the file do not exist.
    """
    if "events.rules" in sys.modules:
        return importlib.import_module("events.rules").RULES  # type: ignore[no-any-return]
    found, findings = read()
    if findings:
        raise RulesError(findings)
    return found


def read(file: Path = FILE) -> tuple[tuple[Rule, ...], list[Finding]]:
    """Return the rules of *file*, by what was probably meant, and what is misspelt there."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    reader = _Reader(file)
    tree = ast.fix_missing_locations(reader.visit(tree))
    if not reader.findings and file == FILE:
        return importlib.import_module("events.rules").RULES, []
    namespace: dict[str, Any] = {**vars(catalog), "__name__": "events.rules"}
    exec(compile(tree, str(file), "exec"), namespace)  # nosec B102  # our own source, with names put right
    return namespace["RULES"], reader.findings


class _Reader(ast.NodeTransformer):
    """Puts the names in `Rule(...)` and in imports right, and says which were wrong."""

    def __init__(self, file: Path) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._classes = {event_class.__name__: event_class for event_class in CATALOG}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        known = vars(importlib.import_module(node.module)) if node.module else {}
        right = [alias for alias in node.names if alias.name in known]
        for alias in node.names:
            if alias not in right:
                self._find(alias, f"{node.module} has no {alias.name}" + did_you_mean(alias.name, self._classes))
        node.names = right
        return node if right else None

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if not isinstance(node.func, ast.Name) or node.func.id != "Rule":
            return node
        names = [field.name for field in fields(Rule)]
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in names:
                near = did_you_mean(keyword.arg, names)
                self._find(keyword, f"a rule has no {keyword.arg!r}{near}")
                continue
            keyword.value = self._collection(keyword)
            if keyword.arg == "on" and isinstance(keyword.value, ast.Tuple | ast.List):
                keyword.value.elts = [right for name in keyword.value.elts if (right := self._event(name)) is not None]
            elif keyword.arg in ("when", "parts") and isinstance(keyword.value, ast.Attribute):
                keyword.value = self._condition(keyword.value)
        node.keywords = [keyword for keyword in node.keywords if not keyword.arg or keyword.arg in names]
        return node

    def _collection(self, keyword: ast.keyword) -> ast.expr:
        """Return the value of *keyword*, or the tuple or mapping that was probably meant."""
        node, name = keyword.value, keyword.arg
        is_one = isinstance(node, ast.Name) and _is_event(node.id) if name == "on" else isinstance(node, ast.Constant)
        if name in ("on", "invalidates") and is_one:
            self._find(keyword, f"`{name}` is no tuple: write ({ast.unparse(node)},), with a comma")
            return ast.copy_location(ast.Tuple([node], ast.Load()), node)
        if name == "keeps" and isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Constant):
            self._find(keyword, '`keeps` has no reasons: write {"pattern.*": "why it stays right"}')
            return ast.copy_location(ast.Dict([], []), node)
        return node

    def _event(self, node: ast.expr) -> ast.expr | None:
        """Return *node*, or the class that was probably meant; None if none comes near."""
        if not isinstance(node, ast.Name) or _is_event(node.id):
            return node
        near = did_you_mean(node.id, self._classes)
        self._find(node, f"{node.id} is not in the catalog{near}")
        return _named(near, node)

    def _condition(self, node: ast.Attribute) -> ast.expr:
        """Return *node*, or the method that was probably meant, or no condition."""
        if not isinstance(node.value, ast.Name):
            return node
        owner = node.value if _is_event(node.value.id) else self._event(node.value)
        if not isinstance(owner, ast.Name):
            return ast.Constant(None)
        methods = [name for name, what in _members(owner.id).items() if callable(what) and not name.startswith("_")]
        if node.attr in methods:
            return ast.Attribute(owner, node.attr, ast.Load())
        near = did_you_mean(node.attr, methods)
        self._find(node, f"{owner.id} has no condition {node.attr}{near}")
        meant = _named(near, node)
        return ast.Constant(None) if meant is None else ast.Attribute(owner, meant.id, ast.Load())

    def _find(self, node: ast.expr | ast.alias | ast.keyword, sentence: str) -> None:
        self.findings.append(Finding(place(self._file, node.lineno), sentence))


def _is_event(name: str) -> bool:
    found = getattr(catalog, name, None)
    return isinstance(found, type) and issubclass(found, Event)


def _members(name: str) -> dict[str, Any]:
    found: type = getattr(catalog, name)
    return {member: getattr(found, member) for member in dir(found)}


def _named(near: str, node: ast.AST) -> ast.Name | None:
    return ast.copy_location(ast.Name(near.split("'")[1], ast.Load()), node) if near else None
