"""Who moves in the orders kit: greenlets that run real code and stand still at the seams they are held at.

All actors share one thread, so that a turn costs a microsecond and not two switches of threads. That is as good as
threads of their own, as long as nobody stands still inside of a lock: a lock of one thread would let the others in
(`Locks` sees to that). What the product waits with - futures, sleeping - gives the turn away here instead.

Knows neither the cache nor the models; where the seams are is in `stage`.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

from greenlet import getcurrent, greenlet

PACKAGES = ("cache.", "data.", "events.")
PATIENCE_SECONDS = 5.0


class Actor(greenlet):
    """Code that moves only when told to (`switch`), from one held seam to the next. `dead` once it has finished."""

    def __init__(self, play: Callable[["Actor"], None], held: frozenset[str], turns: int) -> None:
        super().__init__()
        self.held = held
        self.left = turns
        """Turns that it will be given for sure, besides the present one."""
        self.after_look = "looked"
        """Where it is held after a look at the log: inside of a read transaction, or of a load's, elsewhere."""
        self.writes = 0
        """The number that the command under way will have made the truth; 0: none."""
        self.error: Exception | None = None
        self._play = play

    def run(self) -> None:
        try:
            self._play(self)
        except Exception as error:  # noqa: BLE001  # handed over: the stage raises it when all have finished
            self.error = error

    def rest(self) -> None:
        """End the turn here."""
        assert self.parent is not None
        self.parent.switch()

    def leave(self) -> None:
        """End it wherever it stands."""
        self.held = frozenset()
        while not self.dead:
            self.throw()


def acting() -> Actor | None:
    """Return the actor whose turn it is; None while none moves."""
    actor = getcurrent()
    return actor if isinstance(actor, Actor) else None


def pause(seam: str) -> None:
    """Stand still, if it is the turn of an actor that is held at *seam*."""
    actor = getcurrent()
    if isinstance(actor, Actor) and seam in actor.held:
        actor.rest()


def wait_until(ready: Callable[[], bool]) -> None:
    """What an actor does instead of blocking: its turns pass until it may go on."""
    actor = acting()
    assert actor is not None
    while not ready():
        actor.rest()


class PatientFuture(Future):  # type: ignore[type-arg]
    """A future whose waiters let the others move. No time passes: who waits at all waits to the end."""

    def result(self, timeout: float | None = None) -> Any:
        if timeout != 0 and acting():
            wait_until(self.done)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if acting():
            wait_until(self.done)
        return super().exception(timeout)


class PatientTime:
    """Time for who waits for another process's lease: a turn instead of a sleep."""

    monotonic, perf_counter = time.monotonic, time.perf_counter

    @staticmethod
    def sleep(seconds: float) -> None:
        actor = acting()
        if actor is None:
            time.sleep(seconds)
        else:
            actor.rest()


class Locks:
    """The product's locks that were made while `recorded`, and whether an actor stands still inside of one."""

    def __init__(self) -> None:
        self._plain: list[Any] = []
        self._reentrant: list[Any] = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Remember each lock that one of the packages makes meanwhile."""
        made = {"Lock": (threading.Lock, self._plain), "RLock": (threading.RLock, self._reentrant)}

        def maker(make: Callable[[], Any], kept: list[Any]) -> Callable[[], Any]:
            def make_and_keep() -> Any:
                lock = make()
                if sys._getframe(1).f_globals["__name__"].startswith(PACKAGES):
                    kept.append(lock)
                return lock

            return make_and_keep

        with mock.patch.multiple(threading, **{name: maker(*how) for name, how in made.items()}):
            yield

    def check(self) -> None:
        """Raise if a lock is held between two turns.

        Raises:
            RuntimeError: an actor stands still where it keeps others out.
        """
        for lock in self._reentrant:
            if lock._is_owned():
                raise RuntimeError("an actor stands still inside of a re-entrant lock: hold it at another seam")
        for lock in self._plain:
            if lock.locked():  # by a thread of the product, perhaps, and then not for long
                if not lock.acquire(timeout=PATIENCE_SECONDS):
                    raise RuntimeError("an actor stands still inside of a lock: hold it at another seam")
                lock.release()
