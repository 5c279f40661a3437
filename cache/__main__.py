"""The cache's command line: `python -m cache stats|why|clear|audit`, each with `--json`.

Looks at the folder on disk and at the log, beside a running application or without one. What only the running process
knows (hits, misses, its memory) is at its `/metrics`.
"""

import argparse
import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from cache.auditor import Auditor
from cache.costs import measure
from cache.errors import CacheError, UnknownNameError
from cache.manager import CacheManager
from cache.pieces import KEYS, PIECES
from cache.settings import CacheSettings
from cache.values import PREFERENCES, VALUES, Value
from cache.why import Why
from data import preferences
from data.database import Database
from data.errors import DataError, UnknownRecordError
from data.feed import Feed
from data.preferences import CacheBackend
from data.settings import database_url
from data.viewpoint import Viewpoint
from events import table
from events.bus import Bus
from events.catalog import UserId
from events.errors import EventsError
from events.patterns import covers, did_you_mean
from events.ruleset import Ruleset


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return 0, 1 for what was refused or differs, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m cache", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("stats", help="what is on disk, and how long the log is")
    why = commands.add_parser("why", help="why a value is fresh or stale for a user")
    why.add_argument("key", help="such as dashboard.metrics, pieces.months or dashboard.metrics.2026-11-22")
    why.add_argument("--load", action="store_true", help="load it as well, and say what that takes, part by part")
    clear = commands.add_parser("clear", help="drop what is on disk; costs warmth and nothing else")
    audit = commands.add_parser("audit", help="compare what is kept and fresh with a fresh load")
    for command in (why, clear, audit):
        command.add_argument("--user", help="whose (a name); the local user, or everybody where that makes sense")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args(arguments)
    try:
        with _opened() as (database, manager):
            return _COMMANDS[given.command](given, database, manager)
    except (CacheError, DataError, EventsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _stats(given: argparse.Namespace, database: Database, manager: CacheManager) -> int:
    tiers = [tier for tier in manager.get_cache_stats().tiers if tier.tier == "file"]
    with database.read() as read:
        found = {"log_seq": read.seq, "tiers": tiers}
    lines = [f"log      newest event {read.seq:,}"]
    lines += [
        f"{tier.tier:8} {tier.entries:,} entries, {tier.size_bytes / 2**20:.1f} of {tier.max_size_bytes / 2**20:.0f} MB"
        for tier in tiers
    ]
    return _say(given, found, lines)


def _why(given: argparse.Namespace, database: Database, manager: CacheManager) -> int:
    user = _user(database, given.user) or preferences.LOCAL_USER
    with manager.snapshot(user) as snapshot:
        values = _meant(given.key, snapshot.view, manager.kept_parts(user))
        backend = manager.settings.backend_for(snapshot.view.profile)
        found = []
        for value in values:
            why = snapshot.why(value)
            # What this process has loaded for itself is not what the application has.
            is_hidden = value is PREFERENCES or backend is CacheBackend.MEMORY
            found.append(_of_another_process(why) if is_hidden else why)
        costs = [snapshot.query(partial(measure, value)) for value in values] if given.load else []
    lines = []
    for number, why in enumerate(found):
        lines += [*_told(why), *(costs[number].told() if costs else [])]
    answer = [{"why": why, "cost": cost} for why, cost in zip(found, costs, strict=True)] if costs else found
    return _say(given, answer[0] if given.key not in _PARTED else answer, lines)


def _meant(key: str, view: Viewpoint, kept: Sequence[Value[Any]]) -> Sequence[Value[Any]]:
    """Return the value that *key* names, or all that is kept of a value that is kept in parts."""
    for value in VALUES:
        if key == value.key or key == value.key_for(view):
            return [value]
        if covers(value.key, key):
            raise UnknownNameError(f"{key!r} is not read now: {value.key} is kept under {value.key_for(view)}")
    if key in _PARTED:
        parts = [value for value in kept if value.key == key]
        if not parts:
            raise UnknownNameError(f"no part of {key!r} is kept: the next value that needs one loads it")
        return parts
    for row in PIECES:
        if covers(row.key, key):
            part = next((value for value in kept if value.key_for(view) == key), None)
            if part is None:
                known = ", ".join(sorted(value.part for value in kept if value.key == row.key)) or "none"
                raise UnknownNameError(f"{key!r} is not kept; of {row.key} there are {known}")
            return [part]
    raise UnknownNameError(f"no value {key!r} in cache/values.py or cache/pieces.py" + did_you_mean(key, KEYS))


def _of_another_process(why: Why) -> Why:
    verdict = "it is kept in the memory of each process, and what the application has there cannot be seen from here"
    return msgspec.structs.replace(
        why, state="unknown", verdict=verdict, as_of=None, loaded_at=None, load_ms=None, size_bytes=None
    )


def _told(why: Why) -> list[str]:
    lines = [f"{why.key} of user {why.user} is {_STATES.get(why.state, why.state)}: {why.verdict}"]
    if why.cause is not None:
        at = f" at {why.cause.at:%Y-%m-%d %H:%M:%S} UTC" if why.cause.at else ""
        lines.append(f"last invalidated by {why.cause.event}{at}, event {why.cause.seq}, as {why.cause.prefix}")
    if why.as_of is not None:
        loaded = f"{why.loaded_at:%Y-%m-%d %H:%M:%S} UTC in {why.load_ms:.1f} ms"
        lines.append(f"kept: {why.size_bytes:,} bytes, loaded {loaded}")
    return lines


def _clear(given: argparse.Namespace, database: Database, manager: CacheManager) -> int:
    dropped = manager.clear(_user(database, given.user))
    return _say(given, {"dropped": dropped}, [f"dropped {dropped:,} entries; pages are right without them"])


def _audit(given: argparse.Namespace, database: Database, manager: CacheManager) -> int:
    only = _user(database, given.user)
    auditor = Auditor(manager)
    for user in [only] if only else preferences.names(database).values():
        auditor.check_all(user)
    report = auditor.report()
    differs = [f"{found.key} of user {found.user}" for found in report.differences]
    details = [
        f"{where}, computed as of event {found.as_of}, at {found.place}: {found.example}"
        for where, found in zip(differs, report.differences, strict=True)
    ]
    _say(given, {"checked": report.checked, "differs": differs}, [report.sentence, *details])
    return 1 if report.differed else 0


_PARTED = tuple(row.key for row in PIECES)
_STATES = {"miss": "not kept"}
_COMMANDS = {"stats": _stats, "why": _why, "clear": _clear, "audit": _audit}


def _say(given: argparse.Namespace, found: object, lines: list[str]) -> int:
    text = msgspec.json.format(msgspec.json.encode(found)).decode() if given.json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    return 0


def _user(database: Database, name: str | None) -> UserId | None:
    if name is None:
        return None
    users = preferences.names(database)
    if name not in users:
        raise UnknownRecordError(f"there is no user {name!r}" + did_you_mean(name, users))
    return users[name]


@contextlib.contextmanager
def _opened() -> Iterator[tuple[Database, CacheManager]]:
    settings = CacheSettings.from_environment(os.environ)
    url = database_url(os.environ)
    if not Path(url.partition(":///")[2]).exists():
        raise UnknownRecordError(f"there is no database at {url}: start the application once")
    bus, database = Bus(), Database(url)
    feed = Feed(database, bus)
    manager = CacheManager(database, feed, bus, Ruleset(table.rules()), settings)
    with contextlib.ExitStack() as opened:
        database.open()
        opened.callback(database.close)
        manager.start()
        opened.callback(manager.stop)
        feed.start()
        opened.callback(feed.stop)
        yield database, manager


if __name__ == "__main__":
    atexit.register(gc.freeze)  # Python would look through all objects once more: up to a second
    sys.exit(main())
