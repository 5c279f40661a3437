"""Short messages at the edge of the page: what was done, with the way back, or why something was refused.

They live as long as their animation in the style sheet, which stands still while somebody points at one; the browser
says when it is over.
"""

import inspect

from nicegui import ui

from pages.controls import Handler, Words, button, stack

MOST = 3


class Toasts:
    """The messages of one browser tab. Build it inside the frame."""

    def __init__(self) -> None:
        self._place = stack("toasts", role="region", aria_label="Messages", aria_live="polite")
        self._shown: list[ui.element] = []

    def done(self, sentence: str, *, action: str = "", on_action: Handler | None = None) -> None:
        """Say that something was done; *action* names the button that takes it back."""
        self._show(sentence, "is-done", action, on_action)

    def refused(self, sentence: str) -> None:
        """Say why something was not done. Stays longer than others."""
        self._show(sentence, "is-refused", "", None)

    def clear(self) -> None:
        """Take all messages away."""
        for toast in list(self._shown):
            self._dismiss(toast)

    def clear_refusals(self) -> None:
        """Take away why something was refused: it is being tried again."""
        for toast in list(self._shown):
            if "is-refused" in toast.classes:
                self._dismiss(toast)

    def _show(self, sentence: str, look: str, action: str, on_action: Handler | None) -> None:
        if self._place.is_deleted:
            return
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
            if on_action is not None:

                async def act() -> None:
                    self._dismiss(toast)
                    result = on_action()
                    if inspect.isawaitable(result):
                        await result

                button(action, act, look="is-quiet")
            button("", lambda: self._dismiss(toast), look="is-quiet", icon="close", name="Dismiss this message")
        self._shown.append(toast)

    def _dismiss(self, toast: ui.element) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            if not toast.is_deleted:
                toast.delete()
