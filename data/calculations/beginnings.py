"""How tasks began: grit counts earlier completions up to ten, and aversion is compared with the first time.

A piece by itself. The sums of months depend on the times in it only; the first aversions are compared with sums.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
import numpy as np

from data.calculations.completed import Completed
from data.calculations.formulas import PRACTISED, Numbers
from data.database import ReadTransaction
from data.viewpoint import Viewpoint


class Beginning(msgspec.Struct, frozen=True):
    """How a task began: when it was completed for the first ten times, in microseconds since 1970, and what the very
    first one's aversion was."""

    task_id: str
    first_aversion: int | None
    completed_at: tuple[int, ...]


class Beginnings(msgspec.Struct, frozen=True):
    """The beginnings of all tasks that were ever completed, by id."""

    tasks: tuple[Beginning, ...]

    def first_aversions(self, tasks: Sequence[str]) -> Numbers:
        """Return the aversion at the first completed instance of each of *tasks*; NaN where it was not given."""
        given = {one.task_id: one.first_aversion for one in self.tasks if one.first_aversion is not None}
        return np.array([given.get(task, np.nan) for task in tasks], dtype=np.float64)

    def earlier(self, completed: Completed, start: int) -> Numbers:
        """Return how often the task of each instance had been completed before, up to `PRACTISED` times.

        *completed* is all since *start*.
        """
        found = np.full(len(completed.at), float(PRACTISED))
        place_of = {task_id: place for place, task_id in enumerate(completed.tasks)}
        for beginning in self.tasks:
            place = place_of.get(beginning.task_id)
            before = bisect_left(beginning.completed_at, start)
            if place is not None and before < PRACTISED:
                own = np.flatnonzero(completed.task == place)
                found[own] = np.minimum(PRACTISED, before + np.arange(len(own)))
        return found


_SQL = f"""
    SELECT began.task_id, began.actual_aversion, began.completed_at
    FROM tasks CROSS JOIN instances AS began ON began.rowid IN (
        SELECT instances.rowid FROM instances
        WHERE instances.user_id = tasks.user_id AND instances.task_id = tasks.id AND instances.completed_at IS NOT NULL
        ORDER BY instances.completed_at, instances.id LIMIT {PRACTISED})
    WHERE tasks.user_id = ?
    ORDER BY began.task_id, began.completed_at, began.id"""


def load_beginnings(read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> Iterator[Beginnings]:
    """Yield how all tasks began; there is one part. Reads ten rows per task, whatever the history."""
    for _part in parts:
        cursor = read.connection.connection.cursor()
        try:
            rows = cursor.execute(_SQL, (view.user,)).fetchall()
        finally:
            cursor.close()
        found = []
        for task_id, group in groupby(rows, key=lambda row: row[0]):
            firsts = list(group)
            found.append(Beginning(task_id, firsts[0][1], tuple(row[2] for row in firsts)))
        yield Beginnings(tuple(found))
