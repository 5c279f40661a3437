"""The event log as a table: append, read onwards, find the newest of a kind, prune.

A row's `seq` is the only clock that caches know. What events mean is in `events.catalog`; who is told about new rows is
in `feed`.
"""

import contextlib
import heapq
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Text,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from data.models import EPOCH, Base, EventRow
from events.catalog import Event, EventUnreadable, Logged, UserId
from events.stored import decode, encode

# Text is read as bytes: SQLite keeps any, and one row that is no UTF-8 would end the reading of all.
NEWER_SQL = (
    "SELECT seq, token, user_id, CAST(name AS BLOB), at, CAST(body AS BLOB)"
    " FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
)
_NEWEST_SQL = "SELECT seq, token FROM events ORDER BY seq DESC LIMIT 1"
_TOKEN_SQL = "SELECT token FROM events WHERE seq = ?"  # nosec B105  # no password: it tells timelines apart
_LINEAGE_SQL = "SELECT 0, token FROM lineage"

_APPEND = insert(Base.metadata.tables[EventRow.__tablename__])
_NAME = cast(EventRow.name, LargeBinary)
_AT = type_coerce(EventRow.at, BigInteger)
_BODY = cast(EventRow.body, LargeBinary)


def append(session: Session, *happened: Event) -> None:
    """Add what *happened* as the newest rows, in this order, in the session's transaction."""
    session.flush()
    session.connection().execute(
        _APPEND,
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
    with contextlib.closing(connection.connection.cursor()) as cursor:  # SQLAlchemy's rows take four times as long
        return newest_raw(cursor)


def newest_raw(cursor: Any) -> tuple[int, int]:
    """Do as `newest` on a driver's cursor, for a caller that has no time for more."""
    row = cursor.execute(_NEWEST_SQL).fetchone() or cursor.execute(_LINEAGE_SQL).fetchone()
    return row[0], row[1]


def token_at_raw(cursor: Any, seq: int) -> int | None:
    """Return the token of row *seq* (of the lineage for 0); None if there is no such row (any more)."""
    found = cursor.execute(_TOKEN_SQL, (seq,)) if seq else cursor.execute(_LINEAGE_SQL)
    row = found.fetchone()
    return None if row is None else int(row[-1])


def from_raw(row: tuple[int, int, int, bytes, int, bytes]) -> Logged:
    """Return the event of a row of `NEWER_SQL`."""
    seq, _, user, name, at, body = row
    return _logged(seq, UserId(user), name, at, body)


def _logged(seq: int, user: UserId, name: bytes, at: int, body: bytes) -> Logged:
    """Return the event of a row, or what stands in for one that cannot be read, whatever it holds."""
    stored_name = name.decode("utf-8", "replace")
    try:
        event = decode(stored_name, user, _moment(at), body.decode())
    except (TypeError, OverflowError, UnicodeDecodeError):
        event = EventUnreadable(user=user, at=EPOCH, stored_name=stored_name)
    return Logged(seq=seq, event=event)


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def newest_of(connection: Connection, user: UserId, name: str) -> Iterator[Logged]:
    """Yield the user's events called *name*, newest first. Stop asking when you have seen enough."""
    wanted = (
        select(EventRow.seq, _NAME, _AT, _BODY)
        .where(EventRow.user_id == user)
        .order_by(EventRow.seq.desc())
        .execution_options(yield_per=50)
    )
    # Two queries, because one for both would sort all rows before it returned the first.
    found = [connection.execute(wanted.where(EventRow.name == stored)) for stored in _as_stored(name)]
    try:
        for seq, stored_name, moment, body in heapq.merge(*found, key=lambda row: -row.seq):
            yield _logged(seq, user, stored_name, moment, body)
    finally:
        for rows in found:
            rows.close()


def latest(connection: Connection, user: UserId, limit: int) -> list[Logged]:
    """Return the newest *limit* events of *user*, newest first."""
    found = connection.execute(
        select(EventRow.seq, _NAME, _AT, _BODY)
        .where(EventRow.user_id == user)
        .order_by(EventRow.seq.desc())
        .limit(limit)
    )
    return [_logged(seq, user, name, moment, body) for seq, name, moment, body in found]


def names_of(connection: Connection, user: UserId) -> list[str]:
    """Return the names of all events that the user's part of the log holds. One index seek per name."""
    names: list[str] = []
    lowest = func.min(EventRow.name)
    above = select(cast(lowest, LargeBinary), func.typeof(lowest) == "blob").where(EventRow.user_id == user)
    found = connection.execute(above).one()
    while found[0] is not None:
        names.append(found[0].decode("utf-8", "surrogateescape"))
        as_text, as_bytes = _as_stored(names[-1])
        found = connection.execute(above.where(EventRow.name > (as_bytes if found[1] else as_text))).one()
    return names


def _as_stored(name: str) -> tuple[ColumnElement[str], ColumnElement[bytes]]:
    """Return what one of `names_of` may be stored as: as text, or as bytes, which no program of ours writes."""
    as_bytes = literal(name.encode("utf-8", "surrogateescape"), LargeBinary)
    return cast(as_bytes, Text), as_bytes


def at(connection: Connection, seq: int) -> tuple[str, datetime | None] | None:
    """Return name and moment of event *seq*, None for an impossible moment; None if it has been pruned."""
    row = connection.execute(select(_NAME, _AT).where(EventRow.seq == seq)).one_or_none()
    if row is None:
        return None
    name = row[0].decode("utf-8", "replace")
    try:
        return name, _moment(row[1])
    except (TypeError, OverflowError):
        return name, None


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
