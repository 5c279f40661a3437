"""What a command of `python -m data` says, and how it shows its progress."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from data.bulk import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The end of a command that was not refused."""

    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
    """What `--json` writes instead of the sentence."""
    is_good: bool = True
    """False makes the exit code 1."""


@contextlib.contextmanager
def progress(*, is_wanted: bool) -> Iterator[Progress]:
    """Show progress on stderr, if it is wanted or somebody looks at it, and stop the work on Ctrl-C.

    It stops where it next says how far it is, in whichever thread that is: only there it is certain that nothing was
    written. A second Ctrl-C does not wait for that.
    """
    is_stopped = False

    def interrupted(*_: object) -> None:
        nonlocal is_stopped
        if is_stopped:
            raise KeyboardInterrupt
        is_stopped = True

    is_terminal = sys.stderr.isatty()
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        if is_stopped and done < total:  # at the end it is too late
            raise KeyboardInterrupt
        percent = 100 * done // total
        rows = f"{min(done, total // 2):,} rows read" if 2 * done <= total else f"{done - total // 2:,} rows written"
        if is_terminal:
            sys.stderr.write(f"\r{percent:3d} %  {rows:<30}")
        elif is_wanted and percent // 10 > told // 10:
            sys.stderr.write(f"{percent:3d} %  {rows}\n")
        sys.stderr.flush()
        told = percent

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield tell
    finally:
        signal.signal(signal.SIGINT, before)
        if is_terminal:
            sys.stderr.write(f"\r{'':38}\r")


def many(count: int, noun: str) -> str:
    """Return `1 task` or `2,000 tasks`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
