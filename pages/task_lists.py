"""The task lists of the dashboard, one section each, all of the value `dashboard.tasks`. Rows are in `task_rows`."""

from nicegui import ui

from cache.values import DASHBOARD_TASKS, PREFERENCES
from data.calculations.dashboard import DashboardTasks, Template
from data.calculations.records import MISSED_SHOWN
from events.catalog import InstanceId
from pages import figures
from pages.controls import Words, button, heading, stack
from pages.deeds import Deeds
from pages.dialogs import CreateTask
from pages.figures import Present
from pages.rows import EmptyState, RowList
from pages.section import Section, Shown
from pages.task_rows import DoneRow, OpenRow, RunningRow, TemplateRow
from pages.visit import Visit
from pages.why import why_button

MOST_PLANNED = 25
MOST_TEMPLATES = 10
MOST_RECENT = 5
FILTER_FROM = 8
"""With fewer tasks than this, a field to search them would be in the way."""


class TaskSection(Section):
    """What the task lists have in common."""

    values = (DASHBOARD_TASKS, PREFERENCES)
    ticks = True
    title = ""

    def __init__(self, visit: Visit, deeds: Deeds) -> None:
        self.deeds = deeds
        self.present: Present | None = None
        self.tasks: DashboardTasks | None = None
        super().__init__(visit)

    def head(self) -> None:
        """Make the heading, with the number of rows beside it."""
        with stack("section-head"):
            title = heading(self.title)
            self._count = Words("").classes("count")
            self.home.props["aria-labelledby"] = title.html_id
            why_button(self)

    def count(self, number: int) -> None:
        """Show how many there are."""
        self._count.set_text(str(number) if number else "")

    def update(self, shown: Shown) -> None:
        """Take the present, then show the lists."""
        self.present = Present(shown.now, shown.today, shown.get(PREFERENCES))
        self.tasks = shown.get(DASHBOARD_TASKS)
        self.show(self.tasks, self.present)

    def show(self, tasks: DashboardTasks, present: Present) -> None:
        """Show the lists as they are at *present*."""
        raise NotImplementedError


class Running(TaskSection):
    """What was started: the timers that run, then those that stand."""

    name = title = "Now"
    room = (203, 326)

    def build(self) -> None:
        """Make the list."""
        self.home.classes("card running")
        self.head()
        self._rows = RowList("Running and paused", lambda item: RunningRow(self.deeds, item))
        self._empty = EmptyState("Nothing is running. Start something: the first minute is the worst.")

    def show(self, tasks: DashboardTasks, present: Present) -> None:
        """Show what runs and what is paused."""
        self.count(len(tasks.active) + len(tasks.paused))
        self._rows.show((*tasks.active, *tasks.paused), present)
        self._empty.show(visible=not tasks.active and not tasks.paused)


class Planned(TaskSection):
    """What waits, and the line on which new things are jotted down."""

    name = title = "Planned"
    room = (480, 700)

    def build(self) -> None:
        """Make the line and the list."""
        self.home.classes("card")
        self.head()
        with stack("jot", "form", data_draft="jot") as form:
            form.on("submit.prevent", self._jot)
            self._line = ui.input(placeholder="Jot down what you put off").props("outlined dense")
            self._line.classes("field").props["aria-label"] = "Jot down a task"
            self._line.props["maxlength"] = 200
            self._line.props["aria-keyshortcuts"] = "n"
            add = button("Add", lambda: None, icon="plus")
            add.props["type"] = "submit"
            button("Details", self._open_dialog, look="is-quiet")
        self._rows = RowList("Planned", lambda item: OpenRow(self.deeds, item), most=MOST_PLANNED)
        self._empty = EmptyState("")
        self._missed = Words("", "p").classes("hint")

    def show(self, tasks: DashboardTasks, present: Present) -> None:
        """Show what is planned; what is overdue is decided here, at this moment."""
        self.count(len(tasks.planned))
        missed = _missed_lately(tasks, present)
        self._missed.set_text(missed)
        self._missed.set_visibility(bool(missed))
        self._rows.show(tasks.planned, present)
        hint = (
            "Plan one of your tasks, or jot something down above." if tasks.templates else "Jot something down above."
        )
        self._empty.show(visible=not tasks.planned, sentence=f"Nothing is planned. {hint}")

    async def _jot(self) -> None:
        typed = (self._line.value or "").strip()
        if not typed or not await self.deeds.jot(typed, self._reach):
            return
        if (self._line.value or "").strip() == typed:
            self._line.value = ""

    def _reach(self, instance: InstanceId) -> None:
        """Lead the focus to a row, wherever in the list it stands."""
        self._rows.reveal(instance)
        self.visit.focus_row(instance)

    def _open_dialog(self) -> None:
        def done() -> None:
            self._line.value = ""

        if self.present is not None:
            CreateTask(self.deeds, self.present.profile, (self._line.value or "").strip(), on_done=done)


