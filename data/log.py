"""The event log as a table: append, read onwards, find the newest of a kind, prune.

A row's `seq` is the only clock that caches know. What events mean is in `events.catalog`; who is told about new rows is
in `feed`.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Session

from data.models import EPOCH, EventRow, Lineage
from events.catalog import Event, Logged, UserId, decode, encode

NEWER_SQL = "SELECT seq, token, user_id, name, at, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
_NEWEST_SQL = "SELECT seq, token FROM events ORDER BY seq DESC LIMIT 1"
_TOKEN_SQL = "SELECT token FROM events WHERE seq = ?"
_LINEAGE_SQL = "SELECT 0, token FROM lineage"

_NEWEST = select(EventRow.seq, EventRow.token).order_by(EventRow.seq.desc()).limit(1)


def append(session: Session, *happened: Event) -> None:
    """Add what *happened* as the newest rows, in this order, in the session's transaction."""
    session.execute(
        insert(EventRow),
        [
            {
                "user_id": one.user,
                "name": one.name,
                "at": one.at,
                "token": secrets.randbits(63),
                "body": encode(one),
            }
            for one in happened
        ],
    )


def newest(connection: Connection) -> tuple[int, int]:
    """Return seq and token of the newest row; 0 and the database's lineage if there is none yet."""
    row = connection.execute(_NEWEST).one_or_none()
    if row is not None:
        return row.seq, row.token
    return 0, connection.execute(select(Lineage.token)).scalar_one()


def newest_raw(cursor: Any) -> tuple[int, int]:
    """Do as `newest` on a driver's cursor, for a caller that has no time for more."""
    row = cursor.execute(_NEWEST_SQL).fetchone() or cursor.execute(_LINEAGE_SQL).fetchone()
    return row[0], row[1]


def token_at_raw(cursor: Any, seq: int) -> int | None:
    """Return the token of row *seq* (of the lineage for 0); None if there is no such row (any more)."""
    found = cursor.execute(_TOKEN_SQL, (seq,)) if seq else cursor.execute(_LINEAGE_SQL)
    row = found.fetchone()
    return None if row is None else int(row[-1])


def from_raw(row: tuple[int, int, int, str, int, str]) -> Logged:
    """Return the event of a row of `NEWER_SQL`."""
    seq, _, user, name, at, body = row
    return Logged(seq=seq, event=decode(name, UserId(user), EPOCH + timedelta(microseconds=at), body))


def newest_of(connection: Connection, user: UserId, name: str) -> Iterator[Logged]:
    """Yield the user's events called *name*, newest first. Stop asking when you have seen enough."""
    found = connection.execute(
        select(EventRow.seq, EventRow.at, EventRow.body)
        .where(EventRow.user_id == user, EventRow.name == name)
        .order_by(EventRow.seq.desc())
        .execution_options(yield_per=50)
    )
    try:
        for seq, at, body in found:
            yield Logged(seq=seq, event=decode(name, user, at, body))
    finally:
        found.close()


def latest(connection: Connection, user: UserId, limit: int) -> list[Logged]:
    """Return the newest *limit* events of *user*, newest first."""
    found = connection.execute(
        select(EventRow.seq, EventRow.name, EventRow.at, EventRow.body)
        .where(EventRow.user_id == user)
        .order_by(EventRow.seq.desc())
        .limit(limit)
    )
    return [Logged(seq=seq, event=decode(name, user, at, body)) for seq, name, at, body in found]


def names_of(connection: Connection, user: UserId) -> list[str]:
    """Return the names of all events that the user's part of the log holds. One index seek per name."""
    names: list[str] = []
    while True:
        above = select(func.min(EventRow.name)).where(EventRow.user_id == user)
        name = connection.scalar(above.where(EventRow.name > names[-1]) if names else above)
        if name is None:
            return names
        names.append(name)


def at(connection: Connection, seq: int) -> tuple[str, datetime] | None:
    """Return name and moment of event *seq*; None if it has been pruned."""
    row = connection.execute(select(EventRow.name, EventRow.at).where(EventRow.seq == seq)).one_or_none()
    return None if row is None else (row.name, row.at)


def horizon(connection: Connection) -> int:
    """Return the seq below which rows may have been pruned: what is older than it cannot be judged any more."""
    oldest = connection.scalar(select(EventRow.seq).order_by(EventRow.seq).limit(1))
    return 0 if oldest is None else oldest - 1


def prune(session: Session, *, before: datetime, keep: int) -> int:
    """Remove rows older than *before* except the newest *keep* (at least one stays); return how many went.

    Stops at the first row that is not older. A clock that was set back may have dated later rows before it, but these
    stay, for a hole in the log would not show in its `horizon`.
    """
    in_order = select(EventRow.seq).order_by(EventRow.seq)
    first_kept = session.scalar(in_order.where(EventRow.at >= before).limit(1))
    newest_kept = session.scalar(select(EventRow.seq).order_by(EventRow.seq.desc()).offset(max(keep, 1) - 1).limit(1))
    if newest_kept is None:
        return 0
    end = newest_kept if first_kept is None else min(first_kept, newest_kept)
    return int(session.execute(delete(EventRow).where(EventRow.seq < end)).rowcount)  # type: ignore[attr-defined]
