"""What is wrong, and where: a sentence with the file and line to look at. Who finds something is elsewhere."""

import ast
import inspect
import linecache
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `where` is a file and a line, such as `events/rules.py:46`."""

    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


def place(path: str | Path, line: int) -> str:
    """Return file and line as findings show them: from the root of the checkout, if the file lies in it."""
    found = Path(path)
    return f"{found.relative_to(ROOT) if found.is_relative_to(ROOT) else found}:{line}"


def place_of(thing: Any) -> str:
    """Return where a class or function is written; `?` for what has no source."""
    try:
        file, node = definition(thing)
    except (OSError, TypeError):
        return "?"
    return place(file, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]))


def definition(thing: Any) -> tuple[str, Definition]:
    """Return the file in which a class or function is written, and what is written there.

    Raises:
        OSError: its source cannot be found.
        TypeError: it has none.
    """
    thing = inspect.unwrap(thing)
    file = inspect.getsourcefile(thing) or ""
    found = _definitions(file).get(thing.__qualname__)
    if found is None:
        raise OSError(f"the source of {thing!r} cannot be found")
    return file, found


@cache
def _definitions(file: str) -> dict[str, Definition]:
    """Return what is defined in *file*, by qualified name; it is parsed once."""
    found: dict[str, Definition] = {}

    def look(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[path + child.name] = child
                look(child, f"{path}{child.name}.")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found[path + child.name] = child
                look(child, f"{path}{child.name}.<locals>.")
            elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                look(child, path)

    look(ast.parse("".join(linecache.getlines(file))), "")
    return found


def place_of_row() -> str:
    """Return where the object is being made whose `__init__` calls this: the line of its row in a table."""
    frame = sys._getframe(2)
    return place(frame.f_code.co_filename, frame.f_lineno)
