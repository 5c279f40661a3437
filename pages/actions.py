"""Runs commands for one open page: never on the event loop, never twice for a double click, refusals as messages.

What can be commanded is in `data`; which button commands what, in the sections and dialogs.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from data.errors import DataError
from events.catalog import UserId
from pages.services import current_user
from pages.toasts import Toasts
from pages.workers import Workers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """That a command was carried out, and what it returned."""

    value: T


class Actions:
    """The commands of one open page."""

    def __init__(self, user: UserId, workers: Workers, toasts: Toasts) -> None:
        self._user = user
        self._workers = workers
        self._toasts = toasts
        self._under_way: set[Hashable] = set()

    async def run(self, about: Hashable, command: Callable[[], T]) -> Outcome[T] | None:
        """Carry *command* out in a worker thread. None if it was refused: the person has been told why.

        Also None, and nothing happens, while another command *about* the same thing is under way: the second half of a
        double click. Errors that are not refusals go to the page's exception handler.
        """
        if about in self._under_way:
            return None
        if current_user() != self._user:  # NOTE: a page that was opened before somebody logged out can still be clicked
            self._toasts.refused("You are no longer logged in here. Open the page again.")
            return None
        self._under_way.add(about)
        try:
            return Outcome(await self._workers.command(command))
        except DataError as refusal:
            self._toasts.refused(_as_sentence(refusal))
            return None
        finally:
            self._under_way.discard(about)


def _as_sentence(refusal: DataError) -> str:
    words = str(refusal)
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
