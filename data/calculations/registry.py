"""The registry of metrics: what each windowed metric is called, how it is made, and how to read it.

One row per metric; dashboard cards, tooltips, trends and the glossary are made of these rows. The calculations that
they name are in `windows`, what a row says in `metric`.
"""

from datetime import date

from data.calculations import windows
from data.calculations.metric import (
    FORESEEN,
    SEVERAL,
    STATES,
    TIMED,
    Direction,
    Metric,
    bias,
    count,
    mean,
    minutes,
    score,
)
from data.calculations.series import Series, known

MORE, LESS, NEUTRAL = Direction.MORE, Direction.LESS, Direction.NEUTRAL

METRICS: tuple[Metric, ...] = (
    count("completed", "Completed", MORE, "number completed", "How many things you finished.", windows.completed),
    count("cancelled", "Cancelled", LESS, "number cancelled", "How many things you gave up.", windows.cancelled),
    count("created", "Planned", NEUTRAL, "number created", "How many things you planned.", windows.created),
    count("active", "Running", NEUTRAL, "number active now", "How many timers run right now.", windows.active),
    score(
        "completion_rate",
        "Completion rate",
        "completed / (completed + cancelled) × 100",
        "Of what came to an end, the share that was finished rather than given up.",
        unit="percent",
        source=STATES,
    ),
    Metric(
        name="streak_days",
        label="Streak",
        formula="days in a row, up to today or yesterday, with at least one completion",
        unit="days",
        direction=MORE,
        least=0,
        most=None,
        tooltip="How many days in a row you finished something. Today breaks it only once it is over.",
        source=STATES,
        calculate=windows.streak_days,
        spans_window=False,
    ),
    minutes("minutes_work", "Work", MORE, "sum of minutes of work", "Time spent on work that you finished."),
    minutes("minutes_play", "Play", NEUTRAL, "sum of minutes of play", "Time spent on play that you finished."),
    minutes(
        "minutes_self_care", "Self-care", MORE, "sum of minutes of self-care", "Time spent on looking after yourself."
    ),
    minutes(
        "minutes_sleep",
        "Sleep",
        NEUTRAL,
        "sum of minutes of sleep, at most 480 a day",
        "Time asleep; no more than eight hours a day are counted.",
    ),
    minutes(
        "productive_minutes",
        "Productive time",
        MORE,
        "minutes of work + minutes of self-care",
        "Time spent on work and on looking after yourself.",
    ),
    Metric(
        name="median_minutes",
        label="Typical length",
        formula="median of minutes",
        unit="minutes",
        direction=NEUTRAL,
        least=0,
        most=None,
        tooltip="Half of what you finished took longer than this, half took less.",
        source=TIMED,
        calculate=windows.median_minutes,
    ),
    mean("relief", "Relief", MORE, "relief", "How relieved you felt afterwards, on average."),
    mean(
        "stress",
        "Stress",
        LESS,
        "(mental + emotional + physical load) / 3",
        "How heavy things were on you, on average of mind, mood and body.",
    ),
    mean(
        "net_wellbeing",
        "Net wellbeing",
        MORE,
        "relief − stress",
        "What was left of the relief after the stress; above 0, it was worth it.",
        unit="points",
        least=-100,
    ),
    mean(
        "stress_efficiency",
        "Stress efficiency",
        MORE,
        "relief / max(stress, 1)",
        "Points of relief for each point of stress.",
        unit="ratio",
    ),
    mean("aversion", "Aversion", LESS, "aversion", "How much you had wanted to avoid what you finished."),
    mean("mental_load", "Mental load", LESS, "mental load", "How much thinking it took."),
    mean("emotional_load", "Emotional load", LESS, "emotional load", "How much it weighed on your mood."),
    mean("physical_load", "Physical load", LESS, "physical load", "How much it took out of your body."),
    mean(
        "motivation",
        "Motivation",
        MORE,
        "predicted motivation",
        "How much you wanted to, when you planned it.",
        source="what you say when you plan",
    ),
    mean(
        "delay_minutes",
        "Delay",
        LESS,
        "time from planning to starting",
        "How long things waited between being planned and being started.",
        unit="minutes",
        most=None,
        source=STATES,
    ),
    mean(
        "time_accuracy",
        "Time accuracy",
        MORE,
        "100 × (1 − |actual − estimate| / max(actual, estimate))",
        "How close your estimates came to the time it took; 100 is exact.",
        source="your estimate, and the timer",
    ),
    mean(
        "execution",
        "Execution",
        MORE,
        "0.35 difficulty + 0.25 time accuracy + 0.20 promptness + 0.20 completion",
        "How well you carried things out: hard ones, on time, soon, and fully.",
        source=SEVERAL,
    ),
    mean(
        "grit",
        "Grit",
        MORE,
        "0.5 aversion + 0.3 disappointment + 0.2 min(100, 10 × earlier completions)",
        "How much you keep at things that you dislike and that give little back.",
        source=FORESEEN,
    ),
    mean(
        "serendipity",
        "Serendipity",
        MORE,
        "max(0, actual − predicted relief)",
        "Relief beyond what you expected.",
        source=FORESEEN,
    ),
    mean(
        "disappointment",
        "Disappointment",
        LESS,
        "max(0, predicted − actual relief)",
        "Relief that you expected and that did not come.",
        source=FORESEEN,
    ),
    Metric(
        name="relief_per_hour",
        label="Relief per hour",
        formula="sum of relief points / hours",
        unit="points per hour",
        direction=MORE,
        least=0,
        most=200,
        tooltip="Relief points for each hour that you put in.",
        source=SEVERAL,
        calculate=windows.relief_per_hour,
    ),
    bias(
        "prediction_bias",
        "Relief bias",
        "mean of predicted − actual relief",
        "Above 0, you hoped for more relief than came; below 0, for less.",
    ),
    bias(
        "aversion_bias",
        "Aversion bias",
        "mean of predicted − actual aversion",
        "Above 0, things were less unpleasant than you feared; below 0, more.",
    ),
    score(
        "tracking_consistency",
        "Tracking",
        "mean over days of 100 × (1 − exp(−2 × tracked / 1440)), tracked being all minutes, of sleep at most 480 a day",
        "How much of your days you recorded; the first hours count most, and no more than eight of sleep a day.",
        accumulates=True,
        source=TIMED,
    ),
    score(
        "work_volume",
        "Work volume",
        "min(100, 100 × work minutes a day / target)",
        "How close your work came to the target that you set.",
        accumulates=True,
        source=TIMED,
    ),
    score(
        "work_consistency",
        "Work consistency",
        "100 × max(0, 1 − standard deviation / mean) of the work minutes of 7 days",
        "How evenly your work was spread over the last 7 days; days without work count.",
        days=7,
        source=TIMED,
    ),
    score(
        "life_balance",
        "Balance",
        "100 × (1 − |work − rest| / (work + rest)), rest being play and self-care",
        "How even work and rest were; 100 is half and half.",
        source=TIMED,
    ),
    score(
        "self_care_frequency",
        "Self-care frequency",
        "min(100, 50 × self-care completions a day)",
        "How often you looked after yourself; twice a day makes 100.",
        accumulates=True,
        source=STATES,
    ),
    score(
        "weekly_relief",
        "Weekly relief",
        "100 × (1 − exp(−relief points of 7 days / 1000))",
        "How much relief the last 7 days brought in all.",
        days=7,
        spans_window=False,
        source=SEVERAL,
    ),
)


BY_NAME = {metric.name: metric for metric in METRICS}

LONGEST_SPAN = max(metric.days for metric in METRICS)
"""How many days, itself included, must be known for a day to have all its values."""

DEFAULT_MONITORED = ("completed", "productive_minutes", "avg_net_wellbeing", "streak_days")
"""What the dashboard shows to somebody who has not chosen."""


def values_by_day(series: Series, first: date, last: date, running: int | None = None) -> dict[str, list[float | None]]:
    """Return each metric's value on the days *first* to *last*, by name. The series begins `LONGEST_SPAN` - 1 days
    before them. *running* is the number of timers that run on the last day, if that is today."""
    windows = {length: series.windows(first, last, length) for length in {metric.days for metric in METRICS}}
    if running is not None:
        for each in windows.values():
            each.active[-1] = running
    return {metric.name: known(metric.calculate(windows[metric.days])) for metric in METRICS}


def monitored(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the chosen metrics that exist, in the order chosen, or the default ones if none is left."""
    return tuple(dict.fromkeys(name for name in chosen if name in BY_NAME)) or DEFAULT_MONITORED
