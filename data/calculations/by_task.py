"""Adds up what months hold by task, for all that looks at tasks over the whole past."""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from data.calculations.formulas import Numbers
from data.calculations.months import BY_TASK, HALF_LIFE_DAYS, Month, table

_PLACE = {name: place for place, name in enumerate(BY_TASK)}


class TaskTotals(msgspec.Struct, frozen=True):
    """The sums of all that was completed, BY_TASK x `tasks`, which are ids in ascending order."""

    tasks: tuple[str, ...]
    sums: Numbers

    def of(self, name: str) -> Numbers:
        """Return one column, by task."""
        column: Numbers = self.sums[_PLACE[name]]
        return column


def read_totals(months: Sequence[Month], today: date | None = None) -> TaskTotals:
    """Return the sums of *months*. What fades counts as of *today*: half for each `HALF_LIFE_DAYS` that it is past."""
    tasks = tuple(sorted({task for month in months for task in month.tasks}))
    place_of = {task: place for place, task in enumerate(tasks)}
    sums = np.zeros((len(tasks), len(BY_TASK)))
    fading = np.array([name.startswith(("decayed_", "weight_")) for name in BY_TASK])
    for month in months:
        if month.last_completed is not None:
            own = table(month.by_task, len(BY_TASK)).T
            if today is not None:
                own = own * np.where(fading, 0.5 ** ((today - month.first).days / HALF_LIFE_DAYS), 1.0)
            sums[[place_of[task] for task in month.tasks]] += own  # no task twice in a month
    return TaskTotals(tasks, sums.T)
