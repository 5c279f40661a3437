"""Short messages at the edge of the page: what was done, with the way back, or why something was refused.

They live as long as their animation in the style sheet, which stands still while somebody points at one; the browser
says when it is over.
"""

import inspect
from collections.abc import Hashable, Mapping
from functools import partial

from nicegui import ui

from pages.controls import Handler, Words, button, stack

MOST = 3


class Toasts:
    """The messages of one browser tab. Build it inside the frame."""

    def __init__(self) -> None:
        self._place = stack("toasts", role="region", aria_label="Messages", aria_live="polite")
        self._shown: list[ui.element] = []
        self._about: dict[ui.element, Hashable] = {}
        self._with_action: set[ui.element] = set()

    def done(
        self,
        sentence: str,
        *,
        action: str = "",
        on_action: Handler | None = None,
        further: str = "",
        on_further: Handler | None = None,
        about: Hashable = None,
    ) -> None:
        """Say that something was done; *action* names the button that takes it back, *further* one that goes on.

        It takes the place of what was said *about* the same thing before: that could no longer be taken back.
        """
        self.drop(about)
        toast = self._show(sentence, "is-done", {action: on_action, further: on_further})
        if toast is not None and about is not None:
            self._about[toast] = about

    def drop(self, about: Hashable) -> None:
        """Take away what was said *about* that thing: it is being changed."""
        for toast in [toast for toast, thing in self._about.items() if thing == about]:
            self._dismiss(toast)

    def refused(self, sentence: str) -> None:
        """Say why something was not done. Stays longer than others."""
        self._show(sentence, "is-refused", {})

    def clear(self) -> None:
        """Take all messages away."""
        for toast in list(self._shown):
            self._dismiss(toast)

    def clear_refusals(self) -> None:
        """Take away why something was refused: it is being tried again."""
        for toast in list(self._shown):
            if "is-refused" in toast.classes:
                self._dismiss(toast)

    def _show(self, sentence: str, look: str, offers: Mapping[str, Handler | None]) -> ui.element | None:
        if self._place.is_deleted:
            return None
        for toast in [toast for toast in self._shown if toast not in self._with_action]:
            self._dismiss(toast)  # it was read, or something newer matters more; what can be taken back stays
        for toast in self._shown[: max(0, len(self._shown) - MOST + 1)]:
            self._dismiss(toast)
        with self._place, stack(f"toast {look}") as toast:
            if look == "is-refused":
                toast.props("role=alert")
            toast.on(
                "animationend",
                lambda: self._dismiss(toast),
                js_handler="(event) => { if (event.animationName.startsWith('toast-life')) emit() }",
            )
            Words(sentence, "p")
            for place, (words, do) in enumerate(offers.items()):
                if do is not None:
                    offer = button(words, partial(self._act, toast, do), look="is-quiet")
                    if place == 0:
                        offer.key("u")  # takes back; nothing else may be done by that key
            button("", lambda: self._dismiss(toast), look="is-quiet", icon="close", name="Dismiss this message")
        self._shown.append(toast)
        if any(offers.values()):
            self._with_action.add(toast)
        return toast

    async def _act(self, toast: ui.element, do: Handler) -> None:
        self._dismiss(toast)
        result = do()
        if inspect.isawaitable(result):
            await result

    def _dismiss(self, toast: ui.element) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            self._about.pop(toast, None)
            self._with_action.discard(toast)
            if not toast.is_deleted:
                toast.delete()
