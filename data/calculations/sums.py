"""Sums over many completed instances, of any stretch of days: what can be added up, and adding it up.

Made of instances in `months`; added up to years and to everything in `past`. Everything is float64 in `bytes`, so that
it can be kept as it is, and nobody can change it.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec
import numpy as np

from data.calculations.formulas import MINUTES_PER_DAY, Numbers
from data.models import Kind

ATTRIBUTES = (
    "relief",
    "mental_load",
    "emotional_load",
    "physical_load",
    "aversion",
    "motivation",
    "stress",
    "net_wellbeing",
    "difficulty",
    "surprise",
    "aversion_drop",
    "delay_minutes",
    "time_accuracy",
    "relief_points",
    "predicted_relief",
    "predicted_aversion",
    "estimate_minutes",
    "actual_minutes",
    "completion_percent",
)
"""What correlations compare: numbers of single instances, under the glossary's names."""

RECORDED = tuple(name for name in ATTRIBUTES if name != "aversion_drop")
"""Those that an instance has by itself. How far its aversion has dropped depends on the first time its task was
completed, which may be corrected: of each task, sums with its aversions are kept, and compared when they are asked
for (`analytics`)."""

FELT = ("relief", "mental_load", "emotional_load", "physical_load", "aversion")
"""What histograms are kept of: whole numbers 0-100."""

EXPECTED = ("relief", "stress", "actual_minutes", "aversion", "relief_points")
"""What recommendations expect of a task."""
OF_RATED = ("relief", "relief_points")
"""What is summed by task once more, over the instances that have a net wellbeing."""
AGAINST_AVERSION = ("count", "sum", "squares", "aversions", "aversion_squares", "products")
"""What is summed by task over the instances that have an aversion and one more attribute: their number, the sum of that
attribute, of its square, of the aversion, of its square, and of the two multiplied."""
BY_TASK = (
    "completed",
    *(f"{part}_{name}" for part in ("sum", "count") for name in (*EXPECTED, "net_wellbeing")),
    *(f"{part}_rated_{name}" for part in ("sum", "count") for name in OF_RATED),
    *(f"{part}_{name}" for part in ("decayed", "weight") for name in EXPECTED),
    *(f"{part}:{name}" for part in AGAINST_AVERSION for name in RECORDED),
)
AVERAGED = (
    "relief",
    "stress",
    "net_wellbeing",
    "stress_efficiency",
    "aversion",
    "mental_load",
    "emotional_load",
    "physical_load",
    "motivation",
    "delay_minutes",
    "time_accuracy",
    "execution",
    "grit",
    "serendipity",
    "disappointment",
    "relief_bias",
    "aversion_bias",
    "relief_points",
    "rated_minutes",
)
"""What is summed by day."""

BY_DAY = (
    "completed",
    "self_care_completed",
    "median_minutes",
    "timed",
    *(f"minutes_{kind}" for kind in Kind),
    *(f"sum_{name}" for name in AVERAGED),
    *(f"count_{name}" for name in AVERAGED),
)
"""The columns of a day. `median_minutes` is NaN for a day without `timed` minutes, everything else 0."""

DERIVED = ("counted_sleep", "tracked")
OF_DAYS = (*(name for name in BY_DAY if name != "median_minutes"), *DERIVED)
"""What windows of days add up."""

BY_HOUR = ("completed", "sum_relief", "count_relief", "sum_relief_points", "count_relief_points")
SIDES = ("positive", "positive_sum", "negative", "negative_sum", "neutral")
FORESIGHT = ("count", "predicted", "actual")
MOMENTS = ("count", "sum", "squares", "products")

HALF_LIFE_DAYS = 30.0
HOURS_OF_WEEK = 7 * 24
SLEEP_MINUTES_COUNTED = 480.0
"""Sleep counts at most this much a day, so that lying in is no achievement."""
RANGES = 10

