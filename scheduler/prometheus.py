"""The counters of the jobs as Prometheus reads them."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scheduler.jobs import JobStats


class JobCollector(Collector):
    """What happened to each job since the process began."""

    def __init__(self, stats: Callable[[], Sequence[JobStats]]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Yield runs, failures and the time of the last run, by job."""
        runs = CounterMetricFamily("reprieve_job_runs", "Runs of a job of the scheduler", labels=["job"])
        failures = CounterMetricFamily("reprieve_job_failures", "Runs that failed", labels=["job"])
        seconds = GaugeMetricFamily("reprieve_job_seconds", "Time of the last run", labels=["job"])
        for job in self._stats():
            runs.add_metric([job.name], job.runs)
            failures.add_metric([job.name], job.failures)
            if job.seconds is not None:
                seconds.add_metric([job.name], job.seconds)
        yield from (runs, failures, seconds)
