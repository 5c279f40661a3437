"""The loading screen of mode `full`: what is being loaded, how far that is, how long it will take, and a way past it.

What is loaded, and in which order, is in `cache/warming.py`. The page behind the screen fills itself as ever, so
nothing is lost by closing it: by the button, at the end, or after a minute.
"""

import asyncio
import time

from nicegui import Client, ui

from cache.warming import Preload, Progress
from pages.controls import Words, button, stack
from pages.visit import Visit

QUICK_SECONDS = 0.1
"""What is loaded within this time gets no screen: it would only flash."""
LONGEST_SECONDS = 60.0
"""After this the page opens with what there is."""
LOOK_SECONDS = 0.1
NEARLY = 0.95
"""How much of a value may count as done before it is."""


class LoadingScreen:
    """Covers the page of *visit* until *preload* is over. Esc and a click beside it do nothing."""

    def __init__(self, visit: Visit, client: Client, preload: Preload) -> None:
        self._visit = visit
        self._preload = preload
        self._seconds_left: float | None = None
        self._heard: tuple[Progress, float] = (preload.progress, time.monotonic())
        self._has_left = False
        with visit.overlay, ui.dialog(value=True) as self._dialog:
            self._dialog.props("persistent no-esc-dismiss transition-duration=150")
            with stack("dialog loading"):
                with stack("dialog-body"):
                    title = Words("Getting everything ready", "h2")
                    self._dialog.props["aria-labelledby"] = title.html_id
                    self._bar = stack("loading-bar", "progress", max="1", value="0", aria_labelledby=title.html_id)
                    with stack("loading-line"):
                        self._share = Words("").classes("loading-share")
                        self._left = Words("").classes("loading-left")
                    self._what = Words("", "p").classes("hint")
                with stack("dialog-foot"):
                    skip = button("Open the page now", self._skip, look="is-quiet")
                    skip.props["autofocus"] = ""
        self._show(preload.progress)
        client.on_delete(self._leave)

    async def follow(self) -> None:
        """Show the progress until it is over, or has taken too long; then open the page."""
        began = asyncio.get_running_loop().time()
        while self._dialog.value and not self._dialog.is_deleted:
            progress = self._preload.progress
            if progress.is_over:
                if progress.failed:
                    self._visit.toasts.refused(f"{progress.failed} of {progress.total} could not be computed.")
                break
            if asyncio.get_running_loop().time() - began > LONGEST_SECONDS:
                left = progress.total - progress.done
                self._visit.toasts.done(f"{left} of {progress.total} are still being loaded and will appear then.")
                break
            self._show(progress)
            await asyncio.sleep(LOOK_SECONDS)
        self._open_page()

    def _show(self, progress: Progress) -> None:
        if progress is not self._heard[0]:
            self._heard = progress, time.monotonic()
        since = time.monotonic() - self._heard[1]
        share = share_by_now(progress, since)
        self._bar.props["value"] = f"{share:.3f}"
        if progress.total:
            self._share.set_text(f"{share:.0%} ({progress.done} of {progress.total})")
        self._left.set_text(self._time_left(progress, since))
        self._what.set_text("" if progress.loading is None else f"Loading: {progress.loading}")

    def _time_left(self, progress: Progress, since: float) -> str:
        """Return what is left *since* seconds later, in words. It grows by no more than it would have shrunk."""
        if progress.seconds_left is None:
            return ""
        left = max(0.0, progress.seconds_left - since)
        if self._seconds_left is not None:
            left = min(left, self._seconds_left + LOOK_SECONDS)
        self._seconds_left = left
        return "almost there" if left < 1 else f"about {left:.0f} s left"

    def _skip(self) -> None:
        """Go on as in mode `selective`: what the page shows is loaded, the rest when it is looked at."""
        self._leave()
        self._open_page()

    def _leave(self) -> None:
        if not self._has_left:
            self._has_left = True
            self._preload.leave()

    def _open_page(self) -> None:
        if not self._dialog.is_deleted:
            self._dialog.close()


def share_by_now(progress: Progress, since: float) -> float:
    """Return what is done (0-1) *since* seconds after *progress*: a value counts by its expected time, never wholly."""
    if progress.loading is None or progress.seconds <= 0.0:
        return progress.share
    return progress.share + NEARLY * min(since / progress.seconds, 1.0) * (progress.next_share - progress.share)
