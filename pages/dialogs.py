"""The forms that ask before something is done: create, plan, complete, give up, and a plain "are you sure".

A form keeps what was typed until its command has been carried out, whatever is redrawn behind it. Fields are in
`fields`, commands in `deeds`.
"""

import json
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from nicegui import ui

from data.calculations.dashboard import DashboardTasks, OpenInstance, Template
from data.errors import InvalidInputError
from data.models import CancelReason, Kind
from data.preferences import Profile
from events.catalog import InstanceId, TaskId
from pages.controls import Button, Words, button, stack
from pages.deeds import Deeds
from pages.fields import Choice, Feeling, FeelingsGroup, Line, Moment, Number
from pages.figures import Present
from pages.markup import Block, join, tag
from pages.routines import RoutineFields
from pages.visit import Visit
from pages.words import FELT, KINDS, PREDICTED, REASONS

_CTRL_ENTER = "(event) => { if (event.ctrlKey || event.metaKey) event.currentTarget.requestSubmit() }"
_DRAFT_NOTE = join(
    tag("p", "What you had filled in before is here again.", class_="hint"),
    tag("button", "Start over", type="button", class_="button is-quiet", data_start_over=True),
)


class Form:
    """A dialog with fields and one button that does it. It opens when it is made and is gone once it is closed."""

    def __init__(
        self,
        visit: Visit,
        title: str,
        submit: str,
        *,
        subtitle: str = "",
        second: str = "",
        cancel: str = "Cancel",
        draft: str | None = None,
    ) -> None:
        """*draft* is the name under which the browser keeps what is typed until it has been done, see `reopen`."""
        self.visit = visit
        self._draft = draft
        self._busy = False
        with visit.overlay, stack() as self._holder, ui.dialog(value=True) as self._dialog:
            self._dialog.props("no-backdrop-dismiss transition-duration=150").on("hide", self._forget)
            with stack("dialog", "form", novalidate="") as form:
                form.props.set_optional("data-draft", draft)
                form.on("submit.prevent", lambda: self._submit(is_second=False))
                form.on("keydown.enter", js_handler=_CTRL_ENTER)
                with stack("dialog-head"):
                    self._dialog.props["aria-labelledby"] = Words(title, "h2").html_id
                    button("", self.close, look="is-quiet", icon="close", name="Close")
                    if subtitle:
                        Words(subtitle, "p").classes("dialog-subtitle")
                with stack("dialog-body"):
                    if draft:
                        Block(_DRAFT_NOTE).classes("draft-note").props["hidden"] = ""
                    self.build()
                with stack("dialog-foot"):
                    if cancel:
                        button(cancel, self.close, look="is-quiet")
                    if second:
                        button(second, lambda: self._submit(is_second=True))
                    self._button = Button(submit, lambda: None, look="is-primary")
                    self._button.props["type"] = "submit"

    def build(self) -> None:
        """Make the fields."""

    @abstractmethod
    async def submit(self, *, is_second: bool) -> bool:
        """Do it; return whether it was done. *is_second*: by the second button."""

    def close(self) -> None:
        """Close without doing anything."""
        self._dialog.close()

    async def _submit(self, *, is_second: bool) -> None:
        if self._busy or not self._dialog.value:
            return
        self._busy = True
        self.visit.toasts.clear_refusals()
        self._button.props["aria-busy"] = "true"
        try:
            if await self.submit(is_second=is_second):
                if self._draft:
                    self._dialog.client.run_javascript(f"reprieve.forget({json.dumps(self._draft)})")
                self.close()
        except InvalidInputError as refusal:
            self.visit.toasts.refused(str(refusal)[:1].upper() + str(refusal)[1:] + ".")
        finally:
            self._busy = False
            if not self._button.is_deleted:
                self._button.props.pop("aria-busy", None)

    def _forget(self) -> None:
        for element in (self._dialog, self._holder):
            if not element.is_deleted:
                element.delete()


def categories_of(typed: str) -> tuple[str, ...]:
    """Return the words between the commas."""
    return tuple(dict.fromkeys(word.strip() for word in typed.split(",") if word.strip()))


