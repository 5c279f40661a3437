"""Why a value is fresh or stale for a user: what is kept, how far its key has been invalidated, and by which event."""

from datetime import datetime
from typing import Any

import msgspec

from cache.generations import BEYOND, Generations
from cache.lookup import Lookup, is_fresh
from cache.values import Value
from data import log as event_log
from data.database import ReadTransaction
from data.viewpoint import Viewpoint
from events.catalog import UserId
from events.patterns import prefixes


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """The event up to which a key was invalidated."""

    seq: int
    event: str
    at: datetime | None
    prefix: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one key, with everything that it rests on. `verdict` is one sentence."""

    key: str
    user: UserId
    state: str  # fresh, stale or miss
    verdict: str
    seq: int
    generation: int
    cause: Cause | None
    as_of: int | None
    loaded_at: datetime | None
    load_ms: float | None
    size_bytes: int | None

    @property
    def is_too_old(self) -> bool:
        """Whether it is stale by its age alone: no event has."""
        return self.state == "stale" and self.as_of is not None and self.as_of >= self.generation


def explain(
    value: Value[Any], read: ReadTransaction, view: Viewpoint, lookup: Lookup, generations: Generations, now: datetime
) -> Why:
    """Judge what is kept of *value* for the user of *view*, without loading anything."""
    place = value.place_for(view)
    key = place.key
    generation = generations.of(view.user, key)
    entry = lookup.store_of(value, view.profile).get(place, generation, loaded_since=now - value.ttl)
    cause = _cause(key, generation, view.user, generations, read)
    if entry is None:
        state, verdict = "miss", "the next reader loads it"
    elif is_fresh(entry, value, generation, read.seq, now):
        state = "fresh"
        verdict = f"computed as of event {entry.as_of}, and no event since then concerns it"
    elif entry.as_of < generation:
        named = f"{cause.event} (event {generation})" if cause else f"event {generation}"
        state = "stale"
        verdict = f"computed as of event {entry.as_of}, and {named} has made it stale since"
    else:
        state, verdict = "stale", f"no event since then concerns it, but it is older than {value.ttl}, its bound"
    return Why(
        key=key,
        user=view.user,
        state=state,
        verdict=verdict,
        seq=read.seq,
        generation=generation,
        cause=cause,
        as_of=None if entry is None else entry.as_of,
        loaded_at=None if entry is None else entry.loaded_at,
        load_ms=None if entry is None else entry.load_seconds * 1000,
        size_bytes=None if entry is None else entry.size_bytes,
    )


def _cause(key: str, generation: int, user: UserId, generations: Generations, read: ReadTransaction) -> Cause | None:
    if not 0 < generation < BEYOND:
        return None
    prefix = next(prefix for prefix in prefixes(key) if generations.of_prefix(user, prefix) == generation)
    found = event_log.at(read.connection, generation)
    name, at = found if found is not None else ("an event that has been pruned", None)
    return Cause(seq=generation, event=name, at=at, prefix=prefix or "*")
