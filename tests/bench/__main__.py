"""Measure the cache against others, all in one run: `make bench`, or `make bench ARGS=--quick`.

Afterwards what the numbers cost, which is in `numbers`; `ARGS=numbers` measures that alone, `ARGS=cache` leaves it out.
`ARGS=pages` measures the pages in a browser instead, which is in `pages`.

Prints one table and the aims, and writes the same to build/bench.json. Nothing is asserted: timings are for people.
"""

import argparse
import contextlib
import gc
import json
import logging
import os
import platform
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from data.preferences import CacheBackend
from data.sqlite import sqlite
from tests.bench import numbers, pages
from tests.bench.contenders import CONTENDERS, Contender, Diskcache
from tests.bench.measure import Cell, grow, late_store, stampede, take_turns
from tests.bench.ours import SUBSYSTEM, Ours, file_alone, value_of

SIZES = (10, 1_000, 100_000, 1_000_000)
VALUES_PER_PAGE = 10

SNAPSHOT = "snapshot.get, read before"
FIRST = "snapshot.get, first read"
PAGE = "snapshot of 10 values"
HYBRID = "get_or_load hybrid"
RESTARTED = "get_or_load after restart"
FILE = "get_or_load file"
NAMED = {backend: f"get, set {backend}" for backend in CacheBackend}
NAMED_PREFIX = NAMED[CacheBackend.MEMORY]
STORE = "FileStore alone"
RAISE = "Generations.raise_to"
OURS = (SNAPSHOT, FIRST, PAGE, HYBRID, RESTARTED, FILE, *NAMED.values(), STORE, RAISE)

HIT, SET_2, SET_30, STAMPEDE, LATE = "hit", "set 2 KB", "set 30 KB", "stampede", "late store"
INVALIDATE = {size: f"inv. {size:,}" for size in SIZES}
NEXT = {size: f"next {size:,}" for size in SIZES}
COLUMNS = (HIT, SET_2, SET_30, *INVALIDATE.values(), NEXT[1_000], NEXT[1_000_000], STAMPEDE, LATE)


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    rounds: int
    batch_seconds: float
    cell_seconds: float
    """For an invalidation, with filling up again: about as long as all its rounds may take."""
    cycle_seconds: float
    """A contender that would take longer, by what fewer keys took, is not asked."""


FULL = Pace(rounds=31, batch_seconds=0.01, cell_seconds=3.0, cycle_seconds=4.0)
QUICK = Pace(rounds=9, batch_seconds=0.004, cell_seconds=0.5, cycle_seconds=0.4)


def plain_data(rows: int) -> dict[str, Any]:
    """Return what a value of ours looks like: one row per day, of numbers with decimals and a short text."""
    return {
        "days": [
            {"day": f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}", "relief": n * 7919 % 10_000 / 100, "count": n % 9}
            for n in range(rows)
        ]
    }


SMALL, LARGE = plain_data(50), plain_data(735)


