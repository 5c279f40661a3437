"""Mode `full`: everything is loaded before a user looks, and again after each invalidation.

A `Preload` is one user's loading with its progress, watched by any number of tabs. Re-warming needs nobody to watch.
How a value is loaded, and what that costs, is known to the manager; who shows progress, to the pages.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from cache.errors import CacheError
from cache.values import VALUES, Value
from data.preferences import CacheMode
from events.bus import Bus
from events.catalog import Invalidated, UserId
from events.patterns import covers

log = logging.getLogger(__name__)

GAP_SECONDS = 0.25
"""How long re-warming waits for more of a burst."""
SMOOTHING = 0.3
"""The weight of the newest estimate of the time that is left."""


class Cache(Protocol):
    """What is needed of the manager."""

    def get_or_load(self, value: Value[Any], user: UserId) -> Any: ...
    def missing(self, user: UserId) -> list[tuple[Value[Any], float | None]]: ...


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a preload has come.

    `share` (0-1) is of the expected time, not of the number of values, and `next_share` what it will be once the value
    under way is done, which is expected to take `seconds`. `seconds_left` is None before there is any experience. All
    of it is as of when that value began. `failed` counts values that could not be computed: they are done as well.
    """

    done: int = 0
    total: int = 0
    failed: int = 0
    loading: str | None = None
    share: float = 0.0
    next_share: float = 0.0
    seconds: float = 0.0
    seconds_left: float | None = None
    is_over: bool = False
    is_cancelled: bool = False


class Preload:
    """One user's loading of everything. Safe from any thread."""

    def __init__(self, user: UserId, clock: Callable[[], float] = time.monotonic) -> None:
        self.user = user
        self.progress = Progress()
        """Replaced, never changed: read it whenever you like."""
        self._watchers = 1
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clock = clock

    def join(self) -> bool:
        """Watch as well; False if it is over or given up already."""
        with self._lock:
            if self._watchers == 0 or self.progress.is_over:
                return False
            self._watchers += 1
            return True

    def leave(self) -> None:
        """Stop watching. When the last one leaves before the end, the value under way is the last one loaded."""
        with self._lock:
            self._watchers = max(0, self._watchers - 1)

    def cancel(self) -> None:
        """Load no further value, whoever watches."""
        with self._lock:
            self._watchers = 0

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over; return whether it is."""
        return self._over.wait(seconds)

    def run(self, cache: Cache) -> None:
        """Load, in this thread, until all is there or nobody watches."""
        try:
            self._load(cache, cache.missing(self.user))
        except CacheError:
            log.exception("preloading for user %s failed", self.user)
        finally:
            self.progress = msgspec.structs.replace(self.progress, loading=None, is_over=True)
            self._over.set()

    def _load(self, cache: Cache, missing: Sequence[tuple[Value[Any], float | None]]) -> None:
        expected = _expected([seconds for _, seconds in missing])
        whole, behind, failed, left = sum(expected), 0.0, 0, None
        began = estimated_at = self._clock()
        for done, ((value, _), seconds) in enumerate(zip(missing, expected, strict=True)):
            if self._watchers == 0:
                self.progress = msgspec.structs.replace(self.progress, is_cancelled=True, loading=None)
                return
            now = self._clock()
            before, estimated_at = None if left is None else left - (now - estimated_at), now
            left = _seconds_left(before, whole - behind, behind, now - began)
            self.progress = Progress(
                done=done,
                total=len(missing),
                failed=failed,
                loading=value.label,
                share=behind / whole,
                next_share=(behind + seconds) / whole,
                seconds=seconds if behind == 0.0 else seconds * (now - began) / behind,
                seconds_left=left,
            )
            try:
                cache.get_or_load(value, self.user)
            except CacheError:  # logged where it happened; the page says so on the card
                failed += 1
            behind += seconds
        self.progress = Progress(done=len(missing), total=len(missing), failed=failed, share=1.0, seconds_left=0.0)


class Warming:
    """The preloads and the re-warming of one application. Safe from any thread."""

    def __init__(self, cache: Cache, bus: Bus) -> None:
        self._cache = cache
        self._bus = bus
        self._preloads: dict[UserId, Preload] = {}
        self._cold: dict[UserId, tuple[str, ...]] = {}
        self._followed: set[UserId] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._disconnect: Callable[[], None] | None = None

    def start(self) -> None:
        """Load again what goes stale for those who are followed, from now on."""
        self._disconnect = self._bus.on_invalidated(self._went_stale)

    def stop(self) -> None:
        """Load nothing more; what is under way ends by itself. May be called again."""
        if self._disconnect is not None:
            self._disconnect()
            self._disconnect = None
        with self._lock:
            for preload in self._preloads.values():
                preload.cancel()
            self._cold.clear()

    def follow(self, user: UserId, mode: CacheMode) -> None:
        """Load again what goes stale for *user* from now on, if their mode is `full`; not any more, if it is not."""
        if (mode is CacheMode.FULL) != (user in self._followed):
            with self._lock:
                (self._followed.add if mode is CacheMode.FULL else self._followed.discard)(user)

    def preload(self, user: UserId) -> Preload:
        """Begin to load everything for *user*, or watch who does already."""
        with self._lock:
            preload = self._preloads.get(user)
            if preload is not None and preload.join():
                return preload
            self._preloads[user] = preload = Preload(user)
        threading.Thread(target=self._run, args=(preload,), name="cache-preload", daemon=True).start()
        return preload

    def _run(self, preload: Preload) -> None:
        preload.run(self._cache)
        with self._lock:
            if self._preloads.get(preload.user) is preload:
                del self._preloads[preload.user]

    def _went_stale(self, notification: Invalidated) -> None:
        if notification.user not in self._followed:
            return  # nor if it concerns everybody: all users at once would stall each other, the next look will load
        with self._lock:
            before = self._cold.get(notification.user, ())
            self._cold[notification.user] = (*before, *notification.prefixes)
            if self._thread is None:
                self._thread = threading.Thread(target=self._rewarm, name="cache-rewarm", daemon=True)
                self._thread.start()

    def _rewarm(self) -> None:
        while True:
            time.sleep(GAP_SECONDS)
            with self._lock:
                cold, self._cold = self._cold, {}
                if not cold:
                    self._thread = None
                    return
            for user, prefixes in cold.items():
                try:
                    self._load_again(user, prefixes)
                except Exception:  # nobody waits for it: the next reader loads, and hears what is wrong
                    log.exception("re-warming for user %s failed", user)

    def _load_again(self, user: UserId, prefixes: Iterable[str]) -> None:
        for value in VALUES:
            if self._disconnect is None:
                return
            if any(covers(prefix, value.key) for prefix in prefixes):
                with contextlib.suppress(CacheError):  # logged where it happened; the next reader hears of it
                    self._cache.get_or_load(value, user)


def _expected(measured: Sequence[float | None]) -> list[float]:
    """Return what each value is expected to take, in seconds: as measured last, else as the others on average."""
    known = [seconds for seconds in measured if seconds is not None]
    typical = sum(known) / len(known) if known else 1.0
    return [max(typical if seconds is None else seconds, 1e-4) for seconds in measured]


def _seconds_left(before: float | None, ahead: float, behind: float, elapsed: float) -> float | None:
    """Return the time that is left: what is expected, in proportion to how expectation was met so far; smoothed.

    *before* is what remains by now of what was estimated before.
    """
    if behind == 0.0:
        return before
    estimate = ahead * elapsed / behind
    return estimate if before is None else max(0.0, (1 - SMOOTHING) * before + SMOOTHING * estimate)
