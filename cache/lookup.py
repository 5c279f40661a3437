"""Finds what is kept, judges whether it is fresh, and has it loaded if not. The one judgement of this system is
`is_fresh`.

Where entries are kept is in the stores; how far prefixes have been invalidated, in `generations`; how a value is
computed, in `loading`.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec

from cache.counts import Counts
from cache.entries import Entry
from cache.errors import LoadError
from cache.generations import Generations
from cache.leases import Leases
from cache.loading import Loading
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


def is_fresh(entry: Entry, value: Value[Any], generation: int, seq: int, now: datetime) -> bool:
    """The judgement. *generation* is that of the entry's key, *seq* the state of the reader.

    Fresh is what no event has touched since the state it was computed from. An entry of after the reader's state will
    do as well, if nothing touched it between the two. Its age is bounded besides.
    """
    if entry.as_of < generation or (entry.as_of > seq and generation > seq):
        return False
    return not value.is_too_old(entry.loaded_at, now)


class Found(msgspec.Struct, frozen=True):
    """What a reader gets. Fresh, unless there is a `problem` or a newer one `is_loading`: then it is the last good."""

    entry: Entry
    problem: str | None = None
    is_loading: bool = False

    @property
    def is_fresh(self) -> bool:
        """Whether it is what a reader of this state is to see."""
        return self.problem is None and not self.is_loading


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
        leases: Leases,
        reads: Callable[[], AbstractContextManager[ReadTransaction]],
        clock: Clock,
        catch_up: Callable[[], int],
        loaded: Callable[[Place, float], None],
        landed_late: Callable[[UserId, str, int], None],
    ) -> None:
        self.generations = generations
        self._counts = counts
        self._settings = settings
        self.memory = memory
        self._stores = stores
        self._catch_up = catch_up
        self._null = NullStore()
        self._clock = clock
        self._profiles = threading.Lock()
        self.loading = Loading(
            reads=reads,
            view=lambda place, read, now: self.view(place.user, read, now),
            find=self._landed,
            counts=counts,
            leases=leases,
            clock=clock,
            loaded=loaded,
            landed_late=landed_late,
            pieces=self._parts,
        )

    def view(self, user: UserId, read: ReadTransaction, now: datetime) -> Viewpoint:
        """Return how *user* sees things at *now*, by their preferences in *read*.

        Preferences are an ordinary cached value, though always kept in memory and read by who needs them: they say
        where, and under which date, the others are.

        Raises:
            LoadError: there is no such user, or preferences cannot be read.
        """
        self.generations.recover(user, read)
        blank = Viewpoint(user=user, profile=Profile(), today=now.date(), hour=now)
        place = PREFERENCES.place_for(blank)
        with self._profiles:  # a row by its key: to wait for that is quicker than to begin a flight
            entry = self.memory.get(place)
            if entry is None or not self._is_fresh(entry, PREFERENCES, place, read.seq, now):
                is_old = self.generations.of(user, place.key) > read.seq  # and then it is nobody else's
                entry = self.loading.here(PREFERENCES, read, blank, self._null if is_old else self.memory, place)
        return Viewpoint.at(user, entry.value, now)

    def store_of(self, value: Value[Any], profile: Profile) -> Store:
        """Return where *value* is kept for a user with these preferences."""
        return self.memory if value is PREFERENCES else self.store(profile)

    def store(self, profile: Profile) -> Store:
        """Return where the values of a user with these preferences are kept, and what they set by name."""
        if self._settings.mode_for(profile) is CacheMode.DISABLED:
            return self._null
        return self._stores[self._settings.backend_for(profile)]

    def find(
        self,
        value: Value[Any],
        read: ReadTransaction,
        shelf: Shelf,
        now: datetime,
        patience: float | None = None,
        hold: float | None = None,
        is_again: bool = False,
    ) -> Found | None:
        """Return *value* for a reader of this state; what is found fresh is put on *shelf*.

        While it is computed, an older one of the same place is returned after *patience* (seconds; None: never). If
        there is none, the answer is None after *hold* (seconds; None: never); who comes *is_again* counts once.

        Raises:
            LoadError: it could not be computed and no older one is kept.
        """
        view = shelf.view
        store = self.store_of(value, view.profile)
        if store is self._null:
            return Found(self.loading.alone(value, read, view))
        found = self._find(value, store, read, view, now, patience, hold, is_again)
        if found is not None and found.is_fresh:
            shelf.put(value, found.entry)
        return found

    def kept(self, value: Value[Any], seq: int, shelf: Shelf, now: datetime) -> Entry | None:
        """Return what is kept of *value* and fresh as of *seq*, up to which all events were sent; loads nothing."""
        view = shelf.view
        place = value.place_for(view)
        entry = self._kept(self.store_of(value, view.profile), value, place, now)
        if entry is None or not self._is_fresh(entry, value, place, seq, now):
            return None
        shelf.put(value, entry)
        return entry

    def wait_for_others(self, value: Value[Any], shelf: Shelf) -> None:
        """Wait while others load *value* already, without a read transaction: those are few.

        Raises:
            LoadError: that failed, or took too long.
        """
        place = value.place_for(shelf.view)
        flight = self.loading.under_way(place, self.generations.of(place.user, place.key))
        if flight is not None:
            self.loading.wait(flight)

    def _parts(self, piece: Piece, read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> list[Any]:
        """Return parts of what is being loaded: values like any other, judged in the state that its loader reads.

        Raises:
            LoadError: one could not be computed. The last good one will not do: what is made of it counts as fresh.
        """
        values, now = [value_of(piece, part) for part in parts], self._clock()
        store = self.store_of(values[0], view.profile)
        found: dict[Value[Any], Any] = {}
        shared: list[tuple[Value[Any], Place, int]] = []
        for value in values:
            place = value.place_for(view)
            entry = self._kept(store, value, place, now)
            if entry is not None and self._is_fresh(entry, value, place, read.seq, now):
                self._counts.add(value.key, "hits")
                found[value] = entry.value
                continue
            self._counts.add(value.key, "misses" if entry is None else "stale")
            generation = self.generations.of(view.user, place.key)
            if store is not self._null and generation <= read.seq:
                shared.append((value, place, generation))
        landed = self.loading.within(piece, shared, read, view, store, now)
        for (value, place, _), entry in zip(shared, landed, strict=True):
            if self._is_fresh(entry, value, place, read.seq, now):
                found[value] = entry.value
        # Of before an invalidation, or not to be kept: nobody else may get those.
        own = [(value, value.place_for(view)) for value in values if value not in found]
        for (value, _), entry in zip(own, self.loading.each(piece, own, read, view, self._null), strict=True):
            found[value] = entry.value
        return [found[value] for value in values]

    def _kept(self, store: Store, value: Value[Any], place: Place, now: datetime) -> Entry | None:
        """Return what is kept there: of its tiers' entries one that is fresh, if there is any."""
        return store.get(place, self.generations.of(place.user, place.key), loaded_since=now - value.ttl)

    def _landed(self, value: Value[Any], store: Store, place: Place, now: datetime) -> Entry | None:
        entry = self._kept(store, value, place, now)
        if entry is not None and self._is_fresh(entry, value, place, self._catch_up(), now):
            return entry
        return None

    def _is_fresh(self, entry: Entry, value: Value[Any], place: Place, seq: int, now: datetime) -> bool:
        if entry.as_of > seq:
            self._catch_up()  # another process kept it, perhaps after events that nobody here has seen
        return is_fresh(entry, value, self.generations.of(place.user, place.key), seq, now)

    def _find(
        self,
        value: Value[Any],
        store: Store,
        read: ReadTransaction,
        view: Viewpoint,
        now: datetime,
        patience: float | None,
        hold: float | None,
        is_again: bool,
    ) -> Found | None:
        place = value.place_for(view)
        entry = self._kept(store, value, place, now)
        if entry is not None and self._is_fresh(entry, value, place, read.seq, now):
            if not is_again:
                self._counts.add(value.key, "hits")
            return Found(entry)
        if not is_again:
            self._counts.add(value.key, "misses" if entry is None else "stale")
        generation = self.generations.of(view.user, place.key)
        if generation <= read.seq:
            flight, is_ours = self.loading.join(value, place, generation, store, now)
            try:
                landed = self.loading.wait(flight, hold if entry is None else patience)
            except LoadError as error:
                if is_ours and flight.stopped is not None:
                    raise flight.stopped from None
                if entry is None:
                    raise
                return Found(entry, problem=str(error))
            if landed is None:
                if entry is None:
                    return None
                if patience:
                    self._counts.add(value.key, "timeouts")
                return Found(entry, is_loading=True)
            # Made stale since by an event that this state does not contain: it is what this reader is to see.
            if generation <= landed.as_of <= read.seq or self._is_fresh(landed, value, place, read.seq, now):
                return Found(landed)
        # This reader's state is of before the last invalidation: nobody else may get what it computes.
        return Found(self.loading.alone(value, read, view))
