"""How long pages took to fill, by user, cache mode and page, since the application started. Kept in memory only."""

import statistics
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass

from data.preferences import CacheMode
from events.catalog import UserId

KEPT_TIMES = 50
KEPT_USERS = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """What was measured of one page in one mode: the median and the longest, in ms, and of how many openings."""

    median_ms: float
    longest_ms: float
    times: int


class LoadTimes:
    """The last 50 times per user, mode and page. Belongs on the event loop."""

    def __init__(self) -> None:
        self._users: OrderedDict[UserId, dict[tuple[CacheMode, str], deque[float]]] = OrderedDict()

    def add(self, user: UserId, mode: CacheMode, page: str, seconds: float) -> None:
        """Note that *page* took *seconds* from being asked for to being filled."""
        kept = self._users.setdefault(user, defaultdict(lambda: deque(maxlen=KEPT_TIMES)))
        self._users.move_to_end(user)
        kept[mode, page].append(seconds)
        if len(self._users) > KEPT_USERS:
            self._users.popitem(last=False)

    def of(self, user: UserId, mode: CacheMode) -> dict[str, Taken]:
        """Return `{page: what was measured}` of one user in one mode; nothing for pages that were not opened."""
        return {
            page: Taken(1000 * statistics.median(seconds), 1000 * max(seconds), len(seconds))
            for (one, page), seconds in self._users.get(user, {}).items()
            if one is mode
        }
