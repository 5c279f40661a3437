"""The daily summary: what was, as of the start of the user's today. It reads nothing of today.

At the end of the file, the three sentences that say it in words.
"""

import math
from datetime import date

import msgspec

from data.calculations import windows
from data.calculations.completed import MICROSECOND, microseconds
from data.calculations.composite import COMPOSITE_DAYS, Composite, combine, components_of
from data.calculations.series import Windows, known, read_series
from data.calculations.windows import Calculation
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.models import EPOCH, Kind
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
    series = read_series(read, view, first, last)
    week_windows = series.windows(last, last, COMPOSITE_DAYS)
    week = _period(read, view, first, last, week_windows)
    yesterday = _period(read, view, last, last, series.windows(last, last, 1))
    components = {name: value for name, (value,) in components_of(week_windows).items()}
    composite = combine(components, dict(view.profile.composite_weights))
    streak = series.streaks[-1] if yesterday.completed else 0
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


def _period(read: ReadTransaction, view: Viewpoint, first: date, last: date, windows_: Windows) -> Period:
    """Return the period of the one window in *windows_*, of the days *first* to *last*."""

    def value(calculate: Calculation) -> float | None:
        return known(calculate(windows_))[0]

    return Period(
        first_day=first,
        last_day=last,
        completed=round(value(windows.completed) or 0),
        cancelled=round(value(windows.cancelled) or 0),
        minutes_by_kind=tuple(KindMinutes(kind.value, value(windows.minutes_of(kind)) or 0.0) for kind in Kind),
        work_minutes=value(windows.minutes_work) or 0.0,
        work_target_minutes=windows_.target_minutes_per_day * ((last - first).days + 1),
        avg_relief=value(windows.mean_of("relief")),
        avg_stress=value(windows.mean_of("stress")),
        best_relief=_standing_out(read, view, first, last, "actual_relief"),
        hardest=_standing_out(read, view, first, last, _DIFFICULTY),
    )


_DIFFICULTY = "(actual_mental_load + actual_emotional_load + actual_aversion) / 3.0"
_STANDING_OUT_SQL = """
    SELECT instances.id, task_id, name, kind, completed_at, {score} AS score
    FROM instances JOIN tasks ON tasks.user_id = instances.user_id AND tasks.id = task_id
    WHERE instances.user_id = :user AND completed_at >= :since AND completed_at < :until AND {score} IS NOT NULL
    ORDER BY score DESC, completed_at, instances.id LIMIT 1"""


def _standing_out(read: ReadTransaction, view: Viewpoint, first: date, last: date, score: str) -> Deed | None:
    """Return the instance with the greatest *score*, the earliest of equal ones; None if none has it."""
    calendar = view.profile.calendar
    since, until = microseconds(calendar.starts(first)), microseconds(calendar.starts(last + ONE_DAY))
    bounds = {"user": view.user, "since": since, "until": until}
    row = read.connection.exec_driver_sql(_STANDING_OUT_SQL.format(score=score), bounds).one_or_none()
    if row is None:
        return None
    id_, task_id, name, kind, completed_at, greatest = row
    day = calendar.day_of(EPOCH + MICROSECOND * completed_at)
    return Deed(id_, task_id, name, kind, day, float(greatest))
