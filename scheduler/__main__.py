"""The scheduler's command line: `python -m scheduler list [--json]`, beside a running application or without one."""

import argparse
import atexit
import gc
import os
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from data import check, upkeep
from data.database import Database, utc_now
from data.errors import DataError, UnknownRecordError
from data.settings import database_url
from data.upkeep import Run
from scheduler.jobs import JOBS, Job


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One job of the table, and how it stands. Times are UTC; `next_run` is a look of an application that runs then."""

    name: str
    does: str
    every_seconds: int
    next_run: datetime
    last_success: datetime | None
    failures: int
    problem: str | None


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return 0, 1 for what was refused, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m scheduler", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what is done by the clock, and when next")
    listing.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args(arguments)
    try:
        runs = _runs()
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    now = utc_now()
    lines = [line(job, runs.get(job.name, Run()), now) for job in JOBS]
    text = msgspec.json.format(msgspec.json.encode(lines)).decode() if given.json else "\n".join(map(_shown, lines))
    sys.stdout.write(text + "\n")
    return 0


def line(job: Job, run: Run, now: datetime) -> Line:
    """Return how *job* stands at *now*."""
    return Line(
        name=job.name,
        does=job.does,
        every_seconds=int((job.once_in or job.look).total_seconds()),
        next_run=job.next_run(run, now),
        last_success=run.began_at,
        failures=run.failures,
        problem=run.problem,
    )


def _shown(one: Line) -> str:
    text = f"{one.name:10}next {one.next_run:%Y-%m-%d %H:%M} UTC   {one.does}"
    if one.last_success is not None:
        text += f"; last done {one.last_success:%Y-%m-%d %H:%M} UTC"
    if one.failures:
        text += (
            f"; failed {'once' if one.failures == 1 else f'{one.failures} times'} since: {_on_one_line(one.problem)}"
        )
    return text


def _on_one_line(text: str | None) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())


def _runs() -> dict[str, Run]:
    url = database_url(os.environ)
    if not Path(url.partition(":///")[2]).exists():
        raise UnknownRecordError(f"there is no database at {url}: start the application once")
    database = Database(url)
    check.refuse_other_version(database.file)
    with database.opened():
        return upkeep.runs(database)


if __name__ == "__main__":
    atexit.register(gc.freeze)  # Python would look through all objects once more: up to a second
    sys.exit(main())
