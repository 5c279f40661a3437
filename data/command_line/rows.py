"""The commands about one user: `export`, `import`, `demo`, `tier`."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from data import demo, preferences, transfer
from data.command_line.answer import Answer, many, progress
from data.database import Database
from data.errors import InvalidInputError, UnknownRecordError
from data.settings import system_zone
from events.catalog import UserId
from events.patterns import did_you_mean

LOCAL = "local"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add these commands to the parser."""
    of_user = argparse.ArgumentParser(add_help=False)
    of_user.add_argument("--user", metavar="NAME", default=LOCAL, help="whose data it is (default: %(default)s)")
    seen = argparse.ArgumentParser(add_help=False)
    seen.add_argument("--progress", action="store_true", help="show progress even if stderr is no terminal")

    command = commands.add_parser(
        "export", parents=[common, of_user], help="write tasks, instances and user_preferences, as CSV or JSON"
    )
    command.add_argument("folder", metavar="DIR", type=Path, help="is made if it is missing")
    formats = [str(format_) for format_ in transfer.Format]
    command.add_argument("--format", choices=formats, default="csv", help="default: %(default)s")
    command.set_defaults(run=_export)

    command = commands.add_parser(
        "import", parents=[common, of_user, seen], help="take such files: every row, or none and the reasons"
    )
    command.add_argument("folder", metavar="DIR", type=Path, help="holds at least one of the three files")
    command.set_defaults(run=_import)

    command = commands.add_parser("demo", parents=[common, of_user, seen], help="make believable data that end today")
    command.add_argument("--days", metavar="N", type=int, default=365, help="default: %(default)s")
    command.add_argument(
        "--per-day", metavar="M", type=float, default=6.0, help="instances a day; default: %(default)s"
    )
    command.add_argument("--seed", metavar="S", type=int, default=1, help="which life to make up; default: %(default)s")
    command.add_argument("--replace", action="store_true", help="make it in place of the demo that is there already")
    command.add_argument("--remove", action="store_true", help="remove the demo again; what is the user's own stays")
    command.set_defaults(run=_demo)

    command = commands.add_parser("tier", parents=[common, of_user], help="give the user's account another tier")
    command.add_argument("tier", metavar="TIER", choices=[str(tier) for tier in preferences.AccountTier])
    command.set_defaults(run=_tier)


def _export(database: Database, options: argparse.Namespace) -> Answer:
    with database.opened():
        written = transfer.export_to(
            database, _user(database, options.user), options.folder, transfer.Format(options.format)
        )
    return Answer(
        sentence=f"exported {_many(written.tasks, written.instances)} to {options.folder}", facts=_facts(written)
    )


def _import(database: Database, options: argparse.Namespace) -> Answer:
    with database.opened():
        user = _user(database, options.user)
        with progress(is_wanted=options.progress) as told:
            taken = transfer.import_from(database, user, options.folder, told)
    also = " and the preferences" if taken.preferences else ""
    return Answer(
        sentence=f"imported {_many(taken.tasks, taken.instances)}{also} from {options.folder}", facts=_facts(taken)
    )


def _demo(database: Database, options: argparse.Namespace) -> Answer:
    with database.opened():
        user = _user(database, options.user)
        if options.remove:
            return _remove_demo(database, user)
        with database.read() as read:
            was_there = demo.present(read, user)
        if was_there and not options.replace:
            raise InvalidInputError(
                "there is demo data already, perhaps with what you did to it since: --replace makes other data in its "
                "place, --remove takes it away; nothing was changed"
            )
        with progress(is_wanted=options.progress) as told:
            made = demo.add(
                database, user, days=options.days, per_day=options.per_day, seed=options.seed, progress=told
            )
    of_user = f" --user {shlex.quote(options.user)}" if options.user != LOCAL else ""
    remove = f"{shlex.quote(_python())} -m data demo --remove{of_user}"
    done = "replaced the demo that was there, now" if was_there else "made"
    return Answer(
        sentence=f"{done} {_many(made.tasks, made.instances)}; to remove them: {remove}",
        facts={"tasks": made.tasks, "instances": made.instances},
    )


def _python() -> str:
    """Return what to type to get this Python: its path as seen from here, where that is shorter."""
    here = os.path.relpath(sys.executable)
    return sys.executable if here.startswith("..") else here


def _remove_demo(database: Database, user: UserId) -> Answer:
    removed = demo.remove(database, user)
    if removed is None:
        return Answer(sentence="there is no demo data", facts={"tasks": 0, "instances": 0})
    return Answer(
        sentence=f"removed {_many(removed.tasks, removed.instances)} of the demo",
        facts={"tasks": removed.tasks, "instances": removed.instances},
    )


def _tier(database: Database, options: argparse.Namespace) -> Answer:
    tier = preferences.AccountTier(options.tier)
    with database.opened():
        is_new = preferences.set_account_tier(database, _user(database, options.user), tier)
    done = "has the account tier" if is_new else "had the account tier already:"
    return Answer(sentence=f"{options.user} {done} {tier}", facts={"user": options.user, "tier": str(tier)})


def _user(database: Database, name: str) -> UserId:
    names = preferences.names(database)
    if name in names:
        return names[name]
    if name == LOCAL:
        return preferences.create_user(database, LOCAL, time_zone=system_zone())
    raise UnknownRecordError(f"there is no user {name!r}{did_you_mean(name, names)}")


def _facts(counts: transfer.Counts) -> dict[str, int]:
    return {"tasks": counts.tasks, "instances": counts.instances, "preferences": counts.preferences}


def _many(tasks: int, instances: int) -> str:
    return f"{many(tasks, 'task')} and {many(instances, 'instance')}"
