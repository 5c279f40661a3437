"""The rows of the task lists: one attempt that is open, one that is done, one task. What their buttons do is in `deeds`
and `dialogs`; how rows come and go, in `rows`.
"""

import functools
from collections.abc import Callable
from datetime import datetime

from data.calculations.dashboard import CompletedInstance, OpenInstance, Template
from data.models import Routine, State
from data.preferences import Profile
from events.catalog import InstanceId, TaskId
from pages import figures
from pages.controls import Handler, stack
from pages.deeds import Deeds
from pages.dialogs import Complete, GiveUp, PlanTask
from pages.fields import Ticker
from pages.figures import Present
from pages.markup import Block, Markup, act, join, tag
from pages.routines import in_words
from pages.rows import BlockRow, take_focus
from pages.words import KINDS


class OpenRow(BlockRow):
    """An attempt that waits to be started."""

    def __init__(self, deeds: Deeds, item: OpenInstance) -> None:
        self._open = OpenDeeds(deeds)
        super().__init__(deeds.visit, item.id)

    def update(self, item: OpenInstance, present: Present) -> None:
        """Show *item*."""
        self._open.item = item
        self.block.show(_open_markup(item, present))

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        return self._open.by_word()


class RunningRow:
    """An attempt that was started; the browser advances its timer. One that is paused stands in the same place."""

    def __init__(self, deeds: Deeds, item: OpenInstance) -> None:
        self._deeds = OpenDeeds(deeds)
        with stack("entry", "li", data_row=item.id) as self.element:
            self._text = Block()
            self._text.classes("entry-part")
            self._ticker = Ticker().classes("entry-ticker")
            self._buttons = Block()
            self._buttons.classes("entry-part")
        take_focus(deeds.visit, item.id)

    def update(self, item: OpenInstance, present: Present) -> None:
        """Show *item*."""
        if item != self._deeds.item:
            self._deeds.item = item
            is_paused = item.state == State.PAUSED
            self.element.classes(add="is-paused" if is_paused else None, remove=None if is_paused else "is-paused")
        self._ticker.show(item.resumed_at, item.timed_minutes, self._deeds.clock())
        self._text.show(_open_text(item, present))
        self._buttons.show(_open_buttons(item))

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        return self._deeds.by_word()


class OpenDeeds:
    """What can be done with an attempt that is open."""

    def __init__(self, deeds: Deeds) -> None:
        self._deeds = deeds
        self.item: OpenInstance | None = None
        """As it was last shown."""

    def clock(self) -> datetime:
        """Return the present."""
        return self._deeds.visit.services.clock()

    def by_word(self) -> dict[str, Handler]:
        """Return it by the words of the buttons."""
        deeds, item = self._deeds, self.item
        assert item is not None  # a row has no buttons before it shows something
        going_on = {State.PLANNED: deeds.start, State.ACTIVE: deeds.pause, State.PAUSED: deeds.resume}
        return {
            "go-on": lambda: going_on[State(item.state)](InstanceId(item.id), item.name),
            "done": lambda: Complete(deeds, item, self.clock()),
            "give-up": lambda: GiveUp(deeds, item),
        }


class DoneRow(BlockRow):
    """An attempt that was completed."""

    def __init__(self, deeds: Deeds, item: CompletedInstance) -> None:
        self._deeds, self._item = deeds, item
        super().__init__(deeds.visit, item.id)

    def update(self, item: CompletedInstance, present: Present) -> None:
        """Show *item*."""
        self._item = item
        self.block.show(_done_markup(item, present))

    def deeds(self) -> dict[str, Handler]:
        """Return what its button does."""
        item = self._item
        return {"undo": lambda: self._deeds.undo(InstanceId(item.id), item.name, finished_at=item.completed_at)}


class TemplateRow(BlockRow):
    """A task that can be planned."""

    def __init__(self, deeds: Deeds, item: Template, present: Callable[[], Present]) -> None:
        self._deeds, self._item, self._present = deeds, item, present
        super().__init__(deeds.visit, item.id)

    def update(self, item: Template, present: Present) -> None:
        """Show *item*."""
        self._item = item
        self.block.show(_template_markup(item, present.profile))

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        deeds, item = self._deeds, self._item
        return {
            "plan": lambda: PlanTask(deeds, item, self._present().profile),
            "start": lambda: deeds.plan(TaskId(item.id), item.name, start=True),
            "archive": lambda: deeds.archive(TaskId(item.id), item.name),
        }


