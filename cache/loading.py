"""Computes values: in threads of its own, one load for all who wait, with an end, and never twice on one disk.

A load reads in a transaction of its own, so a reader may leave while it goes on. What is kept, and whether that is
fresh, is in `lookup`; who waits for which load, in `flights`; who of several processes loads, in `leases`.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from cache import entries
from cache.counts import Counts
from cache.crew import Crew
from cache.entries import Entry
from cache.errors import LoadError, LoadStoppedError
from cache.flights import Flight, Flights
from cache.leases import Lease, Leases
from cache.store import Place, Store
from cache.values import Value
from data.database import Clock, ReadTransaction
from data.pieces import Piece, Pieces, Stopped
from data.viewpoint import Viewpoint
from events.catalog import UserId

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.05
"""How often a process looks whether another one has landed: more rarely the longer that takes."""

Start = Callable[[Callable[[], None]], None]


class Loading:
    """The loads of one application. Safe from any thread.

    *reads* opens a transaction for a load, *view* says how its user sees that state, *find* what fresh entry is kept
    by now; *pieces* gives loaders their parts; *start* runs a load somewhere else; *loaded* hears what was computed
    anew and in how many seconds, *landed_late* of what landed after a reader had left.
    """

    def __init__(
        self,
        *,
        reads: Callable[[], AbstractContextManager[ReadTransaction]],
        view: Callable[[Place, ReadTransaction, datetime], Viewpoint],
        find: Callable[[Value[Any], Store, Place, datetime], Entry | None],
        counts: Counts,
        leases: Leases,
        clock: Clock,
        loaded: Callable[[Place, float], None],
        landed_late: Callable[[UserId, str, int], None],
        pieces: Pieces,
        start: Start | None = None,
    ) -> None:
        self._reads = reads
        self._view = view
        self._find = find
        self._counts = counts
        self._leases = leases
        self._clock = clock
        self._loaded = loaded
        self._landed_late = landed_late
        self._pieces = pieces
        self._flights = Flights()
        self._crew = Crew("cache-load")
        self.start = start or self._crew.start

    def open(self) -> None:
        """Renew the leases of what is loaded from now on. May be called again after `close`."""
        self._leases.open()

    def close(self) -> None:
        """Let go of leases, and of threads that wait for the next load."""
        self._leases.close()
        self._crew.close()

    def join(
        self, value: Value[Any], place: Place, generation: int, store: Store, now: datetime
    ) -> tuple[Flight, bool]:
        """Return the load of what is kept at *place* that began at *generation* or later, and whether it begins now."""
        for overdue in self._flights.overdue():  # nobody may be waiting for those any more
            self.give_up(overdue)
        flight, is_new = self._join(value, place, generation)
        if is_new:
            try:
                self.start(lambda: self._fly(flight, value, place, store, now))
            except RuntimeError as error:  # there are no more threads
                self._flights.close(flight)
                flight.fail(LoadError(value.key, error))
        return flight, is_new

    def within(
        self,
        piece: Piece,
        wanted: Sequence[tuple[Value[Any], Place, int]],
        read: ReadTransaction,
        view: Viewpoint,
        store: Store,
        now: datetime,
    ) -> list[Entry]:
        """Return parts of what is being loaded in *read*, each wanted with its place at a generation.

        They are computed here, together, but for those that another load is at already. Only after that those are
        waited for; and a load waits for parts only, and a part for smaller ones. So two never wait for each other.

        Raises:
            LoadError: one failed, or took another load too long.
        """
        joined = [self._join(value, place, generation) for value, place, generation in wanted]
        ours = []
        try:
            for (value, place, _), (flight, is_new) in zip(wanted, joined, strict=True):
                if is_new:
                    kept = self._find(value, store, place, now)  # somebody may have landed since
                    if kept is None:
                        ours.append((value, place, flight))
                    else:
                        self._land(flight, kept)
            places = [(value, place) for value, place, _ in ours]
            for (_, _, flight), entry in zip(ours, self.each(piece, places, read, view, store), strict=True):
                self._land(flight, entry)
        except BaseException as error:
            for flight, is_new in joined:
                if is_new and not flight.is_over:
                    self._flights.close(flight)
                    flight.fail(error)
            raise
        found = []
        for (value, _, _), (flight, _) in zip(wanted, joined, strict=True):
            landed = flight.wait()
            if landed is None:
                raise LoadError(value.key, TimeoutError("another load has been computing it for too long"))
            found.append(landed)
        return found

    def each(
        self,
        piece: Piece,
        places: Sequence[tuple[Value[Any], Place]],
        read: ReadTransaction,
        view: Viewpoint,
        store: Store,
    ) -> Iterator[Entry]:
        """Compute these parts here, together, and keep each; yields them one by one.

        Raises:
            LoadError: one failed.
        """
        if not places:
            return
        made = piece(replace(read, pieces=self._pieces), view, [value.part for value, _ in places])
        for value, place in places:
            entry = self._made(value, lambda: next(made), read, view.user, measured=True)
            self._keep(place, entry, store)
            yield entry
        next(made, None)  # to its end, where it tells who waits that it is there

    def under_way(self, place: Place, generation: int) -> Flight | None:
        """Return the load that others wait for, if there is one."""
        return self._flights.find((place.user, place.key, generation))

    def wait(self, flight: Flight, seconds: float | None = None) -> Entry | None:
        """Return what *flight* brings; None if that takes longer than *seconds*. One that is overdue is given up.

        Raises:
            LoadError: it failed, or was given up.
        """
        entry = flight.wait(seconds)
        if entry is None and flight.is_overdue:
            self.give_up(flight)
            entry = flight.wait()
        return entry

    def give_up(self, flight: Flight) -> None:
        """End *flight*, which took too long: the next reader begins another."""
        was_under_way, was_left = self._flights.give_up(flight)
        if was_under_way:
            user, key, generation = flight.route
            self._counts.add(flight.name, "timeouts")
            log.error("loading %s for user %s took longer than it may", key, user)
            if was_left:
                self._landed_late(user, key, generation)

    def alone(self, value: Value[Any], read: ReadTransaction, view: Viewpoint) -> Entry:
        """Return *value* as of the state of *read*, for one reader and to be kept by nobody.

        Raises:
            LoadError: it failed, or took too long; *read* is of no use any more then.
        """
        flight = Flight((view.user, value.key, read.seq), value.hard_timeout.total_seconds(), value.key)
        flight.abandon = read.abandon
        held = contextlib.ExitStack()
        held.enter_context(read.held())  # here: the reader may have left before the thread begins

        def job() -> None:
            try:
                with held:
                    entry = self._compute(value, read, view)
            except BaseException as error:  # noqa: BLE001  # handed over: `wait` raises it
                flight.fail(_told(value, error))
            else:
                flight.land(entry)
            finally:
                flight.abandon = None

        try:
            self.start(job)
        except RuntimeError as error:  # there are no more threads
            held.close()
            raise LoadError(value.key, error) from error
        try:
            entry = self.wait(flight)
        except LoadError:
            if flight.stopped is not None:
                raise flight.stopped from None
            raise
        assert entry is not None  # or it would have failed
        return entry

    def here(self, value: Value[Any], read: ReadTransaction, view: Viewpoint, store: Store, place: Place) -> Entry:
        """Compute *value* in this thread and transaction, and keep it. For what is small and needed first.

        Raises:
            LoadError: it failed.
        """
        entry = self._compute(value, read, view, measured=True)
        self._keep(place, entry, store)
        return entry

    def _keep(self, place: Place, entry: Entry, store: Store) -> None:
        store.set(place, entry)
        entry.body = b""
        self._loaded(place, entry.load_seconds)

    def _land(self, flight: Flight, entry: Entry) -> None:
        self._flights.close(flight)
        flight.land(entry)

    def _join(self, value: Value[Any], place: Place, generation: int) -> tuple[Flight, bool]:
        route = place.user, place.key, generation
        return self._flights.join(route, value.hard_timeout.total_seconds(), value.key)

    def _fly(self, flight: Flight, value: Value[Any], place: Place, store: Store, now: datetime) -> None:
        try:
            entry = self._load(flight, value, place, store, now)
        except BaseException as error:  # noqa: BLE001  # handed over: who waits raises it
            self._flights.close(flight)
            was_left = flight.fail(_told(value, error))
        else:
            self._flights.close(flight)
            was_left = flight.land(entry)
        finally:
            flight.abandon = None
        if was_left:
            self._landed_late(*flight.route)

    def _load(self, flight: Flight, value: Value[Any], place: Place, store: Store, now: datetime) -> Entry:
        if not store.is_shared:
            kept = self._find(value, store, place, now)  # somebody may have landed since the reader looked
            return kept or self._load_and_keep(flight, value, place, store, now, None)
        pause = FIRST_PAUSE_SECONDS
        while (lease := self._leases.take(f"{place.address}/{flight.route[2]}")) is None:
            kept = self._find(value, store, place, now)
            if kept is not None:
                return kept
            if flight.is_over or flight.is_overdue:
                raise LoadError(value.key, TimeoutError("another process has been computing it for too long"))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        flight.abandon = lambda: self._leases.release(lease)
        try:
            kept = self._find(value, store, place, now)  # or another process, just before we had the lease
            return kept or self._load_and_keep(flight, value, place, store, now, lease)
        finally:
            self._leases.release(lease)

    def _load_and_keep(
        self, flight: Flight, value: Value[Any], place: Place, store: Store, now: datetime, lease: Lease | None
    ) -> Entry:
        give_back = flight.abandon

        def abandon() -> None:
            if give_back is not None:
                give_back()
            read.abandon()

        with self._reads() as read:
            flight.abandon = abandon
            if flight.is_over:
                raise LoadError(value.key, TimeoutError("it was given up before it began"))
            view = self._view(place, read, now)
            entry = self._compute(value, read, view, measured=True)
            flight.abandon = give_back
        if flight.is_over:
            log.warning("what came of %s for user %s after it was given up is thrown away", value.key, place.user)
        elif value.key_for(view) == place.key and (lease is None or self._leases.holds(lease)):
            self._keep(place, entry, store)
        return entry

    def _compute(self, value: Value[Any], read: ReadTransaction, view: Viewpoint, *, measured: bool = False) -> Entry:
        loader = partial(value.loader, replace(read, pieces=self._pieces), view)
        return self._made(value, loader, read, view.user, measured=measured)

    def _made(
        self, value: Value[Any], make: Callable[[], Any], read: ReadTransaction, user: UserId, *, measured: bool
    ) -> Entry:
        began = time.perf_counter()
        try:
            loaded = make()
            if not _is_of(value.kind, loaded):
                raise TypeError(f"it gave a {type(loaded).__name__} instead of a {value.kind.__name__}")
            body = entries.body_of(loaded) if measured else b""
        except LoadStoppedError:
            log.info("loading %s for user %s was stopped", value.key, user)
            raise LoadStoppedError(value.key) from None
        except Exception as error:  # whatever a loader raises must reach the page as a labelled failure
            self._counts.add(value.key, "load_errors")
            log.exception("loading %s for user %s failed", value.key, user)
            raise LoadError(value.key, error) from error
        seconds = time.perf_counter() - began
        self._counts.loaded(value.key, seconds)
        return Entry(
            value=loaded,
            as_of=read.seq,  # of before the loader began to read: a result that comes late is stale on arrival
            token=read.token,
            loaded_at=self._clock(),
            load_seconds=seconds,
            size_bytes=len(body),
            body=body,
        )


def _told(value: Value[Any], error: BaseException) -> BaseException:
    """Return what those who wait are told: whatever ends a load must not end its readers as well."""
    if isinstance(error, LoadError | Stopped):
        return error
    log.error("loading %s ended in %r", value.key, error)
    return LoadError(value.key, error)


def _is_of(kind: Any, loaded: Any) -> bool:
    """Whether *loaded* is what its row promises, as far as one look tells. `Any` is a class, but not one to test by."""
    return kind is Any or not isinstance(kind, type) or isinstance(loaded, kind)
