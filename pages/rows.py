"""Lists that change in place: rows are added, moved and removed one by one, by id; all others stay as they are.

So a row that somebody points at, or has the focus in, is not replaced under them. What a row shows is in `task_rows`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from nicegui import ui
from nicegui.events import GenericEventArguments

from pages.controls import Ending, Handler, Words, button
from pages.figures import Present
from pages.markup import Block
from pages.visit import Visit


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """What tells it from others."""


Item = TypeVar("Item", bound=Identified)
Shown = TypeVar("Shown", contravariant=True)


class Row(Protocol[Shown]):
    """One row: made with its elements, then updated."""

    element: ui.element

    def update(self, item: Shown, present: Present) -> None:
        """Show *item* as it is now. Sends nothing if it looks the same."""

    def deeds(self) -> Mapping[str, Handler]:
        """Return what each of its buttons does, by the word that `markup.act` made it with."""


class BlockRow:
    """A row that is one block of markup, buttons included: dozens of them cost little to make and to send."""

    def __init__(self, visit: Visit, key: str, look: str = "entry") -> None:
        self.block = Block(element="li")
        self.block.classes(look)
        self.element: ui.element = self.block
        self.element.props["data-row"] = key
        take_focus(visit, key)

    def deeds(self) -> Mapping[str, Handler]:
        """Return what each button does, by its word."""
        raise NotImplementedError


def take_focus(visit: Visit, key: str) -> None:
    """Lead the focus to a row that was just made, if the person who looks has moved it here."""
    if visit.focus_on == key:
        visit.focus_row(key)
        visit.focus_on = None


class RowList(Generic[Item]):
    """A list of rows, the first *most* of them drawn until somebody asks for more."""

    def __init__(self, name: str, make: Callable[[Item], Row[Item]], *, most: int = 50) -> None:
        self._make = make
        self._most = self._step = most
        self._rows: dict[str, Row[Item]] = {}
        self.items: Sequence[Item] = ()
        """What is shown, in order."""
        self._present: Present | None = None
        self._awaited: str | None = None
        self._list = Ending(self._end, "ul").classes("entries")
        self._list.props["aria-label"] = name
        self._list.on("click", self._act, js_handler=_EMIT_ACT)  # of all rows: browsers compile each of these anew
        self._more = button("", self._show_more, look="is-quiet entries-more")
        self._more.set_visibility(False)

    def show(self, items: Sequence[Item], present: Present) -> None:
        """Show *items*, in their order, as they are at *present*."""
        if self._list.is_deleted:
            return
        self.items, self._present = items, present
        place = next((place for place, item in enumerate(items) if item.id == self._awaited), -1)
        if place >= 0:
            self._awaited, self._most = None, max(self._most, place + 1)
        drawn = items[: self._most]
        wanted = {item.id for item in drawn}
        for gone in [key for key in self._rows if key not in wanted]:
            self._rows.pop(gone).element.delete()
        for place, item in enumerate(drawn):
            row = self._rows.get(item.id)
            if row is None:
                with self._list:
                    row = self._rows[item.id] = self._make(item)
            row.update(item, present)
            if self._list.default_slot.children[place] is not row.element:
                row.element.move(target_index=place)
        self._list.set_visibility(bool(drawn))
        left = len(items) - len(drawn)
        self._more.set_visibility(left > 0)
        if left:
            self._more.set_text(f"Show {min(left, self._step)} more" + (f" of {left}" if left > self._step else ""))

    def reveal(self, key: str) -> None:
        """Draw so many that the row of that id is among them; if there is none yet, once there is."""
        self._awaited = key
        if self._present is not None:
            self.show(self.items, self._present)

    def _end(self) -> None:
        """Let go of the section that makes the rows."""
        del self._make
        self._rows.clear()

    def _act(self, event: GenericEventArguments) -> object:
        """Do what was pressed; nothing, if the row has gone or changed and it is none of its deeds any more."""
        key, word = event.args
        row = next((row for row in self._rows.values() if row.element.props["data-row"] == key), None)
        deed = None if row is None else row.deeds().get(word)
        return None if deed is None else deed()

    def _show_more(self) -> None:
        self._most += self._step
        if self._present is not None:
            self.show(self.items, self._present)


_EMIT_ACT = """(event) => {
    const pressed = event.target.closest("[data-act]");
    if (pressed) emit([pressed.closest("[data-row]").dataset.row, pressed.dataset.act]);
}"""


class EmptyState:
    """What stands in place of an empty list: a sentence that says what to do next."""

    def __init__(self, sentence: str) -> None:
        self._line = Words(sentence, "p").classes("empty")
        self._line.set_visibility(False)

    def show(self, *, visible: bool, sentence: str | None = None) -> None:
        """Show or hide it."""
        if sentence is not None and sentence != self._line.text:
            self._line.set_text(sentence)
        self._line.set_visibility(visible)