# What a row says is worked out once for all windows that show the same reading.


@functools.lru_cache(maxsize=256)
def _open_markup(item: OpenInstance, present: Present) -> Markup:
    return join(_open_text(item, present), _open_buttons(item))


@functools.lru_cache(maxsize=256)
def _open_text(item: OpenInstance, present: Present) -> Markup:
    return _text(item.name, _open_facts(item, present))


@functools.lru_cache(maxsize=256)
def _open_buttons(item: OpenInstance) -> Markup:
    going_on = {State.PLANNED: ("Start", "play"), State.ACTIVE: ("Pause", "pause"), State.PAUSED: ("Resume", "play")}
    (verb, icon), name = going_on[State(item.state)], item.name
    look = "" if item.state == State.PLANNED else "is-primary"
    return _buttons(
        act("go-on", verb, name=f"{verb}: {name}", icon=icon, look="is-main", key="s"),
        act("done", "Done", name=f"Done: {name}", icon="check", look=look, key="d"),
        act("give-up", name=f"Give up: {name}", icon="close", look="is-quiet", key="x"),
    )


@functools.lru_cache(maxsize=256)
def _done_markup(item: CompletedInstance, present: Present) -> Markup:
    facts = [
        figures.ago(item.completed_at, present),
        figures.duration(item.actual_minutes) if item.actual_minutes is not None else "",
        tag("span", "relief ", tag("span", figures.feeling(item.relief), class_="fact-figure")),
    ]
    undo = act("undo", "Undo", name=f"Undo: {item.name}", icon="undo", look="is-quiet", key="z")
    return join(_text(item.name, facts), _buttons(undo))


@functools.lru_cache(maxsize=256)
def _template_markup(item: Template, profile: Profile) -> Markup:
    facts = [
        _kind(item.kind),
        figures.duration(item.estimate_minutes) if item.estimate_minutes else "",
        _aversion(item.default_aversion),
        in_words(item, profile) if item.routine != Routine.NONE else "",
        *item.categories,
    ]
    buttons = _buttons(
        act("plan", "Plan", name=f"Plan: {item.name}", icon="plan", key="p"),
        act("start", name=f"Start now: {item.name}", icon="play", look="is-quiet", key="s"),
        act("archive", name=f"Archive: {item.name}", icon="archive", look="is-quiet", key="a"),
    )
    return join(_text(item.name, facts), buttons)


def _open_facts(item: OpenInstance, present: Present) -> list[str]:
    estimate = figures.duration(item.estimate_minutes) if item.estimate_minutes else ""
    if item.state == State.PLANNED:
        return [_due(item, present), _kind(item.kind), estimate, _aversion(item.aversion)]
    is_paused = item.state == State.PAUSED
    state = tag("span", "Paused", class_="flag") if is_paused else ""
    begun = f"since {figures.clock_time(item.started_at, present.profile)}" if item.started_at and not is_paused else ""
    return [state, _due(item, present), _kind(item.kind), f"of {estimate}" if estimate else "", begun]


def _due(item: OpenInstance, present: Present) -> str:
    if item.due_at is None:
        return ""
    if item.due_at < present.now:
        return tag("span", f"{figures.late(item.due_at, present.now)} overdue", class_="flag is-late")
    return f"due {figures.moment(item.due_at, present)}"


def _aversion(value: int | None) -> str:
    return f"aversion {value}" if value is not None else ""


def _kind(kind: str) -> Markup:
    return tag("span", KINDS.get(kind, kind), class_="kind")


def _text(name: str, facts: list[str]) -> Markup:
    told = (tag("span", fact, class_="fact") for fact in facts if fact)
    return tag("div", tag("p", name, class_="entry-title"), tag("p", *told, class_="entry-facts"), class_="entry-text")


def _buttons(*buttons: Markup) -> Markup:
    return tag("div", *buttons, class_="entry-buttons")
