"""The forms that correct what is stored: a task, and one attempt at it, what was expected as well as what came of it.

Only what was changed in the form is written, so that somebody else's correction of another field stays. The forms that
do something for the first time are in `dialogs`.
"""

from typing import Any

from data.calculations.records import InstanceRecord, TaskRecord
from data.models import State
from data.preferences import Profile
from events.catalog import InstanceId, TaskId
from pages.controls import Words, stack
from pages.deeds import Deeds
from pages.dialogs import Form, categories_of
from pages.fields import Choice, Feeling, FeelingsGroup, Line, Moment, Number
from pages.routines import RoutineFields
from pages.words import FELT, KINDS, PREDICTED


class EditTask(Form):
    """What a task is called and what is usual for it. Its history is shown under its new name."""

    def __init__(self, deeds: Deeds, task: TaskRecord, profile: Profile) -> None:
        self._deeds = deeds
        self._task = task
        self._profile = profile
        super().__init__(deeds.visit, "Edit task", "Save", subtitle=task.name, draft=f"edit-task:{task.id}")

    def build(self) -> None:
        """Make the fields."""
        task = self._task
        self._name = Line("Name", value=task.name, most=200)
        self._name.focus_first()
        self._kind = Choice("Kind", KINDS, value=task.kind)
        self._aversion = Feeling(
            "How much do you want to avoid it?", ends=("not at all", "at all costs"), value=task.default_aversion
        )
        with stack("field-row"):
            self._estimate = Number("Usually takes", suffix="min", value=task.estimate_minutes)
            self._categories = Line("Categories", value=", ".join(task.categories), placeholder="home, paperwork")
        self._due = Moment("Due next", self._profile, value=task.due_at)
        self._routine = RoutineFields(self._profile, self.visit.services.clock, task)
        self._description = Line("What is it?", value=task.description, rows=2)
        self._notes = Line("Notes", value=task.notes, rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Save it."""
        if not self._name.typed:
            self._name.refuse("Say in a few words what it is.")
            return False
        after = {
            "name": self._name.typed,
            "kind": self._kind.value,
            "default_aversion": self._aversion.value,
            "estimate_minutes": self._estimate.value,
            "categories": categories_of(self._categories.value),
            "due_at": self._due.value,
            "description": self._description.value,
            "notes": self._notes.value,
            **self._routine.value,
        }
        before = {column: getattr(self._task, column) for column in after}
        return await self._deeds.edit_task(
            TaskId(self._task.id), self._task.version, before, after, name=self._name.typed
        )


class EditInstance(Form):
    """One attempt: what was expected of it, and, once it is completed, how it went and when."""

    def __init__(self, deeds: Deeds, instance: InstanceRecord, profile: Profile) -> None:
        self._deeds = deeds
        self._instance = instance
        self._profile = profile
        self._is_completed = instance.state == State.COMPLETED
        super().__init__(deeds.visit, "Edit attempt", "Save", subtitle=instance.name, draft=f"edit:{instance.id}")

    def build(self) -> None:
        """Make the fields: first those of the completion, if there is one."""
        one = self._instance
        if self._is_completed:
            with stack("dialog-group", "section"):
                Words("How it went", "h3")
                expected = {name: getattr(one, name) for name in FELT}
                said = {name: getattr(one, f"actual_{name}") for name in FELT}
                self._felt = FeelingsGroup(FELT, expected=expected, said=said)
                self._felt.focus_first()
            with stack("field-row"):
                self._minutes = Number("Time taken", suffix="min", value=_rounded(one.actual_minutes))
                self._percent = Number("How much of it", suffix="%", value=one.completion_percent)
            with stack("field-row has-date"):
                self._started = Moment("Started", self._profile, value=one.started_at)
                self._finished = Moment("Finished", self._profile, value=one.completed_at)
        with stack("dialog-group", "section"):
            Words("What was expected", "h3")
            self._predicted = FeelingsGroup(PREDICTED, said={name: getattr(one, name) for name in PREDICTED})
            if not self._is_completed:
                self._predicted.focus_first()
        with stack("field-row has-date"):
            self._due = Moment("Due", self._profile, value=one.due_at)
            self._estimate = Number("Was to take", suffix="min", value=one.estimate_minutes)
        self._planned = Moment("Planned on", self._profile, value=one.created_at)
        self._note = Line("Note", value=one.note, rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Save it."""
        one = self._instance
        after: dict[str, Any] = {
            **self._predicted.value.columns("predicted"),
            "estimate_minutes": self._estimate.value,
            "due_at": self._due.kept(one.due_at),
            "created_at": self._planned.kept(one.created_at),
            "note": self._note.value,
        }
        before = {f"predicted_{name}": getattr(one, name) for name in PREDICTED}
        if self._is_completed:
            after |= self._felt.value.columns("actual")
            after |= {
                "actual_minutes": self._minutes.kept(one.actual_minutes),
                "completion_percent": self._percent.value,
                "started_at": self._started.kept(one.started_at),
                "completed_at": self._finished.kept(one.completed_at),
            }
        before |= {column: getattr(one, column) for column in after if not column.startswith("predicted_")}
        return await self._deeds.edit(InstanceId(one.id), one.name, before, after)


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)
