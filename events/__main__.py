"""The rules' command line: `python -m events list|explain|graph|tail|check`, each with `--json`.

An entry point as `app.py` is: it puts together what lies in the packages above this one, and nobody imports it.
"""

import argparse
import atexit
import gc
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cache.pieces import ROWS
from cache.rulebook import chain, faults, graph
from cache.rulebook.judging import judge
from cache.rulebook.observing import observe
from cache.values import VALUES
from data import log as event_log
from data.database import Database
from data.errors import DataError, UnknownRecordError
from data.rehearsal import COMMANDS
from data.settings import database_url
from events import table
from events.catalog import CATALOG, Event, Logged
from events.errors import EventsError, UnknownSignalError
from events.patterns import did_you_mean
from events.ruleset import Ruleset
from events.stored import encode
from pages import inventory

POLL_SECONDS = 0.2
BATCH = 1000


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return 0, 1 for what was refused or is wrong, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m events", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every event, and what it makes stale")
    explain = commands.add_parser("explain", help="what follows from an event: rules, values, sections, pages")
    explain.add_argument("event", help="a name of events/catalog.py, such as task.completed")
    drawn = commands.add_parser("graph", help="the rules as a picture: Mermaid, or an SVG file")
    drawn.add_argument("--svg", metavar="FILE", type=Path, help="write an SVG there; otherwise Mermaid is printed")
    tail = commands.add_parser("tail", help="what happens, while it happens")
    tail.add_argument("--last", metavar="N", type=int, default=10, help="begin with the last N events (default: 10)")
    tail.add_argument("--no-follow", action="store_true", help="end after those")
    check = commands.add_parser("check", help="everything in which the tables do not fit together")
    check.add_argument(
        "--deep", action="store_true", help="run every command on made-up data and see what changes; takes a while"
    )
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args(arguments)
    try:
        return _COMMANDS[given.command](given)
    except (EventsError, DataError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # whoever read has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1


def _list(given: argparse.Namespace) -> int:
    found = _chains()
    width = max(len(one.event) for one in found)
    lines = []
    for one in found:
        patterns = dict.fromkeys(pattern for step in one.rules for pattern in step.invalidates)
        said = "the prefix that it carries" if one.carries else ", ".join(patterns) or "nothing"
        lines.append(f"{one.event:{width}}  {said}")
    return _say(given, found, lines)


def _explain(given: argparse.Namespace) -> int:
    found = next((one for one in _chains() if one.event == given.event), None)
    if found is None:
        near = did_you_mean(given.event, [event.name for event in CATALOG])
        raise UnknownSignalError(f"no event {given.event!r} in events/catalog.py{near}")
    return _say(given, found, chain.told(found))


def _graph(given: argparse.Namespace) -> int:
    rules, _ = table.read()
    found = graph.graph(rules, ROWS, inventory.parts())
    if given.svg is not None:
        given.svg.write_text(graph.svg(graph.draw(found)), encoding="utf-8", newline="\n")
        return _say(given, {"svg": str(given.svg)}, [f"wrote {given.svg}"])
    return _say(given, found, [graph.mermaid(found).rstrip("\n")])


def _tail(given: argparse.Namespace) -> int:
    url = database_url(os.environ)
    if not Path(url.partition(":///")[2]).exists():
        raise UnknownRecordError(f"there is no database at {url}: start the application once")
    ruleset = Ruleset(table.rules())
    database = Database(url)
    database.open()
    try:
        for logged in _rows(database, given.last, follow=not given.no_follow):
            prefixes = [prefix or "*" for prefix in ruleset.prefixes(logged.event)]
            _tell(given, logged, prefixes)
    finally:
        database.close()
    return 0


def _rows(database: Database, last: int, *, follow: bool) -> Iterator[Logged]:
    watch = database.watch()
    try:
        seq = max(0, watch.newest()[0] - max(last, 0))
        while True:
            while rows := watch.newer_than(seq, BATCH):
                for row in rows:
                    yield event_log.from_raw(row)
                seq = rows[-1][0]
            if not follow:
                return
            while not watch.has_news():
                time.sleep(POLL_SECONDS)
    finally:
        watch.close()


def _tell(given: argparse.Namespace, logged: Logged, prefixes: list[str]) -> None:
    event = logged.event
    if given.json:
        row = {
            "seq": logged.seq,
            "at": event.at,
            "user": event.user,
            "event": event.name,
            "fields": msgspec.Raw(encode(event).encode()),
            "invalidates": prefixes,
        }
        sys.stdout.write(msgspec.json.encode(row).decode() + "\n")
    else:
        when, stale = f"{event.at:%Y-%m-%d %H:%M:%S}", ", ".join(prefixes) or "nothing"
        sys.stdout.write(f"{logged.seq:>8}  {when}  user {event.user}  {event.name:20}  {stale}\n")
    sys.stdout.flush()


def _check(given: argparse.Namespace) -> int:
    rules, misspelt = table.read()
    found = faults.find(rules, CATALOG, ROWS, inventory.parts())
    findings = list(dict.fromkeys((*misspelt, *found, *inventory.faults())))
    lines = []
    answer: dict[str, Any] = {}
    if given.deep:
        logging.getLogger().addHandler(logging.NullHandler())  # what commands log on made-up data is no news
        judged = judge(rules, CATALOG, ROWS, observe(COMMANDS, VALUES))
        findings += judged.findings
        answer = {"commands": judged.commands, "compared": judged.compared, "idle": judged.idle}
        lines.append(f"ran {judged.commands} commands, compared {judged.compared:,} pairs of a command and a value")
        lines += [
            f"for information: {idle.where}: {idle.event} -> {idle.pattern} made no difference" for idle in judged.idle
        ]
    lines += [str(finding) for finding in findings]
    lines.append(f"{len(findings)} wrong" if findings else "nothing is wrong")
    _say(given, {**answer, "findings": findings}, lines)
    return 1 if findings else 0


_COMMANDS = {"list": _list, "explain": _explain, "graph": _graph, "tail": _tail, "check": _check}


def _chains() -> list[chain.Chain]:
    rules, _ = table.read()
    parts = inventory.parts()
    events: tuple[type[Event], ...] = CATALOG
    return [chain.chain(event, rules, ROWS, parts) for event in events]


def _say(given: argparse.Namespace, found: object, lines: list[str]) -> int:
    text = msgspec.json.format(msgspec.json.encode(found)).decode() if given.json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    atexit.register(gc.freeze)  # Python would look through all objects once more: up to a second
    sys.exit(main())
