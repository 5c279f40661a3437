"""The fault matrix: every fault that the promises are held against, and the table that `make faults` prints.

What is injected and what must hold is said by the mark of each test. Here is only which faults there are, so that none
is forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FAULTS: dict[str, str] = {
    "F01": "the app is killed: at every statement of every command, and at random moments",
    "F02": "the app is killed while it writes the cache folder",
    "F03": "power fails: the cache folder is torn",
    "F04": "power fails: database and cache folder are torn",
    "F05": "events arrive twice, or in another order",
    "F06": "a load begins before a commit and ends after the invalidation",
    "F07": "the log is pruned beyond what an entry was computed after",
    "F08": "an older backup is restored",
    "F09": "transactions commit in another order than their events are numbered",
    "F10": "a receiver of events raises, or does not return",
    "F11": "the cache's database is damaged",
    "F12": "a value's file is damaged",
    "F13": "code is planted in the cache folder",
    "F14": "a planted row names a file outside of the cache folder, and is read",
    "F15": "a planted row names a file outside of the cache folder, and is removed",
    "F16": "one user's bytes are put under another's key",
    "F17": "the cache's disk is full",
    "F18": "the database's disk is full",
    "F19": "the cache folder cannot be used",
    "F20": "another process begins the cache folder anew",
    "F21": "many write at once, and somebody holds the lock",
    "F22": "an upgrade of the tables fails half way, or rebuilds a parent",
    "F23": "the app is down over midnights",
    "F24": "clocks change, in any zone",
    "F25": "the machine sleeps over midnight",
    "F26": "the clock is set",
    "F27": "several processes see a new day at once, and one dies",
    "F28": "the event stream's server is cut off, restarted or stopped",
    "F29": "the event stream is trimmed",
    "F30": "a page acts for somebody who has left; a foreign page connects",
    "F31": "a loader raises, never returns, or returns something else",
    "F32": "a browser's line is cut during a burst",
    "F33": "the cache folder is deleted while the app runs",
    "F34": "the app is told to stop under load; a second one is started",
    "F35": "the files of the database are removed or replaced while the app runs",
}
"""Number -> what it is about."""

LATER = dict.fromkeys(("F09", "F28", "F29"), "comes with scale-out: needs PostgreSQL or Redis")
"""Faults of parts that are not there yet."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One test of a fault: passed, failed, skipped (with the reason), or how many of its cases were which."""

    number: str
    inject: str
    holds: str
    result: str
    seconds: float | None


def table(lines: Iterable[Line]) -> str:
    """Return the matrix as text, one line per test, by number."""
    rows = [("fault", "inject", "must hold", "result", "seconds")]
    for line in sorted(lines, key=lambda line: line.number):
        seconds = "" if line.seconds is None else f"{line.seconds:.1f}"
        rows.append((line.number, line.inject, line.holds, line.result, seconds))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
