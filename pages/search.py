"""What somebody looks for on the page of tasks, as its address says it: links to it work, and so does going back.

Each field is text as it stands in the address; what cannot be read is as if it were not there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from urllib.parse import urlencode

from data.calculations.records import OPEN, Wanted
from data.models import Kind, State

PATH = "/tasks"
TASKS, HISTORY = "tasks", "history"
STATES: dict[str, str] = {
    "": "Any state",
    "open": "Not finished",
    State.PLANNED: "Planned",
    State.ACTIVE: "Running",
    State.PAUSED: "Paused",
    State.COMPLETED: "Completed",
    State.CANCELLED: "Given up",
}
ARCHIVED: dict[str, str] = {"": "Not archived", "yes": "Archived", "all": "All"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search; `view` is `tasks` or `history`, dates are `YYYY-MM-DD`, `page` counts from 1."""

    view: str = TASKS
    text: str = ""
    kind: str = ""
    category: str = ""
    state: str = ""
    archived: str = ""
    first: str = ""
    last: str = ""
    task: str = ""
    instance: str = ""
    page: str = ""

    @classmethod
    def read(cls, get: Callable[[str], str]) -> "Search":
        """Return what an address asks for; *get* returns what it says under a name."""
        given = {field.name: get(field.name).strip() for field in fields(cls)}
        known = {"view": (TASKS, HISTORY), "kind": tuple(Kind), "state": tuple(STATES), "archived": tuple(ARCHIVED)}
        checks = {
            **{name: words.__contains__ for name, words in known.items()},
            "first": _day,
            "last": _day,
            "page": _is_number,
        }
        return cls(**{name: text for name, text in given.items() if text and checks.get(name, bool)(text)})

    @property
    def address(self) -> str:
        """The address that says this."""
        query = urlencode({name: text for name, text in self.choices.items() if text})
        return f"{PATH}?{query}" if query else PATH

    @property
    def choices(self) -> dict[str, str]:
        """What the address says under each name; what is empty is left out of it."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return said if self.view != TASKS else {**said, "view": ""}

    def but(self, **values: str) -> "Search":
        """Return the same with some *values*, on its first page unless they say which."""
        return replace(self, **{"page": "", **values})

    @property
    def narrows(self) -> bool:
        """Whether anything but the view and the page is said."""
        return self.but(view=TASKS) != Search()

    @property
    def page_number(self) -> int:
        """Which page, from 1."""
        return int(self.page or 1)

    @property
    def wanted(self) -> Wanted:
        """What is to be looked for."""
        states: Iterable[str] = OPEN if self.state == "open" else filter(None, [self.state])
        return Wanted(
            text=self.text,
            kind=self.kind,
            category=self.category,
            task=self.task,
            instance=self.instance,
            states=tuple(states),
            archived={"": False, "yes": True, "all": None}[self.archived],
            first=_day(self.first),
            last=_day(self.last),
        )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1
