"""One kept value, and its form on disk.

On disk: magic, checksum, head, body. The head names the address, so bytes copied under another key or user are a miss,
and so is everything else that does not decode: another format, another version of the value, another shape of its
type. Never pickle: a folder that somebody can write to must not run code.
"""

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

MAGIC = b"reprieve-cache-2\n"
COMPRESS_FROM_BYTES = 64 * 1024
"""Below it, compressing costs more time than writing: 30 KB take 25 us to write and 90 us to compress."""

_HEAD_AT = len(MAGIC) + 6  # after a checksum of 4 bytes and the length of the head, of 2


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class Entry:
    """A value with the state that it was computed from.

    `as_of` is the seq that was current before its loader began to read, `token` the token of that log row.
    `loaded_at` is aware UTC, for people and for the bound on its age. `size_bytes` is that of the encoded body.
    `used_at` is when it was handed out last, in seconds of `time.monotonic`: who evicts looks at it, nobody else.
    """

    value: Any
    as_of: int
    token: int
    loaded_at: datetime
    load_seconds: float
    size_bytes: int
    used_at: float = field(default=0.0, compare=False, repr=False)


class _Head(msgspec.Struct, frozen=True, array_like=True):
    address: str
    shape: int
    as_of: int
    token: int
    loaded_at: datetime
    load_seconds: float
    compressed: bool


class DamagedEntryError(ValueError):
    """Stored bytes are not what was stored. Inside this package only: readers see a miss."""


_encoder = msgspec.msgpack.Encoder()
_head_decoder = msgspec.msgpack.Decoder(_Head)
_decoder = lru_cache(maxsize=256)(msgspec.msgpack.Decoder)


def size_of(value: Any) -> int:
    """Return how many bytes *value* takes when encoded: the measure by which tiers are bounded."""
    return len(_encoder.encode(value))


def encode(entry: Entry, address: str, shape: int) -> bytes:
    """Return *entry* as bytes that decode under the same *address* and *shape* only."""
    body = _encoder.encode(entry.value)
    compressed = len(body) >= COMPRESS_FROM_BYTES
    if compressed:
        body = zlib.compress(body, 1)
    head = _encoder.encode(
        _Head(address, shape, entry.as_of, entry.token, entry.loaded_at, entry.load_seconds, compressed)
    )
    sized_head = len(head).to_bytes(2, "big") + head
    checksum = zlib.crc32(body, zlib.crc32(sized_head))
    return b"".join((MAGIC, checksum.to_bytes(4, "big"), sized_head, body))


def decode(stored: bytes, address: str, shape: int, value_type: Any) -> Entry | None:
    """Return the entry, or None if it is of another format, version or shape.

    Raises:
        DamagedEntryError: the bytes were changed after they were stored, or stored under another address.
    """
    if not stored.startswith(MAGIC):
        return None
    everything = memoryview(stored)
    if zlib.crc32(everything[len(MAGIC) + 4 :]) != int.from_bytes(everything[len(MAGIC) : len(MAGIC) + 4], "big"):
        raise DamagedEntryError(f"the checksum of {address} does not fit")
    body_at = _HEAD_AT + int.from_bytes(everything[_HEAD_AT - 2 : _HEAD_AT], "big")
    try:
        head = _head_decoder.decode(everything[_HEAD_AT:body_at])
        if head.address != address:
            raise DamagedEntryError(f"what is kept under {address} is {head.address}")
        if head.shape != shape:
            return None
        body = zlib.decompress(everything[body_at:]) if head.compressed else everything[body_at:]
        value = _decoder(value_type).decode(body)
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
