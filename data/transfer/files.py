"""The names of the files, by format, and which of them a folder holds."""

import codecs
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from data.transfer.columns import FILES, TableFile
from data.transfer.findings import Findings

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),  # before the mark of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Format(StrEnum):
    """How the files are written; the word is the end of their names."""

    CSV = "csv"
    JSON = "json"


def name_of(file: TableFile, format_: Format) -> str:
    """Return the name of *file*: `tasks.csv`."""
    return f"{file.stem}.{format_}"


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Return those of *names* that differ from the name of a file in upper and lower case only, with the right one."""
    right = {name_of(file, format_) for format_ in Format for file in FILES}
    return {name: name.lower() for name in sorted(names) if name not in right and name.lower() in right}


def encoding_of(beginning: bytes) -> str:
    """Return the name of the encoding that the mark at the *beginning* of a file says it has; empty without a mark, and
    for UTF-8, which is expected."""
    return next((name for mark, name in _MARKS if beginning.startswith(mark)), "")


def open_all(folder: Path, stack: ExitStack, found: Findings) -> tuple[Format, dict[TableFile, BinaryIO]]:
    """Open those of the files that *folder* holds; all must be of one format. What is wrong goes to *found*."""
    streams: dict[Format, dict[TableFile, BinaryIO]] = {format_: {} for format_ in Format}
    for format_ in Format:
        for file in FILES:
            path = folder / name_of(file, format_)
            try:
                if not stat.S_ISREG(path.stat().st_mode):
                    found.add(path.name, None, None, "this is no regular file")
                    continue
                streams[format_][file] = stack.enter_context(path.open("rb"))
            except FileNotFoundError:
                continue
            except OSError as error:
                found.add(path.name, None, None, f"cannot be read: {error.strerror}")
    for name, right in misspelt(_names_in(folder)).items():
        if not any(right == name_of(file, format_) for format_ in Format for file in streams[format_]):
            found.add(name, None, None, f"expected the name {right}, in these letters")
    there = [format_ for format_ in Format if streams[format_]]
    if len(there) > 1:
        names = (name_of(next(iter(streams[format_])), format_) for format_ in there)
        found.add(
            str(folder), None, None, f"holds {' and '.join(names)}: expected files of one format, move the others"
        )
    elif not there and not found.count:
        names = (", ".join(name_of(file, format_) for file in FILES) for format_ in Format)
        found.add(str(folder), None, None, f"expected a folder with at least one of {', or of '.join(names)}")
    format_ = there[0] if there else Format.CSV
    return format_, streams[format_]


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:  # there is none, or it cannot be listed: that no file is found is said anyway
        return []
