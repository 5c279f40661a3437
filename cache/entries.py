"""One kept value, and its form on disk.

On disk: magic, checksum, head, body. The checksum covers the address as well, so bytes copied under another key or
user are a miss, and so is everything else that does not decode: another format, another version of the value, another
shape of its type. Never pickle: a folder that somebody can write to must not run code.
"""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

MAGIC = b"reprieve-cache-1\n"
COMPRESS_FROM_BYTES = 4096
_DIGEST_BYTES = 16


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class Entry:
    """A value with the state that it was computed from.

    `as_of` is the seq that was current before its loader began to read, `token` the token of that log row.
    `loaded_at` is aware UTC, for people and for the bound on its age. `size_bytes` is that of the encoded body.
    """

    value: Any
    as_of: int
    token: int
    loaded_at: datetime
    load_seconds: float
    size_bytes: int


class _Head(msgspec.Struct, frozen=True, array_like=True):
    shape: int
    as_of: int
    token: int
    loaded_at: datetime
    load_seconds: float
    compressed: bool


class DamagedEntryError(ValueError):
    """Stored bytes are not what was stored. Inside this package only: readers see a miss."""


def size_of(value: Any) -> int:
    """Return how many bytes *value* takes when encoded: the measure by which tiers are bounded."""
    return len(msgspec.msgpack.encode(value))


def encode(entry: Entry, address: str, shape: int) -> bytes:
    """Return *entry* as bytes that decode under the same *address* and *shape* only."""
    body = msgspec.msgpack.encode(entry.value)
    compressed = len(body) >= COMPRESS_FROM_BYTES
    if compressed:
        body = zlib.compress(body, 1)
    head = msgspec.msgpack.encode(
        _Head(shape, entry.as_of, entry.token, entry.loaded_at, entry.load_seconds, compressed)
    )
    payload = len(head).to_bytes(2, "big") + head + body
    return MAGIC + _digest(address, payload) + payload


def decode(stored: bytes, address: str, shape: int, value_type: Any) -> Entry | None:
    """Return the entry, or None if it is of another format, version or shape.

    Raises:
        DamagedEntryError: the bytes were changed after they were stored, or stored under another address.
    """
    if not stored.startswith(MAGIC):
        return None
    at = len(MAGIC) + _DIGEST_BYTES
    payload = stored[at:]
    if stored[len(MAGIC) : at] != _digest(address, payload):
        raise DamagedEntryError(f"the checksum of {address} does not fit")
    head_size = int.from_bytes(payload[:2], "big")
    try:
        head = msgspec.msgpack.decode(payload[2 : 2 + head_size], type=_Head)
        if head.shape != shape:
            return None
        body = payload[2 + head_size :]
        if head.compressed:
            body = zlib.decompress(body)
        value = msgspec.msgpack.decode(body, type=value_type)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise DamagedEntryError(f"{address}: {error}") from error
    return Entry(
        value=value,
        as_of=head.as_of,
        token=head.token,
        loaded_at=head.loaded_at,
        load_seconds=head.load_seconds,
        size_bytes=len(body),
    )


def _digest(address: str, payload: bytes) -> bytes:
    digest = hashlib.blake2b(payload, digest_size=_DIGEST_BYTES)
    digest.update(address.encode())
    return digest.digest()
