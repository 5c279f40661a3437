"""Pieces: parts of a calculation that are worth keeping by themselves, such as the sums of one month.

A loader asks its read transaction for them (`ReadTransaction.piece`), and gets what somebody kept or what is computed
now: it cannot tell the difference. Who keeps them, and until when, is the cache's business.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from data.database import ReadTransaction
    from data.viewpoint import Viewpoint

Piece = Callable[["ReadTransaction", "Viewpoint", str], Any]
"""Computes one part, named by a key segment such as `2026-05`, from the tables and other pieces and nothing else."""


class Pieces(Protocol):
    """Where pieces come from."""

    def __call__(self, piece: Piece, read: "ReadTransaction", view: "Viewpoint", part: str) -> Any:
        """Return that part as of the state that *read* sees."""


def anew(piece: Piece, read: "ReadTransaction", view: "Viewpoint", part: str) -> Any:
    """Compute the part, whatever anybody may have kept."""
    return piece(read, view, part)