class CreateTask(Form):
    """A new task, with all that can be said about it."""

    def __init__(
        self, deeds: Deeds, profile: Profile, name: str = "", *, on_done: Callable[[], None] = lambda: None
    ) -> None:
        self._deeds = deeds
        self._profile = profile
        self._given = name
        self._on_done = on_done
        super().__init__(deeds.visit, "New task", "Create and plan", second="Create only", draft="create")

    def build(self) -> None:
        """Make the fields."""
        self._name = Line("Name", value=self._given, placeholder="What do you keep putting off?", most=200)
        self._name.focus_first()
        self._kind = Choice("Kind", KINDS, value=Kind.WORK)
        self._aversion = Feeling("How much do you want to avoid it?", ends=("not at all", "at all costs"))
        with stack("field-row"):
            self._estimate = Number("Usually takes", suffix="min")
            self._categories = Line("Categories", placeholder="home, paperwork")
        self._routine = RoutineFields(self._profile, self.visit.services.clock)
        self._description = Line("What is it?", rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Create it, and plan it unless by the second button."""
        if not self._name.typed:
            self._name.refuse("Say in a few words what it is.")
            return False
        is_created = await self._deeds.create(
            plan=not is_second,
            name=self._name.value,
            kind=self._kind.value,
            default_aversion=self._aversion.value,
            estimate_minutes=self._estimate.value,
            categories=categories_of(self._categories.value),
            description=self._description.value,
            **self._routine.value,
        )
        if is_created:
            self._on_done()
        return is_created


class PlanTask(Form):
    """An attempt at a task: when, how long, and how it will feel. Everything may stay unsaid."""

    def __init__(self, deeds: Deeds, task: Template, profile: Profile) -> None:
        self._deeds = deeds
        self._task = task
        self._profile = profile
        super().__init__(
            deeds.visit, "Plan", "Plan", subtitle=task.name, second="Plan and start now", draft=f"plan:{task.id}"
        )

    def build(self) -> None:
        """Make the fields."""
        usual = self._task.estimate_minutes
        with stack("field-row has-date"):
            self._due = Moment("Due", self._profile, value=self._task.due_at)
            self._estimate = Number("Will take", suffix="min", placeholder="" if usual is None else f"{usual:g}")
        with stack("dialog-group", "section"):
            Words("How do you expect it to feel?", "h3")
            Words("Skip what you cannot say. Later you will see how well you guessed.", "p").classes("hint")
            self._feelings = FeelingsGroup(PREDICTED, said={"aversion": self._task.default_aversion})
        self._note = Line("Note", rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Plan it, and start it if by the second button."""
        return await self._deeds.plan(
            TaskId(self._task.id),
            self._task.name,
            start=is_second,
            predicted=self._feelings.value,
            estimate_minutes=self._estimate.value,
            due_at=self._due.value,
            note=self._note.value,
        )


class Complete(Form):
    """The end of an attempt: how it felt, how long it took, how much of it was done."""

    def __init__(self, deeds: Deeds, instance: OpenInstance, now: datetime) -> None:
        self._deeds = deeds
        self._instance = instance
        running = (now - instance.resumed_at).total_seconds() / 60 if instance.resumed_at else 0.0
        self._timer = instance.timed_minutes + max(0.0, running) if instance.started_at else None
        super().__init__(deeds.visit, "How did it go?", "Done", subtitle=instance.name, draft=f"complete:{instance.id}")

    def build(self) -> None:
        """Make the fields."""
        one = self._instance
        expected = {name: getattr(one, name) for name in FELT}
        self._feelings = FeelingsGroup(FELT, expected=expected)
        self._feelings.focus_first()
        Block(tag("p", "Digits set tens, arrows fine-tune, Delete takes it back.", class_="hint only-with-keyboard"))
        with stack("field-row"):
            timer = "" if self._timer is None else f"timer: {self._timer:.0f}"
            self._minutes = Number("Time taken", suffix="min", placeholder=timer)
            self._percent = Number("How much of it", suffix="%", value=100)
        with stack("chips", role="group", aria_label="How much of it, in percent"):
            for share in (25, 50, 75, 100):
                button(f"{share}%", partial(self._percent.set, share), look="chip")
        self._note = Line("Note", value=one.note, rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Complete it."""
        return await self._deeds.complete(
            InstanceId(self._instance.id),
            self._instance.name,
            actual=self._feelings.value,
            minutes=self._minutes.value,
            percent=self._percent.value,
            note=self._note.value,
        )


class GiveUp(Form):
    """The other end of an attempt, with its reason."""

    def __init__(self, deeds: Deeds, instance: OpenInstance) -> None:
        self._deeds = deeds
        self._instance = instance
        super().__init__(deeds.visit, "Give it up?", "Give up", subtitle=instance.name, draft=f"give-up:{instance.id}")

    def build(self) -> None:
        """Make the fields."""
        Words("That is allowed. The reason helps you to see patterns later.", "p").classes("hint")
        self._reason = Choice("Why?", REASONS, value=CancelReason.NO_TIME)
        self._note = Line("Note", value=self._instance.note, rows=2)

    async def submit(self, *, is_second: bool) -> bool:
        """Cancel it."""
        return await self._deeds.cancel(
            InstanceId(self._instance.id), self._instance.name, self._reason.value, self._note.value
        )


class Confirm(Form):
    """A question with yes or no."""

    def __init__(self, visit: Visit, title: str, question: str, yes: str, do: Callable[[], Awaitable[bool]]) -> None:
        self._question = question
        self._do = do
        super().__init__(visit, title, yes)

    def build(self) -> None:
        """Say what will happen."""
        Words(self._question, "p")

    async def submit(self, *, is_second: bool) -> bool:
        """Do it."""
        return await self._do()


def reopen(draft: str, deeds: Deeds, tasks: DashboardTasks, present: Present) -> bool:
    """Open the form that somebody was filling in when the page was loaded anew; the browser fills in what it kept.

    Return whether it could be: what it was about may be gone. *draft* is what the browser says, so it is looked up.
    """
    kind, _, about = draft.partition(":")
    if kind == "create":
        CreateTask(deeds, present.profile)
        return True
    template = next((task for task in tasks.templates if task.id == about), None)
    instance = next((one for one in (*tasks.active, *tasks.paused, *tasks.planned) if one.id == about), None)
    if kind == "plan" and template is not None:
        PlanTask(deeds, template, present.profile)
    elif kind == "complete" and instance is not None:
        Complete(deeds, instance, present.now)
    elif kind == "give-up" and instance is not None:
        GiveUp(deeds, instance)
    else:
        return False
    return True
