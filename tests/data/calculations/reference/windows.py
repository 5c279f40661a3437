"""The metrics of a window of days: one function per name of the glossary, each from the sums that its tallies hold.

A window is any number of consecutive local days; days without a completion belong to it. Counts and sums of minutes
are 0 where nothing happened, everything else is None without data. Units, directions and words are in `registry`.
"""

import math
import statistics
from collections.abc import Callable

from data.models import Kind
from tests.data.calculations.reference.averages import mean, sample_deviation
from tests.data.calculations.reference.formulas import MINUTES_PER_DAY
from tests.data.calculations.reference.history import Tally, Window

SLEEP_MINUTES_COUNTED = 480.0
"""Sleep counts at most this much a day, so that lying in is no achievement."""

Calculation = Callable[[Window], float | None]


def completed(window: Window) -> float:
    """Return the number of instances completed."""
    return float(sum(day.completed for day in window.days))


def cancelled(window: Window) -> float:
    """Return the number of instances cancelled, by the day of cancelling."""
    return float(sum(day.cancelled for day in window.days))


def created(window: Window) -> float:
    """Return the number of instances planned, by the day of planning."""
    return float(sum(day.created for day in window.days))


def active(window: Window) -> float | None:
    """Return the number of instances whose timer runs now; None for a window in the past."""
    return None if window.active is None else float(window.active)


def completion_rate(window: Window) -> float | None:
    """Return completed / (completed + cancelled) * 100, percent; None if there is neither."""
    finished = completed(window) + cancelled(window)
    return 100 * completed(window) / finished if finished else None


def streak_days(window: Window) -> float:
    """Return the days in a row with a completion, up to the window's last day or the one before it."""
    return float(window.streak_days)


def minutes_of(kind: Kind) -> Callable[[Window], float]:
    """Return the function that sums the minutes of one kind of task; sleep counts at most 480 a day."""
    return lambda window: math.fsum(counted_minutes(day, kind) for day in window.days)


minutes_work = minutes_of(Kind.WORK)
minutes_play = minutes_of(Kind.PLAY)
minutes_self_care = minutes_of(Kind.SELF_CARE)
minutes_sleep = minutes_of(Kind.SLEEP)


def productive_minutes(window: Window) -> float:
    """Return the minutes of work and self-care."""
    return minutes_work(window) + minutes_self_care(window)


def median_minutes(window: Window) -> float | None:
    """Return the median of the instances' minutes: of the two in the middle, their mean."""
    minutes = [value for day in window.days for value in day.minutes]
    return statistics.median(minutes) if minutes else None


def mean_of(name: str) -> Calculation:
    """Return the function that averages one of `AVERAGED` over the instances that have it."""

    def calculate(window: Window) -> float | None:
        total, count = _sum(window, name)
        return total / count if count else None

    return calculate


prediction_bias = mean_of("relief_bias")
aversion_bias = mean_of("aversion_bias")


def relief_per_hour(window: Window) -> float | None:
    """Return sum(relief_points) / hours, of the instances that have relief points; None without such hours."""
    points, _ = _sum(window, "relief_points")
    minutes, _ = _sum(window, "rated_minutes")
    return 60 * points / minutes if minutes else None


def tracking_consistency(window: Window) -> float | None:
    """Return the mean over all days of 100 * (1 - exp(-2 * tracked / 1440)), 0-100.

    Tracked are the day's minutes of all kinds, sleep at most 480 of them. None if nothing was completed at all.
    """
    if not completed(window):
        return None
    tracked = [math.fsum(counted_minutes(day, kind) for kind in Kind) for day in window.days]
    return math.fsum(100 * (1 - math.exp(-2 * minutes / MINUTES_PER_DAY)) for minutes in tracked) / len(tracked)


def work_volume(window: Window) -> float | None:
    """Return min(100, 100 * mean work minutes a day / target); None if nothing was completed or the target is 0."""
    if not completed(window) or not window.target_minutes_per_day:
        return None
    return min(100.0, 100 * minutes_work(window) / len(window.days) / window.target_minutes_per_day)


def work_consistency(window: Window) -> float | None:
    """Return 100 * max(0, 1 - sd / mean) of the days' work minutes, 0-100.

    The sample standard deviation, over all days of the window: one without work counts with 0 minutes. None under 2
    days, and without any work.
    """
    minutes = [counted_minutes(day, Kind.WORK) for day in window.days]
    average, deviation = mean(minutes), sample_deviation(minutes)
    return 100 * max(0.0, 1 - deviation / average) if average and deviation is not None else None


def life_balance(window: Window) -> float | None:
    """Return 100 * (1 - |work - rest| / (work + rest)), 0-100; rest is play and self-care. None without either."""
    work = minutes_work(window)
    rest = minutes_play(window) + minutes_self_care(window)
    return 100 * (1 - abs(work - rest) / (work + rest)) if work + rest else None


def self_care_frequency(window: Window) -> float | None:
    """Return min(100, 50 * self-care completions per day), 0-100; None if nothing was completed at all."""
    if not completed(window):
        return None
    return min(100.0, 50 * sum(day.self_care_completed for day in window.days) / len(window.days))


def weekly_relief(window: Window) -> float | None:
    """Return 100 * (1 - exp(-sum(relief_points) / 1000)) of the window's last 7 days, 0-100; None without points."""
    week = Window(window.days[-7:], window.streak_days, window.target_minutes_per_day)
    points, count = _sum(week, "relief_points")
    return 100 * (1 - math.exp(-points / 1000)) if count else None


def counted_minutes(day: Tally, kind: Kind) -> float:
    """Return the minutes of one kind on *day*; sleep counts at most 480."""
    minutes = day.minutes_of(kind)
    return min(minutes, SLEEP_MINUTES_COUNTED) if kind is Kind.SLEEP else minutes


def _sum(window: Window, name: str) -> tuple[float, int]:
    parts = [day.sum_of(name) for day in window.days]
    return math.fsum(total for total, _ in parts), sum(count for _, count in parts)
