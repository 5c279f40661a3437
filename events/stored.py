"""Events as the log stores them: a name and a JSON object. What there is to store is in `catalog`."""

from dataclasses import fields
from datetime import datetime

import msgspec

from events.catalog import CATALOG, Event, EventUnreadable, UserId

_BY_NAME = {event.name: event for event in CATALOG}
_OWN_COLUMNS = {field.name for field in fields(Event)}


def encode(event: Event) -> str:
    """Return the fields of *event* as a JSON object, without `user` and `at`, which are columns of the log."""
    body = {field.name: getattr(event, field.name) for field in fields(event) if field.name not in _OWN_COLUMNS}
    return msgspec.json.encode(body).decode()


def decode(name: str, user: UserId, at: datetime, body: str) -> Event:
    """Return the event that was stored as *body* under *name*, or an `EventUnreadable` in its place."""
    try:
        values = msgspec.json.decode(body)
        return msgspec.convert({**values, "user": user, "at": at}, type=_BY_NAME[name])
    except (KeyError, TypeError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return EventUnreadable(user=user, at=at, stored_name=name)
