"""Mistakes to plant in the cache, each with the model whose orders find it: the proof that the orders kit sees."""

import contextlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from cache import lookup
from cache.loading import Loading
from cache.lookup import Lookup
from cache.manager import CacheManager
from cache.named import ByName
from data.feed import Feed


@dataclass
class Mutant:
    """One mistake: a function, a piece of its text, and what is there instead."""

    owner: Any
    function: str
    text: str
    instead: str
    seen_in: str
    """The model whose orders find it."""

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        kept = inspect.getattr_static(self.owner, self.function)
        original = kept.fget if isinstance(kept, property) else kept
        source = textwrap.dedent(inspect.getsource(original))
        assert source.count(self.text) == 1, f"{self.text!r} is not in {self.function} any more: adapt the mutant"
        scope: dict[str, Any] = {}
        module = sys.modules[original.__module__]
        exec(compile(source.replace(self.text, self.instead), "mutant", "exec"), module.__dict__, scope)
        with mock.patch.object(self.owner, self.function, scope[self.function]):
            yield


MUTANTS: dict[str, Mutant] = {
    "as_of is taken after the load": Mutant(Loading, "_made", "as_of=read.seq", "as_of=read.seq + 1", "evict"),
    "the generation is not compared": Mutant(
        lookup, "is_fresh", "entry.as_of < generation or", "False or", "invalidate"
    ),
    "an entry of after the reader's state is taken": Mutant(
        lookup, "is_fresh", "entry.as_of > seq and", "False and", "readers"
    ),
    "what a later state's flight brings is taken": Mutant(
        Lookup,
        "_find",
        "if generation <= landed.as_of <= read.seq or self._is_fresh(landed, value, place, read.seq, now):",
        "if True:",
        "readers",
    ),
    "what is shown meanwhile is called fresh": Mutant(
        lookup.Found, "is_fresh", "self.problem is None and not self.is_loading", "self.problem is None", "behind"
    ),
    "what an old state gives is kept as new": Mutant(
        Lookup,
        "_find",
        "return Found(self.loading.alone(value, read, view))",
        "e = self.loading.alone(value, read, view); e.as_of = generation; store.set(place, e); return Found(e)",
        "invalidate",
    ),
    "the shelf is not dropped": Mutant(
        CacheManager, "_drop_shelves", "self._shelves.pop(user, None)", "pass", "invalidate"
    ),
    "the log is not read": Mutant(Feed, "catch_up", "if not self._watch.has_news():", "if True:", "names"),
    "an older snapshot uses everybody's shelf": Mutant(
        CacheManager, "_shelf", "shelf.newest <= read.seq and", "", "readers"
    ),
    "an older snapshot's shelf is for everybody": Mutant(
        CacheManager, "_shelf", "newest <= read.seq and newest == self._generations.newest(user)", "True", "readers"
    ),
    "a shelf is put up after what it has not seen": Mutant(
        CacheManager, "_shelf", "and newest == self._generations.newest(user)", "", "readers"
    ),
    "by name, the state of the miss is forgotten": Mutant(
        ByName, "set", "now if missed is None else missed", "now", "names"
    ),
    "the log is looked at before the state is fixed": Mutant(
        CacheManager,
        "_state",
        "with self._database.read(for_load=for_load) as read:\n        self._feed.catch_up()",
        "self._feed.catch_up()\n    with self._database.read(for_load=for_load) as read:",
        "invalidate",
    ),
    "get_or_load does not look at the log": Mutant(
        CacheManager, "get_or_load", "self._feed.catch_up()", "self._feed.seq", "processes"
    ),
}