class Recent(TaskSection):
    """What was completed last, with the way back."""

    name = title = "Recently done"
    room = (439, 482)

    def build(self) -> None:
        """Make the list."""
        self.home.classes("card")
        self.head()
        self._rows = RowList("Recently done", lambda item: DoneRow(self.deeds, item), most=MOST_RECENT)
        self._empty = EmptyState("What you finish appears here. You can take it back, too.")

    def show(self, tasks: DashboardTasks, present: Present) -> None:
        """Show the last ones."""
        self._rows.show(tasks.completed, present)
        self._empty.show(visible=not tasks.completed)


class Templates(TaskSection):
    """The tasks, from which attempts are planned."""

    name = title = "Tasks"
    ticks = False
    room = (600, 800)

    def build(self) -> None:
        """Make the search field and the list."""
        self.home.classes("card")
        with stack("section-head"):
            title = heading(self.title)
            self._count = Words("").classes("count")
            self.home.props["aria-labelledby"] = title.html_id
            button("New task", self._open_dialog, look="is-quiet", icon="plus")
            why_button(self)
        self._all: tuple[Template, ...] = ()
        self._search = ui.input(placeholder="Search", on_change=self._show_found).props("outlined dense clearable")
        self._search.classes("field").props.update({"aria-label": "Search tasks", "aria-keyshortcuts": "/"})
        self._search.set_visibility(False)
        self._rows = RowList("Tasks", self._make_row, most=MOST_TEMPLATES)
        self._empty = EmptyState("")

    def show(self, tasks: DashboardTasks, present: Present) -> None:
        """Show the tasks that match what is searched for."""
        self._all = tasks.templates
        self.count(len(self._all))
        self._search.set_visibility(len(self._all) >= FILTER_FROM or bool(self._search.value))
        self._show_found()

    def _open_dialog(self) -> None:
        if self.present is not None:
            CreateTask(self.deeds, self.present.profile)

    def _make_row(self, item: Template) -> TemplateRow:
        def present() -> Present:
            assert self.present is not None  # a row is made while the section is updated
            return self.present

        return TemplateRow(self.deeds, item, present)

    def _show_found(self) -> None:
        if self.present is None:
            return
        wanted = (self._search.value or "").casefold().split()
        found = [task for task in self._all if all(word in _searchable(task) for word in wanted)]
        self._rows.show(found, self.present)
        sentence = "No task is called so." if self._all else "A task is what you plan again and again. Make your first."
        self._empty.show(visible=not found, sentence=sentence)


def _missed_lately(tasks: DashboardTasks, present: Present) -> str:
    """Return a sentence with the turns of routines, in the last week, that went by while nothing ran; empty if none."""
    days: dict[str, list[str]] = {}
    for one in reversed(tasks.missed):
        if present.today - one.day <= MISSED_SHOWN:
            days.setdefault(one.name, []).append(figures.day(one.day, present.today))
    turns = "; ".join(f"{name} ({', '.join(when)})" for name, when in days.items())
    return f"Not planned, because Reprieve was not running: {turns}." if turns else ""


def _searchable(task: Template) -> str:
    return " ".join((task.name, task.kind, *task.categories)).casefold()
