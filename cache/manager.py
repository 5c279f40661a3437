"""Answers readers: finds what is kept, judges whether it is fresh, loads it if not, and passes invalidations on.

The one judgement of this system is `CacheManager._is_fresh`. Where entries are kept is in the stores; how far prefixes
have been invalidated, in `generations`. Pages read through a `Snapshot`.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import msgspec

from cache import entries
from cache.counts import Counts, KeyStats
from cache.entries import Entry
from cache.errors import LoadError
from cache.file_store import FileStore
from cache.flights import Flights
from cache.generations import Generations
from cache.hybrid_store import HybridStore
from cache.memory_store import MemoryStore
from cache.settings import CacheSettings
from cache.store import NullStore, Place, Store, TierStats
from cache.values import PREFERENCES, VALUES, Value
from data.database import Database, ReadTransaction
from data.feed import Feed
from data.preferences import CacheBackend, CacheMode, Profile
from data.viewpoint import Viewpoint
from events.bus import Bus
from events.catalog import Invalidated, Logged, UserId
from events.patterns import EVERYTHING
from events.ruleset import Ruleset

log = logging.getLogger(__name__)

T = TypeVar("T")

KNOWN_TOKENS = 10_000


class Look(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A value with what a page may want to say about it.

    `key` is the full key that it was found under, `as_of` the seq of the state that it was computed from, `loaded_at`
    when that was. `problem` is None for a fresh value; otherwise newer numbers could not be computed, it says why, and
    the value is the last good one.
    """

    value: T
    key: str
    as_of: int
    loaded_at: datetime
    problem: str | None = None


class Snapshot:
    """One reader's view of one state: all values read through it belong together.

    Made by `CacheManager.snapshot`, for one thread, and only inside its `with` block.
    """

    def __init__(self, manager: "CacheManager", read: ReadTransaction, view: Viewpoint, now: datetime) -> None:
        self._manager = manager
        self._read = read
        self._now = now
        self._seen: dict[Value[Any], Look[Any]] = {}
        self.view = view
        """From which local day the values are seen."""
        self.seq = read.seq
        """The newest event that this state contains."""

    def get(self, value: Value[T]) -> T:
        """Return *value* as of this state, from the cache or computed now.

        Raises:
            LoadError: it could not be computed. What was good before is never returned as if it were fresh.
        """
        look = self.look(value)
        if look.problem is not None:
            raise LoadError(value.key, RuntimeError(look.problem))
        return look.value

    def look(self, value: Value[T]) -> Look[T]:
        """Return *value* as of this state; if it cannot be computed, the last good one with the problem.

        Raises:
            LoadError: it could not be computed and no older one of the same day is kept.
        """
        look = self._seen.get(value)
        if look is None:
            look = self._seen[value] = self._manager._look(value, self._read, self.view, self._now)
        return look

    def is_current(self, value: Value[Any], look: Look[Any]) -> bool:
        """Whether *look*, of an earlier snapshot, still holds in this state and on this day."""
        key = value.key_for(self.view)
        return look.key == key and look.as_of >= self._manager.generation(self.view.user, key, self._read)


