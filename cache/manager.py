"""The front door of the cache: opens snapshots for readers, passes invalidations on, and keeps the books.

Built from the parts beside it: `lookup` finds and loads, `generations` knows how far prefixes have been invalidated,
the stores keep entries. Pages read through a `Snapshot`.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cache.counts import CacheStats, Counts
from cache.file_store import FileStore
from cache.generations import BEYOND, Generations
from cache.hybrid_store import HybridStore
from cache.journal import Journal
from cache.leases import Leases
from cache.lineage import Lineage, empty_if_foreign
from cache.lookup import Lookup
from cache.memory_store import MemoryStore
from cache.named import ByName, Names
from cache.pieces import KEYS, PIECES
from cache.settings import CacheSettings
from cache.shelf import Shelf
from cache.snapshot import Look, Snapshot
from cache.store import Store
from cache.values import PREFERENCES, VALUES, Value
from cache.warming import Preload, Warming
from cache.why import Why
from data.database import Database, ReadTransaction, Transaction
from data.feed import Feed
from data.preferences import LOCAL_USER, CacheBackend, CacheMode
from events.bus import Bus
from events.catalog import Invalidated, Logged, RefreshRequested, Reloaded, UserId
from events.patterns import EVERYTHING, covers
from events.ruleset import Ruleset

log = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_SHELVES = 10_000
KEPT_STALE = timedelta(days=1)
"""How long what an event made stale is kept, in case it is the last good value when a loader fails."""


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
        self.settings = settings = settings or CacheSettings()
        max_size_bytes = settings.max_size_mb * 2**20
        self._memory = MemoryStore(max_size_bytes)
        self._lineage = Lineage(feed)
        self._file = FileStore(settings.folder, max_size_bytes, self._lineage.has)
        self._hybrid = HybridStore(self._memory, self._file)
        stores: dict[CacheBackend, Store] = {
            CacheBackend.MEMORY: self._memory,
            CacheBackend.FILE: self._file,
            CacheBackend.HYBRID: self._hybrid,
        }
        self._counts = Counts()
        self._generations = Generations(ruleset)
        self.journal = Journal(self._generations)
        """What the last events led to."""
        self._leases = Leases(self._file)
        self._lookup = Lookup(
            generations=self._generations,
            counts=self._counts,
            settings=settings,
            memory=self._memory,
            stores=stores,
            leases=self._leases,
            reads=lambda: self._state(for_load=True),
            clock=database.clock,
            catch_up=feed.catch_up,
            loaded=self.journal.loaded,
            landed_late=self._landed_late,
        )
        self.warming = Warming(self, bus)
        """Keeps ready what users in mode `full` look at."""
        self._names = Names(KEYS)
        self._by_name = ByName(
            names=self._names,
            counts=self._counts,
            generations=self._generations,
            feed=feed,
            store_of=self._store_of,
            clock=database.clock,
        )
        self._shelves: dict[UserId, Shelf] = {}
        self._shelves_lock = threading.Lock()
        self._connections = contextlib.ExitStack()

    def start(self) -> None:
        """Listen to domain events, before the feed sends the first; empty a folder that is of another database."""
        empty_if_foreign(self._file, self._database)
        self._connections.callback(self._bus.on_event(self._invalidate))
        self._feed.on_rewind.append(self._rewind)
        self._connections.callback(self._feed.on_rewind.remove, self._rewind)
        self._lookup.loading.open()
        self._connections.callback(self._lookup.loading.close)
        self.warming.start()
        self._connections.callback(self.warming.stop)

    def stop(self) -> None:
        """Stop listening and let go of files. May be called again."""
        self._connections.close()
        self._file.close()
        self._memory.close()

    # --- reading

    @contextlib.contextmanager
    def snapshot(self, user: UserId) -> Iterator[Snapshot]:
        """Open one state for one reader; every event up to it has been applied. Keep it as short as a page's load.

        Raises:
            LoadError: there is no such user.
        """
        with self._state() as read:
            now = self._database.clock()
            snapshot = Snapshot(self._lookup, read, self._shelf(user, read, now), now)
            try:
                yield snapshot
            finally:
                self._counts.add_hits(snapshot.end())

    def get_or_load(self, value: Value[T], user: UserId) -> T:
        """Return *value* for *user* as of now: no older than any command that has returned, in any process.

        Raises:
            LoadError: it could not be computed, or there is no such user.
        """
        seq = self._feed.catch_up()
        shelf = self._shelves.get(user)
        if shelf is not None:
            now = self._database.clock()
            if shelf.holds_at(now):
                entry = shelf.get(value)
                if entry is None:
                    entry = self._lookup.kept(value, seq, shelf, now)
                if entry is not None:
                    entry.used_at = time.monotonic()  # its tier was not asked, and would take it for unused
                    self._counts.add(value.key, "hits")
                    found: T = entry.value
                    return found
                self._lookup.wait_for_others(value, shelf)
        with self.snapshot(user) as snapshot:
            return snapshot.get(value)

    def is_current(self, value: Value[Any], user: UserId, look: Look[Any]) -> bool:
        """Whether *look* is what a reader would be shown now: nothing made it stale, and it is of the present day.

        Costs a look at the log and nothing else: values are neither read nor computed.
        """
        with self.snapshot(user) as snapshot:
            return snapshot.is_current(value, look)

    def preload(self, user: UserId) -> Preload:
        """Load everything that is not fresh for *user*, in a thread; join the preloading that is under way already.

        Each who calls this watches: call `leave` on what is returned when you no longer do.
        """
        return self.warming.preload(user)

    def missing(self, user: UserId) -> list[tuple[Value[Any], float | None]]:
        """Return the values that the next reader would have to load, with what that took last time (seconds)."""
        with self.snapshot(user) as snapshot:
            judged = [(value, snapshot.why(value)) for value in VALUES]
        found = []
        for value, why in judged:
            if why.state != "fresh":
                ms = why.load_ms if why.load_ms is not None else self._counts.of(value.key).load_ms_p50
                found.append((value, None if ms is None else ms / 1000))
        return found

    def mode(self, user: UserId) -> CacheMode:
        """Return the mode that counts for *user*.

        Raises:
            LoadError: there is no such user.
        """
        return self.settings.mode_for(self.get_or_load(PREFERENCES, user))

    @contextlib.contextmanager
    def _state(self, *, for_load: bool = False) -> Iterator[ReadTransaction]:
        """Open one state in which what is kept can be judged: every event up to it has been applied."""
        with self._database.read(for_load=for_load) as read:
            self._feed.catch_up()  # not before the state is fixed: that could miss what it contains already
            yield read

    def _shelf(self, user: UserId, read: ReadTransaction, now: datetime) -> Shelf:
        """Return the shelf that a reader of this state may use: everybody's, or one of its own.

        Its own, if an event has touched the user since that state: what it finds may not be what others are to see.
        """
        shelf = self._shelves.get(user)
        if shelf is not None and shelf.newest <= read.seq and shelf.holds_at(now):
            return shelf
        newest = self._generations.newest(user)  # before anything is judged
        shelf = Shelf(self._lookup.view(user, read, now), newest, now)
        self.warming.follow(user, self.settings.mode_for(shelf.view.profile))
        with self._shelves_lock:
            if newest <= read.seq and newest == self._generations.newest(user):
                if len(self._shelves) >= KEPT_SHELVES:
                    self._shelves.clear()
                self._shelves[user] = shelf
        return shelf

    # --- by name

    def get(self, key: str, subsystem: str, *, user: UserId = LOCAL_USER) -> Any:
        """Return a copy of what was `set` under *key* in *subsystem* (a key's first segment), or `MISS`.

        `get("trends_of_may", "analytics")` and `get("analytics.trends_of_may", "analytics")` are the same. What comes
        back is plain data: a tuple comes back as a list. Values of the table are read with `get_or_load`.

        Raises:
            UnknownNameError, PatternError: there is no such subsystem, or *key* is none.
        """
        return self._by_name.get(key, subsystem, user)

    def set(
        self,
        key: str,
        value: Any,
        subsystem: str,
        ttl: timedelta | None = None,
        *,
        user: UserId = LOCAL_USER,
        as_of: int | None = None,
    ) -> bool:
        """Keep *value* under *key* until an event or `invalidate` names a prefix of it, at most for *ttl*.

        It counts as computed from the state of *as_of* (a `stamp`), or else from that of the oldest miss of *key* in
        this process that may not be answered yet: by a `set` in the same thread or task, or for a minute. Without any,
        from now. If the key was invalidated since then it is not kept; returns whether it is. Who misses and sets in
        the threads of a pool had better bring a stamp: it will be kept more often.

        Raises:
            UnknownNameError, PatternError: there is no such subsystem, or *key* is none.
            UnstorableValueError: *value* is not plain data.
            InvalidArgumentError: *ttl* is no timedelta, or *as_of* no stamp.
        """
        return self._by_name.set(key, value, subsystem, ttl, user, as_of)

    def stamp(self) -> int:
        """Return the log's present seq. Take it before you begin to read what you will `set`."""
        return self._feed.catch_up()

    def invalidate(self, pattern: str, subsystem: str | None = None, *, user: UserId = LOCAL_USER) -> int:
        """Make everything below *pattern* stale for *user*, in every process, and return the seq from which it is.

        *pattern* is `analytics.*`, `analytics.relief_summary`, or `*`; within *subsystem*, if one is given. Costs one
        row in the log, whatever the number of keys.

        Raises:
            UnknownNameError: it covers nothing that there is; says what was probably meant.
            PatternError: it is not a pattern.
            LoadError: there is no such user.
        """
        self._store_of(user)
        prefix = self._names.prefix(pattern, subsystem, lambda: self._hybrid.keys(user))

        def command(transaction: Transaction) -> None:
            event = RefreshRequested(user=user, at=transaction.now, prefix=prefix or "*")
            transaction.record(event)

        self._database.write(command)
        return self._generations.of(user, prefix)

    def clear_subsystem(self, subsystem: str, *, user: UserId | None = None) -> int:
        """Drop what is kept of *subsystem*, of one user or of all; return how many entries went.

        Costs warmth and nothing else; to make values stale, use `invalidate`.

        Raises:
            UnknownNameError: there is no such subsystem.
        """
        self._names.check_subsystem(subsystem)
        self._drop_shelves(user)
        return self._hybrid.clear(user, subsystem)

    def clear(self, user: UserId | None = None) -> int:
        """Drop everything that is kept, of one user or of all; return how many entries went."""
        self._drop_shelves(user)
        return self._hybrid.clear(user)

    def reclaim(self, older_than: timedelta = KEPT_STALE, most: int = 500) -> int:
        """Drop what was loaded longer ago than *older_than* and is stale, among the next *most* entries of each tier.

        Returns how many went. To be called again and again, in a worker: each call goes on where the last one stopped.
        No reader waits for it, and what is fresh, or is being stored meanwhile, stays.
        """
        with self._state() as read:
            before = self._database.clock() - older_than

            def is_outdated(user: UserId, key: str, as_of: int, loaded_at: datetime) -> bool:
                if loaded_at >= before:
                    return False
                self._generations.recover(user, read)
                return as_of < self._generations.of(user, key) < BEYOND

            return self._hybrid.reclaim(is_outdated, most)

    def get_cache_stats(self) -> CacheStats:
        """Return what happened since the process began, per key and per tier."""
        keys = [*KEYS, *self._names.subsystems]
        return CacheStats(
            keys=tuple(self._counts.of(key) for key in keys), tiers=self._memory.stats() + self._file.stats()
        )

    # --- seen

    def why(self, value: Value[Any], user: UserId) -> Why:
        """Say why *value* is fresh or stale for *user* now, and which event made it so. Loads nothing."""
        with self.snapshot(user) as snapshot:
            return snapshot.why(value)

    def kept_parts(self, user: UserId) -> list[Value[Any]]:
        """Return the parts that are kept for *user*, fresh or not, each as a value. Goes through all there is."""
        keys = list(self._hybrid.keys(user))
        return [row.of(key.removeprefix(f"{row.key}.")) for row in PIECES for key in keys if covers(row.key, key)]

    def users_here(self) -> list[UserId]:
        """Return whose values have been read since they last changed."""
        return list(self._shelves)

    def activity(self) -> int:
        """Return a number that changes whenever anything is read, loaded or recorded."""
        return self._counts.total() + self._feed.seq

    def distrust(self, user: UserId, key: str) -> int:
        """Drop what is kept under the full *key*, which is wrong, and have pages redraw it; return how many went."""
        self._drop_shelves(user)
        dropped = self._hybrid.clear(user, key)
        self._bus.notify(Reloaded(user=user, prefixes=(key,), seq=self._feed.seq))
        return dropped

    def _store_of(self, user: UserId) -> Store:
        shelf = self._shelves.get(user)
        if shelf is not None:
            return self._lookup.store(shelf.view.profile)
        with self.snapshot(user) as snapshot:
            return self._lookup.store(snapshot.view.profile)

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
        self.journal.happened(logged, prefixes)
        if not prefixes:
            return
        self._drop_shelves(scope)
        log.info(
            "invalidated prefix=%s scope=%s cause=%s seq=%d",
            ",".join(prefix or "*" for prefix in prefixes),
            "all" if scope is None else f"user:{scope}",
            event.name,
            logged.seq,
        )
        self._bus.notify(Invalidated(user=scope, prefixes=tuple(prefixes), cause=event.name, seq=logged.seq))

    def _rewind(self) -> None:
        """Forget everything: rows of the log that entries were computed after are gone. Pages are told as well."""
        self._lineage.forget()
        self._generations.forget()
        self._generations.raise_to(self._feed.seq, (EVERYTHING,), None)  # whoever still reads an older state included
        self.clear()
        self._bus.notify(Invalidated(user=None, prefixes=(EVERYTHING,), cause="log.rewound", seq=self._feed.seq))

    def _landed_late(self, user: UserId, key: str, seq: int) -> None:
        self._bus.notify(Reloaded(user=user, prefixes=(key,), seq=seq))

    def _drop_shelves(self, user: UserId | None) -> None:
        with self._shelves_lock:
            if user is None:
                self._shelves.clear()
            else:
                self._shelves.pop(user, None)
