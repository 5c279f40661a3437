"""The page of tasks: all tasks and the history of all attempts, to search, to correct and to bring back.

What is looked for stands in the address (`search`) and is read a page at a time (`data.calculations.records`). What a
row shows is in `record_rows`, the forms that correct it in `edits`.
"""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from nicegui import ui

from cache.values import DASHBOARD_TASKS, PREFERENCES
from data.calculations.records import InstancePage, InstanceRecord, TaskPage, TaskRecord, load_instances, load_tasks
from data.preferences import Profile
from pages import figures
from pages.controls import Words, button, heading, stack
from pages.deeds import Deeds
from pages.dialogs import CreateTask
from pages.edits import EditInstance, EditTask
from pages.fields import Select
from pages.figures import Present
from pages.markup import Block, Markup, join, tag
from pages.record_rows import HistoryRow, TaskRow
from pages.rows import EmptyState, RowList
from pages.search import ARCHIVED, HISTORY, STATES, TASKS, Search
from pages.section import Query, Section, Shown
from pages.visit import Visit
from pages.words import KINDS

TYPING_PAUSE_MS = 250
VIEWS = {TASKS: "Tasks", HISTORY: "History"}


class Desk:
    """What the parts of this page share: what is looked for, and how that changes."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.deeds = Deeds(visit)
        self.search = Search.read(visit.address.get)
        self.parts: list[Part] = []
        self.filters: Filters | None = None
        visit.address.listen(self._follow)
        visit.endings.append(self._end)

    def _end(self) -> None:
        self.parts.clear()
        self.filters = None

    def look(self, search: Search, *, is_step: bool = True) -> None:
        """Look for something else; *is_step* if going back should lead to what was looked for before."""
        self.visit.address.choose(step=is_step, **search.choices)

    def _follow(self) -> None:
        """Show what the address says by now."""
        before, self.search = self.search, Search.read(self.visit.address.get)
        if self.filters is not None:
            self.filters.show(self.search)
        for part in self.parts:
            part.home.set_visibility(part.view == self.search.view)
            if part.view == self.search.view and before.page != self.search.page:
                part.home.client.run_javascript(f"reprieve.reveal('#{part.home.html_id}')")
        self.visit.hub.mark([part for part in self.parts if part.view == self.search.view], force=True)


class Filters:
    """The fields that narrow down what is shown. They say what the address says, whoever changed it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._is_showing = False
        with stack("filters", "search", aria_label="Search tasks"):
            self._text = ui.input(placeholder="Search names, notes, categories", on_change=self._typed)
            self._text.props(f"outlined dense clearable debounce={TYPING_PAUSE_MS}").classes("field")
            self._text.props["aria-label"] = "Search"
            self._text.props["aria-keyshortcuts"] = "/"
            self._kind = self._select("Kind", {"": "Any kind", **KINDS})
            self._category = self._select("Category", {"": "Any category"})
            self._state = self._select("State", STATES)
            self._archived = self._select("Archived or not", ARCHIVED)
            self._first, self._last = self._day("From"), self._day("To")
            self._clear = button("Clear", self._forget, look="is-quiet", icon="close")
        self.show(desk.search)

    def show(self, search: Search) -> None:
        """Say what *search* says."""
        self._is_showing = True  # each field tells of its change before the next has been set
        self._text.value = search.text
        self._kind.value, self._category.value = search.kind, search.category
        self._state.value, self._archived.value = search.state, search.archived
        self._first.value, self._last.value = search.first, search.last
        for one in (self._state, self._first, self._last):
            one.set_visibility(search.view == HISTORY)
        self._archived.set_visibility(search.view == TASKS)
        self._clear.set_visibility(search.narrows)
        self._is_showing = False

    def offer(self, categories: tuple[str, ...]) -> None:
        """Offer these categories."""
        known = dict.fromkeys((*categories, self._desk.search.category))
        self._category.offer({"": "Any category", **{name: name for name in known if name}})

    def _select(self, name: str, options: dict[str, str]) -> Select:
        return Select(options, value="", name=name).on_value_change(self._chosen)

    def _day(self, name: str) -> ui.input:
        made = ui.input(on_change=self._chosen).props("type=date outlined dense").classes("field filter-day")
        made.props["aria-label"] = made.props["prefix"] = name
        return made

    def _typed(self) -> None:
        if self._is_showing:
            return
        self._desk.look(self._desk.search.but(text=(self._text.value or "").strip()), is_step=False)

    def _chosen(self) -> None:
        if self._is_showing:
            return
        self._desk.look(
            self._desk.search.but(
                kind=self._kind.value,
                category=self._category.value,
                state=self._state.value,
                archived=self._archived.value,
                first=self._first.value or "",
                last=self._last.value or "",
            )
        )

    def _forget(self) -> None:
        self._desk.look(Search(view=self._desk.search.view))


