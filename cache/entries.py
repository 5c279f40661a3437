"""One kept value, and its form on disk.

On disk: magic, checksum, head, address, body. Bytes copied under another key or user are a miss, and so is everything
else that does not decode: another format, another version of the value, another shape of its type. Never pickle: a
folder that somebody can write to must not run code.
"""

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

MAGIC = b"reprieve-cache-2\n"
COMPRESS_FROM_BYTES = 256 * 1024
"""Below it, compressing costs more time than writing: 30 KB take 25 us to write and 90 us to compress, and the sums of
a month, 75 KB, 2 ms to compress by a third."""

_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<HqqQdd?")  # length of the address, shape, as_of, token, loaded_at, load_seconds, is compressed
_HEAD_AT = len(MAGIC) + _CHECKSUM.size
_ADDRESS_AT = _HEAD_AT + _HEAD.size


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
    body: bytes = field(default=b"", compare=False, repr=False)
    """The value as encoded, from a load that has measured it until it is stored. Empty: not encoded yet, or no more."""


class DamagedEntryError(ValueError):
    """Stored bytes are not what was stored. Inside this package only: readers see a miss."""


_encoder = msgspec.msgpack.Encoder()
_decoder = lru_cache(maxsize=256)(msgspec.msgpack.Decoder)


def body_of(value: Any) -> bytes:
    """Return *value* encoded."""
    return _encoder.encode(value)


def encode(entry: Entry, address: str, shape: int) -> bytes:
    """Return *entry* as bytes that decode under the same *address* and *shape* only."""
    body = entry.body or body_of(entry.value)
    compressed = len(body) >= COMPRESS_FROM_BYTES
    if compressed:
        body = zlib.compress(body, 1)
    named = address.encode()
    loaded_at = entry.loaded_at.timestamp()
    head = _HEAD.pack(len(named), shape, entry.as_of, entry.token, loaded_at, entry.load_seconds, compressed)
    checksum = zlib.crc32(body, zlib.crc32(head + named))
    return b"".join((MAGIC, _CHECKSUM.pack(checksum), head, named, body))


def origin(stored: bytes) -> tuple[int, int] | None:
    """Return the `as_of` and token of what is stored, unchecked; None if it is of another format."""
    if not stored.startswith(MAGIC) or len(stored) < _ADDRESS_AT:
        return None
    _, _, as_of, token, *_ = _HEAD.unpack_from(stored, _HEAD_AT)
    return as_of, token


def decode(stored: bytes, address: str, shape: int, value_type: Any) -> Entry | None:
    """Return the entry, or None if it is of another format, version or shape.

    Raises:
        DamagedEntryError: the bytes were changed after they were stored, or stored under another address.
    """
    if not stored.startswith(MAGIC):
        return None
    everything = memoryview(stored)
    try:
        if _CHECKSUM.unpack_from(stored, len(MAGIC))[0] != zlib.crc32(everything[_HEAD_AT:]):
            raise DamagedEntryError(f"the checksum of {address} does not fit")
        length, stored_shape, as_of, token, loaded_at, load_seconds, compressed = _HEAD.unpack_from(stored, _HEAD_AT)
        body_at = _ADDRESS_AT + length
        named = address.encode()
        if length != len(named) or not stored.startswith(named, _ADDRESS_AT):
            raise DamagedEntryError(f"what is kept under {address} belongs under another address")
        if stored_shape != shape:
            return None
        body = zlib.decompress(everything[body_at:]) if compressed else everything[body_at:]
        value = _decoder(value_type).decode(body)
    except (struct.error, msgspec.MsgspecError, zlib.error) as error:
        raise DamagedEntryError(f"{address}: {error}") from error
    return Entry(
        value=value,
        as_of=as_of,
        token=token,
        loaded_at=datetime.fromtimestamp(loaded_at, UTC),
        load_seconds=load_seconds,
        size_bytes=len(body),
    )
