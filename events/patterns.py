"""The address language: dotted keys, the prefixes above them, and the patterns that name prefixes.

A key is one to many lower-case segments (`analytics.composite_scores.2026-11-22`). A pattern is a prefix, written bare
(`dashboard.metrics`) or with a star (`analytics.*`, and `*` for everything): both mean that prefix and all below it.
"""

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from events.errors import PatternError

EVERYTHING = ""
"""The prefix above all keys, written `*` in patterns."""

_SEGMENT = re.compile(r"[a-z0-9][a-z0-9_-]*")


@lru_cache(maxsize=4096)
def parse(pattern: str) -> str:
    """Return the prefix that *pattern* names: `analytics.*` -> `analytics`, `*` -> `""`.

    Raises:
        PatternError: a segment is empty, holds another character, or a star stands anywhere but at the end.
    """
    if pattern == "*":
        return EVERYTHING
    bare = pattern.removesuffix(".*")
    if not all(_SEGMENT.fullmatch(segment) for segment in bare.split(".")):
        raise PatternError(
            f"{pattern!r} is not a pattern: expected dotted lower-case segments such as 'analytics.relief_summary', "
            "'analytics.*' or '*'"
        )
    return bare


@lru_cache(maxsize=4096)
def prefixes(key: str) -> tuple[str, ...]:
    """Return every prefix that covers *key*, widest first: `a.b` -> `("", "a", "a.b")`."""
    found = [EVERYTHING]
    position = key.find(".")
    while position != -1:
        found.append(key[:position])
        position = key.find(".", position + 1)
    found.append(key)
    return tuple(found)


def covers(prefix: str, key: str) -> bool:
    """Whether *prefix* is *key* or an ancestor of it, segment by segment: `a.b` covers `a.b.c` but not `a.bc`."""
    return prefix == EVERYTHING or key == prefix or key.startswith(prefix + ".")


def did_you_mean(given: str, choices: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest of *choices*, or nothing if none is near."""
    near = difflib.get_close_matches(given, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
