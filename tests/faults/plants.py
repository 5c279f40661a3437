"""Mistakes of order to plant in every process, a dozen: the proof that the history checker sees.

Those of `MUTANTS` are planted for the orders kit as well, which meets them in one process and one thread, in every
order of a few steps; here they are met at random.
"""

from cache.generations import Generations
from cache.hybrid_store import HybridStore
from cache.loading import Loading
from cache.manager import CacheManager
from data.feed import Feed
from tests.cache.mutants import MUTANTS, Mutant

PLANTS: dict[str, Mutant] = {
    name: MUTANTS[name]
    for name in (
        "the generation is not compared",
        "the log is not read",
        "the log is looked at before the state is fixed",
        "get_or_load does not look at the log",
        "what an old state gives is kept as new",
        "the shelf is not dropped",
    )
} | {
    "a late store: as_of is of when the loader returned": Mutant(
        Loading,
        "_made",
        "as_of=read.seq",
        "as_of=(lambda later: (later.__enter__().seq, later.__exit__(None, None, None))[0])(self._reads())",
        "history",
    ),
    "the feed skips rows": Mutant(Feed, "_send_new", "for row in rows:", "for row in rows[-1:]:", "history"),
    "a rule is missed": Mutant(
        Generations,
        "prefixes_of",
        "return self._ruleset.prefixes(event)",
        "return () if event.name == 'task.edited' else self._ruleset.prefixes(event)",
        "history",
    ),
    "what comes from disk counts as of now in memory": Mutant(
        HybridStore,
        "get",
        "self._front.set(place, found)",
        "found.as_of = max(found.as_of, least_as_of)\n    self._front.set(place, found)",
        "history",
    ),
    "a restart does not ask the log for what was before": Mutant(
        Generations, "_recover", "in event_log.names_of(read.connection, user)", "in ()", "history"
    ),
    "the invalidation is of before the commit": Mutant(
        CacheManager,
        "_invalidate",
        "self._generations.apply(logged)",
        "self._generations.apply(type(logged)(seq=logged.seq - 1, event=logged.event))",
        "history",
    ),
}