class Heading(Section):
    """The title, and the two views."""

    values = (PREFERENCES,)
    name = "The heading"
    element = "header"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        super().__init__(desk.visit)

    def build(self) -> None:
        """Make the heading; it has the focus after moving here."""
        self.home.classes("page-head is-row")
        heading("Tasks", 1).props["tabindex"] = "-1"
        button("New task", self._create, icon="plus").key("n")
        self._profile: Profile | None = None

    def update(self, shown: Shown) -> None:
        """Take over how the user writes times; nothing else here changes."""
        self._profile = shown.get(PREFERENCES)

    def _create(self) -> None:
        if self._profile is not None:
            CreateTask(self._desk.deeds, self._profile)


class Part(Section):
    """What both views have in common: rows, how many there are, and the way to the others."""

    values = (PREFERENCES,)
    follows = (DASHBOARD_TASKS,)
    ticks = True
    view: ClassVar[str] = ""
    things: ClassVar[str] = ""
    """What its rows are called."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.present: Present | None = None
        super().__init__(desk.visit)
        desk.parts.append(self)

    def build(self) -> None:
        """Make the views' links, the rows and the pager."""
        self.home.classes("card").set_visibility(self.view == self.desk.search.view)
        with stack("section-head"):
            self._tabs = Block(element="nav").classes("tabs")
            self._tabs.props["aria-label"] = "Views"
            title = heading(VIEWS[self.view]).classes("is-hidden-visually")
            self.home.props["aria-labelledby"] = title.html_id
            self._count = Words("").classes("count")
        self._only = Block().classes("only")
        self.build_rows()
        self._empty = EmptyState("")
        self._pager = Block(element="nav").classes("pager")
        self._pager.props["aria-label"] = "Pages of rows"

    def build_rows(self) -> None:
        """Make the list."""
        raise NotImplementedError

    def take(self, shown: Shown, page: InstancePage | TaskPage) -> Present:
        """Show everything but the rows; return the moment at which it is shown."""
        search = self.desk.search
        self.present = Present(self.visit.services.clock(), shown.today, shown.get(PREFERENCES))
        if self.desk.filters is not None and self.view == search.view:
            self.desk.filters.offer(page.categories)
        self._tabs.show(join(*(_tab(view, search) for view in VIEWS)))
        self._count.set_text(f"{page.total:,} {self.things if page.total != 1 else self.things.rstrip('s')}")
        self._pager.show(_pager(page, search))
        sentence = "Nothing matches. Try fewer words, or clear the filters." if search.narrows else self.hint(page)
        self._empty.show(visible=not page.rows, sentence=sentence)
        return self.present

    def hint(self, page: InstancePage | TaskPage) -> str:
        """Return what to say when there is nothing at all."""
        raise NotImplementedError


class Tasks(Part):
    """The tasks, archived ones on request."""

    name = "The tasks"
    view = TASKS
    things = "tasks"

    def build_rows(self) -> None:
        """Make the list."""
        self.rows: RowList[TaskRecord] = RowList("Tasks", lambda item: TaskRow(self, item))

    def query(self) -> Query | None:
        """Return what reads one page of tasks, while they are to be seen."""
        search = self.desk.search
        if search.view != self.view:
            return None
        return partial(load_tasks, wanted=search.wanted, page=search.page_number)

    def update(self, shown: Shown) -> None:
        """Show the rows that were found."""
        page: TaskPage | None = shown.found
        if page is not None:
            self.rows.show(page.rows, self.take(shown, page))

    def hint(self, page: InstancePage | TaskPage) -> str:
        """Return what to say when there is no task."""
        if self.desk.search.archived == "yes":
            return "Nothing is archived."
        return "A task is what you plan again and again. Make your first with New task."


