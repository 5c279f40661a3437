"""Reads the rows of one JSON file, an array of objects, piece by piece: values by column, with the line of each object.

The objects may be laid out in any way; what we write ourselves has one object per line.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from data.errors import shown
from data.transfer.columns import TableFile
from data.transfer.files import Format, encoding_of, name_of
from data.transfer.findings import Findings
from events.patterns import did_you_mean

MAX_OBJECT = 64_000_000
"""In characters."""

_CHUNK_BYTES = 1_000_000
_SPACE = " \t\r\n"
_EXPECTED = "expected an array of objects in JSON"


class _Unreadable(Exception):
    """The rest of the file cannot be understood."""


class JsonRows:
    """The rows of one file, in order. Iterate once; what is wrong goes to the findings, and reading goes on."""

    def __init__(self, file: TableFile, stream: BinaryIO, found: Findings) -> None:
        self.name = name_of(file, Format.JSON)
        self.is_whole = False
        """Whether no row was left out, once all have been read."""
        self._columns = [column.name for column in file.columns]
        self._column_set = set(self._columns)
        self._stream = stream
        self._found = found
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)
        self._utf_8 = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted = 0  # up to where in `_text` the line breaks are in `_line`
        self._read_bytes = 0
        self._is_end = False
        self._twice: str | None = None

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each object's first line, and its values by column."""
        is_whole = True
        try:
            self._expect("[", "expected [ at the beginning of an array of objects")
            while self._next() != "]":
                line = self._line_here()
                found = self._value()
                if self._is_right(line, found):
                    yield line, found
                else:
                    is_whole = False
                if self._next() == ",":
                    self._at += 1
                    if self._next() == "]":
                        raise self._unreadable("a comma before ]: expected another object, or no comma")
                elif self._next() != "]":
                    raise self._unreadable("expected a comma or ] after an object")
            self._at += 1
            if self._next():
                raise self._unreadable("text after the end of the array: expected nothing")
        except _Unreadable:
            is_whole = False
        self.is_whole = is_whole

    def _is_right(self, line: int, found: Any) -> bool:
        if not isinstance(found, dict):
            self._found.add(self.name, line, None, f"{shown(found)}: expected an object with the columns of a row")
            return False
        if self._twice is not None:
            self._found.add(self.name, line, None, f"{shown(self._twice)} twice in one object: expected each name once")
            return False
        if found.keys() == self._column_set:
            return True
        missing = [name for name in self._columns if name not in found]
        for name in found:
            if name not in self._column_set:
                hint = did_you_mean(name[:100], missing or self._columns)
                self._found.add(self.name, line, None, f"column {shown(name)} is unknown{hint}")
        for name in missing:
            self._found.add(self.name, line, None, f"column {name!r} is missing")
        return False

    def _value(self) -> Any:
        """Decode what begins here, reading on until it is complete."""
        self._twice = None
        wanted = _CHUNK_BYTES
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._unreadable(f"brackets inside of brackets, too deep: {_EXPECTED}") from None
            except json.JSONDecodeError as error:
                if self._is_end:  # before it, the object may just be cut off
                    self._at = min(error.pos, len(self._text))
                    raise self._unreadable(f"{error.msg}: {_EXPECTED}") from None
            except ValueError as error:  # of `_constant`, or a number of thousands of digits
                raise self._unreadable(f"{error}: expected a number") from None
            else:
                if end < len(self._text) or self._is_end:  # or a number could go on
                    self._at = end
                    return found
            if len(self._text) - self._at > MAX_OBJECT:
                raise self._unreadable(f"an object of more than {MAX_OBJECT:,} characters, or one that never ends")
            self._read(wanted)
            wanted *= 2  # so that a long object is not begun anew too often

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _ in pairs]
            self._twice = next(name for name in names if names.count(name) > 1)
        return made

    def _constant(self, word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    def _expect(self, character: str, problem: str) -> None:
        if self._next() != character:
            raise self._unreadable(problem)
        self._at += 1

    def _next(self) -> str:
        """Return the next character that is no space, without going past it; nothing at the end of the file."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._is_end:
                return ""
            self._read(_CHUNK_BYTES)

    def _read(self, size: int) -> None:
        raw = self._stream.read(size)
        if not self._read_bytes and (encoding := encoding_of(raw)):
            raise self._unreadable(f"the file is {encoding}: expected UTF-8")
        if not self._read_bytes and raw.startswith(codecs.BOM_UTF8):
            self._read_bytes = len(codecs.BOM_UTF8)
            raw = raw[self._read_bytes :]
        self._line_here()
        self._text, self._at, self._counted = self._text[self._at :], 0, 0
        pending = len(self._utf_8.getstate()[0])
        try:
            self._text += self._utf_8.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            byte = self._read_bytes - pending + error.start + 1
            before = error.object[: error.start].decode("utf-8")
            self._text += before
            self._at = len(self._text)
            problem = f"byte {byte:,} of the file is 0x{error.object[error.start]:02X}: expected UTF-8"
            raise self._unreadable(problem) from None
        self._read_bytes += len(raw)
        self._is_end = not raw

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = max(self._counted, self._at)
        return self._line

    def _unreadable(self, problem: str) -> _Unreadable:
        self._found.add(self.name, self._line_here(), None, problem)
        return _Unreadable()
