"""Finds what is kept, judges whether it is fresh, and loads it if not. The one judgement of this system is `is_fresh`.

Where entries are kept is in the stores; how far prefixes have been invalidated, in `generations`.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from cache import entries
from cache.counts import Counts
from cache.entries import Entry
from cache.errors import LoadError
from cache.flights import Flights
from cache.generations import Generations
from cache.memory_store import MemoryStore
from cache.pieces import value_of
from cache.settings import CacheSettings
from cache.shelf import Shelf
from cache.store import NullStore, Place, Store
from cache.values import PREFERENCES, Value
from data.database import Clock, ReadTransaction
from data.pieces import Piece
from data.preferences import CacheBackend, CacheMode, Profile
from data.viewpoint import Viewpoint
from events.catalog import UserId

log = logging.getLogger(__name__)


def is_fresh(entry: Entry, value: Value[Any], generation: int, seq: int, now: datetime) -> bool:
    """The judgement. *generation* is that of the entry's key, *seq* the state of the reader.

    Fresh is what no event has touched since the state it was computed from. An entry of after the reader's state will
    do as well, if nothing touched it between the two. Its age is bounded besides.
    """
    if entry.as_of < generation or (entry.as_of > seq and generation > seq):
        return False
    return not value.is_too_old(entry.loaded_at, now)


class Lookup:
    """Reads values for one application. Safe from any thread; blocks the caller's while a value is computed."""

    def __init__(
        self,
        *,
        generations: Generations,
        counts: Counts,
        settings: CacheSettings,
        memory: MemoryStore,
        stores: dict[CacheBackend, Store],
        clock: Clock,
        catch_up: Callable[[], int],
    ) -> None:
        self.generations = generations
        self._counts = counts
        self._settings = settings
        self.memory = memory
        self._stores = stores
        self._clock = clock
        self._catch_up = catch_up
        self._null = NullStore()
        self._flights = Flights()

    def view(self, user: UserId, read: ReadTransaction, now: datetime) -> Viewpoint:
        """Return how *user* sees things at *now*, by their preferences in *read*.

        Preferences are an ordinary cached value, though always kept in memory: they say where, and under which date,
        the others are.

        Raises:
            LoadError: there is no such user, or preferences cannot be read.
        """
        self.generations.recover(user, read)
        blank = Viewpoint(user=user, profile=Profile(), today=now.date(), hour=now)
        entry, problem = self._find(PREFERENCES, self.memory, read, blank, now)
        if problem is not None:
            raise LoadError(PREFERENCES.key, RuntimeError(problem))
        return Viewpoint.at(user, entry.value, now)

    def store_of(self, value: Value[Any], profile: Profile) -> Store:
        """Return where *value* is kept for a user with these preferences."""
        return self.memory if value is PREFERENCES else self.store(profile)

    def store(self, profile: Profile) -> Store:
        """Return where the values of a user with these preferences are kept, and what they set by name."""
        if (profile.cache_mode or self._settings.mode) is CacheMode.DISABLED:
            return self._null
        return self._stores[profile.cache_backend or self._settings.backend]

    def find(self, value: Value[Any], read: ReadTransaction, shelf: Shelf, now: datetime) -> tuple[Entry, str | None]:
        """Return the entry of *value* for a reader of this state, and the problem if it is only the last good one.

        What is found fresh is put on *shelf*.

        Raises:
            LoadError: it could not be computed and no older one is kept.
        """
        view = shelf.view
        store = self.store_of(value, view.profile)
        if store is self._null:
            return self._load(value, read, view, store), None
        entry, problem = self._find(value, store, read, view, now)
        if problem is None:
            shelf.put(value, entry)
        return entry, problem

    def kept(self, value: Value[Any], seq: int, shelf: Shelf, now: datetime) -> Entry | None:
        """Return what is kept of *value* and fresh as of *seq*, up to which all events were sent; loads nothing."""
        view = shelf.view
        place = value.place_for(view)
        entry = self.store_of(value, view.profile).get(place, self.generations.of(place.user, place.key))
        if entry is None or not self._is_fresh(entry, value, place, seq, now):
            return None
        shelf.put(value, entry)
        return entry

    def _is_fresh(self, entry: Entry, value: Value[Any], place: Place, seq: int, now: datetime) -> bool:
        if entry.as_of > seq:
            self._catch_up()  # another process kept it, perhaps after events that nobody here has seen
        return is_fresh(entry, value, self.generations.of(place.user, place.key), seq, now)

    def _find(
        self, value: Value[Any], store: Store, read: ReadTransaction, view: Viewpoint, now: datetime
    ) -> tuple[Entry, str | None]:
        place = value.place_for(view)
        key = place.key
        generation = self.generations.of(view.user, key)
        entry = store.get(place, generation)
        if entry is not None and self._is_fresh(entry, value, place, read.seq, now):
            self._counts.add(value.key, "hits")
            return entry, None
        self._counts.add(value.key, "misses" if entry is None else "stale")
        generation = self.generations.of(view.user, key)
        if generation > read.seq:
            # This reader's state is of before the last invalidation: nobody else may get what it computes.
            return self._load(value, read, view, self._null), None

        def load() -> Entry:
            newer = store.get(place, generation)  # somebody may have landed since we looked
            if newer is not None and newer is not entry and self._is_fresh(newer, value, place, read.seq, now):
                return newer
            return self._load(value, read, view, store, place)

        try:
            return self._flights.join(view.user, key, generation, load), None
        except LoadError as error:
            if entry is None:
                raise
            return entry, str(error)

    def _load(
        self, value: Value[Any], read: ReadTransaction, view: Viewpoint, store: Store, place: Place | None = None
    ) -> Entry:
        began = time.perf_counter()
        try:
            loaded = value.loader(replace(read, pieces=self._piece), view)
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
            loaded_at=self._clock(),
            load_seconds=seconds,
            size_bytes=0 if place is None else entries.size_of(loaded),
        )
        if place is not None:
            store.set(place, entry)
        return entry

    def _piece(self, piece: Piece, read: ReadTransaction, view: Viewpoint, part: str) -> Any:
        """Return a part of what is being loaded: a value like any other, judged in the state that its loader reads.

        Raises:
            LoadError: it could not be computed. The last good one will not do: what is made of it counts as fresh.
        """
        value = value_of(piece, part)
        entry, problem = self._find(value, self.store_of(value, view.profile), read, view, self._clock())
        if problem is not None:
            raise LoadError(value.key_for(view), RuntimeError(problem))
        return entry.value
