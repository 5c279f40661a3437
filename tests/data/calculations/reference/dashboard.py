"""The metrics of the dashboard, read from the rows of all days that they look at."""

import msgspec

from data.calculations.dashboard import (
    BASELINE_DAYS,
    MOST_BASELINE_DAYS,
    SPARKLINE_DAYS,
    DashboardMetrics,
    MetricCard,
    band,
)
from data.calculations.registry import monitored
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.viewpoint import Viewpoint
from tests.data.calculations.reference.averages import mean
from tests.data.calculations.reference.history import dates, read_active, read_first_day, read_history
from tests.data.calculations.reference.registry import LONGEST_SPAN, METRICS, values_by_day

"""The baseline "all" looks back ten years at most, so that one mistyped date cannot make the page slow."""


def load_metrics(read: ReadTransaction, view: Viewpoint) -> DashboardMetrics:
    """Return today's value of every metric, with baseline, colour band and sparkline.

    A metric's value on a day is that of the day alone, or of the 7 days that end with it (`Metric.days`). Days before
    the user's first record have no value; a day since then on which nothing happened has its zeros. The baseline is
    the mean of the values on the days of the user's choice, ending yesterday.
    """
    today = view.today
    record = min(read_first_day(read, view) or today, today)
    reach = BASELINE_DAYS.get(view.profile.baseline, MOST_BASELINE_DAYS)
    first_of_baseline = max(record, today - ONE_DAY * reach)
    first_of_sparkline = max(record, today - ONE_DAY * (SPARKLINE_DAYS - 1))
    first = min(first_of_baseline, first_of_sparkline)
    history = read_history(read, view, first - ONE_DAY * (LONGEST_SPAN - 1), today, with_created=True)
    before = values_by_day(history, dates(first, today - ONE_DAY))
    running = read_active(read, view)
    days_shown = (today - first_of_sparkline).days + 1
    days_compared = (today - first_of_baseline).days
    cards = []
    for metric in METRICS:
        now = msgspec.structs.replace(history.window(today, metric.days), active=running)
        values = [*before[metric.name], metric.calculate(now)]
        baseline = mean(values[len(values) - 1 - days_compared : -1])
        shown = values[len(values) - days_shown :]
        missing = (None,) * (SPARKLINE_DAYS - len(shown))
        value = values[-1]
        difference = None if value is None or baseline is None else value - baseline
        cards.append(
            MetricCard(metric.name, value, baseline, difference, band(metric, value, baseline), (*missing, *shown))
        )
    return DashboardMetrics(today, days_compared, monitored(view.profile.monitored_metrics), tuple(cards))
