"""The rows of the task lists: one attempt that is open, one that is done, one task. What their buttons do is in `deeds`
and `dialogs`; how rows come and go, in `rows`.
"""

import functools
from collections.abc import Callable

from data.calculations.dashboard import CompletedInstance, OpenInstance, Template
from data.models import Routine, State
from data.preferences import Profile
from events.catalog import InstanceId, TaskId
from pages import figures
from pages.controls import Button, button, stack
from pages.deeds import Deeds
from pages.dialogs import Complete, GiveUp, PlanTask
from pages.fields import Ticker
from pages.figures import Present
from pages.markup import Block, Markup, join, tag
from pages.routines import in_words
from pages.words import KINDS


class OpenRow:
    """An attempt that is planned, active or paused."""

    def __init__(self, deeds: Deeds, item: OpenInstance) -> None:
        self._deeds = deeds
        self._item = item
        self._drawn: OpenInstance | None = None
        self._is_planned = item.state == State.PLANNED
        with stack("entry", "li", data_row=item.id) as self.element:
            self._text = Block().classes("entry-text")
            self._ticker: Ticker | None = None
            if not self._is_planned:
                self._ticker = Ticker().classes("entry-ticker")
            with stack("entry-buttons"):
                self._main = button("Start", self._go_on, look="is-main", icon="play").once().key("s")
                self._done = button("Done", self._complete, look="" if self._is_planned else "is-primary", icon="check")
                self._give_up = button("", self._ask_why, look="is-quiet", icon="close", name="Give up")
                self._done.once().key("d")
                self._give_up.key("x")
        if deeds.visit.focus_on == item.id:
            deeds.visit.focus_on = None
            target = self._main if self._is_planned else self._done
            self.element.client.run_javascript(f"reprieve.focus('#{target.html_id}')")

    def update(self, item: OpenInstance, present: Present) -> None:
        """Show *item*; one that is paused differs from one that is active in a button, not in place."""
        if item != self._drawn:
            self._item = self._drawn = item
            self._name_buttons(item)
        if self._ticker is not None:
            self._ticker.show(item.resumed_at, item.timed_minutes, self._deeds.visit.services.clock())
        self._text.show(_open_text(item, present))

    def _name_buttons(self, item: OpenInstance) -> None:
        verb = {State.PLANNED: "Start", State.ACTIVE: "Pause", State.PAUSED: "Resume"}[State(item.state)]
        if self._main.text != verb:
            self._main.set_text(verb)
            self._main.classes(
                toggle="icon-play icon-pause" if verb == "Pause" or "icon-pause" in self._main.classes else None
            )
        self._main.call(f"{verb}: {item.name}")
        self._done.call(f"Done: {item.name}")
        self._give_up.call(f"Give up: {item.name}")
        self.element.classes(
            add="is-paused" if item.state == State.PAUSED else None,
            remove=None if item.state == State.PAUSED else "is-paused",
        )

    async def _go_on(self) -> None:
        deed = {State.PLANNED: self._deeds.start, State.ACTIVE: self._deeds.pause, State.PAUSED: self._deeds.resume}
        await deed[State(self._item.state)](InstanceId(self._item.id))

    def _complete(self) -> None:
        Complete(self._deeds, self._item, self._deeds.visit.services.clock())

    def _ask_why(self) -> None:
        GiveUp(self._deeds, self._item)


class DoneRow:
    """An attempt that was completed."""

    def __init__(self, deeds: Deeds, item: CompletedInstance) -> None:
        with stack("entry", "li", data_row=item.id) as self.element:
            self._text = Block().classes("entry-text")
            self._item = item
            with stack("entry-buttons"):
                self._undo = (
                    button("Undo", lambda: self._take_back(deeds), look="is-quiet", icon="undo").once().key("z")
                )

    async def _take_back(self, deeds: Deeds) -> None:
        await deeds.undo(InstanceId(self._item.id), self._item.name, finished_at=self._item.completed_at)

    def update(self, item: CompletedInstance, present: Present) -> None:
        """Show *item*."""
        self._item = item
        self._undo.call(f"Undo: {item.name}")
        self._text.show(_done_text(item, present))


class TemplateRow:
    """A task that can be planned."""

    def __init__(self, deeds: Deeds, item: Template, present: Callable[[], Present]) -> None:
        self._item = item
        self._drawn: tuple[Template, Profile] | None = None
        with stack("entry", "li", data_row=item.id) as self.element:
            self._text = Block().classes("entry-text")
            with stack("entry-buttons"):
                self._plan = button("Plan", lambda: PlanTask(deeds, self._item, present().profile), icon="plan").once()
                self._plan.key("p")
                self._start: Button = button(
                    "",
                    lambda: deeds.plan(TaskId(item.id), self._item.name, start=True),
                    look="is-quiet",
                    icon="play",
                    name="Start now",
                ).once()
                self._start.key("s")
                self._archive = button(
                    "",
                    lambda: deeds.archive(TaskId(item.id), self._item.name),
                    look="is-quiet",
                    icon="archive",
                    name="Archive",
                ).once()
                self._archive.key("a")

    def update(self, item: Template, present: Present) -> None:
        """Show *item*."""
        if (item, present.profile) == self._drawn:
            return
        self._item, self._drawn = item, (item, present.profile)
        for control, verb in ((self._plan, "Plan"), (self._start, "Start now"), (self._archive, "Archive")):
            control.call(f"{verb}: {item.name}")
        self._text.show(_template_text(item, present.profile))


# What a row says is worked out once for all windows that show the same reading.


@functools.lru_cache(maxsize=256)
def _open_text(item: OpenInstance, present: Present) -> Markup:
    return _text(item.name, _open_facts(item, present))


@functools.lru_cache(maxsize=256)
def _done_text(item: CompletedInstance, present: Present) -> Markup:
    facts = [
        figures.ago(item.completed_at, present),
        figures.duration(item.actual_minutes) if item.actual_minutes is not None else "",
        tag("span", "relief ", tag("span", figures.feeling(item.relief), class_="fact-figure")),
    ]
    return _text(item.name, facts)


@functools.lru_cache(maxsize=256)
def _template_text(item: Template, profile: Profile) -> Markup:
    facts = [
        _kind(item.kind),
        figures.duration(item.estimate_minutes) if item.estimate_minutes else "",
        _aversion(item.default_aversion),
        in_words(item, profile) if item.routine != Routine.NONE else "",
        *item.categories,
    ]
    return _text(item.name, facts)


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
    return join(tag("p", name, class_="entry-title"), tag("p", *told, class_="entry-facts"))