SHAPES: dict[str, tuple[int, ...]] = {
    "days": (len(OF_DAYS),),
    "by_hour": (len(BY_HOUR), HOURS_OF_WEEK),
    "sides": (len(SIDES),),
    "foresight": (len(FORESIGHT), RANGES),
    "moments": (len(MOMENTS), len(RECORDED), len(RECORDED)),
    "histograms": (len(FELT), 101),
}
"""What `Sums.whole` holds, one after the other. `by_hour` begins on Monday at 0:00; `foresight` is by ranges of ten of
the predicted relief. `moments[:, i, j]` are, over the instances that have both of RECORDED i and j: their number, the
sum of i, that of i squared, and that of i times j."""

_ENDS = np.cumsum([math.prod(shape) for shape in SHAPES.values()]).tolist()
_SLICES = {name: slice(end - math.prod(shape), end) for (name, shape), end in zip(SHAPES.items(), _ENDS, strict=True)}
_PLACE = {name: place for place, name in enumerate(BY_TASK)}
_FADES = np.array([name.startswith(("decayed_", "weight_")) for name in BY_TASK])


class Sums(msgspec.Struct, frozen=True):
    """The sums of what was completed from the day `first` on, up to `last_completed`, which is None if nothing was.

    `by_task` is `tasks` x BY_TASK, the ids in ascending order. Its `decayed` and `weight` count an instance of the day
    `once_on` once, and half for each `HALF_LIFE_DAYS` that it is older. `whole` holds what `SHAPES` says.
    """

    first: date
    once_on: date
    last_completed: date | None = None
    tasks: tuple[str, ...] = ()
    by_task: bytes = b""
    whole: bytes = b""

    def of(self, name: str) -> Numbers:
        """Return one of `SHAPES`."""
        if not self.whole:
            return np.zeros(SHAPES[name])
        return np.frombuffer(self.whole, dtype=np.float64)[_SLICES[name]].reshape(SHAPES[name])

    def of_tasks(self, name: str) -> Numbers:
        """Return one of `BY_TASK`, by task."""
        column: Numbers = _by_task(self)[:, _PLACE[name]]
        return column

    def against_aversion(self) -> Numbers:
        """Return AGAINST_AVERSION x tasks x RECORDED."""
        columns = _by_task(self)[:, -len(AGAINST_AVERSION) * len(RECORDED) :]
        return columns.reshape(len(self.tasks), len(AGAINST_AVERSION), len(RECORDED)).swapaxes(0, 1)


def derived(daily: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Return DERIVED, made of a day's other columns: each day by itself, before any sum."""
    sleep = np.minimum(daily["minutes_sleep"], SLEEP_MINUTES_COUNTED)
    tracked = sleep + sum(daily[f"minutes_{kind}"] for kind in Kind if kind is not Kind.SLEEP)
    return {"counted_sleep": sleep, "tracked": 100 * (1 - np.exp(-2 * tracked / MINUTES_PER_DAY))}


def fading(days: int) -> float:
    """Return how much something counts still after that many days: half for each `HALF_LIFE_DAYS`."""
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def added_up(first: date, parts: Iterable[Sums]) -> Sums:
    """Return the sums of all *parts*, none of which begins before *first*."""
    some = [part for part in parts if part.last_completed is not None]
    if not some:
        return Sums(first, first)
    once_on = max(part.once_on for part in some)  # so that numbers of long ago fade, and none grows beyond all bounds
    tasks = tuple(sorted({task for part in some for task in part.tasks}))
    place_of = {task: place for place, task in enumerate(tasks)}
    by_task = np.zeros((len(tasks), len(BY_TASK)))
    for part in some:
        scale = np.where(_FADES, fading((once_on - part.once_on).days), 1.0)
        by_task[[place_of[task] for task in part.tasks]] += _by_task(part) * scale  # no task twice in a part
    return Sums(
        first=first,
        once_on=once_on,
        last_completed=max(part.last_completed for part in some if part.last_completed is not None),
        tasks=tasks,
        by_task=by_task.tobytes(),
        whole=np.sum([np.frombuffer(part.whole, dtype=np.float64) for part in some], axis=0).tobytes(),
    )


def _by_task(sums: Sums) -> Numbers:
    return np.frombuffer(sums.by_task, dtype=np.float64).reshape(len(sums.tasks), len(BY_TASK))
