"""Single flight across processes: who loads a value takes a lease on it in the folder that they share.

A lease has an end and a token. While its holder lives it is renewed; a holder that was killed delays the others until
the end and no longer; one that was asleep meanwhile finds another token there, and what it brings is refused. Nothing
depends on a lease for being right: where none can be had, two processes load the same.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

LEASE_SECONDS = 3.0


class Lease(msgspec.Struct, frozen=True, array_like=True):
    """The right to load what is kept at an address. `until` is on the clock that all processes of a machine share."""

    address: str
    token: bytes
    until: float


class Board(Protocol):
    """Where leases are written down: one row for each address, changed in one transaction with what it was."""

    def exchange(self, address: str, change: Callable[[bytes | None], bytes | None]) -> bool | None:
        """Put *change* of the row in its place, unless that is None; return whether, None if it cannot be read.

        An empty row is removed.
        """


class Leases:
    """The leases of this process on one board. Safe from any thread."""

    def __init__(self, board: Board, seconds: float = LEASE_SECONDS) -> None:
        self._board = board
        self._seconds = seconds
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._wake = threading.Event()

    def take(self, address: str) -> Lease | None:
        """Return a lease, or None while somebody else holds it. One of the board's own failure is worth nothing."""
        lease = self._new(address)

        def change(row: bytes | None) -> bytes | None:
            return None if self._holder(row) else msgspec.msgpack.encode(lease)

        if self._board.exchange(address, change) is False:
            return None
        with self._lock:
            self._held[address] = lease
            if self._keeper is None and not self._wake.is_set():
                self._keeper = threading.Thread(target=self._keep, args=(self._wake,), name="cache-leases", daemon=True)
                self._keeper.start()
        return lease

    def holds(self, lease: Lease) -> bool:
        """Whether it has not gone to somebody else. One that has ended may, and until then is ours still.

        Where the board cannot be read: yes.
        """
        if time.monotonic() < lease.until:
            return True
        is_ours = True

        def look(row: bytes | None) -> None:
            nonlocal is_ours
            is_ours = _is_of(row, lease)

        self._board.exchange(lease.address, look)
        return is_ours

    def release(self, lease: Lease) -> None:
        """Give it back, if it is ours still."""
        with self._lock:
            self._held.pop(lease.address, None)

        def change(row: bytes | None) -> bytes | None:
            return b"" if _is_of(row, lease) else None

        self._board.exchange(lease.address, change)

    def open(self) -> None:
        """Renew what is held from now on. May be called again after `close`."""
        with self._lock:
            self._wake = threading.Event()
            self._keeper = None

    def close(self) -> None:
        """Renew nothing any more."""
        with self._lock:
            self._held.clear()
            self._wake.set()

    def _new(self, address: str, token: bytes | None = None) -> Lease:
        return Lease(address, token or secrets.token_bytes(8), time.monotonic() + self._seconds)

    def _holder(self, row: bytes | None) -> bytes | None:
        """Return the token of the lease that *row* says is held now."""
        found = _lease(row)
        # The clock begins anew with the machine: what ends later than any lease can is of before that.
        if found is not None and 0 < found.until - time.monotonic() <= self._seconds:
            return found.token
        return None

    def _keep(self, wake: threading.Event) -> None:
        while not wake.wait(self._seconds / 3):
            with self._lock:
                held = list(self._held.values())
            for lease in held:
                self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        renewed = self._new(lease.address, lease.token)

        def change(row: bytes | None) -> bytes | None:
            return msgspec.msgpack.encode(renewed) if _is_of(row, lease) else None

        self._board.exchange(lease.address, change)


def _lease(row: bytes | None) -> Lease | None:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.msgpack.decode(row or b"", type=Lease)
    return None


def _is_of(row: bytes | None, lease: Lease) -> bool:
    found = _lease(row)
    return found is not None and found.token == lease.token
