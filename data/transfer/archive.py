"""The same files as one ZIP archive, for browsers: made in memory, and taken apart with care."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from data import scratch
from data.bulk import Progress
from data.database import Database
from data.errors import ImportRefusedError, shown
from data.transfer.columns import FILES, Counts
from data.transfer.export import export_to
from data.transfer.files import Format, misspelt, name_of
from data.transfer.imports import import_from
from events.catalog import UserId

MAX_UNPACKED_BYTES = 500_000_000
"""An archive may hold no more: a few kilobytes can be made to unpack to any size."""
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,  # it wants a password
    ValueError,
    OverflowError,
    struct.error,
)
_CSV_NAMES = tuple(name_of(file, Format.CSV) for file in FILES)
_NAMES = (*_CSV_NAMES, *(name_of(file, Format.JSON) for file in FILES))


def export_zip(database: Database, user: UserId) -> bytes:
    """Return one user's data as a ZIP archive of the three CSV files.

    Raises:
        UnknownRecordError: there is no such user.
        OSError: there is no room for the files.
    """
    with scratch.folder(database.file) as folder:
        export_to(database, user, folder)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _CSV_NAMES:
                archive.write(folder / name, name)
        return packed.getvalue()


def import_files(
    database: Database, user: UserId, files: Mapping[str, bytes], progress: Progress | None = None
) -> Counts:
    """Take *files* as `{name: content}`: CSV or JSON files, or ZIP archives of them, wherever in those they lie.

    Raises:
        ImportRefusedError: something in them cannot be taken; lists every problem, and nothing was written.
        UnknownRecordError: there is no such user.
    """
    with scratch.folder(database.file) as folder:
        for name, content in files.items():
            if name.lower().endswith(".zip"):
                _unpack(name, content, folder)
            else:
                _keep(name, content, folder)
        return import_from(database, user, folder, progress)


def _unpack(name: str, content: bytes, folder: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            named = {one: PurePosixPath(one.filename).name for one in archive.infolist()}
            for wrong, right in misspelt(named.values()).items():
                raise _refusal(f"{shown(wrong)} in {shown(name)}: expected the name {right}, in these letters")
            members = [one for one, file in named.items() if file in _NAMES]
            if sum(one.file_size for one in members) > MAX_UNPACKED_BYTES:
                raise _refusal(f"{shown(name)}: unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000:,} MB")
            if not members:
                raise _refusal(f"{shown(name)}: holds none of {', '.join(_NAMES)}")
            unpacked = [(named[one], _read(archive, one)) for one in members]
    except ImportRefusedError:  # also a ValueError
        raise
    except _UNREADABLE as error:
        raise _refusal(f"{shown(name)}: expected a ZIP archive that can be read ({shown(str(error))})") from None
    for member, text in unpacked:
        _keep(member, text, folder)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("packed in a way that only few programs know")
    return archive.read(member)


def _keep(name: str, content: bytes, folder: Path) -> None:
    if name not in _NAMES:  # which also keeps it inside the folder
        raise _refusal(f"{shown(name)}: expected one of {', '.join(_NAMES)}, or a .zip of them")
    if (folder / name).exists():
        raise _refusal(f"{name} is there twice")
    (folder / name).write_bytes(content)


def _refusal(problem: str) -> ImportRefusedError:
    return ImportRefusedError((problem,))
