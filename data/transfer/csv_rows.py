"""Reads the rows of one CSV file: cells by column, and the line that each row begins in. What they mean is in `cells`.

Cells are separated by commas, lines end with CRLF (LF is understood), the text is UTF-8.
"""

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from data import fields
from data.errors import shown
from data.transfer.columns import TableFile
from data.transfer.files import Format, encoding_of, name_of
from data.transfer.findings import Findings
from events.patterns import did_you_mean

MAX_CELL = 10 * fields.MAX_TEXT
MAX_LINE_BYTES = 64_000_000
_EXPECTED_UTF_8 = "expected UTF-8 (in a spreadsheet: save as 'CSV UTF-8')"

_EXPECTED_CSV = (
    "expected cells between commas, in double quotes where they hold commas, quotes (written twice) or line breaks"
)
_REASONS = {
    "unexpected end of data": "a quote that is opened in this row is never closed",
    "',' expected after '\"'": "text after a closing quote",
    "new-line character seen in unquoted field": "a carriage return without a line feed",
    "field larger than field limit": f"a cell of more than {MAX_CELL:,} characters, or a quote that is never closed",
}


class CsvRows:
    """The rows of one file, in order. Iterate once; what is wrong goes to the findings, and reading goes on."""

    def __init__(self, file: TableFile, stream: BinaryIO, found: Findings) -> None:
        self.name = name_of(file, Format.CSV)
        self.is_whole = False
        """Whether no row was left out, once all have been read."""
        self._columns = [column.name for column in file.columns]
        self._stream = stream
        self._found = found

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row's first line, and its cells by column."""
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
        reader = csv.reader(self._lines(), strict=True)
        line = 1
        try:
            header = next(reader, [])
            if not self._is_header_right(header):
                return
            self.is_whole = True
            line = reader.line_num + 1
            for row in reader:
                if len(row) != len(header):
                    if row:
                        self.is_whole = False
                        expected = f"expected {len(header)}, as many as in the first line"
                        self._found.add(self.name, line, None, f"{len(row)} cells: {expected}")
                elif any(row):  # spreadsheets leave empty rows behind
                    yield line, dict(zip(header, row, strict=True))
                line = reader.line_num + 1
        except csv.Error as error:
            self.is_whole = False
            reason = next((ours for theirs, ours in _REASONS.items() if str(error).startswith(theirs)), str(error))
            self._found.add(self.name, line, None, f"{reason}: {_EXPECTED_CSV}")

    def _is_header_right(self, header: list[str]) -> bool:
        before = self._found.count
        names = self._columns
        if before and not header:
            return False  # it is no text, which is said already
        if len(header) == 1:
            for separator, word in ((";", "semicolons"), ("\t", "tabs")):
                if separator in header[0]:
                    self._found.add(self.name, 1, None, f"columns separated by {word}: expected commas")
                    return False
        if len(header) > 10 * len(names):
            self._found.add(self.name, 1, None, f"{len(header):,} columns: expected {','.join(names)}")
            return False
        missing = [name for name in names if name not in header]
        if len(missing) == len(names):
            self._found.add(self.name, 1, None, f"no column names: expected {','.join(names)}")
            return False
        for position, name in enumerate(header):
            if name in header[:position]:
                self._found.add(self.name, 1, None, f"column {shown(name)} twice: expected each column once")
            elif name not in names:
                hint = did_you_mean(name[:100], missing or names)
                self._found.add(self.name, 1, None, f"column {shown(name)} is unknown{hint}")
        for name in missing:
            self._found.add(self.name, 1, None, f"column {name!r} is missing")
        return self._found.count == before

    def _lines(self) -> Iterator[str]:
        position = number = 0
        while raw := self._stream.readline(MAX_LINE_BYTES):
            number += 1
            if number == 1 and (encoding := encoding_of(raw)):
                self._found.add(self.name, 1, None, f"the file is {encoding}: {_EXPECTED_UTF_8}")
                return
            if len(raw) == MAX_LINE_BYTES:
                raise csv.Error(f"a line longer than {MAX_LINE_BYTES // 1_000_000} MB")
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                text = raw.decode("utf-8", "replace")
                what = f"byte {position + error.start + 1:,} of the file is 0x{raw[error.start]:02X}"
                self._found.add(self.name, number, None, f"{what}: {_EXPECTED_UTF_8}")
            if "\0" in text:
                what = f"byte {position + raw.index(0) + 1:,} of the file is NUL"
                self._found.add(self.name, number, None, f"{what}: expected UTF-8 text")
                text = text.replace("\0", "\ufffd")
            position += len(raw)
            yield text.removeprefix("\ufeff") if number == 1 else text
