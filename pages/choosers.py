"""What one chooses with what is shown: a few words side by side. Drop-down lists are in `fields`."""

from collections.abc import Callable, Mapping

from pages.controls import Button, button, stack

Chosen = Callable[[str], None]
"""What is called with the choice."""


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
