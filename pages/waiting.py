"""How far the long loads of one user are, and their end if somebody does not want to wait for them.

Workers tell it, after each part of a long calculation (`data.pieces.watched`); cards that have nothing to show yet say
it, and have the button. What was finished until a stop is kept, so that the next load goes on from there.
"""

import time

from data.pieces import Stopped
from events.catalog import UserId

SILENT_SECONDS = 10.0
"""After this, what was told last is of a load that has failed."""


class Waiting:
    """The loads of one user that somebody waits for. Safe from any thread."""

    def __init__(self) -> None:
        self.stops = 0
        self._far: tuple[int, int] | None = None
        self._told_at = 0.0

    def stop(self) -> None:
        """Stop what is being loaded, at its next part."""
        self.stops += 1
        self._far = None

    def tell(self, done: int, total: int) -> None:
        """Take note of how far a load is."""
        self._far, self._told_at = None if done >= total else (done, total), time.monotonic()

    @property
    def words(self) -> str:
        """How far it is, for people: months are the parts of everything long."""
        far = self._far
        if far is None or time.monotonic() > self._told_at + SILENT_SECONDS:
            return "Loading …"
        done, total = far
        return f"Reading the past: month {done + 1:,} of {total:,}"


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