class Run:
    """One run: the folder, what is open, and all that was measured."""

    def __init__(self, folder: Path, opened: contextlib.ExitStack, pace: Pace) -> None:
        self._folder = folder
        self._opened = opened
        self._pace = pace
        self._folders = 0
        self.cells: dict[tuple[str, str], Cell] = {}
        self.words: dict[tuple[str, str], str] = {}

    def folder(self) -> Path:
        self._folders += 1
        found = self._folder / str(self._folders)
        found.mkdir()
        return found

    def contender(self, opened: contextlib.ExitStack, kind: type[Contender], **how: Any) -> Contender:
        made = kind(self.folder(), **how)
        opened.callback(made.close)
        return made

    def measure(self, column: str, samples: dict[str, Callable[[int], float]]) -> None:
        """Measure operations that may be repeated as they are. *samples* return the seconds of n operations."""
        cells = [
            Cell(name, column, lambda n, sample=sample: sample(n) / n, self._pace.rounds)  # type: ignore[misc]
            for name, sample in samples.items()
        ]
        for cell in cells:
            grow(cell, self._pace.batch_seconds)
        take_turns(cells)
        self.cells.update({(cell.contender, column): cell for cell in cells})

    # --- hits

    def hits(self) -> None:
        keys = [f"{SUBSYSTEM}.bench_{n}" for n in range(VALUES_PER_PAGE)]
        samples: dict[str, Callable[[int], float]] = {}
        with contextlib.ExitStack() as opened:
            for kind in CONTENDERS:
                other = self.contender(opened, kind)
                other.fill(keys, SMALL)
                samples[kind.name] = partial(_gets, other, keys)
            values = [value_of(f"bench_{n}", lambda: SMALL) for n in range(VALUES_PER_PAGE)]
            hybrid = Ours(opened, self.folder(), CacheBackend.HYBRID)
            hybrid.load_all(values)
            samples[SNAPSHOT] = partial(hybrid.timed_in_snapshot, values)
            samples[FIRST] = partial(hybrid.timed_first_in_snapshot, values)
            samples[PAGE] = partial(hybrid.timed_pages, values)
            samples[HYBRID] = partial(hybrid.timed_get_or_load, values)
            restarted = Ours(opened, self.folder(), CacheBackend.HYBRID)
            many = [value_of(f"bench_{n}", lambda: SMALL) for n in range(10 * VALUES_PER_PAGE)]
            restarted.load_all(many)
            samples[RESTARTED] = partial(restarted.timed_after_restart, many)
            file = Ours(opened, self.folder(), CacheBackend.FILE)
            file.load_all(values)
            samples[FILE] = partial(file.timed_get_or_load, values)
            for backend, name in NAMED.items():
                ours = Ours(opened, self.folder(), backend)
                for key in keys:
                    ours.set(key, SMALL)
                samples[name] = partial(_each, ours.get, keys)
            alone = opened.enter_context(file_alone(self.folder()))
            for key in keys:
                alone.set(key, alone.entry_of(SMALL))
            samples[STORE] = partial(_each, alone.get, keys)
            self.measure(HIT, samples)

    def sets(self, column: str, value: Any) -> None:
        keys = [f"{SUBSYSTEM}.bench_{n}" for n in range(VALUES_PER_PAGE)]
        samples: dict[str, Callable[[int], float]] = {}
        with contextlib.ExitStack() as opened:
            for kind in CONTENDERS:
                samples[kind.name] = partial(_sets, self.contender(opened, kind), keys, value)
            for backend, name in NAMED.items():
                ours = Ours(opened, self.folder(), backend)
                samples[name] = partial(_each, lambda key, ours=ours: ours.set(key, value), keys)  # type: ignore[misc]
            alone = opened.enter_context(file_alone(self.folder()))
            entry = alone.entry_of(value)
            samples[STORE] = partial(_each, lambda key: alone.set(key, entry), keys)
            self.measure(column, samples)

    # --- invalidation

    def invalidations(self) -> None:
        with contextlib.ExitStack() as opened:
            keys = [f"{SUBSYSTEM}.bench.k{n:07}" for n in range(max(SIZES))]
            cells: list[Cell] = []
            raises = []
            for size in SIZES:
                ours = Ours(opened, self.folder(), CacheBackend.MEMORY, max_size_mb=4096)
                ours.fill(keys[:size], 1)
                value = value_of("trivial", lambda: 1)
                ours.manager.get_or_load(value, ours.user)
                read = partial(ours.manager.get_or_load, value, ours.user)
                cells += self._invalidation(HYBRID, size, partial(ours.timed_invalidation, f"{SUBSYSTEM}.*", read))
                read = partial(ours.get_or_set, keys[0], lambda: 1)
                cells += self._invalidation(
                    NAMED_PREFIX, size, partial(ours.timed_invalidation, f"{SUBSYSTEM}.bench.*", read)
                )
                raises.append(Cell(RAISE, INVALIDATE[size], lambda n, o=ours: o.timed_raises(n) / n, self._pace.rounds))
            for kind in CONTENDERS:
                took, before = 0.0, SIZES[1]  # fewer keys say nothing about the time for more
                for size in SIZES:
                    if took * size / before > self._pace.cycle_seconds:
                        break
                    how: dict[str, Any] = {"tag_index": True} if kind is Diskcache else {}
                    other = self.contender(opened, kind, **how)
                    began = time.perf_counter()
                    other.fill(keys[:size], 1)
                    cells += self._invalidation(kind.name, size, partial(_invalidation, other, keys[:size]))
                    if size >= SIZES[1]:
                        took, before = time.perf_counter() - began, size
            for cell in raises:
                grow(cell, self._pace.batch_seconds)
            take_turns(cells + raises)
            for cell in cells + raises:
                if cell.seconds:
                    self.cells[cell.contender, cell.column] = cell

    def _invalidation(self, name: str, size: int, act: Callable[[], tuple[float, float]]) -> list[Cell]:
        """Return two cells that are filled together: the invalidation, and the read after it."""
        began = time.perf_counter()
        act()  # the warm-up, which says how often it can be done
        rounds = max(3, min(self._pace.rounds, int(self._pace.cell_seconds / (time.perf_counter() - began))))
        following = Cell(name, NEXT[size], lambda _: 0.0, 0)

        def sample(_: int) -> float:
            seconds, after = act()
            following.seconds.append(after)
            return seconds

        return [Cell(name, INVALIDATE[size], sample, rounds), following]

    # --- many readers, and one that comes late

    def stampedes(self) -> None:
        """Each has its turns, three times; the table says the most loads there were."""
        with contextlib.ExitStack() as opened:
            acts: dict[str, Callable[[], tuple[int, float]]] = {}
            for kind in CONTENDERS:
                acts[kind.name] = partial(_stampede, self.contender(opened, kind))
            ours = Ours(opened, self.folder(), CacheBackend.HYBRID)
            acts[HYBRID] = partial(_our_stampede, ours)
            acts[NAMED_PREFIX] = partial(_our_stampede_by_name, Ours(opened, self.folder(), CacheBackend.MEMORY))
            found: dict[str, list[tuple[int, float]]] = {name: [] for name in acts}
            for _ in range(3):
                for name, act in acts.items():
                    found[name].append(act())
            for name, turns in found.items():
                most = max(loads for loads, _ in turns)
                self.words[name, STAMPEDE] = f"{most} load{'s' * (most != 1)}"
                cell = Cell(name, STAMPEDE, lambda _: 0.0, len(turns), seconds=[seconds for _, seconds in turns])
                self.cells[name, STAMPEDE] = cell

    def late_stores(self) -> None:
        with contextlib.ExitStack() as opened:
            for kind in CONTENDERS:
                other = self.contender(opened, kind)
                self.words[kind.name, LATE] = late_store(
                    partial(other.get_or_load, "late.store"), partial(other.invalidate, "late.")
                )
            for name, backend in ((HYBRID, CacheBackend.HYBRID), (FILE, CacheBackend.FILE)):
                ours = Ours(opened, self.folder(), backend)
                self.words[name, LATE] = late_store(
                    _loading(ours, "late"), partial(ours.manager.invalidate, f"{SUBSYSTEM}.*")
                )
            for backend, name in NAMED.items():
                ours = Ours(opened, self.folder(), backend)
                self.words[name, LATE] = late_store(
                    partial(ours.get_or_set, "late"), partial(ours.manager.invalidate, f"{SUBSYSTEM}.*")
                )


