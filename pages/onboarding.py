"""The first minutes: the welcome to an empty dashboard, the demo data, and the way to be rid of it again."""

from cache.values import DASHBOARD_TASKS, PREFERENCES
from data import demo
from data.preferences import Profile
from pages.controls import Words, button, heading, stack
from pages.deeds import Deeds
from pages.dialogs import Confirm, CreateTask
from pages.long_work import LongWork
from pages.section import Section, Shown
from pages.visit import Visit


class Welcome(Section):
    """What somebody sees who has nothing yet. Hidden as soon as there is something."""

    values = (DASHBOARD_TASKS, PREFERENCES)
    name = "The welcome"

    def __init__(self, visit: Visit, deeds: Deeds) -> None:
        self._deeds = deeds
        self._profile: Profile | None = None
        super().__init__(visit)

    def build(self) -> None:
        """Make the card, hidden: most people have something."""
        self.home.classes("card welcome").set_visibility(False)
        self.home.props["aria-labelledby"] = heading("What are you putting off?").html_id
        Words(
            "Write down what you avoid. Say how bad you expect it to be, do it, and say how it was. "
            "Reprieve shows you what that gave you, and that it was rarely as bad as you feared.",
            "p",
        ).classes("lead")
        with stack("welcome-buttons"):
            self._first = button("Write down the first", self._create, look="is-primary", icon="plus")
            self._demo = button("Look around with demo data", self._add_demo)
        self._work = LongWork("Making up a year …", "Making up demo data")

    def update(self, shown: Shown) -> None:
        """Show it to those who have nothing."""
        tasks, self._profile = shown.get(DASHBOARD_TASKS), shown.get(PREFERENCES)
        is_empty = not (tasks.templates or tasks.planned or tasks.active or tasks.paused or tasks.completed)
        self.home.set_visibility(is_empty)

    def _create(self) -> None:
        if self._profile is not None:
            CreateTask(self._deeds, self._profile)

    async def _add_demo(self) -> None:
        """Make up a year."""
        visit = self.visit
        with self._work.shown() as told:
            done = await visit.actions.run("demo", lambda: demo.add(visit.services.database, visit.user, progress=told))
        if done is not None:
            visit.toasts.done(f"Made up {done.value.instances:,} attempts at {done.value.tasks} tasks. Look around.")


class DemoNotice(Section):
    """The quiet line that says that there is demo data, and removes it."""

    values = (DASHBOARD_TASKS,)
    name = "The notice about demo data"
    element = "footer"

    def build(self) -> None:
        """Make the line, hidden."""
        self.home.classes("demo-notice").set_visibility(False)
        Words("You are looking at demo data, perhaps among your own.", "p").classes("hint")
        button("Remove the demo data", self._ask, look="is-quiet")

    def update(self, shown: Shown) -> None:
        """Show it while there is demo data."""
        self.home.set_visibility(any(task.demo for task in shown.get(DASHBOARD_TASKS).templates))

    def _ask(self) -> None:
        Confirm(
            self.visit,
            "Remove the demo data?",
            "All made-up tasks and attempts go, also those that you finished. What you planned yourself stays.",
            "Remove it",
            self._remove,
        )

    async def _remove(self) -> bool:
        visit = self.visit
        done = await visit.actions.run("demo", lambda: demo.remove(visit.services.database, visit.user))
        if done is not None:
            visit.toasts.done("The demo data is gone.")
        return done is not None