class CacheManager:
    """The cache of one running application.

    Build it after the bus and the feed, `start` it before the feed is asked, `stop` it at the end. All methods may be
    called from any thread, but block theirs while a value is computed: on an event loop, call them in a worker.
    """

    def __init__(
        self, database: Database, feed: Feed, bus: Bus, ruleset: Ruleset, settings: CacheSettings | None = None
    ) -> None:
        self._database = database
        self._feed = feed
        self._bus = bus
        self._settings = settings or CacheSettings()
        self._generations = Generations(ruleset)
        self._flights = Flights()
        self._counts = Counts()
        self._known_tokens: dict[int, int] = {}
        max_size_bytes = self._settings.max_size_mb * 2**20
        self._memory = MemoryStore(max_size_bytes)
        self._file = FileStore(self._settings.folder, max_size_bytes, self._belongs_to_log)
        self._stores: dict[CacheBackend, Store] = {
            CacheBackend.MEMORY: self._memory,
            CacheBackend.FILE: self._file,
            CacheBackend.HYBRID: HybridStore(self._memory, self._file),
        }
        self._null = NullStore()
        self._connections = contextlib.ExitStack()

    def start(self) -> None:
        """Listen to domain events. Before the feed sends the first."""
        self._connections.callback(self._bus.on_event(self._invalidate))
        self._feed.on_rewind.append(self._rewind)
        self._connections.callback(self._feed.on_rewind.remove, self._rewind)

    def stop(self) -> None:
        """Stop listening and let go of files. May be called again."""
        self._connections.close()
        self._file.close()
        self._memory.close()

    # --- reading

    @contextlib.contextmanager
    def snapshot(self, user: UserId) -> Iterator[Snapshot]:
        """Open one state for one reader; every event up to it has been applied. Keep it as short as a page's load."""
        with self._database.read() as read:
            self._feed.catch_up()
            now = self._database.clock()
            profile = self._profile(read, user, now)
            yield Snapshot(self, read, _view(user, profile, now), now)

    def get_or_load(self, value: Value[T], user: UserId) -> T:
        """Return *value* for *user* as of now: no older than any command that has returned, in any process.

        Raises:
            LoadError: it could not be computed.
        """
        with self.snapshot(user) as snapshot:
            return snapshot.get(value)

    def is_current(self, value: Value[Any], user: UserId, look: Look[Any]) -> bool:
        """Whether *look* is what a reader would be shown now: nothing made it stale, and it is of the present day.

        Costs a look at the log and nothing else: values are neither read nor computed.
        """
        if look.problem is not None:
            return False
        with self.snapshot(user) as snapshot:
            return snapshot.is_current(value, look)

    def generation(self, user: UserId, key: str, read: ReadTransaction) -> int:
        """Return the seq of the newest event that made *key* stale for *user*."""
        return self._generations.of(user, key, read)

    def today(self, user: UserId) -> date:
        """Return the user's local date now."""
        with self.snapshot(user) as snapshot:
            return snapshot.view.today

    # --- by hand

    def clear(self, user: UserId | None = None) -> int:
        """Drop all entries, of one user or of all; return how many. Costs warmth and nothing else."""
        return self._stores[CacheBackend.HYBRID].clear(user)

    def key_stats(self) -> tuple[KeyStats, ...]:
        """Return what happened to each value since the process began."""
        return tuple(self._counts.of(value.key) for value in VALUES)

    def tier_stats(self) -> tuple[TierStats, ...]:
        """Return what each tier holds."""
        return self._memory.stats() + self._file.stats()

    # --- how a value is found

    def _look(self, value: Value[T], read: ReadTransaction, view: Viewpoint, now: datetime) -> Look[T]:
        key = value.key_for(view)
        if self._mode(view.profile) is CacheMode.DISABLED and value is not PREFERENCES:
            return _as_look(key, self._load(value, read, view, self._null, keep=False))
        place = Place(user=view.user, key=key, shape=value.shape, value_type=value.kind)
        store = self._memory if value is PREFERENCES else self._store(view.profile)
        generation = self._generations.of(view.user, key, read)
        entry = store.get(place, generation)
        if entry is not None and self._is_fresh(entry, value, generation, read.seq, now):
            self._counts.add(value.key, "hits")
            return _as_look(key, entry)
        self._counts.add(value.key, "misses" if entry is None else "stale")
        if generation > read.seq:
            # This reader's state is of before the last invalidation: nobody else may get what it computes.
            return _as_look(key, self._load(value, read, view, store, keep=False))

        def load() -> Entry:
            newer = store.get(place, generation)  # somebody may have landed since we looked
            if newer is not None and newer is not entry and self._is_fresh(newer, value, generation, read.seq, now):
                return newer
            return self._load(value, read, view, store, keep=True)

        try:
            return _as_look(key, self._flights.join(view.user, key, generation, load))
        except LoadError as error:
            if entry is None:
                raise
            return _as_look(key, entry, problem=str(error))

    def _is_fresh(self, entry: Entry, value: Value[Any], generation: int, seq: int, now: datetime) -> bool:
        """The judgement. *generation* is that of the entry's key, *seq* the state of the reader.

        Fresh is what no event has touched since the state it was computed from. An entry of after the reader's state
        will do as well, if nothing touched it between the two.
        """
        if entry.as_of < generation or (entry.as_of > seq and generation > seq):
            return False
        return not value.is_too_old(entry.loaded_at, now)

    def _load(self, value: Value[Any], read: ReadTransaction, view: Viewpoint, store: Store, *, keep: bool) -> Entry:
        began = time.perf_counter()
        try:
            loaded = value.loader(read, view)
        except Exception as error:  # whatever a loader raises must reach the page as a labelled failure
            self._counts.add(value.key, "load_errors")
            log.exception("loading %s for user %s failed", value.key, view.user)
            raise LoadError(value.key, error) from error
        seconds = time.perf_counter() - began
        self._counts.loaded(value.key, seconds)
        entry = Entry(
            value=loaded,
            as_of=read.seq,  # of before the loader began to read: a result that comes late is stale on arrival
            token=read.token,
            loaded_at=self._database.clock(),
            load_seconds=seconds,
            size_bytes=entries.size_of(loaded) if keep else 0,
        )
        if keep:
            place = Place(user=view.user, key=value.key_for(view), shape=value.shape, value_type=value.kind)
            store.set(place, entry)
        return entry

    def _profile(self, read: ReadTransaction, user: UserId, now: datetime) -> Profile:
        """Return the user's preferences: an ordinary cached value, though kept in memory only, and read to know where
        and under which date the others are kept."""
        blank = Viewpoint(user=user, profile=Profile(), today=now.date(), hour=now)
        look = self._look(PREFERENCES, read, blank, now)
        if look.problem is not None:
            raise LoadError(PREFERENCES.key, RuntimeError(look.problem))
        return look.value

    def _mode(self, profile: Profile) -> CacheMode:
        return profile.cache_mode or self._settings.mode

    def _store(self, profile: Profile) -> Store:
        return self._stores[profile.cache_backend or self._settings.backend]

    def _belongs_to_log(self, seq: int, token: int) -> bool:
        """Whether row *seq* of the log is the one that an entry was computed after."""
        known = self._known_tokens.get(seq)
        if known is None:
            known = self._feed.token_at(seq)
            if known is None:
                return False
            if len(self._known_tokens) >= KNOWN_TOKENS:
                self._known_tokens.clear()
            self._known_tokens[seq] = known
        return known == token

    # --- how a value goes stale

    def _invalidate(self, logged: Logged) -> None:
        event = logged.event
        scope = None if event.is_global else event.user
        try:
            prefixes: Sequence[str] = self._generations.apply(logged)
        except Exception:  # the cache's own subscriber: when in doubt, everything of that user is stale
            log.exception("the rules failed on %s, seq %d", event.name, logged.seq)
            prefixes = (EVERYTHING,)
            self._generations.raise_to(logged.seq, prefixes, scope)
        if not prefixes:
            return
        log.info(
            "invalidated prefix=%s scope=%s cause=%s seq=%d",
            ",".join(prefix or "*" for prefix in prefixes),
            "all" if scope is None else f"user:{scope}",
            event.name,
            logged.seq,
        )
        self._bus.notify(Invalidated(user=scope, prefixes=tuple(prefixes), cause=event.name, seq=logged.seq))

    def _rewind(self) -> None:
        """Forget everything: rows of the log that entries were computed after are gone."""
        self._known_tokens.clear()
        self._generations.forget()
        self.clear()


def _view(user: UserId, profile: Profile, now: datetime) -> Viewpoint:
    return Viewpoint(
        user=user,
        profile=profile,
        today=profile.calendar.day_of(now),
        hour=now.replace(minute=0, second=0, microsecond=0),
    )


def _as_look(key: str, entry: Entry, problem: str | None = None) -> Look[Any]:
    return Look(value=entry.value, key=key, as_of=entry.as_of, loaded_at=entry.loaded_at, problem=problem)
