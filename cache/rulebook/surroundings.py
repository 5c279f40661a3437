"""What a loader may look at besides its transaction and viewpoint: files, other connections, and the system's clock.

None of it is in the event log, so no rule can make stale what depends on it. Opening is seen by Python's audit hook;
the clock is moved, as far as Python code asks it through `datetime` and `time`. What SQL asks of the clock, or C code,
or what was read and remembered before anybody looked, is not seen.
"""

import contextlib
import datetime
import sys
import threading
import time
import zoneinfo
from collections.abc import Iterator
from typing import Any

STANDS_AT = datetime.datetime(2031, 3, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
MOVED_TO = datetime.datetime(2032, 11, 21, 19, 53, 41, 99, tzinfo=datetime.UTC)
"""Another year, month, day, weekday, hour and minute."""

_OPENINGS = {
    "open": 0,
    "os.listdir": 0,
    "os.scandir": 0,
    "sqlite3.connect": 0,
    "socket.connect": 1,
    "subprocess.Popen": 0,
}
"""Audit events that lead out, each with the place of what is opened among its arguments."""
_OF_PYTHON = (sys.prefix, sys.base_prefix, *zoneinfo.TZPATH)

_watched: dict[int, set[str]] = {}
"""Thread -> what it opens while somebody watches it."""


@contextlib.contextmanager
def opened() -> Iterator[set[str]]:
    """Collect what this thread opens meanwhile; modules and time zones, which Python reads by itself, are left out."""
    _listen()
    thread = threading.get_ident()
    _watched[thread] = found = set[str]()
    try:
        yield found
    finally:
        del _watched[thread]


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    place = _OPENINGS.get(event)
    found = _watched.get(threading.get_ident()) if place is not None and _watched else None
    if found is not None and place is not None:
        what = arguments[place]
        name = what.decode(errors="replace") if isinstance(what, bytes) else str(what)
        if not isinstance(what, int) and not name.startswith(_OF_PYTHON) and not name.endswith((".py", ".pyc")):
            found.add(name)


_listening = threading.Lock()


def _listen() -> None:
    if _listening.acquire(blocking=False):  # once in a process, for a hook cannot be taken away
        sys.addaudithook(_hear)


@contextlib.contextmanager
def clock_at(now: datetime.datetime, *modules: str) -> Iterator[None]:
    """Let the system's clock stand at *now* for what the packages of the data and these *modules* ask it."""
    shifted = _shifted(now)
    places = [vars(datetime), vars(time)]
    for name, module in list(sys.modules.items()):
        if name == "data" or name.startswith("data.") or name in modules:
            places.append(vars(module))
    changed = [
        (namespace, name, thing)
        for namespace in places
        for name, thing in list(namespace.items())
        if id(thing) in shifted
    ]
    for namespace, name, thing in changed:
        namespace[name] = shifted[id(thing)]
    try:
        yield
    finally:
        for namespace, name, thing in changed:
            namespace[name] = thing


def _shifted(now: datetime.datetime) -> dict[int, Any]:
    """Return what stands in for each part of Python that tells the time, by its identity."""
    real_datetime, real_date = datetime.datetime, datetime.date
    seconds = now.timestamp()

    class AsReal(type):
        """Makes whatever the real class makes, and takes it for its own."""

        real: type

        def __call__(cls, *given: Any, **named: Any) -> Any:
            return cls.real(*given, **named)

        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, cls.real)

        def __subclasscheck__(cls, thing: type) -> bool:
            return issubclass(thing, cls.real)

        def __getattr__(cls, name: str) -> Any:
            return getattr(cls.real, name)

    class Date(metaclass=AsReal):
        real = real_date

        @staticmethod
        def today() -> datetime.date:
            return now.date()

    class Datetime(metaclass=AsReal):
        real = real_datetime

        @staticmethod
        def now(tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return now.replace(tzinfo=None) if tz is None else now.astimezone(tz)

        @staticmethod
        def utcnow() -> datetime.datetime:
            return now.replace(tzinfo=None)

        today = utcnow

    real_localtime, real_gmtime = time.localtime, time.gmtime
    return {
        id(real_date): Date,
        id(real_datetime): Datetime,
        id(time.time): lambda: seconds,
        id(time.time_ns): lambda: int(seconds * 1e9),
        id(real_localtime): lambda given=None: real_localtime(seconds if given is None else given),
        id(real_gmtime): lambda given=None: real_gmtime(seconds if given is None else given),
    }
