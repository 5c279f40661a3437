"""The rows of the page of tasks: one task, one attempt. Each is one block of markup; what its buttons do is in `deeds`,
`dialogs` and `edits`.
"""

from typing import TYPE_CHECKING

from data.calculations.records import InstanceRecord, TaskRecord
from data.models import Routine, State
from data.preferences import Profile
from events.catalog import InstanceId, TaskId
from pages import figures
from pages.controls import Handler
from pages.dialogs import Complete, GiveUp, PlanTask
from pages.edits import EditInstance, EditTask
from pages.figures import Present
from pages.markup import NOTHING, Markup, act, join, tag
from pages.routines import line, toggled
from pages.rows import BlockRow
from pages.search import HISTORY, Search
from pages.words import KINDS, REASONS

if TYPE_CHECKING:
    from pages.tasks import Part

STATE_WORDS = {
    State.PLANNED: ("Planned", ""),
    State.ACTIVE: ("Running", "is-running"),
    State.PAUSED: ("Paused", ""),
    State.COMPLETED: ("Done", "is-done"),
    State.CANCELLED: ("Given up", "is-late"),
}
MOST_NOTE = 120


class TaskRow(BlockRow):
    """A task, in use or archived."""

    def __init__(self, part: "Part", item: TaskRecord) -> None:
        self.part = part
        self._item = item
        super().__init__(part.visit, item.id, "entry record")

    def update(self, item: TaskRecord, present: Present) -> None:
        """Show *item*."""
        self._item = item
        history = Search(view=HISTORY, task=item.id).address
        facts = [
            tag("span", "Archived", class_="flag") if item.archived else "",
            tag("span", KINDS.get(item.kind, item.kind), class_="kind"),
            figures.duration(item.estimate_minutes) if item.estimate_minutes else "",
            f"aversion {item.default_aversion}" if item.default_aversion is not None else "",
            *item.categories,
            tag("a", _times(item), href=history) if item.planned else "never planned",
            f"last {figures.ago(item.last_completed_at, present)}" if item.last_completed_at else "",
        ]
        text = _text(item.name, facts, item.description, line(item, present))
        self.block.show(join(text, self._buttons(item)))

    def _buttons(self, item: TaskRecord) -> Markup:
        edit = act("edit", "Edit", name=f"Edit: {item.name}", icon="edit", look="is-quiet", key="e")
        if item.archived:
            back = act("restore", "Bring back", name=f"Bring back: {item.name}", icon="undo", key="a")
            return tag("div", back, edit, class_="entry-buttons")
        return tag(
            "div",
            act("plan", "Plan", name=f"Plan: {item.name}", icon="plan", key="p"),
            edit,
            act("start", name=f"Start now: {item.name}", icon="play", look="is-quiet", key="s"),
            act("archive", name=f"Archive: {item.name}", icon="archive", look="is-quiet", key="a"),
            class_="entry-buttons",
        )

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        deeds, item = self.part.desk.deeds, self._item
        assert self.part.present is not None  # rows are made while the part is drawn
        profile, task = self.part.present.profile, TaskId(item.id)
        return {
            "plan": lambda: PlanTask(deeds, item, profile),
            "start": lambda: deeds.plan(task, item.name, start=True),
            "edit": lambda: EditTask(deeds, item, profile),
            "archive": lambda: deeds.archive(task, item.name),
            "restore": lambda: deeds.archive(task, item.name, archived=False),
            "routine": lambda: self._toggle_routine(item, profile),
        }

    async def _toggle_routine(self, item: TaskRecord, profile: Profile) -> None:
        after = toggled(item, profile)
        before = {column: getattr(item, column) for column in after}
        did = "Paused" if after["routine"] == Routine.NONE else "Goes on"
        await self.part.desk.deeds.edit_task(TaskId(item.id), item.version, before, after, name=item.name, did=did)


