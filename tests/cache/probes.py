"""Values whose loaders a test holds in its hand."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select

from cache.values import Value
from data.database import ReadTransaction
from data.models import Instance, State
from data.viewpoint import Viewpoint

PATIENCE_SECONDS = 10.0


class Count(msgspec.Struct, frozen=True):
    """What the probe shows: how many instances the user has completed."""

    completed: int


def count_completed(read: ReadTransaction, view: Viewpoint) -> Count:
    """The truth, read without any cache."""
    found = read.connection.scalar(
        select(func.count()).where(Instance.user_id == view.user, Instance.state == State.COMPLETED)
    )
    return Count(found or 0)


class Gate:
    """A loader that can be held after it has read and before it returns, and that counts its calls."""

    def __init__(self, held: bool = False) -> None:
        self.calls = 0
        self.has_read = threading.Event()
        self.may_return = threading.Event()
        if not held:
            self.may_return.set()
        self._lock = threading.Lock()

    def __call__(self, read: ReadTransaction, view: Viewpoint) -> Count:
        with self._lock:
            self.calls += 1
        found = count_completed(read, view)
        self.has_read.set()
        assert self.may_return.wait(PATIENCE_SECONDS), "the test never let the loader return"
        return found


def probe(loader: Callable[[ReadTransaction, Viewpoint], Any] = count_completed, **changes: Any) -> Value[Any]:
    """A value under `analytics`, which completions invalidate."""
    fields: dict[str, Any] = {
        "key": "analytics.probe",
        "label": "Probe",
        "kind": Count,
        "loader": loader,
        "ttl": timedelta(hours=1),
    }
    return Value(**{**fields, **changes})


class Task:
    """A function running in a thread, with its result or error."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None

        def run() -> None:
            try:
                self.result = act()
            except BaseException as error:  # noqa: BLE001  # handed over: `join` raises it
                self.error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def join(self) -> Any:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the thread hangs"
        if self.error is not None:
            raise self.error
        return self.result
