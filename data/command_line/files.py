"""The commands about the database as a whole: `backup`, `restore`, `check`. None needs it to be in order."""

import argparse
from pathlib import Path
from typing import Any

from data import backup, check, restore
from data.command_line.answer import Answer, many, progress
from data.database import Database


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add these commands to the parser."""
    command = commands.add_parser(
        "backup", parents=[common], help="write a copy of the whole database, also while the app runs"
    )
    command.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        help="must not exist; default: a new one in backups/ beside the database",
    )
    command.set_defaults(run=_backup)

    command = commands.add_parser(
        "restore", parents=[common], help="make everything as in a backup, also while the app runs"
    )
    command.add_argument("file", metavar="FILE", type=Path, help="a backup; what is there now is kept as another one")
    command.add_argument("--progress", action="store_true", help="show progress even if stderr is no terminal")
    command.set_defaults(run=_restore)

    command = commands.add_parser("check", parents=[common], help="look whether the database, or a backup, is sound")
    command.add_argument("file", metavar="FILE", type=Path, nargs="?", help="default: the database")
    command.add_argument("--quick", action="store_true", help="leave out indexes, and reading every row")
    command.set_defaults(run=_check)


def _backup(database: Database, options: argparse.Namespace) -> Answer:
    target = options.file or backup.path_for(database.file, "backup", database.clock())
    made = backup.backup(database, target)
    size = made.stat().st_size
    return Answer(
        sentence=f"wrote {made} ({size / 1e6:,.1f} MB) and read it back", facts={"file": str(made), "bytes": size}
    )


def _restore(database: Database, options: argparse.Namespace) -> Answer:
    with progress(is_wanted=options.progress) as told:
        done = restore.restore(database, options.file, told)
    kept = f"; what was there before is in {done.kept}" if done.kept else ""
    return Answer(
        sentence=f"restored {many(done.users, 'user')}, {many(done.tasks, 'task')} and "
        f"{many(done.instances, 'instance')}{kept}",
        facts={
            "users": done.users,
            "tasks": done.tasks,
            "instances": done.instances,
            "kept": str(done.kept) if done.kept else None,
        },
    )


def _check(database: Database, options: argparse.Namespace) -> Answer:
    file = options.file or database.file
    report = check.check(file, quick=options.quick)
    facts = {
        "file": str(file),
        "sound": not report.problems,
        "problems": list(report.problems),
        "version": report.version,
        "seq": report.seq,
        "rows": report.rows,
    }
    if report.problems:
        lines = [f"{file} is not sound:", *(f"  {problem}" for problem in report.problems)]
        if options.file is None:
            lines.append(f"To repair it, {backup.remedy(file)}")
        return Answer(sentence="\n".join(lines), facts=facts, is_good=False)
    if options.quick:
        looked = "looked at pages, references and the log; without --quick also at indexes and rows"
    elif report.rows:
        looked = f"read {sum(report.rows.values()):,} rows"
    else:
        looked = f"of version {report.version}, so its rows were not read"
    return Answer(sentence=f"{file} is sound, its log ends with row {report.seq} ({looked})", facts=facts)
