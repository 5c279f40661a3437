"""Whether an entry is of the log that is in use: of another timeline (a restored backup, another database) it is not.

An entry says after which row of the log it was computed, by number and by that row's token. What an event has made of
it since is judged elsewhere.
"""

import contextlib
import logging

from cache.file_store import FileStore
from data.database import Database
from data.feed import Feed

log = logging.getLogger(__name__)

KNOWN_TOKENS = 10_000


class Lineage:
    """The rows of one log, as far as they were asked for. Safe from any thread."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._tokens: dict[int, int] = {}

    def has(self, seq: int, token: int) -> bool:
        """Whether row *seq* of the log is the one that an entry was computed after."""
        known = self._tokens.get(seq)
        if known is None:
            known = self._feed.token_at(seq)
            if known is None:
                return False
            if len(self._tokens) >= KNOWN_TOKENS:
                self._tokens.clear()
            self._tokens[seq] = known
        return known == token

    def forget(self) -> None:
        """Ask the log anew, for when it went back."""
        self._tokens.clear()


def empty_if_foreign(store: FileStore, database: Database) -> None:
    """Empty *store* if its newest entry was computed after an event that the log does not have (any more)."""
    newest = store.newest()
    if newest is None:
        return
    seq, token = newest
    with contextlib.closing(database.watch()) as watch:
        if watch.token_at(seq) != token:
            log.warning("the cache folder knows of event %d, which is not in the log: it is emptied", seq)
            store.clear()
