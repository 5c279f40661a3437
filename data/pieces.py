"""Pieces: parts of a calculation that are worth keeping by themselves, such as the sums of one month.

A loader asks its read transaction for them (`ReadTransaction.piece`), and gets what somebody kept or what is computed
now: it cannot tell the difference. Who keeps them, and until when, is the cache's business.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from data.bulk import Progress
    from data.database import ReadTransaction
    from data.viewpoint import Viewpoint

Piece = Callable[["ReadTransaction", "Viewpoint", Sequence[str]], Iterator[Any]]
"""Computes parts, each named by a key segment such as `2026-05`, from the tables and other pieces and nothing else.

Yields them one by one, in the order in which they were asked for: many at once can cost much less than each by itself.
"""


class Pieces(Protocol):
    """Where pieces come from."""

    def __call__(self, piece: Piece, read: "ReadTransaction", view: "Viewpoint", parts: Sequence[str]) -> list[Any]:
        """Return these parts as of the state that *read* sees."""


def anew(piece: Piece, read: "ReadTransaction", view: "Viewpoint", parts: Sequence[str]) -> list[Any]:
    """Compute the parts, whatever anybody may have kept."""
    return list(piece(read, view, parts))


class Stopped(BaseException):  # no error: nothing is wrong, somebody went away
    """What a `Progress` raises to stop a calculation. The parts that were finished until then are kept."""


_progress: ContextVar["Progress | None"] = ContextVar("progress", default=None)

_place: ContextVar[tuple[int, int] | None] = ContextVar("place", default=None)


@contextlib.contextmanager
def watched(progress: "Progress") -> Iterator[None]:
    """Tell *progress*, in this thread or task, how far a long calculation is, after each part of it.

    It may raise `Stopped`, which reaches whoever asked for the value.
    """
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


@contextlib.contextmanager
def within(before: int, total: int) -> Iterator[None]:
    """Let what is told inside be of a part of something longer: of *total*, so many come *before* it."""
    token = _place.set((before, total))
    try:
        yield
    finally:
        _place.reset(token)


def tell(done: int, total: int) -> None:
    """Tell whoever watches."""
    progress, place = _progress.get(), _place.get()
    if progress is not None:
        if place is not None:
            done, total = place[0] + done, place[1]
        progress(done, total)