class History(Part):
    """The attempts, newest first."""

    name = "The history"
    view = HISTORY
    things = "attempts"
    opened = ""

    def build_rows(self) -> None:
        """Make the list."""
        self.rows: RowList[InstanceRecord] = RowList("History", lambda item: HistoryRow(self, item))

    def query(self) -> Query | None:
        """Return what reads one page of attempts, while they are to be seen."""
        search = self.desk.search
        if search.view != self.view:
            return None
        return partial(load_instances, wanted=search.wanted, page=search.page_number)

    def update(self, shown: Shown) -> None:
        """Show the rows that were found; open the one that the address names."""
        page: InstancePage | None = shown.found
        if page is None:
            return
        search = self.desk.search
        present = self.take(shown, page)
        self.rows.show(page.rows, present)
        label = page.task_name if search.task else "one attempt" if search.instance else None
        self._only.set_visibility(label is not None)
        if label is not None:
            self._only.show(_only(label, search))
        if search.instance and page.rows and self.opened != search.instance:
            EditInstance(self.desk.deeds, page.rows[0], present.profile)
        self.opened = search.instance

    def hint(self, page: InstancePage | TaskPage) -> str:
        """Return what to say when there is no attempt."""
        return "What you plan and finish appears here. Plan one of your tasks."


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    desk = Desk(visit)
    Heading(desk)
    yield
    desk.filters = Filters(desk)
    yield
    tasks = Tasks(desk)
    yield
    history = History(desk)

    def reopen_form(draft: str) -> bool:
        kind, _, about = draft.partition(":")
        part = history if kind == "edit" else tasks
        if part.present is None:
            return False
        profile = part.present.profile
        if kind == "create":
            CreateTask(desk.deeds, profile)
            return True
        task = next((row for row in tasks.rows.items if row.id == about), None)
        instance = next((row for row in history.rows.items if row.id == about), None)
        if kind == "edit-task" and task is not None:
            EditTask(desk.deeds, task, profile)
        elif kind == "edit" and instance is not None:
            EditInstance(desk.deeds, instance, profile)
        else:
            return False
        return True

    visit.reopen_form = reopen_form


def _tab(view: str, search: Search) -> Markup:
    goes_on = Search(view=view, text=search.text, kind=search.kind, category=search.category)
    return tag(
        "a", VIEWS[view], href=goes_on.address, class_="tab", aria_current="page" if view == search.view else None
    )


def _only(label: str, search: Search) -> Markup:
    words = ("Only attempts at ", tag("strong", label)) if search.task else ("Only ", label)
    return tag("p", *words, " ", tag("a", "Show all", href=search.but(task="", instance="").address))


def _pager(page: InstancePage | TaskPage, search: Search) -> Markup:
    if page.pages == 1:
        return join()
    first = (page.page - 1) * len(page.rows) + 1 if page.page < page.pages else page.total - len(page.rows) + 1
    where = f"{figures.number(first)}-{figures.number(first + len(page.rows) - 1)} of {figures.number(page.total)}"
    return join(
        _step("Back", page.page - 1, page.pages, search, "ArrowLeft"),
        tag("span", where, class_="count"),
        _step("Next", page.page + 1, page.pages, search, "ArrowRight"),
    )


def _step(label: str, number: int, pages: int, search: Search, key: str) -> Markup:
    if not 1 <= number <= pages:
        return tag("span", label, class_="button is-quiet is-off", aria_hidden="true")
    address = search.but(page=str(number) if number > 1 else "").address
    return tag("a", label, href=address, class_="button is-quiet", aria_keyshortcuts=key)
