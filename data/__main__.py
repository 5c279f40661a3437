"""The command line: `python -m data export DIR`, `import DIR`, `demo`. May be used while the app runs.

Exit codes: 0, 1 for what was refused or failed (a sentence on stderr, nothing written), 2 for a wrong command line.
"""

import argparse
import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from data import demo, preferences, transfer
from data.bulk import Progress
from data.database import Database
from data.errors import DataError, UnknownRecordError
from data.settings import database_url, system_zone
from events.catalog import UserId
from events.patterns import did_you_mean

LOCAL = "local"

Counts = dict[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Raises:
        SystemExit: with code 2, the command line is wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        with _database() as database:
            counts, sentence = _run(database, options)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or options.command}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    sys.stdout.write((json.dumps(counts) if options.json else sentence) + "\n")
    return 0


def _run(database: Database, options: argparse.Namespace) -> tuple[Counts, str]:
    """Do what was asked; return the counts, and a sentence with them."""
    user = _user(database, options.user)
    if options.command == "export":
        written = transfer.export_to(database, user, options.folder)
        return _counts(written), f"exported {_many(written.tasks, written.instances)} to {options.folder}"
    if options.command == "import":
        with _progress() as progress:
            taken = transfer.import_from(database, user, options.folder, progress)
        also = " and the preferences" if taken.preferences else ""
        return _counts(taken), f"imported {_many(taken.tasks, taken.instances)}{also} from {options.folder}"
    if options.remove:
        removed = demo.remove(database, user)
        if removed is None:
            return {"tasks": 0, "instances": 0}, "there is no demo data"
        counts = {"tasks": removed.tasks, "instances": removed.instances}
        return counts, f"removed {_many(removed.tasks, removed.instances)} of the demo"
    with database.read() as read:
        was_there = demo.present(read, user)
    with _progress() as progress:
        made = demo.add(
            database, user, days=options.days, per_day=options.per_day, seed=options.seed, progress=progress
        )
    counts = {"tasks": made.tasks, "instances": made.instances}
    remove = "python -m data demo --remove" + (f" --user {shlex.quote(options.user)}" if options.user != LOCAL else "")
    done = "replaced the demo that was there, now" if was_there else "made"
    return counts, f"{done} {_many(made.tasks, made.instances)}; to remove them: {remove}"


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--user", metavar="NAME", default=LOCAL, help="whose data it is (default: %(default)s)")
    common.add_argument("--json", action="store_true", help="write the counts as JSON")

    parser = argparse.ArgumentParser(prog="python -m data", description="Data out, data in, and made-up data.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser(
        "export", parents=[common], help="write tasks.csv, instances.csv and user_preferences.csv"
    )
    command.add_argument("folder", metavar="DIR", type=Path, help="is made if it is missing")

    command = commands.add_parser(
        "import", parents=[common], help="take such files: every row, or none and the reasons"
    )
    command.add_argument("folder", metavar="DIR", type=Path, help="holds at least one of the three files")

    command = commands.add_parser("demo", parents=[common], help="make believable data that end today")
    command.add_argument("--days", metavar="N", type=int, default=365, help="default: %(default)s")
    command.add_argument(
        "--per-day", metavar="M", type=float, default=6.0, help="instances a day; default: %(default)s"
    )
    command.add_argument("--seed", metavar="S", type=int, default=1, help="which life to make up; default: %(default)s")
    command.add_argument("--remove", action="store_true", help="remove the demo again; what is the user's own stays")
    return parser


@contextlib.contextmanager
def _database() -> Iterator[Database]:
    database = Database(database_url(os.environ))
    database.open()
    try:
        yield database
    finally:
        database.close()


def _user(database: Database, name: str) -> UserId:
    names = preferences.names(database)
    if name in names:
        return names[name]
    if name == LOCAL:
        return preferences.create_user(database, LOCAL, time_zone=system_zone())
    raise UnknownRecordError(f"there is no user {name!r}{did_you_mean(name, names)}")


@contextlib.contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show progress on stderr if somebody looks at it, and stop the work on Ctrl-C.

    The work may be in the writer's thread, which Ctrl-C does not reach.
    """
    is_stopped = False
    is_terminal = sys.stderr.isatty()

    def told(done: int, total: int) -> None:
        if is_stopped:
            raise KeyboardInterrupt
        if is_terminal:
            sys.stderr.write(f"\r{100 * done // total:3d} %")
            sys.stderr.flush()

    try:
        yield told
    except KeyboardInterrupt:
        is_stopped = True
        raise
    finally:
        if is_terminal:
            sys.stderr.write("\r      \r")


def _counts(counts: transfer.Counts) -> Counts:
    return {"tasks": counts.tasks, "instances": counts.instances, "preferences": counts.preferences}


def _many(tasks: int, instances: int) -> str:
    return f"{tasks:,} task{'s' * (tasks != 1)} and {instances:,} instance{'s' * (instances != 1)}"


if __name__ == "__main__":
    sys.exit(main())
