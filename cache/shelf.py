"""What has been judged fresh for one user since the last event that touched them, so that it need not be judged again.

A shelf is thrown away when such an event arrives, and when the first entry on it becomes too old, which costs the same
whatever is on it. It keeps no entry alive: an entry that its tier gave up is gone from here as well.
"""

import threading
import weakref
from datetime import datetime, timedelta
from typing import Any

from cache.entries import Entry
from cache.values import Value
from data.days import ONE_DAY
from data.viewpoint import Viewpoint

ONE_HOUR = timedelta(hours=1)


class Shelf:
    """Judged entries of one user, from one viewpoint. Safe from any thread.

    `newest` is the seq of the last event that touched the user before anything was judged: a reader whose state is of
    before it must not use this shelf. Who reads asks `holds_at`, and after that may `get` as long as it reads.
    """

    __slots__ = ("_latest", "_lock", "_since", "_until", "judged", "newest", "view")

    def __init__(self, view: Viewpoint, newest: int, now: datetime) -> None:
        self.view = view
        self.newest = newest
        self.judged: dict[Value[Any], weakref.ref[Entry]] = {}
        """What `get` looks into, for who cannot afford to call it."""
        self._since = self._latest = now
        self._until = min(view.hour + ONE_HOUR, view.profile.calendar.starts(view.today + ONE_DAY))
        self._lock = threading.Lock()

    def holds_at(self, now: datetime) -> bool:
        """Whether it is still the hour and the local day that it was made for, and nothing on it is too old."""
        with self._lock:
            if not self._since <= now < self._until:
                return False
            if now > self._latest:
                self._latest = now
            return True

    def get(self, value: Value[Any]) -> Entry | None:
        """Return the entry of *value* that was judged fresh, if it is kept still."""
        reference = self.judged.get(value)
        return None if reference is None else reference()

    def put(self, value: Value[Any], entry: Entry) -> None:
        """Remember that *entry* was judged fresh, by the generations as they were when the shelf was made or later.

        Unless somebody reads here already who came when it was too old.
        """
        until = entry.loaded_at + value.ttl
        with self._lock:
            if until > self._latest:
                self._until = min(self._until, until)
                self.judged[value] = weakref.ref(entry)
