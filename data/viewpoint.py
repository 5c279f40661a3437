"""Who looks, and from which local day: everything besides the tables that a calculation may depend on.

Calculations get no clock. What depends on time depends on `today` or `hour`, which are part of the cache key of such a
value, so a number of the wrong day cannot be read even if no tick ever fires.
"""

from datetime import date, datetime

import msgspec

from data.preferences import Profile
from events.catalog import UserId


class Viewpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One user's point of view at one moment.

    `today` is the user's local date by their zone and day start; `hour` the present hour in UTC, cut to its start.
    """

    user: UserId
    profile: Profile
    today: date
    hour: datetime

    @classmethod
    def at(cls, user: UserId, profile: Profile, now: datetime) -> "Viewpoint":
        """Return how *user*, with these preferences, sees things at *now*."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        return cls(user=user, profile=profile, today=profile.calendar.day_of(now), hour=hour)
