"""Native controls with which one chooses what is shown: a drop-down list, and a few words side by side.

One element each, or one per word; every keyboard knows them. Fields of forms are in `fields`.
"""

from collections.abc import Callable, Mapping

from nicegui.events import GenericEventArguments

from pages.controls import Button, button, stack
from pages.markup import Block, Markup, join, tag

Chosen = Callable[[str], None]
"""What is called with the choice."""


class Select(Block):
    """A drop-down list with its label for screen readers. `offer` says what there is to choose from."""

    def __init__(self, label: str, on_choose: Chosen) -> None:
        super().__init__(element="select")
        self.classes("select").props["aria-label"] = label
        self.on("change", lambda event: on_choose(_word(event)), js_handler="(event) => emit(event.target.value)")

    def offer(self, options: Mapping[str, str], chosen: str) -> None:
        """Offer *options*, labels by value, with *chosen* in sight."""
        self.show(join(*(_option(value, label, chosen) for value, label in options.items())))


class Segments:
    """A few words side by side, of which one is chosen."""

    def __init__(self, label: str, options: Mapping[str, str], on_choose: Chosen) -> None:
        with stack("segments", role="group", aria_label=label):
            self._buttons = {value: self._button(value, text, on_choose) for value, text in options.items()}

    def choose(self, chosen: str) -> None:
        """Show which one is chosen."""
        for value, made in self._buttons.items():
            made.props["aria-pressed"] = "true" if value == chosen else "false"

    @staticmethod
    def _button(value: str, text: str, on_choose: Chosen) -> Button:
        return button(text, lambda: on_choose(value), look="segment")


def _option(value: str, label: str, chosen: str) -> Markup:
    return tag("option", label, value=value, selected=value == chosen)


def _word(event: GenericEventArguments) -> str:
    return str(event.args)
