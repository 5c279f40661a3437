"""What was missed by name and is not set yet: how old the state may be that a `set` was computed from.

A caller may miss in one thread and set in another, and nothing tells which `set` answers which miss. So each counts as
computed from the state of the oldest there is: it may be refused though it was in time, and is never kept though it was
late. A miss is known to be answered if the same thread or task sets; any other is forgotten in time only.
"""

import concurrent.futures.thread
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from types import MappingProxyType

from events.catalog import UserId

KEPT_SECONDS = 60.0
"""What was missed longer ago is forgotten, if it was not answered: who computes for longer brings a stamp."""
KEPT_PER_KEY = 64
KEPT_KEYS = 10_000
KEPT_OWN = 256


class _Miss:
    __slots__ = ("at", "seq")

    def __init__(self, seq: int, at: float) -> None:
        self.seq = seq
        self.at = at


_Own = MappingProxyType[tuple["Misses", UserId, str], _Miss]

_own: ContextVar[_Own] = ContextVar("own_misses", default=MappingProxyType({}))
"""The last miss of each key in this thread or task."""


class Misses:
    """The unanswered misses of one process, bounded in number and age. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: OrderedDict[tuple[UserId, str], list[_Miss]] = OrderedDict()
        self._crowded_out = _Miss(0, float("-inf"))  # the oldest seq of keys there was no room for, and when that was
        self._lock = threading.Lock()

    def missed(self, user: UserId, key: str, seq: int) -> None:
        """Remember that *key* was missed when the log's newest row was *seq*."""
        miss, before = _Miss(seq, self._clock()), self._own(user, key)
        is_own = not _serves_anybody()
        with self._lock:
            misses = self._keys.setdefault((user, key), [])
            self._keys.move_to_end((user, key))
            misses[:] = [other for other in misses if other is not before and self._counts(other)]
            if len(misses) >= KEPT_PER_KEY:
                miss.seq = min(seq, misses.pop().seq)
                is_own = False  # it stands for two
            misses.append(miss)
            if len(self._keys) > KEPT_KEYS:
                self._crowd_out()
        if is_own:
            own = {**_own.get(), (self, user, key): miss}
            while len(own) > KEPT_OWN:
                del own[next(iter(own))]
            _own.set(MappingProxyType(own))

    def oldest(self, user: UserId, key: str) -> int | None:
        """Return the seq of the oldest miss of *key* that may be unanswered; None if there is none."""
        own = self._own(user, key)
        with self._lock:
            known = [miss.seq for miss in self._keys.get((user, key), ()) if self._counts(miss)]
            if not known and self._counts(self._crowded_out):
                known = [self._crowded_out.seq]
        return min([*known, own.seq] if own else known, default=None)

    def answered(self, user: UserId, key: str, is_kept: bool) -> None:
        """Take a `set` for the answer to the miss of this thread or task.

        One that was refused stays refused until it is missed anew: a second try would be as late.
        """
        own = self._own(user, key)
        if own is None:
            return
        with self._lock:
            misses = self._keys.get((user, key), [])
            misses[:] = [miss for miss in misses if miss is not own]
            if not misses:
                self._keys.pop((user, key), None)
        if is_kept:
            _own.set(MappingProxyType({at: miss for at, miss in _own.get().items() if miss is not own}))

    def _own(self, user: UserId, key: str) -> _Miss | None:
        return None if _serves_anybody() else _own.get().get((self, user, key))

    def _counts(self, miss: _Miss) -> bool:
        return miss.at >= self._clock() - KEPT_SECONDS

    def _crowd_out(self) -> None:
        _, gone = self._keys.popitem(last=False)
        known = [miss.seq for miss in (*gone, self._crowded_out) if self._counts(miss)]
        if known:
            self._crowded_out = _Miss(min(known), self._clock())


def _serves_anybody() -> bool:
    """Whether this thread is one of a pool: what one caller left in it is not the next one's."""
    workers = getattr(concurrent.futures.thread, "_threads_queues", None)
    this = threading.current_thread()
    return this is not threading.main_thread() if workers is None else this in workers
