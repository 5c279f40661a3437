"""What the pages are given to work with, and who is looking at them. Who builds these things is `app.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cache.auditor import Auditor
from cache.manager import CacheManager
from cache.rulebook.graph import Drawing
from data.database import Database
from data.preferences import LOCAL_USER
from events.bus import Bus
from events.catalog import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One running application, as far as pages need it.

    `poll` looks for what other processes changed; it blocks for some microseconds and is called in a worker thread,
    five times a second while somebody looks. `clock` returns the present moment, aware, in UTC. `drawing` shows the
    rules.
    """

    database: Database
    manager: CacheManager
    auditor: Auditor
    drawing: Drawing
    bus: Bus
    poll: Callable[[], object]
    clock: Callable[[], datetime]


def current_user() -> UserId:
    """Return whose data the person at this page may see. The only place that knows: there are no accounts yet."""
    return LOCAL_USER
