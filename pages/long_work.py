"""How far something is that a worker thread does for a long time: words and a bar, there while it is under way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nicegui import ui

from pages.controls import Words, stack

LOOK_SECONDS = 0.2


class LongWork:
    """The line of one place on a page. Hidden, but for a `with` of `shown`."""

    def __init__(self, words: str, name: str) -> None:
        """*words* stand above the bar, *name* is what screen readers call it."""
        self._share = 0.0
        with stack("long-work", role="status") as self._home:
            Words(words, "p").classes("hint")
            self._bar = stack(element="progress", max="1", value="0", aria_label=name)
        self._home.set_visibility(False)

    @contextmanager
    def shown(self) -> Iterator[Callable[[int, int], None]]:
        """Show it, and give what the worker tells how far it is.

        The number travels by being looked at: the worker must not touch elements.
        """
        self._share = 0.0
        self._home.set_visibility(True)
        with self._home:
            timer = ui.timer(LOOK_SECONDS, self._look)
        try:
            yield self._told
        finally:
            if not self._home.is_deleted:
                timer.delete()
                self._home.set_visibility(False)

    def _told(self, done: int, total: int) -> None:
        self._share = done / total

    def _look(self) -> None:
        self._bar.props["value"] = f"{self._share:.2f}"
