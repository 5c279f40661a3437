"""How far each prefix has been invalidated: the seq of the last event whose rule named it, per user.

This is all that an invalidation changes: one number per prefix, however many keys lie below. Knows no entries and no
stores. Numbers of before this process began are found in the log when a user is first asked about.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence

from data import log as event_log
from data.database import ReadTransaction
from events.catalog import CATALOG, Event, Logged, UserId
from events.patterns import EVERYTHING, prefixes
from events.ruleset import Rule, Ruleset

log = logging.getLogger(__name__)

SEARCH_DEPTH = 200
"""How many past events of one name are looked at to find the newest that fulfils a rule's condition."""

BEYOND = 2**63 - 1
"""The generation of what cannot be judged: above all that a log will ever hold."""


class Generations:
    """The generations of all users. Safe from any thread; reading takes no lock."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._raised: dict[UserId, dict[str, int]] = {}  # by events that were seen to happen
        self._complete: dict[UserId, dict[str, int]] = {}  # the same tables, once the log was asked for what was before
        self._of_all: dict[str, int] = {}
        self._newest_of: dict[UserId, int] = {}
        self._newest_of_all = 0
        self._lock = threading.Lock()

    def of(self, user: UserId, key: str) -> int:
        """Return the newest generation among the prefixes of *key*; 0 if none was ever invalidated.

        A value computed from a state as of this seq or later is fresh. Costs two dictionary look-ups per segment. For
        a user whose past has not been recovered, nothing is fresh: `BEYOND` all seqs.
        """
        own, everyone = self._complete.get(user), self._of_all
        if own is None:
            return BEYOND
        newest = 0
        for prefix in prefixes(key):
            for seq in (own.get(prefix, 0), everyone.get(prefix, 0)):
                if seq > newest:  # `max` takes three times as long, and this is asked of every part of every value
                    newest = seq
        return newest

    def of_prefix(self, user: UserId, prefix: str) -> int:
        """Return the generation of one *prefix* by itself, whatever those above it are."""
        own = self._complete.get(user)
        return BEYOND if own is None else max(own.get(prefix, 0), self._of_all.get(prefix, 0))

    def recover(self, user: UserId, read: ReadTransaction) -> None:
        """Find out, once per user, what was invalidated before this process saw anything: a handful of log rows.

        Reads them in *read*; later events come by `apply`.
        """
        if user not in self._complete:
            self._recover(user, read)

    def newest(self, user: UserId) -> int:
        """Return the seq of the last event that was seen to invalidate anything of *user*; 0 if none was."""
        return max(self._newest_of_all, self._newest_of.get(user, 0))

    def prefixes_of(self, event: Event) -> tuple[str, ...]:
        """Return the prefixes whose generations *event* raises."""
        return self._ruleset.prefixes(event)

    def apply(self, logged: Logged) -> tuple[str, ...]:
        """Raise the generations that *logged* concerns to its seq, and return their prefixes."""
        found = self.prefixes_of(logged.event)
        if found:
            self.raise_to(logged.seq, found, None if logged.event.is_global else logged.event.user)
        return found

    def raise_to(self, seq: int, names: Iterable[str], user: UserId | None) -> None:
        """Raise the generations of the prefixes *names* to *seq*, for one user or (None) for everybody.

        They never fall: an event that arrives twice, or late, changes nothing.
        """
        with self._lock:
            if user is None:
                self._newest_of_all = max(seq, self._newest_of_all)
            else:
                self._newest_of[user] = max(seq, self._newest_of.get(user, 0))
            table = self._of_all if user is None else self._raised.setdefault(user, {})
            for prefix in names:
                table[prefix] = max(seq, table.get(prefix, 0))

    def forget(self) -> None:
        """Find everything anew in the log, for when the log itself went back."""
        with self._lock:
            self._complete.clear()
            self._raised.clear()
            self._of_all.clear()
            self._newest_of.clear()
            self._newest_of_all = 0

    def _recover(self, user: UserId, read: ReadTransaction) -> None:
        # What is older than the log reaches back cannot be judged, so it counts as invalidated.
        found = {EVERYTHING: event_log.horizon(read.connection)}
        by_name = {event_class.name: event_class for event_class in CATALOG}
        for name in event_log.names_of(read.connection, user):
            rows = self._ruleset.rows(by_name[name]) if name in by_name else [_UNKNOWN]
            for prefix, seq in _newest(rows, event_log.newest_of(read.connection, user, name)):
                found[prefix] = max(seq, found.get(prefix, 0))
        with self._lock:
            table = self._raised.setdefault(user, {})
            for prefix, seq in found.items():
                table[prefix] = max(seq, table.get(prefix, 0))
            self._complete[user] = table


def _newest(rules: Sequence[Rule], newest_first: Iterator[Logged]) -> Iterator[tuple[str, int]]:
    """Yield the prefixes that each of the *rules* of one event raised last, with their seq.

    A row that depends on the event needs a look at each event. The search is bounded: what lies deeper is taken to
    fulfil the condition, since an entry thrown away too early costs one load and one kept too long is wrong.
    """
    open_rules = list(rules)
    for depth, logged in enumerate(newest_first):
        for rule in tuple(open_rules):
            if depth >= SEARCH_DEPTH:
                found = (EVERYTHING,) if rule.carried else _named(rule, logged.event)
            elif isinstance(logged.event, rule.on):
                found = rule.prefixes(logged.event)
            else:  # what took the place of a row that cannot be read has no part of what the rule may ask about
                found = (EVERYTHING,)
            yield from ((prefix, logged.seq) for prefix in found)
            if depth >= SEARCH_DEPTH or (not rule.names_parts and (found or not rule.depends_on_event)):
                open_rules.remove(rule)
        if not open_rules:
            newest_first.close()  # type: ignore[attr-defined]  # it holds a cursor
            return


def _named(rule: Rule, event: Event) -> tuple[str, ...]:
    unconditional = Rule(on=rule.on, invalidates=rule.invalidates)
    return unconditional.prefixes(event)


_UNKNOWN = Rule(on=(Event,), invalidates=("*",))
"""For rows of an event that this version does not know."""
