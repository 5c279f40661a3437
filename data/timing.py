"""The times of one attempt: its timer, and the order in which they have to lie. The commands are in `instances`."""

import itertools
from datetime import datetime, timedelta

from data.errors import InvalidInputError
from data.models import Instance, State


def start_timer(row: Instance, now: datetime) -> None:
    """Let the timer of *row* run for the first time."""
    row.state = State.ACTIVE
    row.resumed_at = now
    row.started_at = max(now, row.created_at)  # the clock may have been set back since


def stop_timer(row: Instance, now: datetime) -> None:
    """Add up what the timer of *row* has run since it was resumed, if it runs."""
    if row.resumed_at is not None:
        row.timed_minutes += max(now - row.resumed_at, timedelta()) / timedelta(minutes=1)
        row.resumed_at = None


def check_order(row: Instance, now: datetime) -> None:
    """Refuse times that cannot be.

    Raises:
        InvalidInputError: one lies before another that it follows, or after *now*.
    """
    moments = [
        ("created", row.created_at),
        ("started", row.started_at),
        ("completed", row.completed_at),
        ("cancelled", row.cancelled_at),
        ("now", now),
    ]
    known = [(label, moment) for label, moment in moments if moment is not None]
    for (earlier_label, earlier), (later_label, later) in itertools.pairwise(known):
        if earlier > later:
            what = "in the future" if later_label == "now" else f"after it was {later_label} ({later.isoformat()})"
            raise InvalidInputError(
                f"{earlier_label} at {earlier.isoformat()} is {what}: expected times in their order"
            )


def bound_pause(row: Instance) -> None:
    """Move the last pause of *row* to where it can have been: who says that it was created later or was over earlier
    says so of the pause as well."""
    if row.paused_at is not None:
        row.paused_at = max(row.paused_at, row.created_at)
        if row.completed_at is not None:
            row.paused_at = min(row.paused_at, row.completed_at)