def _gets(other: Contender, keys: Sequence[str], n: int) -> float:
    return other.timed_gets(list(islice(cycle(keys), n)))


def _sets(other: Contender, keys: Sequence[str], value: Any, n: int) -> float:
    return other.timed_sets(list(islice(cycle(keys), n)), value)


def _each(act: Callable[[str], Any], keys: Sequence[str], n: int) -> float:
    arguments = list(islice(cycle(keys), n))
    began = time.perf_counter()
    for argument in arguments:
        act(argument)
    return time.perf_counter() - began


def _invalidation(other: Contender, keys: Sequence[str]) -> tuple[float, float]:
    began = time.perf_counter()
    other.invalidate(f"{SUBSYSTEM}.bench.")
    done = time.perf_counter()
    other.get_or_load(keys[0], lambda: 1)
    after = time.perf_counter()
    other.fill(keys, 1)
    return done - began, after - done


def _stampede(other: Contender) -> tuple[int, float]:
    other.invalidate("stampede.")
    return stampede(partial(other.get_or_load, "stampede.key"))


def _loading(ours: Ours, name: str) -> Callable[[Callable[[], Any]], Any]:
    """Return a function that reads one value, with the loader of the moment."""
    loaders: list[Callable[[], Any]] = []
    value = value_of(name, lambda: loaders[-1]())

    def read(loader: Callable[[], Any]) -> Any:
        loaders.append(loader)
        return ours.manager.get_or_load(value, ours.user)

    return read


