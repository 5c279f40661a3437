"""Copies of the database, and which of them are kept: the newest of each of the last days, and of the weeks before.

How a copy of a running database is made is in `data`; it is handed in.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from data.database import Database

log = logging.getLogger(__name__)

KEPT_DAYS = 7
KEPT_WEEKS = 4

_NAME = re.compile(r"reprieve-([0-9]{8}T[0-9]{6})Z\.db")
_FORMAT = "%Y%m%dT%H%M%S"


class Backup(Protocol):
    """Copies the database to a file that is not there yet. What it raises leaves no file that looks like a copy."""

    def __call__(self, database: Database, target: Path) -> object:
        """Make the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The copies of one database in one folder. Files that are not named as ours are left alone."""

    database: Database
    folder: Path
    backup: Backup

    def make(self) -> Path:
        """Make a copy now, then remove those that are no longer kept; return the new one."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self.folder / f"reprieve-{self.database.clock().astimezone(UTC):{_FORMAT}}Z.db"
        self.backup(self.database, target)
        found = {path: moment for path in self.folder.iterdir() if (moment := _moment(path)) is not None}
        kept = {target, *_kept(found)}
        for path in sorted(found.keys() - kept):
            path.unlink()
            log.info("removed the backup %s", path.name)
        return target


def _kept(found: dict[Path, datetime]) -> list[Path]:
    newest_first = sorted(found, key=lambda path: found[path], reverse=True)
    days = _newest_of_each([(found[path].date(), path) for path in newest_first])[:KEPT_DAYS]
    weeks = _newest_of_each([(found[path].isocalendar()[:2], path) for path in newest_first])[: KEPT_WEEKS + 1]
    return [*days, *weeks]


def _newest_of_each(paths: Sequence[tuple[object, Path]]) -> list[Path]:
    seen: dict[object, Path] = {}
    for group, path in paths:
        seen.setdefault(group, path)
    return list(seen.values())


def _moment(path: Path) -> datetime | None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    try:
        return datetime.strptime(named[1], _FORMAT).replace(tzinfo=UTC)
    except ValueError:  # no date: not one of ours
        return None
