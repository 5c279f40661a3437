"""Which sections there are, on which pages they stand, and whether each reads only what it declares.

Found in the code without running it: a section stands on a page if the function that builds the page, or anything of
ours that it uses, names its class.
"""

import ast
import importlib
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from cache.rulebook.parts import Part
from cache.values import Value
from events.findings import Finding, definition, place, place_of
from pages.routes import ENTRIES
from pages.section import Section
from pages.shell import Entry, ThemeSwitch

EVERY_PAGE = "*"


def parts(entries: Sequence[Entry] = ENTRIES) -> tuple[Part, ...]:
    """Return all sections that stand on a page, by name; what belongs to the frame stands on `*`."""
    pages: dict[type[Section], list[str]] = {ThemeSwitch: [EVERY_PAGE]}
    for entry in entries:
        for section in sorted(sections_of(entry), key=lambda section: section.__qualname__):
            pages.setdefault(section, []).append(entry.path)
    return tuple(
        Part(
            section=section.__qualname__,
            keys=tuple(value.key for value in _values_of(section)),
            pages=tuple(paths),
            where=place_of(section),
        )
        for section, paths in pages.items()
    )


def faults(entries: Sequence[Entry] = ENTRIES) -> list[Finding]:
    """Return a finding for each value that a section does not declare and reads, in its methods or in a function to
    which it gives what it shows, and for each thing that it declares and that is no value.
    """
    sections = {section for entry in entries for section in _classes_of(entry)} | {ThemeSwitch}
    return [finding for section in sections for finding in (*_misdeclared(section), *_undeclared(section))]


@cache
def sections_of(entry: Entry) -> frozenset[type[Section]]:
    """Return the classes of the sections that stand on the page of *entry*, and show a value."""
    found = {section for section in _classes_of(entry) if _values_of(section)}
    # A class that others on this page refine is their common part and stands on none by itself.
    return frozenset(section for section in found if not _is_only_a_base(section, found))


@cache
def _classes_of(entry: Entry) -> frozenset[type[Section]]:
    found: set[type[Section]] = set()
    seen: set[int] = set()
    waiting: list[Any] = [entry.build]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, type) and issubclass(thing, Section) and thing is not Section:
            found.add(thing)
        waiting += _used_by(thing)
    return frozenset(found)


def _is_only_a_base(section: type[Section], found: set[type[Section]]) -> bool:
    return section.update is Section.update or any(other is not section and section in other.__mro__ for other in found)


def _used_by(thing: Any) -> Iterator[Any]:
    """Yield the functions and classes of this package that *thing* names."""
    if isinstance(thing, type):
        for member in vars(thing).values():
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if isinstance(function, types.FunctionType):
                yield from _used_by(function)
        return
    function = inspect.unwrap(thing)
    if not isinstance(function, types.FunctionType):
        return
    for name in _names(function.__code__):
        used = function.__globals__.get(name)
        if isinstance(used, types.FunctionType | type) and _is_ours(used):
            yield used


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _values_of(section: type[Section]) -> tuple[Value[Any], ...]:
    """Return what *section* declares, as far as it is a value."""
    declared: Any = section.values
    return tuple(
        value for value in (declared if isinstance(declared, tuple) else [declared]) if isinstance(value, Value)
    )


def _misdeclared(section: type[Section]) -> Iterator[Finding]:
    declared: Any = section.values
    if not isinstance(declared, tuple):
        yield Finding(place_of(section), f"`values` of {section.__qualname__} is no tuple: write (...,), with a comma")
        return
    for strange in declared:
        if not isinstance(strange, Value):
            yield Finding(
                place_of(section),
                f"{section.__qualname__} shows {strange!r}, which is no value: expected a row of cache/values.py, such "
                "as DASHBOARD_TASKS",
            )


def _undeclared(section: type[Section]) -> Iterator[Finding]:
    declared = _values_of(section)
    listed = ", ".join(value.key for value in declared) or "none"
    for where, value in _all_reads(section):  # type: ignore[arg-type]  # mypy takes no class for hashable
        if value not in declared:
            yield Finding(
                where,
                f"{section.__qualname__} reads {value.key!r}, which is not among the values that it declares: {listed}",
            )


@cache
def _all_reads(section: type[Section]) -> tuple[tuple[str, Value[Any]], ...]:
    return tuple(_reads(section, frozenset()))


def _reads(code: Any, seen: frozenset[Any]) -> Iterator[tuple[str, Value[Any]]]:
    """Yield the values that *code*, a class or function, reads by `get`, and those that functions of this package read
    to which it gives something called `shown`.

    What cannot be seen by reading, such as a value chosen while it runs, `Shown.get` refuses when it is drawn.
    """
    file, tree = definition(code)
    names = {**vars(inspect.getmodule(code)), **_imported_inside(tree)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and given:
            value = _meant(given[0], names)
            if isinstance(value, Value):
                yield place(file, node.lineno), value
        elif any(isinstance(argument, ast.Name) and argument.id == "shown" for argument in given):
            called = _meant(node.func, names)
            if isinstance(called, types.FunctionType) and _is_ours(called) and called not in seen:
                yield from _reads(called, seen | {called})


def _imported_inside(tree: ast.AST) -> dict[str, Any]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {
        alias.asname or alias.name: getattr(importlib.import_module(node.module or ""), alias.name, None)
        for node in imports
        for alias in node.names
    }


def _meant(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return what a name, or an attribute of what a name means, stands for; None if that cannot be told."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return inspect.getattr_static(_meant(node.value, names), node.attr, None)
    return None


def _is_ours(thing: Any) -> bool:
    return bool(thing.__module__.partition(".")[0] == "pages")