def _our_stampede(ours: Ours) -> tuple[int, float]:
    ours.manager.invalidate(f"{SUBSYSTEM}.*")
    return stampede(_loading(ours, "stampede"))


def _our_stampede_by_name(ours: Ours) -> tuple[int, float]:
    ours.manager.invalidate(f"{SUBSYSTEM}.*")
    return stampede(partial(ours.get_or_set, "stampede"))


# --- what is said about it

AIMS: tuple[tuple[str, tuple[str, str], float, tuple[str, str]], ...] = (
    ("hit in a snapshot, read in it before", (SNAPSHOT, HIT), 8.0, ("dict", HIT)),
    ("hit in a snapshot, first read in it", (FIRST, HIT), 8.0, ("dict", HIT)),
    ("strict hit", (HYBRID, HIT), 0.6, ("sqlite3 by key", HIT)),
    ("strict hit, by name, memory", (NAMED[CacheBackend.MEMORY], HIT), 0.6, ("sqlite3 by key", HIT)),
    ("strict hit, by name, hybrid", (NAMED[CacheBackend.HYBRID], HIT), 0.6, ("sqlite3 by key", HIT)),
    ("disk hit, hybrid after a restart", (RESTARTED, HIT), 1.0, ("diskcache", HIT)),
    ("disk hit, backend file", (FILE, HIT), 1.0, ("diskcache", HIT)),
    ("disk hit, by name, file", (NAMED[CacheBackend.FILE], HIT), 1.0, ("diskcache", HIT)),
    ("disk hit, FileStore alone", (STORE, HIT), 1.0, ("diskcache", HIT)),
    *(
        (f"{column}, {what}", (name, column), 1.3, ("diskcache", column))
        for column in (SET_2, SET_30)
        for what, name in (("memory", NAMED[CacheBackend.MEMORY]), ("file", NAMED[CacheBackend.FILE]),
                           ("hybrid", NAMED[CacheBackend.HYBRID]), ("FileStore alone", STORE))
    ),
    ("invalidation of a subsystem, 1,000,000 keys", (HYBRID, INVALIDATE[1_000_000]), 1.2, (HYBRID, INVALIDATE[10])),
    ("invalidation of a prefix by name, 1,000,000 keys", (NAMED_PREFIX, INVALIDATE[1_000_000]), 1.2,
     (NAMED_PREFIX, INVALIDATE[10])),
    ("raising a generation, 1,000,000 keys", (RAISE, INVALIDATE[1_000_000]), 1.2, (RAISE, INVALIDATE[10])),
)  # fmt: skip


def time_of(seconds: float) -> str:
    """Return *seconds* with three digits and a unit."""
    unit, factor = ("us", 1e6) if seconds < 999.5e-6 else ("ms", 1e3) if seconds < 999.5e-3 else ("s", 1.0)
    number = seconds * factor
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f} {unit}"


def table(run: Run) -> str:
    """Return the table: per contender a line of medians, and under it the p25 and p75 of the same."""
    lines = [["", *COLUMNS]]
    for name in (*(kind.name for kind in CONTENDERS), *OURS):
        medians, spreads = [f"ours: {name}" if name in OURS else name], [""]
        for column in COLUMNS:
            cell = run.cells.get((name, column))
            word = run.words.get((name, column))
            medians.append(word or (time_of(cell.median) if cell else "-"))
            if word and cell:
                spreads.append(time_of(cell.median))
            elif cell:
                low, high = (time_of(seconds).split() for seconds in cell.quartiles)
                spreads.append(f"{low[0]}-{high[0]}" if low[1] == high[1] else f"{' '.join(low)}-{' '.join(high)}")
            else:
                spreads.append("")
        lines += [medians, spreads]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    text = ""
    for line in lines:
        first, *others = (part.ljust(width) if n == 0 else part.rjust(width)
                          for n, (part, width) in enumerate(zip(line, widths, strict=True)))  # fmt: skip
        text += "  ".join([first, *others]).rstrip() + "\n"
    return text


