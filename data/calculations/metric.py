"""What one row of the registry of metrics says, and the shapes that most rows have."""

from dataclasses import dataclass
from enum import StrEnum

from data.calculations import windows
from data.calculations.windows import Calculation


class Direction(StrEnum):
    """What is better."""

    MORE = "more"
    LESS = "less"
    ZERO = "zero"  # the nearer to 0, the better
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `least` and `most` bound it; None where it has no bound.

    `source` says where the numbers behind it come from. `days` is the length of the window behind the value of a day: 1
    for the day alone, 7 where fewer would say nothing. `accumulates` tells that a day's value only ever grows while the
    day goes on. `in_trends` is False for counts of what is open or planned, whose changes redraw no trends.
    `spans_window` is False where the value of any window is that of its last day.
    """

    name: str
    label: str
    formula: str
    unit: str
    direction: Direction
    least: float | None
    most: float | None
    tooltip: str
    source: str
    calculate: Calculation
    days: int = 1
    accumulates: bool = False
    in_trends: bool = True
    spans_window: bool = True


STATES = "when you plan, start, finish and give up"
TIMED = "the timer, or the minutes you put in its place"
FELT = "what you say when you finish"
FORESEEN = "what you say when you plan, and when you finish"
SEVERAL = "what you say, the timer, and when you plan, start and finish"


def count(name: str, label: str, direction: Direction, formula: str, tooltip: str, calculate: Calculation) -> Metric:
    """Return a metric that counts instances."""
    return Metric(
        name=name,
        label=label,
        formula=formula,
        unit="instances",
        direction=direction,
        least=0,
        most=None,
        tooltip=tooltip,
        source=STATES,
        calculate=calculate,
        accumulates=name != "active",
        in_trends=name not in ("created", "active"),
    )


def minutes(name: str, label: str, direction: Direction, formula: str, tooltip: str) -> Metric:
    """Return a metric that sums minutes."""
    return Metric(
        name=name,
        label=label,
        formula=formula,
        unit="minutes",
        direction=direction,
        least=0,
        most=None,
        tooltip=tooltip,
        source=TIMED,
        calculate=getattr(windows, name),
        accumulates=True,
    )


def mean(
    of: str,
    label: str,
    direction: Direction,
    formula: str,
    tooltip: str,
    *,
    unit: str = "of 100",
    least: float = 0,
    most: float | None = 100,
    source: str = FELT,
) -> Metric:
    """Return the mean of one of the numbers of instances."""
    return Metric(
        name=f"avg_{of}",
        label=label,
        formula=f"mean of {formula}",
        unit=unit,
        direction=direction,
        least=least,
        most=most,
        tooltip=tooltip,
        source=source,
        calculate=windows.mean_of(of),
    )


def score(
    name: str,
    label: str,
    formula: str,
    tooltip: str,
    *,
    source: str,
    unit: str = "of 100",
    days: int = 1,
    accumulates: bool = False,
    spans_window: bool = True,
) -> Metric:
    """Return a metric on a scale of 0-100 where more is better."""
    return Metric(
        name=name,
        label=label,
        formula=formula,
        unit=unit,
        direction=Direction.MORE,
        least=0,
        most=100,
        tooltip=tooltip,
        source=source,
        calculate=getattr(windows, name),
        days=days,
        accumulates=accumulates,
        spans_window=spans_window,
    )


def bias(name: str, label: str, formula: str, tooltip: str) -> Metric:
    """Return a mean of what was predicted minus what was felt."""
    return Metric(
        name=name,
        label=label,
        formula=formula,
        unit="points",
        direction=Direction.ZERO,
        least=-100,
        most=100,
        tooltip=tooltip,
        source=FORESEEN,
        calculate=getattr(windows, name),
    )
