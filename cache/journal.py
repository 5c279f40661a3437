"""What the last events led to in this process: which prefixes went stale, what was loaded anew, what pages redrew.

For people who look at it; nothing depends on it, and it is forgotten with the process. A load or a redraw is put down
to the event that its key was invalidated by last.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime

import msgspec

from cache.generations import Generations
from cache.store import Place
from events.catalog import Logged, UserId

KEPT_EVENTS = 50
"""Per user."""
KEPT_USERS = 1_000


class Load(msgspec.Struct, frozen=True):
    """A value that was computed anew, and how long that took."""

    key: str
    ms: float


class Redraw(msgspec.Struct, frozen=True):
    """A section that shows newer numbers, on a page, in so many tabs.

    `after_ms` is when the last of those did that somebody could see when the event came; None if there was no such tab:
    the others catch up when they are looked at, however late that is.
    """

    page: str
    section: str
    tabs: int
    after_ms: float | None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event and what it led to. `prefixes` are written as patterns."""

    seq: int
    event: str
    at: datetime
    prefixes: tuple[str, ...]
    loads: tuple[Load, ...]
    redraws: tuple[Redraw, ...]


class _Entry:
    def __init__(self, logged: Logged, prefixes: Sequence[str]) -> None:
        self.logged = logged
        self.prefixes = tuple(prefix or "*" for prefix in prefixes)
        self.began = time.monotonic()
        self.loads: list[Load] = []
        self.tabs: Counter[tuple[str, str]] = Counter()
        self.after_ms: dict[tuple[str, str], float] = {}

    def told(self) -> Happened:
        event = self.logged.event
        return Happened(
            seq=self.logged.seq,
            event=event.name,
            at=event.at,
            prefixes=self.prefixes,
            loads=tuple(self.loads),
            redraws=tuple(
                Redraw(page, section, tabs, self.after_ms.get((page, section)))
                for (page, section), tabs in self.tabs.items()
            ),
        )


class Journal:
    """The journal of one application. Safe from any thread."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._entries: dict[UserId, deque[_Entry]] = {}
        self._lock = threading.Lock()

    def happened(self, logged: Logged, prefixes: Sequence[str]) -> None:
        """Write down an event, before anybody is told that the *prefixes* are stale."""
        with self._lock:
            user = logged.event.user
            if user not in self._entries and len(self._entries) >= KEPT_USERS:
                del self._entries[next(iter(self._entries))]
            self._entries.setdefault(user, deque(maxlen=KEPT_EVENTS)).append(_Entry(logged, prefixes))

    def loaded(self, place: Place, seconds: float) -> None:
        """Write down that what is kept at *place* was computed anew."""
        entry = self._cause(place.user, [place.key])
        if entry is not None:
            with self._lock:
                entry.loads.append(Load(place.key, seconds * 1000))

    def redrew(
        self, user: UserId, page: str, section: str, keys: Sequence[str], *, seen_since: float = float("-inf")
    ) -> None:
        """Write down that *section* shows newer values of these full *keys* on *page*, in one tab.

        *seen_since* is when (`time.monotonic`) there was somebody to draw it for: not before, if it waited for that.
        """
        entry = self._cause(user, keys)
        if entry is not None:
            with self._lock:
                entry.tabs[page, section] += 1
                if seen_since <= entry.began:
                    entry.after_ms[page, section] = (time.monotonic() - entry.began) * 1000

    def latest(self, user: UserId) -> tuple[Happened, ...]:
        """Return what the last events of *user* led to, newest first."""
        with self._lock:
            return tuple(entry.told() for entry in reversed(self._entries.get(user, ())))

    def _cause(self, user: UserId, keys: Sequence[str]) -> _Entry | None:
        seq = max((self._generations.of(user, key) for key in keys), default=0)
        with self._lock:
            return next((entry for entry in reversed(self._entries.get(user, ())) if entry.logged.seq == seq), None)
