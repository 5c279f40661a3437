"""How far the long loads of one user are, and their end if somebody does not want to wait for them.

Workers tell it, after each part of a long calculation (`data.pieces.watched`); cards that have nothing to show yet say
it, and have the button. What was finished until a stop is kept, so that the next load goes on from there.
"""

import threading
import time
from dataclasses import dataclass

from data.pieces import Stopped
from events.catalog import UserId

SILENT_SECONDS = 10.0
"""After this, what was told last is of a load that has failed."""


@dataclass(frozen=True)
class _Far:
    """How far one load is."""

    done: int
    total: int
    told_at: float


class Waiting:
    """The loads of one user that somebody waits for. Safe from any thread."""

    def __init__(self) -> None:
        self.stops = 0
        self._far: dict[int, _Far] = {}
        """By the thread that computes it."""

    def stop(self) -> None:
        """Stop what is being loaded, at its next part."""
        self.stops += 1
        self._far = {}

    def tell(self, done: int, total: int) -> None:
        """Take note of how far the load in this thread is."""
        if done < total:
            self._far[threading.get_ident()] = _Far(done, total, time.monotonic())
        else:
            self._far.pop(threading.get_ident(), None)

    @property
    def words(self) -> str:
        """How far the one is that has most to do yet, for people: months are the parts of everything long."""
        silent_since = time.monotonic() - SILENT_SECONDS
        told = [far for far in list(self._far.values()) if far.told_at > silent_since]
        if not told:
            return "Loading …"
        far = max(told, key=lambda far: far.total - far.done)
        return f"Reading the past: month {far.done + 1:,} of {far.total:,}"


class Watch:
    """What one reading tells how far its loads are; the next stop ends them."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._stops = waiting.stops

    @property
    def is_stopped(self) -> bool:
        """Whether nobody wants to wait for this reading any more, whoever began the loads that it waits for."""
        return self._waiting.stops != self._stops

    def __call__(self, done: int, total: int) -> None:
        """Tell it.

        Raises:
            Stopped: nobody wants to wait any more.
        """
        if self.is_stopped:
            raise Stopped
        self._waiting.tell(done, total)


class Waits:
    """The loads of all users that have a page open."""

    def __init__(self) -> None:
        self._users: dict[UserId, Waiting] = {}

    def of(self, user: UserId) -> Waiting:
        """Return those of *user*."""
        return self._users.setdefault(user, Waiting())

    def forget(self, user: UserId) -> None:
        """Take note that *user* has no page open any more."""
        self._users.pop(user, None)
