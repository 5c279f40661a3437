"""What is on record, read past all of our own code: every row of every table, and the log as plain text."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from data.database import Database
from data.models import Base, EventRow
from data.sqlite import sqlite
from events.catalog import ClockCorrected, DayStarted

ROOT = Path(__file__).resolve().parents[2]
Line = tuple[str, int, dict[str, Any]]


def all_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, as the driver gives them."""
    with database.read() as read:
        names = [*Base.metadata.tables, "sqlite_sequence"]
        return {
            name: [tuple(row) for row in read.connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2")]
            for name in names
        }


def lines(database: Database, after: int = 0) -> list[Line]:
    """Return name, user and fields of each event above seq *after*, oldest first."""
    with database.read() as read:
        found = read.connection.execute(
            select(EventRow.name, EventRow.user_id, EventRow.body).where(EventRow.seq > after).order_by(EventRow.seq)
        )
        return [(name, user, json.loads(body)) for name, user, body in found]


def dates_started(database: Database, user: int) -> list[date]:
    """Return the dates that have started for *user* by the log, in its order, without those that were taken back."""
    rows = select(EventRow.name, EventRow.body).where(
        EventRow.user_id == user, EventRow.name.in_([DayStarted.name, ClockCorrected.name])
    )
    found: list[date] = []
    with database.read() as read:
        for name, body in read.connection.execute(rows.order_by(EventRow.seq)):
            if name == DayStarted.name:
                found.append(date.fromisoformat(json.loads(body)["day"]))
            else:
                found = [day for day in found if day <= date.fromisoformat(json.loads(body)["today"])]
    return found


def seqs(database: Database) -> list[int]:
    """Return the seq of every event."""
    with database.read() as read:
        return list(read.connection.scalars(select(EventRow.seq).order_by(EventRow.seq)))


def newest(database: Database) -> int:
    """Return the newest seq."""
    with database.read() as read:
        return read.seq


def elsewhere(database: Database, program: str) -> "subprocess.Popen[str]":
    """Run *program* in another process, with `database` open on the same file and `url` its address.

    It talks by lines: what it prints can be read from `stdout`, what is written to `stdin` it reads with `input`.
    """
    opening = f"from data.database import Database\nurl = {database.url!r}\ndatabase = Database(url)\ndatabase.open()\n"
    return another_python(opening + program + "\ndatabase.close()\n")


def another_python(program: str) -> "subprocess.Popen[str]":
    """Run *program* in another process that can import our packages."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """Wait for a process and return what it printed; it must have succeeded."""
    printed, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return printed


@contextlib.contextmanager
def raw(database: Database) -> Iterator[Any]:
    """A connection past our own code, that commits."""
    with contextlib.closing(
        sqlite.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    ) as connection:
        yield connection


def schema(database: Database) -> list[tuple[Any, ...]]:
    """Return what tables and indexes there are."""
    with raw(database) as connection:
        return list(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"))
