"""The auditor: while the application runs, it computes a kept value once more and compares.

What is kept and judged fresh has to equal a load from the very state in which it was judged, whatever the rules, the
stores and the order of events were. From where the reader looks is not believed either: user, preferences and day are
found anew. A difference is a mistake of ours: it is reported with the events that led to it, and the value is thrown
away, so that pages are right again.

What it cannot see is a loader that remembers: one that answers out of a memory of its own says the same twice.
"""

import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cache.difference import difference
from cache.manager import CacheManager
from cache.settings import AuditWhen
from cache.snapshot import Snapshot
from cache.values import PREFERENCES, VALUES, Value
from data import preferences
from data.viewpoint import Viewpoint
from events.catalog import UserId

log = logging.getLogger(__name__)

KEPT_DIFFERENCES = 50
VIEWPOINT = "viewpoint"
"""Stands in for a key where readers were given the wrong user, preferences, day or hour to look from."""
TRAIL = 20
"""How many of the user's events are kept with a difference."""
QUIET_SECONDS = 1.0
"""For how long nothing may have been read or written before the auditor works."""
SHORTEST_PAUSE_SECONDS = 0.05


class TrailEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that led to a difference, and what the rules made of it."""

    seq: int
    event: str
    at: datetime
    invalidates: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A kept value that was wrong.

    `key` is the full key, `as_of` the seq it was computed from, `generation` how far its key had been invalidated,
    `seq` the state in which it differed. `place` says where in the value, `example` how. The trail is newest first.
    """

    user: UserId
    key: str
    as_of: int
    generation: int
    seq: int
    found_at: datetime
    loaded_at: datetime
    place: str
    example: str
    trail: tuple[TrailEvent, ...]


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the auditor has done since the process began."""

    checked: int
    differed: int
    failed: int
    differences: tuple[Difference, ...]
    """The latest, newest first."""

    @property
    def sentence(self) -> str:
        """`1,204 checked, 0 differed`."""
        return f"{self.checked:,} checked, {self.differed:,} differed"


class Auditor:
    """Audits one cache. `look_once` may be called by anybody, in any thread; `start` has a thread do it by itself."""

    def __init__(self, manager: CacheManager, *, chance: random.Random | None = None) -> None:
        self._manager = manager
        self._chance = chance or random.Random()  # nosec B311  # decides what is audited next
        self._lock = threading.Lock()
        self._checked = self._differed = self._failed = 0
        self._differences: deque[Difference] = deque(maxlen=KEPT_DIFFERENCES)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    # --- checking

    def look_once(self) -> bool:
        """Check one value of somebody who is here, by chance; return whether there was one to check."""
        users = self._manager.users_here()
        if not users:
            return False
        user = self._chance.choice(users)
        values = [*VALUES, *self._manager.kept_parts(user)]
        self._chance.shuffle(values)
        return self._check(user, values, most=1) > 0

    def check_all(self, user: UserId) -> AuditReport:
        """Check everything that is kept for *user*, and return the report."""
        values = [*VALUES, *self._manager.kept_parts(user)]
        self._check(user, values, most=len(values))
        return self.report()

    def report(self) -> AuditReport:
        """Return what was checked so far, and the latest differences."""
        with self._lock:
            return AuditReport(
                checked=self._checked,
                differed=self._differed,
                failed=self._failed,
                differences=tuple(reversed(self._differences)),
            )

    def _check(self, user: UserId, values: list[Value[Any]], most: int) -> int:
        checked = 0
        wrong: list[str] = []
        with self._manager.snapshot(user) as snapshot:
            view = _viewpoint(user, snapshot)
            if view != snapshot.view:
                seen = _Seen(VIEWPOINT, snapshot.seq, 0, snapshot.now)
                self._report(user, snapshot, seen, *difference(snapshot.view, view))
                wrong.append(PREFERENCES.key)
            for value in values:
                if checked == most:
                    break
                entry = None if value.may_lag else snapshot.kept(value)
                if entry is None:
                    continue
                checked += 1
                try:
                    now = snapshot.load(value, view)
                except Exception:  # the auditor finds mistakes in what is kept; that a load fails is told to who reads
                    log.warning("%s of user %s could not be audited", value.key, user, exc_info=True)
                    self._count(failed=1)
                    continue
                if now == entry.value:
                    self._count()
                    continue
                why = snapshot.why(value)
                seen = _Seen(why.key, entry.as_of, why.generation, entry.loaded_at)
                self._report(user, snapshot, seen, *difference(entry.value, now))
                wrong.append(why.key)
        for key in wrong:
            self._manager.distrust(user, key)
        return checked

    def _report(self, user: UserId, snapshot: Snapshot, seen: "_Seen", place: str, example: str) -> None:
        found = Difference(
            user=user,
            key=seen.key,
            as_of=seen.as_of,
            generation=seen.generation,
            seq=snapshot.seq,
            found_at=snapshot.now,
            loaded_at=seen.loaded_at,
            place=place,
            example=example,
            trail=tuple(
                TrailEvent(
                    seq=logged.seq,
                    event=logged.event.name,
                    at=logged.event.at,
                    invalidates=tuple(prefix or "*" for prefix in prefixes),
                )
                for logged, prefixes in snapshot.trail(TRAIL)
            ),
        )
        self._count(found)
        log.error(
            "audit: %s of user %s, computed as of event %d, differs from event %d at %s",
            *(seen.key, user, seen.as_of, snapshot.seq, place),
        )

    def _count(self, found: Difference | None = None, *, failed: int = 0) -> None:
        with self._lock:
            self._failed += failed
            self._checked += 1 - failed
            if found is not None:
                self._differed += 1
                self._differences.append(found)

    # --- by itself

    def start(self) -> None:
        """Check by chance from now on, in a thread, as often as the settings say. May be called again."""
        if self._thread is None and self._manager.settings.audit_percent:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="cache-auditor", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish the check that is under way. May be called again."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        settings = self._manager.settings
        per_second_of_work = 100 / settings.audit_percent - 1
        pause, before = QUIET_SECONDS, -1
        while not self._stopping.wait(pause):
            activity = self._manager.activity()
            is_quiet, before = activity == before, activity
            if settings.audit_when is AuditWhen.IDLE and not is_quiet:
                pause = QUIET_SECONDS
                continue
            began = time.monotonic()
            try:
                self.look_once()
            except Exception:  # nobody waits for it: without this, one busy database would end all audits in silence
                log.exception("an audit could not be carried out")
            pause = max((time.monotonic() - began) * per_second_of_work, SHORTEST_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was shown, and what its judgement rested on."""

    key: str
    as_of: int
    generation: int
    loaded_at: datetime


def _viewpoint(user: UserId, snapshot: Snapshot) -> Viewpoint:
    """Return from where *user* looks, by what the tables of this state and the clock say and nobody has kept."""
    profile = snapshot.query(lambda read, _: preferences.load(read, user))
    hour = snapshot.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Viewpoint(user=user, profile=profile, today=profile.calendar.day_of(snapshot.now), hour=hour)
