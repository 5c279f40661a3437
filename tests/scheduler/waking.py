"""A scheduler that a test wakes up, at whatever moment it says, and the looks that it makes."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from scheduler import clockwork as clockwork_module
from scheduler.clockwork import Clockwork


class Looks:
    """Counts looks, and lets a test wait for them."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False
        self._changed = threading.Condition()

    def __call__(self, stopping: threading.Event) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        if self.fails:
            raise ZeroDivisionError("on purpose")

    def wait_for(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, 10)


class Watch:
    """The clock that APScheduler reads."""

    now = datetime(2026, 5, 13, 10, 1, tzinfo=UTC)

    @classmethod
    def install(cls, monkeypatch: pytest.MonkeyPatch) -> "Watch":
        watch = cls()

        class Moved(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return watch.now.astimezone(tz)

        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Moved)
        monkeypatch.setattr(clockwork_module, "datetime", Moved)
        return watch


class Woken:
    """Wakes the scheduler up at some moment, as its own thread does."""

    FIRST = Watch.now
    """When it looks first."""

    def __init__(self, clockwork: Clockwork, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
        self._looks = looks
        self._watch = Watch.install(monkeypatch)
        monkeypatch.setattr("apscheduler.schedulers.background.BackgroundScheduler._main_loop", lambda self: None)
        clockwork.start()
        self._scheduler: Any = clockwork._scheduler
        self(self._watch.now, 1)  # the first look

    def __call__(self, moment: datetime, expected: int) -> float:
        """Wait for as many looks as are *expected* by then; return how long the scheduler would sleep after."""
        self._watch.now = moment
        slept = float(self._scheduler._process_jobs())
        assert self._looks.wait_for(expected)
        running = self._scheduler._executors["default"]._instances
        give_up_at = time.monotonic() + 10
        while any(running.values()):  # a look that has not ended is not made twice at once
            assert time.monotonic() < give_up_at
            time.sleep(0.001)
        return slept
