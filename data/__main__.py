"""The command line: `python -m data COMMAND`. May be used while the app runs. The commands are in `command_line`.

Exit codes: 0, 1 for what was refused, failed or found unsound (a sentence on stderr), 2 for a wrong command line.
"""

import argparse
import atexit
import gc
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from data.command_line import files, rows
from data.command_line.answer import Answer
from data.database import Database
from data.errors import DataError
from data.settings import database_url


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Raises:
        SystemExit: with code 2, the command line is wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        answer: Answer = options.run(Database(database_url(os.environ)), options)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or options.command}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    _allow_any_name(sys.stdout)
    stream = sys.stdout if answer.is_good or options.json else sys.stderr
    stream.write((json.dumps(answer.facts) if options.json else answer.sentence) + "\n")
    return 0 if answer.is_good else 1


def _allow_any_name(stream: TextIO) -> None:
    """Let *stream* say names of files that are no text, as stderr does by itself."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="write the result as JSON")
    parser = argparse.ArgumentParser(prog="python -m data", description="Data out, data in, made-up data, and backups.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for family in (rows, files):
        family.add_to(commands, common)
    return parser


if __name__ == "__main__":
    atexit.register(gc.freeze)  # Python would look through all objects once more: up to a second
    sys.exit(main())
