"""What a kill or a power cut leaves of the cache folder: `python -m tests.cache.power --kills 500 --cuts 200`.

After each, the tier must open, and whatever it hands out must be what was stored with that `as_of`. Prints what was
found; the test beside it runs a few of each.
"""

import argparse
import logging
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

from tests.cache.places import entry, file_store, noise, place

KEYS = 40


class Found(NamedTuple):
    """Counts over all rounds. *wrong* is what must be 0."""

    rounds: int
    values: int
    misses: int
    wrong: int


def value_of(key: int, as_of: int) -> list[object]:
    """What is stored under *key* as of *as_of*: anything else under these two is wrong."""
    return [key, as_of, noise(key * 1_000_003 + as_of, 50 + (key * 7919 + as_of * 104_729) % 12_000)]


def write(folder: Path, first: int, sets: int | None = None, began: Event | None = None) -> None:
    """Store values of rising `as_of`, *sets* of them or for ever."""
    store = file_store(folder)
    number = first
    while sets is None or number < first + sets:
        store.set(place(f"a.k{number % KEYS}"), entry(value_of(number % KEYS, number), as_of=number))
        number += 1
        if began is not None and number == first + KEYS:
            began.set()
    store.close()


def check(folder: Path) -> tuple[int, int, int]:
    """Return how many values are found, missed and wrong, and see that the tier takes new ones."""
    store = file_store(folder)
    values = misses = wrong = 0
    for key in range(KEYS):
        kept = store.get(place(f"a.k{key}"))
        if kept is None:
            misses += 1
        else:
            values += 1
            wrong += kept.value != value_of(key, kept.as_of)
    if not store.set(place("a.new"), entry()) or store.get(place("a.new")) != entry():
        raise RuntimeError("it takes nothing any more")
    store.close()
    return values, misses, wrong


def kills(folder: Path, rounds: int, seed: int = 1) -> Found:
    """Kill -9 a process that stores without pause, at a random moment, again and again on one folder."""
    chance, totals = random.Random(seed), [0, 0, 0]
    context = multiprocessing.get_context("spawn")
    for number in range(rounds):
        began = context.Event()
        writer = context.Process(target=write, args=(folder, 1_000_000 * (number + 1), None, began), daemon=True)
        writer.start()
        if not began.wait(30):
            raise RuntimeError("the writer never began")
        time.sleep(chance.uniform(0, 0.05))
        writer.kill()
        writer.join(30)
        if writer.exitcode != -signal.SIGKILL:
            raise RuntimeError(f"the writer ended by itself, with {writer.exitcode}")
        totals = [total + more for total, more in zip(totals, check(folder), strict=True)]
    return Found(rounds, *totals)


def cuts(folder: Path, rounds: int, seed: int = 1) -> Found:
    """Cut the log where it had not reached the disk, and put back pages of the database that had not."""
    chance, totals = random.Random(seed), [0, 0, 0]
    for number in range(rounds):
        living, earlier, left = folder / "living", folder / "earlier", folder / "left"
        for each in (living, earlier, left):
            shutil.rmtree(each, ignore_errors=True)
        store = file_store(living)
        for at in range(chance.randrange(1, 120)):
            store.set(place(f"a.k{at % KEYS}"), entry(value_of(at % KEYS, at), as_of=at))
        shutil.copytree(living, earlier)
        for at in range(1_000, 1_000 + chance.randrange(1, 120)):
            store.set(place(f"a.k{at % KEYS}"), entry(value_of(at % KEYS, at), as_of=at))
        shutil.copytree(living, left)
        store.close()
        (left / "cache.db-shm").unlink(missing_ok=True)  # it is memory
        log = left / "cache.db-wal"
        log.write_bytes(log.read_bytes()[: chance.randrange(log.stat().st_size + 1)])
        if number % 2:
            _put_back_pages(left / "cache.db", earlier / "cache.db", chance)
        totals = [total + more for total, more in zip(totals, check(left), strict=True)]
    return Found(rounds, *totals)


def _put_back_pages(database: Path, earlier: Path, chance: random.Random) -> None:
    now, then = bytearray(database.read_bytes()), earlier.read_bytes()
    for at in range(0, len(now), 4096):
        if chance.random() < 0.2:
            now[at : at + 4096] = then[at : at + 4096].ljust(4096, b"\0")
    database.write_bytes(now)


def main() -> int:
    """Run both; the exit code says whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cache.power", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=200)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the damage is meant
    wrong = 0
    for name, act, rounds in (("kills", kills, given.kills), ("cuts", cuts, given.cuts)):
        with tempfile.TemporaryDirectory() as folder:
            found = act(Path(folder), rounds)
        wrong += found.wrong
        sys.stdout.write(f"{name}: {found}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
