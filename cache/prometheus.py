"""The counters of the cache as Prometheus reads them, and the page on which all counters are."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cache.auditor import AuditReport
from cache.counts import CacheStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BY_KEY = {
    "hits": "Reads that found a fresh value",
    "misses": "Reads that found nothing",
    "stale": "Reads that found a value below its generation or beyond its ttl",
    "loads": "Values computed",
    "load_errors": "Computations that failed",
    "timeouts": "Computations that a reader did not wait for, or that were given up",
}
_BY_TIER = {
    "hits": "Entries found in the tier, fresh or not",
    "misses": "Entries not found in the tier",
    "evictions": "Entries given up for space",
    "errors": "Failures of the tier that were survived",
}


_BY_AUDIT = {
    "checked": "Kept values that were compared with a fresh load of the same state",
    "differed": "Kept values that were wrong",
    "failed": "Kept values that could not be compared, because the load failed",
}


class _Stats(Collector):
    def __init__(self, stats: Callable[[], CacheStats]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        stats = self._stats()
        for name, meaning in _BY_KEY.items():
            counter = CounterMetricFamily(f"reprieve_cache_{name}", meaning, labels=["key"])
            for key in stats.keys:
                counter.add_metric([key.key], getattr(key, name))
            yield counter
        seconds = GaugeMetricFamily(
            "reprieve_cache_load_seconds", "Time of the last 512 loads", labels=["key", "quantile"]
        )
        for key in stats.keys:
            for quantile, milliseconds in (("0.5", key.load_ms_p50), ("0.99", key.load_ms_p99)):
                if milliseconds is not None:
                    seconds.add_metric([key.key, quantile], milliseconds / 1000)
        yield seconds
        for name, meaning in _BY_TIER.items():
            counter = CounterMetricFamily(f"reprieve_cache_tier_{name}", meaning, labels=["tier"])
            for tier in stats.tiers:
                counter.add_metric([tier.tier], getattr(tier, name))
            yield counter
        for name, meaning in (("entries", "Entries kept"), ("size_bytes", "Size"), ("max_size_bytes", "Bound")):
            gauge = GaugeMetricFamily(f"reprieve_cache_tier_{name}", meaning, labels=["tier"])
            for tier in stats.tiers:
                gauge.add_metric([tier.tier], getattr(tier, name))
            yield gauge


class AuditCollector(Collector):
    """What the auditor has done since the process began."""

    def __init__(self, report: Callable[[], AuditReport]) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        """Yield how much was checked, and how much of it was wrong."""
        report = self._report()
        for name, meaning in _BY_AUDIT.items():
            yield CounterMetricFamily(f"reprieve_cache_audit_{name}", meaning, value=getattr(report, name))


def exposition(stats: Callable[[], CacheStats], *others: Collector) -> Callable[[], bytes]:
    """Return a function that returns the counters of *stats*, and of *others*, in Prometheus' text format."""
    registry = CollectorRegistry()
    for collector in (_Stats(stats), *others):
        registry.register(collector)
    return lambda: generate_latest(registry)
