"""How far something is that a worker thread does for a long time: words, a bar and a stop, there while it lasts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nicegui import ui

from data.errors import DataError
from pages.controls import Words, button, stack

LOOK_SECONDS = 0.2


class WorkStoppedError(DataError):
    """Somebody stopped it. Nothing was written."""


class LongWork:
    """The line of one place on a page. Hidden, but for a `with` of `shown`."""

    def __init__(self, words: str, name: str) -> None:
        """*words* stand above the bar, *name* is what screen readers call it."""
        self._share = 0.0
        self._is_stopped = False
        with stack("long-work") as self._home:
            with stack(role="status"):
                Words(words, "p").classes("hint")
                self._bar = stack(element="progress", max="1", value="0", aria_label=name)
            button("Stop", self._stop, look="is-quiet", name=f"Stop {name[:1].lower()}{name[1:]}")
        self._home.set_visibility(False)

    @contextmanager
    def shown(self) -> Iterator[Callable[[int, int], None]]:
        """Show it, and give what the worker tells how far it is.

        After a stop, that raises `WorkStoppedError` in the worker. Both travel by being looked at: the worker must not
        touch elements.
        """
        self._share = 0.0
        self._is_stopped = False
        self._home.set_visibility(True)
        with self._home:
            timer = ui.timer(LOOK_SECONDS, self._look)
        try:
            yield self._told
        finally:
            if not self._home.is_deleted:
                timer.delete()
                self._home.set_visibility(False)

    def _stop(self) -> None:
        self._is_stopped = True

    def _told(self, done: int, total: int) -> None:
        if self._is_stopped and done < total:  # what is done is committed, and cannot be stopped any more
            raise WorkStoppedError("stopped: everything is as it was")
        self._share = done / total

    def _look(self) -> None:
        self._bar.props["value"] = f"{self._share:.2f}"
