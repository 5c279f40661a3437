"""The daily summary: what was, as of the start of the user's today. It reads nothing of today.

At the end of the file, the three sentences that say it in words.
"""

import math
from collections.abc import Sequence
from datetime import date

import msgspec
from data.calculations.attempts import Attempt, read_attempts, read_labels
from data.calculations.history import Window, history_of
from data.calculations.measures import Measures, measure

from data.calculations import windows
from data.calculations.composite import COMPOSITE_DAYS, Composite, composite_of
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import Kind
from data.viewpoint import Viewpoint


class KindMinutes(msgspec.Struct, frozen=True):
    """The minutes of one kind of task. Sleep counts at most 480 a day."""

    kind: str
    minutes: float


class Deed(msgspec.Struct, frozen=True):
    """One completed instance that stands out; `score` is its relief or its difficulty, 0-100."""

    instance_id: str
    task_id: str
    name: str
    kind: str
    day: date
    score: float


class Period(msgspec.Struct, frozen=True):
    """Some finished days. `work_target_minutes` is the daily target times the days."""

    first_day: date
    last_day: date
    completed: int
    cancelled: int
    minutes_by_kind: tuple[KindMinutes, ...]
    work_minutes: float
    work_target_minutes: float
    avg_relief: float | None
    avg_stress: float | None
    best_relief: Deed | None
    hardest: Deed | None

    @property
    def minutes(self) -> float:
        """All minutes."""
        return math.fsum(part.minutes for part in self.minutes_by_kind)


class DailySummary(msgspec.Struct, frozen=True):
    """As of the start of `today`: yesterday, and the 7 days that ended with it. `composite` is of these 7 days.

    `streak_days` are days in a row with a completion, up to yesterday.
    """

    today: date
    yesterday: Period
    week: Period
    composite: Composite
    streak_days: int
    sentences: tuple[str, str, str]


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


def put_into_words(yesterday: Period, week: Period, score: float | None, streak: int) -> tuple[str, str, str]:
    """Return three sentences: yesterday, the week with its score, and what stood out in it.

    They hold task names as the user wrote them: whoever draws them escapes them.
    """
    return _of_yesterday(yesterday), _of_week(week, score, streak), _of_deeds(week)


def _of_yesterday(period: Period) -> str:
    if not period.completed:
        return "Nothing was finished yesterday."
    sentence = f"Yesterday you finished {_things(period.completed)}"
    if period.minutes:
        sentence += f" in {_duration(period.minutes)}"
    if period.avg_relief is not None:
        sentence += f", with an average relief of {period.avg_relief:.0f}"
    return sentence + "."


def _of_week(period: Period, score: float | None, streak: int) -> str:
    days = (period.last_day - period.first_day).days + 1
    if not period.completed:
        return f"Nothing was finished in the last {days} days, so there is no score yet."
    sentence = f"In the last {days} days you worked {_duration(period.work_minutes)}"
    if period.work_target_minutes:
        share = 100 * period.work_minutes / period.work_target_minutes
        sentence += f", {share:.0f}% of the {_duration(period.work_target_minutes)} you aim for"
    if score is not None:
        sentence += f"; your composite score is {score:.0f} of 100"
    if streak:
        sentence += f"{' and' if score is not None else ';'} your streak stands at {_plural(streak, 'day')}"
    return sentence + "."


def _of_deeds(period: Period) -> str:
    best, hardest = period.best_relief, period.hardest
    if best is None and hardest is None:
        return "Nothing stood out, because nothing was rated."
    if best is None or hardest is None:
        if best is not None:
            return f"“{best.name}” brought the most relief ({best.score:.0f})."
        assert hardest is not None
        return f"“{hardest.name}” was the hardest thing you did (difficulty {hardest.score:.0f})."
    if best.instance_id == hardest.instance_id:
        return (
            f"“{best.name}” was the hardest thing you did (difficulty {hardest.score:.0f}) "
            f"and brought the most relief ({best.score:.0f})."
        )
    return (
        f"“{best.name}” brought the most relief ({best.score:.0f}), "
        f"and “{hardest.name}” was the hardest thing you did (difficulty {hardest.score:.0f})."
    )


def _things(count: int) -> str:
    return "one thing" if count == 1 else f"{count} things"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _duration(minutes: float) -> str:
    hours, rest = divmod(round(minutes), 60)
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest} min"] if rest or not hours else [])
    return " ".join(parts)


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
