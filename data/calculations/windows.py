"""The metrics of windows of days: one function per name of the glossary, each from the sums of the days in it.

A window is any number of consecutive local days; days without a completion belong to it. Each function answers for
many windows at once. Counts and sums of minutes are 0 where nothing happened, everything else is NaN without data.
Units, directions and words are in `registry`.
"""

from collections.abc import Callable

import numpy as np

from data.calculations.formulas import Numbers
from data.calculations.series import Windows
from data.models import Kind

Calculation = Callable[[Windows], Numbers]


def completed(windows: Windows) -> Numbers:
    """Return the number of instances completed."""
    return windows.total("completed")


def cancelled(windows: Windows) -> Numbers:
    """Return the number of instances cancelled, by the day of cancelling."""
    return windows.total("cancelled")


def created(windows: Windows) -> Numbers:
    """Return the number of instances planned, by the day of planning; NaN where nobody counted."""
    return windows.total("created")


def active(windows: Windows) -> Numbers:
    """Return the number of instances whose timer runs now; NaN for a window in the past."""
    return windows.active


def completion_rate(windows: Windows) -> Numbers:
    """Return completed / (completed + cancelled) * 100, percent; NaN if there is neither."""
    return ratio(100 * completed(windows), completed(windows) + cancelled(windows))


def streak_days(windows: Windows) -> Numbers:
    """Return the days in a row with a completion, up to the window's last day or the one before it."""
    return windows.streak_days


def minutes_of(kind: Kind) -> Calculation:
    """Return the function that sums the minutes of one kind of task; sleep counts at most 480 a day."""
    column = "counted_sleep" if kind is Kind.SLEEP else f"minutes_{kind}"
    return lambda windows: windows.total(column)


minutes_work = minutes_of(Kind.WORK)
minutes_play = minutes_of(Kind.PLAY)
minutes_self_care = minutes_of(Kind.SELF_CARE)
minutes_sleep = minutes_of(Kind.SLEEP)


def productive_minutes(windows: Windows) -> Numbers:
    """Return the minutes of work and self-care."""
    return minutes_work(windows) + minutes_self_care(windows)


def median_minutes(windows: Windows) -> Numbers:
    """Return the median of the instances' minutes: of the two in the middle, their mean; NaN without any."""
    return windows.median_minutes()


def mean_of(name: str) -> Calculation:
    """Return the function that averages one of `AVERAGED` over the instances that have it."""
    return lambda windows: ratio(windows.total(f"sum_{name}"), windows.total(f"count_{name}"))


prediction_bias = mean_of("relief_bias")
aversion_bias = mean_of("aversion_bias")


def relief_per_hour(windows: Windows) -> Numbers:
    """Return sum(relief_points) / hours, of the instances that have relief points; NaN without such hours."""
    return ratio(60 * windows.total("sum_relief_points"), windows.total("sum_rated_minutes"))


def tracking_consistency(windows: Windows) -> Numbers:
    """Return the mean over all days of 100 * (1 - exp(-2 * tracked / 1440)), 0-100.

    Tracked are the day's minutes of all kinds, sleep at most 480 of them. NaN if nothing was completed at all.
    """
    return _if_any(windows, windows.total("tracked") / windows.lengths)


def work_volume(windows: Windows) -> Numbers:
    """Return min(100, 100 * mean work minutes a day / target); NaN if nothing was completed or the target is 0."""
    if not windows.target_minutes_per_day:
        return np.full(len(windows.streak_days), np.nan)
    wanted = windows.target_minutes_per_day * windows.lengths
    return _if_any(windows, 100 * np.minimum(minutes_work(windows), wanted) / wanted)


def work_consistency(windows: Windows) -> Numbers:
    """Return 100 * max(0, 1 - sd / mean) of the days' work minutes, 0-100.

    The sample standard deviation, over all days of the window: one without work counts with 0 minutes. NaN under 2
    days, and without any work.
    """
    return 100 * np.maximum(0.0, 1 - ratio(windows.work_deviation(), minutes_work(windows) / windows.lengths))


def life_balance(windows: Windows) -> Numbers:
    """Return 100 * (1 - |work - rest| / (work + rest)), 0-100; rest is play and self-care. NaN without either."""
    work = minutes_work(windows)
    rest = minutes_play(windows) + minutes_self_care(windows)
    return 100 * (1 - ratio(np.abs(work - rest), work + rest))


def self_care_frequency(windows: Windows) -> Numbers:
    """Return min(100, 50 * self-care completions per day), 0-100; NaN if nothing was completed at all."""
    return _if_any(windows, np.minimum(100.0, 50 * windows.total("self_care_completed") / windows.lengths))


def weekly_relief(windows: Windows) -> Numbers:
    """Return 100 * (1 - exp(-sum(relief_points) / 1000)) of the window's last 7 days, 0-100; NaN without points."""
    points, count = (windows.last_week(f"{part}_relief_points") for part in ("sum", "count"))
    return np.where(count > 0, 100 * (1 - np.exp(-points / 1000)), np.nan)


def ratio(above: Numbers, below: Numbers) -> Numbers:
    """Return above / below; NaN where *below* is 0."""
    return above / np.where(below == 0, np.nan, below)


def _if_any(windows: Windows, numbers: Numbers) -> Numbers:
    return np.where(completed(windows) > 0, numbers, np.nan)
