"""What has been judged fresh for one user since the last event that touched them, so that it need not be judged again.

A shelf is thrown away when such an event arrives, which costs the same whatever is on it. It keeps no entry alive: an
entry that its tier gave up is gone from here as well.
"""

import time
import weakref
from datetime import datetime, timedelta
from typing import Any

from cache.entries import Entry
from cache.values import Value
from data.days import ONE_DAY
from data.viewpoint import Viewpoint

ONE_HOUR = timedelta(hours=1)


class Shelf:
    """Judged entries of one user, from one viewpoint. Safe from any thread: each operation is one on a dictionary.

    `newest` is the seq of the last event that touched the user before anything was judged: a reader whose state is of
    before it must not use this shelf.
    """

    __slots__ = ("_fresh", "_since", "_until", "newest", "view")

    def __init__(self, view: Viewpoint, newest: int, now: datetime) -> None:
        self.view = view
        self.newest = newest
        self._since = now
        self._until = min(view.hour + ONE_HOUR, view.profile.calendar.starts(view.today + ONE_DAY))
        self._fresh: dict[Value[Any], tuple[weakref.ref[Entry], datetime]] = {}

    def holds_at(self, now: datetime) -> bool:
        """Whether it is still the hour and the local day that the shelf was made for."""
        return self._since <= now < self._until

    def get(self, value: Value[Any], now: datetime) -> Entry | None:
        """Return the entry of *value* that was judged fresh, if it is kept still and not too old by now."""
        found = self._fresh.get(value)
        if found is None:
            return None
        reference, until = found
        entry = reference() if now <= until else None
        if entry is not None:
            entry.used_at = time.monotonic()  # its tier is not asked, and would take it for unused
        return entry

    def put(self, value: Value[Any], entry: Entry) -> None:
        """Remember that *entry* was judged fresh, by the generations as they were when the shelf was made or later."""
        self._fresh[value] = (weakref.ref(entry), entry.loaded_at + value.ttl)
