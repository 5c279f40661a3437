"""Announces events inside this process. The only module that knows blinker.

blinker by itself forgets closures, runs receivers in set order, lets one raising receiver stop the rest and the
writer, and accepts any misspelt signal name. This bus owns all four: receivers are strong, ordered and guarded, and
only the signals of the catalog exist.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from blinker import NamedSignal, Namespace

from events.catalog import CATALOG, NOTIFICATIONS, Event, Invalidated, Logged, Notification, Reloaded
from events.errors import UnknownSignalError
from events.patterns import did_you_mean

log = logging.getLogger(__name__)

Disconnect = Callable[[], None]

SLOW_SECONDS = 5.0
"""How long a receiver may take before that is logged: commands and reads wait for it."""


class _OrderedSet(dict[Any, None]):
    """What blinker keeps receiver ids in, in order of connection (see `Signal.set_class`)."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)

    remove = discard

    def copy(self) -> "_OrderedSet":
        return _OrderedSet(self)

    def __or__(self, other: Iterable[Any]) -> "_OrderedSet":  # type: ignore[override]  # a set's union, not a dict's
        return _OrderedSet([*self, *other])


class _OrderedSignal(NamedSignal):
    set_class = _OrderedSet  # type: ignore[assignment]  # blinker asks for this class attribute, typed as set


@dataclass(slots=True, eq=False)
class _Call:
    """A receiver that is running."""

    receiver: Callable[[Any], None]
    signal: str
    began: float
    is_reported: bool = False


class Bus:
    """The signals of one running application. Build one per run; nothing here is global."""

    def __init__(self) -> None:
        self._signals = Namespace()
        self._calls: dict[_Call, None] = {}
        self.slow_seconds = SLOW_SECONDS
        names = [kind.name for kind in CATALOG] + [kind.name for kind in NOTIFICATIONS]
        self._signals.update({name: _OrderedSignal(name) for name in names})

    def on_event(self, receiver: Callable[[Logged], None], *event_classes: type[Event]) -> Disconnect:
        """Call *receiver* with every `Logged` event of the given classes (of all classes, if none is given).

        Receivers run in order of connection, in the thread that reads the log. What a receiver raises is logged and
        the next one runs: the fact has happened, nobody can refuse it any more. Returns the way to stop it.
        A receiver must not wait for a command or a read of another thread: that one may be waiting for the feed.
        """
        with ExitStack() as connections:
            for kind in event_classes or CATALOG:
                connections.callback(self._connect(kind.name, receiver))
            return connections.pop_all().close

    def on_invalidated(self, receiver: Callable[[Invalidated], None]) -> Disconnect:
        """Call *receiver* after generations have risen. Same order and guard as `on_event`."""
        return self._connect(Invalidated.name, receiver)

    def send(self, logged: Logged) -> None:
        """Announce *logged* to the receivers of its event's signal. Returns when all have run; never raises."""
        self._signal(logged.event.name).send(self, message=logged)

    def on_reloaded(self, receiver: Callable[[Reloaded], None]) -> Disconnect:
        """Call *receiver* when a load has ended that somebody did not wait for. Same order and guard as `on_event`."""
        return self._connect(Reloaded.name, receiver)

    def notify(self, notification: Notification) -> None:
        """Announce *notification*. Returns when all receivers have run; never raises."""
        self._signal(notification.name).send(self, message=notification)

    def report_slow(self) -> None:
        """Log, once each, which receivers have been running for too long. For whoever waits for them."""
        for call in list(self._calls):
            took = time.monotonic() - call.began
            if took >= self.slow_seconds and not call.is_reported:
                call.is_reported = True
                log.error(
                    "receiver %r has been busy with %s for %.1f s, and others wait for it",
                    call.receiver, call.signal, took,
                )  # fmt: skip

    def has_receivers(self, name: str) -> bool:
        """Whether anybody listens to the signal *name*."""
        return bool(self._signal(name).receivers)

    def _signal(self, name: str) -> NamedSignal:
        try:
            return self._signals[name]
        except KeyError:
            raise UnknownSignalError(
                f"no signal {name!r} in events/catalog.py" + did_you_mean(name, self._signals)
            ) from None

    def _connect(self, name: str, receiver: Callable[[Any], None]) -> Disconnect:
        def guarded(_sender: object, *, message: object) -> None:
            call = _Call(receiver, name, time.monotonic())
            self._calls[call] = None
            try:
                receiver(message)
            except Exception:  # the receiver guard: a fact cannot be refused, and the next one must run
                log.exception("receiver %r failed on %s", receiver, name)
            finally:
                del self._calls[call]
            took = time.monotonic() - call.began
            if took >= self.slow_seconds:
                log.warning("receiver %r took %.1f s for %s", receiver, took, name)

        signal = self._signal(name)
        signal.connect(guarded, weak=False)
        return lambda: signal.disconnect(guarded)
