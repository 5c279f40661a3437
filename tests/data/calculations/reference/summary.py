"""The daily summary, read from the rows of its week."""

import math
from collections.abc import Sequence

from data.calculations.summary import DailySummary, Deed, KindMinutes, Period, put_into_words
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import Kind
from data.viewpoint import Viewpoint
from tests.data.calculations.reference import windows
from tests.data.calculations.reference.attempts import Attempt, read_attempts, read_labels
from tests.data.calculations.reference.composite import COMPOSITE_DAYS, composite_of
from tests.data.calculations.reference.history import Window, history_of
from tests.data.calculations.reference.measures import Measures, measure


def load_daily(read: ReadTransaction, view: Viewpoint) -> DailySummary:
    """Return the summary of the days before `view.today`."""
    last = view.today - ONE_DAY
    first = view.today - ONE_DAY * COMPOSITE_DAYS
    attempts = read_attempts(read, view, first, last)
    history = history_of(read, view, attempts, first, last)
    measured = [(attempt, measure(attempt)) for attempt in attempts]
    found = {name: _standing_out(measured, name) for name in ("relief", "difficulty")}
    found_yesterday = {name: _standing_out([pair for pair in measured if pair[0].day == last], name) for name in found}
    named = [attempt for deeds in (found, found_yesterday) for attempt, _ in filter(None, deeds.values())]
    names = {key: label.name for key, label in read_labels(read, view, {one.task_id for one in named}).items()}
    week_window = history.window(last, COMPOSITE_DAYS)
    week = _period(week_window, found, names)
    yesterday = _period(history.window(last, 1), found_yesterday, names)
    composite = composite_of(week_window, dict(view.profile.composite_weights))
    streak = history.streaks[-1] if yesterday.completed else 0
    return DailySummary(
        today=view.today,
        yesterday=yesterday,
        week=week,
        composite=composite,
        streak_days=streak,
        sentences=put_into_words(yesterday, week, composite.score, streak),
    )


def _period(window: Window, deeds: dict[str, tuple[Attempt, float] | None], names: dict[str, str]) -> Period:
    minutes = [
        KindMinutes(kind.value, math.fsum(windows.counted_minutes(day, kind) for day in window.days)) for kind in Kind
    ]
    return Period(
        first_day=window.days[0].day,
        last_day=window.days[-1].day,
        completed=round(windows.completed(window)),
        cancelled=round(windows.cancelled(window)),
        minutes_by_kind=tuple(minutes),
        work_minutes=windows.minutes_work(window),
        work_target_minutes=window.target_minutes_per_day * len(window.days),
        avg_relief=_avg_relief(window),
        avg_stress=_avg_stress(window),
        best_relief=_deed(deeds["relief"], names),
        hardest=_deed(deeds["difficulty"], names),
    )


_avg_relief = windows.mean_of("relief")
_avg_stress = windows.mean_of("stress")


def _standing_out(measured: Sequence[tuple[Attempt, Measures]], name: str) -> tuple[Attempt, float] | None:
    """Return the attempt with the greatest *name*, the earliest of equal ones; None if none has it."""
    scored = [(attempt, getattr(measures, name)) for attempt, measures in measured]
    return max((pair for pair in scored if pair[1] is not None), key=lambda pair: pair[1], default=None)


def _deed(found: tuple[Attempt, float] | None, names: dict[str, str]) -> Deed | None:
    if found is None:
        return None
    attempt, score = found
    return Deed(attempt.id, attempt.task_id, names[attempt.task_id], attempt.kind, attempt.day, float(score))
