"""The keys: which presses what, and the sheet that lists them. What presses them in the browser is `static/keys.js`.

Each key is also named where it acts, by `Button.key` and `act(key=...)`; a test compares those with this list.
"""

from collections.abc import Mapping

from pages.dialogs import Form
from pages.markup import Block, Markup, tag
from pages.visit import Visit

GO: Mapping[str, str] = {
    "/": "g d",
    "/analytics": "g a",
    "/summary": "g s",
    "/tasks": "g t",
    "/goals": "g o",
    "/glossary": "g l",
    "/settings": "g p",
    "/experimental": "g e",
    "/inspector": "g i",
}
"""The keys that lead to each page."""

KEYS: Mapping[str, Mapping[str, str]] = {
    "Everywhere": {
        "?": "This list",
        "n": "New: jot something down, or a new task",
        "/": "Search",
        "u": "Take back what the message says",
        "Esc": "Close the form; what you filled in is kept",
        "Ctrl Enter": "Do what the form asks, from any field",
    },
    "Between rows": {
        "j": "The next row",
        "k": "The row before",
        "ArrowLeft": "The page or week before",
        "ArrowRight": "The next",
    },
    "In a row": {
        "s": "Start, pause or resume",
        "d": "Done",
        "x": "Give up",
        "p": "Plan",
        "e": "Edit",
        "z": "Undo",
        "a": "Archive, or bring back",
        "r": "Pause a routine, or let it go on",
    },
    "Go to": {
        "g d": "Dashboard",
        "g a": "Analytics",
        "g s": "Summary",
        "g t": "Tasks",
        "g o": "Goals",
        "g l": "Glossary",
        "g p": "Settings",
        "g e": "Experimental",
        "g i": "Inspector",
    },
}
"""What each key does, in groups."""

_SPELLINGS = {"ArrowLeft": "←", "ArrowRight": "→"}


class Shortcuts(Form):
    """The list of the keys, and the switch that turns single keys off in this browser."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit, "Keyboard", "Close", cancel="")

    def build(self) -> None:
        """Make the list."""
        Block(tag("div", *(_group(title, keys) for title, keys in KEYS.items()), class_="keys-sheet"))
        switch = tag("input", type="checkbox", data_keys=True, checked=True)
        Block(tag("label", switch, " Single keys act, in this browser", class_="keys-switch"))

    async def submit(self, *, is_second: bool) -> bool:
        """Close it."""
        return True


def _group(title: str, keys: Mapping[str, str]) -> Markup:
    rows = (
        tag("div", tag("dt", *(tag("kbd", _SPELLINGS.get(part, part)) for part in key.split())), tag("dd", words))
        for key, words in keys.items()
    )
    return tag("section", tag("h3", title), tag("dl", *rows))
