"""Gets the table out of `rules.py`: whatever is wrong with it is a finding with its line, not a traceback.

What is misspelt is taken for what was probably meant, so that everything else that is wrong is found in the same go.
Whoever needs the rules asks here; nothing else imports `events.rules`.
"""

import ast
import importlib
import pkgutil
import sys
import traceback
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
    """Return the rules of *file*, by what was probably meant, and what is wrong with its text.

    No rules are returned if it cannot be told what was meant.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    except SyntaxError as error:
        return (), [Finding(place(file, error.lineno or 1), f"this is no Python: {error.msg}")]
    reader = _Reader(file)
    tree = ast.fix_missing_locations(reader.visit(tree))
    findings = reader.findings
    namespace: dict[str, Any] = {**vars(catalog), "Rule": Rule, "__name__": "events.rules"}
    try:
        if not findings and file == FILE:
            namespace = vars(importlib.import_module("events.rules"))
        else:
            exec(compile(tree, str(file), "exec"), namespace)  # nosec B102  # our own source, with names put right
    except Exception as error:  # noqa: BLE001  # whatever stops the table from being made is what is to be said
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = (lines[-1] if lines else None) or 1
        return (), [*findings, Finding(place(file, line), f"{type(error).__name__}: {error}")]
    return _table(namespace, file, tree, findings), findings


def _table(namespace: dict[str, Any], file: Path, tree: ast.Module, findings: list[Finding]) -> tuple[Rule, ...]:
    """Return what is called `RULES`, or nearly so."""
    assigned = {
        target.id: statement.lineno
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }
    name, line = "RULES", assigned.get("RULES", 1)
    if name not in assigned:
        name = next((other for other in assigned if did_you_mean("RULES", [other])), "")
        meant = f"; {name} was probably meant" if name else ""
        line = assigned.get(name, 1)
        findings.append(Finding(place(file, line), f"there is no table called RULES{meant}"))
    found = namespace.get(name, ())
    if not isinstance(found, tuple | list):
        findings.append(Finding(place(file, line), "RULES is no tuple: each row ends with a comma, the only one too"))
        found = (found,)
    strange = [row for row in found if not isinstance(row, Rule)]
    findings += [Finding(place(file, line), f"{row!r} is no row: expected Rule(on=(...,), ...)") for row in strange]
    return tuple(row for row in found if isinstance(row, Rule))


class _Reader(ast.NodeTransformer):
    """Puts the names in `Rule(...)` and in imports right, and says which were wrong."""

    def __init__(self, file: Path) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._classes = {event_class.__name__: event_class for event_class in CATALOG}
        self._imported: set[str] = set()
        """Names that are imported, and those that were probably meant to be."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        module = "." * node.level + (node.module or "")
        found = _module(module)
        self._imported |= {alias.asname or alias.name for alias in node.names}
        if found is None:
            self._find(node, f"there is no module {module}" + did_you_mean(module, _modules()))
            return None
        known = vars(found)
        right = [alias for alias in node.names if alias.name in known or alias.name == "*"]
        for alias in node.names:
            if alias not in right:
                near = did_you_mean(alias.name, self._classes)
                self._find(alias, f"{module} has no {alias.name}{near}")
                meant = _named(near, node)
                self._imported |= {meant.id} if meant is not None else set()
            elif alias.name == "*":
                self._imported |= known.keys()
        node.names = right
        return node if right else None

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if not isinstance(node.func, ast.Name) or node.func.id != "Rule":
            return node
        names = [field.name for field in fields(Rule)]
        self._name_arguments(node)
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in names:
                near = did_you_mean(keyword.arg, names)
                self._find(keyword, f"a rule has no {keyword.arg!r}{near}")
                continue
            keyword.value = self._collection(keyword)
            if keyword.arg == "on" and isinstance(keyword.value, ast.Tuple):
                keyword.value.elts = [right for name in keyword.value.elts if (right := self._event(name)) is not None]
            elif keyword.arg in ("when", "parts"):
                keyword.value = self._condition(keyword)
        node.keywords = [keyword for keyword in node.keywords if not keyword.arg or keyword.arg in names]
        if not any(keyword.arg in ("on", None) for keyword in node.keywords):
            self._find(node, "names no event")
            node.keywords.append(ast.keyword("on", ast.Tuple([], ast.Load())))
        return node

    def _name_arguments(self, node: ast.Call) -> None:
        """Give arguments without a name the one they probably have, and say so."""
        for argument in node.args:
            name = "on" if any(isinstance(part, ast.Name) for part in ast.walk(argument)) else "invalidates"
            if isinstance(argument, ast.Dict):
                name = "keeps"
            self._find(argument, f"what a rule says has a name: write {name}={ast.unparse(argument)}")
            if name not in {keyword.arg for keyword in node.keywords}:
                node.keywords.append(ast.copy_location(ast.keyword(name, argument), argument))
        node.args = []

    def _collection(self, keyword: ast.keyword) -> ast.expr:
        """Return the value of *keyword*, or the tuple or mapping that was probably meant."""
        node, name = keyword.value, keyword.arg
        is_one = isinstance(node, ast.Name) and _is_event(node.id) if name == "on" else isinstance(node, ast.Constant)
        if name in ("on", "invalidates") and is_one:
            self._find(keyword, f"`{name}` is no tuple: write ({ast.unparse(node)},), with a comma")
            return ast.copy_location(ast.Tuple([node], ast.Load()), node)
        if name in ("on", "invalidates") and isinstance(node, ast.Set | ast.List):
            right = ast.copy_location(ast.Tuple(node.elts, ast.Load()), node)
            self._find(keyword, f"`{name}` is no tuple: write {ast.unparse(right)}")
            return right
        if name == "keeps" and isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Constant):
            self._find(keyword, '`keeps` has no reasons: write {"pattern.*": "why it stays right"}')
            return ast.copy_location(ast.Dict([], []), node)
        return node

    def _event(self, node: ast.expr) -> ast.expr | None:
        """Return *node*, or the class that was probably meant; None if none comes near."""
        if not isinstance(node, ast.Name):
            return node
        if _is_event(node.id):
            if node.id not in self._imported:
                self._imported.add(node.id)  # once is enough
                self._find(node, f"{node.id} is not imported: add it to `from events.catalog import (...)` above")
            return node
        near = did_you_mean(node.id, self._classes)
        self._find(node, f"{node.id} is not in the catalog{near}")
        return _named(near, node)

    def _condition(self, keyword: ast.keyword) -> ast.expr:
        """Return the value of *keyword*, or the method that was probably meant, or no condition."""
        node = keyword.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func
            self._find(
                keyword, f"`{keyword.arg}` is called: write {ast.unparse(node)} without (), for each event to ask"
            )
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return node
        owner = self._event(node.value)
        if not isinstance(owner, ast.Name):
            return ast.Constant(None)
        methods = [name for name, what in _members(owner.id).items() if callable(what) and not name.startswith("_")]
        if node.attr in methods:
            return ast.Attribute(owner, node.attr, ast.Load())
        near = did_you_mean(node.attr, methods)
        self._find(node, f"{owner.id} has no condition {node.attr}{near}")
        meant = _named(near, node)
        return ast.Constant(None) if meant is None else ast.Attribute(owner, meant.id, ast.Load())

    def _find(self, node: ast.expr | ast.alias | ast.keyword | ast.stmt, sentence: str) -> None:
        self.findings.append(Finding(place(self._file, node.lineno), sentence))


def _module(name: str) -> Any:
    """Return the module that rules would import by that name; None if there is none."""
    try:
        return importlib.import_module(name, __package__)
    except ModuleNotFoundError:
        return None


def _modules() -> list[str]:
    return [f"{__package__}.{module.name}" for module in pkgutil.iter_modules([str(FILE.parent)])]


def _is_event(name: str) -> bool:
    found = getattr(catalog, name, None)
    return isinstance(found, type) and issubclass(found, Event)


def _members(name: str) -> dict[str, Any]:
    found: type = getattr(catalog, name)
    return {member: getattr(found, member) for member in dir(found)}


def _named(near: str, node: ast.AST) -> ast.Name | None:
    return ast.copy_location(ast.Name(near.split("'")[1], ast.Load()), node) if near else None