class HistoryRow(BlockRow):
    """One attempt, in whatever state."""

    def __init__(self, part: "Part", item: InstanceRecord) -> None:
        self.part = part
        self._item = item
        super().__init__(part.visit, item.id, "entry record")

    def update(self, item: InstanceRecord, present: Present) -> None:
        """Show *item*."""
        self._item = item
        word, look = STATE_WORDS[State(item.state)]
        facts = [tag("span", word, class_=f"flag {look}"), figures.moment(item.moment, present)]
        if item.state == State.COMPLETED:
            facts += [
                _felt("relief", item.actual_relief, item.relief),
                _felt("aversion", item.actual_aversion, item.aversion),
                _against(item.actual_minutes, item.estimate_minutes),
                f"{item.completion_percent:.0f}%" if item.completion_percent not in (None, 100.0) else "",
            ]
        elif item.state == State.CANCELLED:
            facts += [REASONS.get(item.cancel_reason or "", "")]
        else:
            facts += [
                f"due {figures.moment(item.due_at, present)}" if item.due_at else "",
                figures.duration(item.estimate_minutes) if item.estimate_minutes else "",
                f"aversion {item.aversion}" if item.aversion is not None else "",
            ]
        facts += [tag("span", KINDS.get(item.kind, item.kind), class_="kind")]
        self.block.show(join(_text(item.name, facts, item.note), self._buttons(item)))

    def _buttons(self, item: InstanceRecord) -> Markup:
        edit = act("edit", "Edit", name=f"Edit: {item.name}", icon="edit", look="is-quiet", key="e")
        if item.state in (State.COMPLETED, State.CANCELLED):
            undo = act("undo", "Undo", name=f"Undo: {item.name}", icon="undo", look="is-quiet", key="z")
            return tag("div", edit, undo, class_="entry-buttons")
        going_on = {
            State.PLANNED: ("Start", "play"),
            State.ACTIVE: ("Pause", "pause"),
            State.PAUSED: ("Resume", "play"),
        }
        verb, icon = going_on[State(item.state)]
        return tag(
            "div",
            act("go-on", verb, name=f"{verb}: {item.name}", icon=icon, look="is-main", key="s"),
            act("done", "Done", name=f"Done: {item.name}", icon="check", key="d"),
            edit,
            act("give-up", name=f"Give up: {item.name}", icon="close", look="is-quiet", key="x"),
            class_="entry-buttons",
        )

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        deeds, item = self.part.desk.deeds, self._item
        assert self.part.present is not None  # rows are made while the part is drawn
        profile, instance = self.part.present.profile, InstanceId(item.id)
        going_on = {State.PLANNED: deeds.start, State.ACTIVE: deeds.pause, State.PAUSED: deeds.resume}
        return {
            "go-on": lambda: going_on[State(item.state)](instance, item.name),
            "done": lambda: Complete(deeds, item, deeds.visit.services.clock()),
            "edit": lambda: EditInstance(deeds, item, profile),
            "undo": lambda: deeds.undo(instance, item.name, finished_at=item.completed_at or item.cancelled_at),
            "give-up": lambda: GiveUp(deeds, item),
        }


def _times(item: TaskRecord) -> str:
    return f"done {figures.number(item.completed)} of {figures.number(item.planned)} times"


def _felt(what: str, actual: int | None, predicted: int | None) -> str:
    if actual is None:
        return ""
    expected = f" (expected {predicted})" if predicted is not None else ""
    return tag("span", f"{what} ", tag("span", str(actual), class_="fact-figure"), expected)


def _against(minutes: float | None, estimate: float | None) -> str:
    if minutes is None:
        return ""
    return figures.duration(minutes) + (f" of {figures.duration(estimate)}" if estimate else "")


def _text(name: str, facts: list[str], note: str, routine: Markup = NOTHING) -> Markup:
    told = (tag("span", fact, class_="fact") for fact in facts if fact)
    line = " ".join(note.split())
    short = line if len(line) <= MOST_NOTE else line[:MOST_NOTE].rstrip() + "…"
    return tag(
        "div",
        tag("p", name, class_="entry-title"),
        tag("p", *told, class_="entry-facts is-wrapping"),
        routine,
        tag("p", short, class_="entry-note") if short else NOTHING,
        class_="entry-text",
    )
