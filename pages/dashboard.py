"""The dashboard: today's numbers and the task lists. It only says what stands where.

The numbers are in `metrics`, the lists in `task_lists`, what to do next in `recommendations`, the first steps in
`onboarding`.
"""

from collections.abc import Iterator

from cache.values import PREFERENCES
from pages import figures
from pages.controls import Words, heading, stack
from pages.deeds import Deeds
from pages.dialogs import reopen
from pages.metrics import Metrics
from pages.onboarding import DemoNotice, Welcome
from pages.recommendations import Recommended
from pages.section import Section, Shown
from pages.task_lists import Planned, Recent, Running, Templates
from pages.visit import Visit


class Heading(Section):
    """The title, with the local date below."""

    values = (PREFERENCES,)
    name = "The date"
    element = "header"

    def build(self) -> None:
        """Make the heading; it has the focus after moving here."""
        self.home.classes("page-head")
        heading("Dashboard", 1).props["tabindex"] = "-1"
        self._date = Words("", "p").classes("page-date")

    def update(self, shown: Shown) -> None:
        """Show the date."""
        self._date.set_text(figures.long_day(shown.today))


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    deeds = Deeds(visit)
    Heading(visit)
    Welcome(visit, deeds)
    yield
    Running(visit, deeds)
    yield
    Metrics(visit)
    yield
    with stack("columns"):
        with stack("side"):
            planned = Planned(visit, deeds)
            yield
            Recent(visit, deeds)
            yield
        with stack("side"):
            Recommended(visit, deeds)
            yield
            Templates(visit, deeds)
            yield
    DemoNotice(visit)

    def reopen_form(draft: str) -> bool:
        if planned.tasks is None or planned.present is None:
            return False
        return reopen(draft, deeds, planned.tasks, planned.present)

    visit.reopen_form = reopen_form
