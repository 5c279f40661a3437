"""What is wrong, and where: a sentence with the file and line to look at. Who finds something is elsewhere."""

import inspect
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


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
    return _place_of(thing)


@cache  # a class is found by parsing its file
def _place_of(thing: Any) -> str:
    try:
        return place(inspect.getsourcefile(thing) or "?", inspect.getsourcelines(thing)[1])
    except (OSError, TypeError):
        return "?"


def place_of_row() -> str:
    """Return where the object is being made whose `__init__` calls this: the line of its row in a table."""
    frame = sys._getframe(2)
    return place(frame.f_code.co_filename, frame.f_lineno)
