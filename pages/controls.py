"""The small elements that pages are made of: words, headings, buttons, fields. How they look is in `static/style.css`.

Native elements where the browser's own do: they are cheaper to make and to draw, and every keyboard knows them.
"""

from collections.abc import Callable
from typing import Self

from nicegui import ui

Handler = Callable[[], object]
"""What a button calls. If it returns something that can be awaited, that is awaited; anything else is ignored."""


class Words(ui.element):
    """An element that holds text and nothing else. NiceGUI's own can be bound, for which each is made ready."""

    def __init__(self, text: str, element: str = "span") -> None:
        super().__init__(element)
        self._text: str = text

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def set_text(self, text: str) -> None:
        """Say *text* instead; nothing is sent if it is the same."""
        if text != self._text:
            self._text = text
            self.update()


class Ending(ui.element):
    """A container that calls *ended* once, when it is removed: to take apart what holds itself, and would wait for the
    garbage collector.
    """

    def __init__(self, ended: Handler, tag: str = "div") -> None:
        super().__init__(tag)
        self._ended: Handler | None = ended

    def _handle_delete(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()
        super()._handle_delete()


class Button(Words):
    """A native button. *name* is what it is called where its text alone does not say enough, or is missing."""

    def __init__(self, text: str, on_click: Handler, *, look: str = "", icon: str = "", name: str = "") -> None:
        super().__init__(text, "button")
        # At once each: NiceGUI takes note of every single change.
        self.classes(
            f"button {look}" + (f" icon icon-{icon}" if icon else "") + (" is-bare" if icon and not text else "")
        )
        named = {} if not name else {"aria-label": name} if text else {"aria-label": name, "title": name}
        self.props.update({"type": "button", **named})
        self.on("click", lambda: on_click())

    def call(self, name: str) -> None:
        """Give it another name for screen readers; without visible text also the one that shows on pointing at it."""
        if name and self.props.get("aria-label") != name:
            self.props["aria-label"] = name
            if not self.text:
                self.props["title"] = name

    def key(self, pressed: str) -> Self:
        """Let a key press it: in a row, while the row has the focus, else from anywhere. See `shortcuts`."""
        self.props["aria-keyshortcuts"] = pressed
        return self

    def once(self) -> Self:
        """Ignore the second click of a double click, wherever it lands: the first may have moved things."""
        self.props["data-once"] = ""
        return self


def button(text: str, on_click: Handler, *, look: str = "", icon: str = "", name: str = "") -> Button:
    """Make a button; *look* is `is-primary`, `is-quiet` or nothing, *icon* a name of the style sheet."""
    return Button(text, on_click, look=look, icon=icon, name=name)


def heading(text: str, level: int = 2) -> Words:
    """Make a real heading."""
    return Words(text, f"h{level}")


def stack(classes: str = "", element: str = "div", **attributes: str) -> ui.element:
    """Make a container. Attributes are keywords with underscores for hyphens: `aria_label="Pages"`."""
    made = ui.element(element)
    if classes:
        made.classes(classes)
    if attributes:
        made.props.update({name.replace("_", "-"): value for name, value in attributes.items()})
    return made
