"""Why a value is slow: what a load from nothing takes, and how much of that each of its parts.

Measured by loading it, so only for who asks. What is kept of the parts does not count: with that a load is quicker.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from cache.pieces import value_of
from cache.values import Value
from data.database import ReadTransaction
from data.pieces import Piece, anew
from data.viewpoint import Viewpoint


class PartCost(msgspec.Struct, frozen=True, kw_only=True):
    """What the parts below one key took, without those that they themselves are made of."""

    key: str
    parts: int
    ms: float


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a load took: `ms` in all, `own_ms` of it outside of parts. The dearest parts come first."""

    ms: float
    own_ms: float
    parts: tuple[PartCost, ...]

    def told(self) -> list[str]:
        """Return it as lines of text for people."""
        lines = [f"loaded from nothing in {self.ms:.1f} ms:"]
        for part in self.parts:
            lines.append(f"  {self._share(part.ms)}  {part.key}, {part.parts} of its parts, {part.ms:.1f} ms")
        return [*lines, f"  {self._share(self.own_ms)}  the rest, {self.own_ms:.1f} ms"]

    def _share(self, ms: float) -> str:
        return f"{100 * ms / self.ms if self.ms else 0:3.0f}%"


class _Meter:
    """Computes parts anew, and measures for each key what its own took."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.inside = 0.0
        """What parts have taken that were computed within what is computed now."""

    def __call__(self, piece: Piece, read: ReadTransaction, view: Viewpoint, parts: Sequence[str]) -> list[Any]:
        key = value_of(piece, parts[0]).key
        before, self.inside = self.inside, 0.0
        began = time.perf_counter()
        found = anew(piece, read, view, parts)
        took = time.perf_counter() - began
        self.counts[key] = self.counts.get(key, 0) + len(parts)
        self.seconds[key] = self.seconds.get(key, 0.0) + took - self.inside
        self.inside = before + took
        return found


def measure(value: Value[Any], read: ReadTransaction, view: Viewpoint) -> Cost:
    """Load *value* and return what that took."""
    meter = _Meter()
    began = time.perf_counter()
    value.loader(replace(read, pieces=meter, found={}), view)
    took = time.perf_counter() - began
    parts = [
        PartCost(key=key, parts=meter.counts[key], ms=seconds * 1000)
        for key, seconds in sorted(meter.seconds.items(), key=lambda item: -item[1])
    ]
    return Cost(ms=took * 1000, own_ms=(took - meter.inside) * 1000, parts=tuple(parts))
