"""The data's part of the configuration: where the database is, and the time zone of this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data.days import parse_zone
from data.errors import DatabaseUnusableError, InvalidInputError

DEFAULT_FILE = Path(__file__).resolve().parent / "state" / "reprieve.db"

VARIABLES = {
    "DATABASE_URL": (
        "data/state/reprieve.db",
        "the file with the database of record; set it as `sqlite:///PATH`, its folder is made if need be",
    ),
}
"""Name -> default and meaning, as the README shows them."""


def database_url(environment: Mapping[str, str]) -> str:
    """Return `DATABASE_URL`, by default a SQLite file under `data/state/`.

    Raises:
        DatabaseUnusableError: it is no URL of a SQLite file.
    """
    given = shown = environment.get("DATABASE_URL") or f"sqlite:///{DEFAULT_FILE}"
    try:
        url = make_url(given)
        path = url.database or ""
        if url.drivername == "sqlite" and path and not path.startswith((":memory:", "file:")):
            return given
        if url.password:
            shown = url.render_as_string(hide_password=True)
    except ArgumentError:
        pass
    raise DatabaseUnusableError(
        f"DATABASE_URL={shown!r}: expected the URL of a file, such as sqlite:////srv/reprieve.db"
    )


def system_zone() -> str:
    """Return the IANA name of this machine's time zone; UTC if it does not tell."""
    candidates = [os.environ.get("TZ", "").removeprefix(":")]
    localtime = Path("/etc/localtime")
    if localtime.is_symlink():
        candidates.append(str(localtime.resolve()).rpartition("zoneinfo/")[2])
    for name in filter(None, candidates):
        try:
            return parse_zone(name).key
        except InvalidInputError:
            continue
    return "UTC"
