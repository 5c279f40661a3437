"""Which of a user's days and months have other numbers once an instance was changed: what its event carries.

Asked inside the command's transaction, after the change. What the numbers of a month are, and why those of later
months can depend on how a task began, is in `data.calculations.months`.
"""

from datetime import date, datetime
from typing import TypedDict

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from data.days import calendar
from data.models import Day, Instance, Instant, Preferences
from events.catalog import UserId

COMPLETED_AT: ColumnElement[datetime] = type_coerce(Instance.completed_at, Instant())

EARLY = 10
"""Of a task's completed instances so many are its beginning: those after them count no more of what was before."""


class Touched(TypedDict):
    """Fields of `events.catalog.TouchesDays`."""

    earliest_day: date | None
    today: date
    months: tuple[str, ...]
    is_early: bool
    newest_month: str | None


def touched(
    session: Session,
    now: datetime,
    row: Instance,
    *counted_at: datetime | None,
    changed: tuple[str, ...] | None = None,
    as_completed: bool = True,
) -> Touched:
    """Return what a change of *row* touches that counted, or counts now, at the moments *counted_at*.

    *changed* are the columns that were corrected; None if it was completed or undone. *as_completed* is False for what
    counted as cancelled, or not at all: no completed instance has other numbers then. A clock that is set back over
    midnight does not undo that a day has started: those before it stay finished.
    """
    user = UserId(row.user_id)
    preferences = session.get_one(Preferences, user)
    own = calendar(preferences.time_zone, preferences.day_start)
    started = session.scalar(select(func.max(Day.day)).where(Day.user_id == user))
    moments = [moment for moment in counted_at if moment]
    days = {own.day_of(moment) for moment in moments} if as_completed else set()
    moves = as_completed and (changed is None or "completed_at" in changed)
    others_before = [_others_before(session, row, moment) for moment in moments] if as_completed else []
    fewest = min(others_before, default=EARLY + 1)
    if moves and fewest <= EARLY:
        # As many as could have another number before them now: those that were moved by one place over the limit too.
        firsts = session.scalars(_completed(row).order_by(Instance.completed_at, Instance.id).limit(EARLY + 2))
        days |= {own.day_of(moment) for moment in firsts}
    newest = session.scalar(select(func.max(COMPLETED_AT)).where(Instance.user_id == user))
    return {
        "earliest_day": min((own.day_of(moment) for moment in moments), default=None),
        "today": max(own.day_of(now), started or date.min),
        "months": tuple(sorted({f"{day:%Y-%m}" for day in days})),
        "is_early": (moves and fewest < EARLY) or (fewest == 0 and "actual_aversion" in (changed or ())),
        "newest_month": f"{own.day_of(newest):%Y-%m}" if newest else None,
    }


def _completed(row: Instance) -> Select[datetime]:
    """Return the question when instances of the same task were completed."""
    return select(COMPLETED_AT).where(
        Instance.user_id == row.user_id, Instance.task_id == row.task_id, Instance.completed_at.is_not(None)
    )


def _others_before(session: Session, row: Instance, moment: datetime) -> int:
    """Return how many of the task's other instances were completed before *row* at *moment*; beyond `EARLY`, one more
    than that."""
    tied = and_(Instance.completed_at == moment, Instance.id < row.id)
    before = or_(Instance.completed_at < moment, tied)
    found = session.scalars(_completed(row).where(before, Instance.id != row.id).limit(EARLY + 1))
    return len(found.all())