def aims(run: Run) -> list[dict[str, Any]]:
    """Return each aim with the ratio of the medians."""
    found = []
    for what, ours, most, baseline in AIMS:
        if ours in run.cells and baseline in run.cells:
            ratio = run.cells[ours].median / run.cells[baseline].median
            found.append({
                "what": what, "ratio": ratio, "at_most": most, "met": ratio <= most,
                "ours": " / ".join(ours), "baseline": " / ".join(baseline),
            })  # fmt: skip
    return found


def environment(quick: bool) -> dict[str, Any]:
    """Return what the figures depend on."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("cachetools", "cachebox", "dogpile.cache", "cashews", "diskcache")
    return {
        "command": "make bench" + (" ARGS=--quick" if quick else ""),
        "python": platform.python_version(),
        "sqlite": {"ours": sqlite.sqlite_version, "others": sqlite3.sqlite_version},
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": usable,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: version(name) for name in names},
        "value_bytes": {"2 KB": len(msgspec.msgpack.encode(SMALL)), "30 KB": len(msgspec.msgpack.encode(LARGE))},
    }


def report(run: Run, about: dict[str, Any]) -> str:
    """Return all that is printed."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    text = (
        f"Python {about['python']}, SQLite {about['sqlite']['ours']} (ours) and {about['sqlite']['others']} (others), "
        f"{about['machine']}, {about['cpus']} CPUs, load {about['load_before']} before\n{versions}\n\n"
        f"{table(run)}\n"
        f"Medians of up to {about['rounds']} rounds, below them p25-p75; "
        "below the loads of a stampede the time until all 100 had it.\n"
        "The seconds of one operation; -: not offered, or it would take too long.\n\n"
    )
    for aim in aims(run):
        text += f"{'met   ' if aim['met'] else 'MISSED'}  {aim['ratio']:8.2f} x {aim['baseline']}"
        text += f"  (aim: {aim['at_most']:g})  {aim['what']}\n"
    return text + f"\n{about['seconds']:.0f} s, at most {about['peak_mb']:.0f} MB of memory; also in build/bench.json\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=["cache", "numbers", "pages"], help="only that")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and none that take long: about 30 s")
    parser.add_argument("--million", action="store_true", help="numbers of a million instances as well")
    given, rest = parser.parse_known_args()
    quick = given.quick
    if given.what == "pages":
        pages.main((["--quick"] if quick else []) + rest)
        return
    if given.what != "cache":
        numbers.main([f"--{flag}" for flag in ("quick", "million") if getattr(given, flag)] + rest)
    if given.what == "numbers":
        return
    gc.disable()  # as in `timeit`: with a million keys in memory a collection takes longer than what is measured
    logging.disable(logging.CRITICAL)  # a line per invalidation is written to nowhere
    pace = QUICK if quick else FULL
    began = time.perf_counter()
    about = environment(quick) | {"rounds": pace.rounds}
    build = Path("build")
    build.mkdir(exist_ok=True)
    with contextlib.ExitStack() as opened:
        # Beside the checkout's own files: /tmp may be memory.
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=build))
        run = Run(Path(folder).resolve(), opened, pace)
        for step in (run.hits, partial(run.sets, SET_2, SMALL), partial(run.sets, SET_30, LARGE), run.invalidations,
                     run.stampedes, run.late_stores):  # fmt: skip
            since = time.perf_counter()
            step()
            what = step.func.__name__ if isinstance(step, partial) else step.__name__
            sys.stderr.write(f"{what} {time.perf_counter() - since:.0f} s\n")
    about["seconds"] = round(time.perf_counter() - began, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    about["peak_mb"] = peak / (2**20 if sys.platform == "darwin" else 2**10)
    cells = [
        {
            "contender": name,
            "column": column,
            "median_us": cell.median * 1e6,
            "p25_us": cell.quartiles[0] * 1e6,
            "p75_us": cell.quartiles[1] * 1e6,
            "rounds": len(cell.seconds),
            "operations_per_round": cell.operations,
        }
        for (name, column), cell in run.cells.items()
    ]
    words = [{"contender": name, "column": column, "word": word} for (name, column), word in run.words.items()]
    found = {"about": about, "cells": cells, "words": words, "aims": aims(run)}
    (build / "bench.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sys.stdout.write(report(run, about))


if __name__ == "__main__":
    main()
