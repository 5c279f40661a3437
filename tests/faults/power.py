"""What a kill or a power cut leaves of the cache folder, and of the database beside it.

After each, the tier must open, and whatever it hands out must be what was stored with that `as_of`; after a cut in
both, every value that the house hands out must equal a fresh load.
"""

import multiprocessing
import random
import shutil
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

from data import instances, tasks
from data.preferences import CacheBackend
from tests.cache.places import entry, file_store, noise, place
from tests.cache.probes import probe
from tests.house import House, open_house

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


def cuts_in_both(folder: Path, rounds: int, seed: int = 1) -> Found:
    """Cut the logs of database and cache folder where they had not reached the disk, each at a place of its own.

    Further events follow, so that the log becomes as long as it was, or longer.
    """
    chance, totals = random.Random(seed), [0, 0, 0]
    count = probe()
    for _ in range(rounds):
        living, left = folder / "living", folder / "left"
        for each in (living, left):
            shutil.rmtree(each, ignore_errors=True)
        with open_house(living) as house:
            for _ in range(chance.randrange(1, 6)):
                complete_one(house)
                house.manager.get_or_load(count, house.user)
            shutil.copytree(living, left)
        for log in (left / "state" / "reprieve.db-wal", left / "cache" / "cache.db-wal"):
            log.with_name(log.name.replace("-wal", "-shm")).unlink()  # it is memory
            log.write_bytes(log.read_bytes()[: chance.randrange(log.stat().st_size + 1)])
        for more in (0, chance.randrange(1, 8)):
            with open_house(left, backend=CacheBackend.MEMORY) as house:
                for _ in range(more):
                    complete_one(house)
            with open_house(left) as house, house.manager.snapshot(house.user) as snapshot:
                kept = snapshot.kept(count)
                totals[0] += kept is not None
                totals[1] += kept is None
                totals[2] += snapshot.get(count) != snapshot.load(count)
    return Found(rounds, *totals)


def complete_one(house: House) -> None:
    task = tasks.create(house.database, house.user, name="Tax return")
    instances.complete(house.database, house.user, instances.plan(house.database, house.user, task))
