"""All orders in which a few actors can meet in the cache: `python -m tests.cache.orders`.

An actor runs real code (the manager, a command, another process's commit) and stands still at chosen seams; only one
moves at a time. What it does between two seams is a turn, so an order of turns says exactly what happened, and all
orders of three actors with four turns each are 34,650. Who moves is in `actors`, where and what must hold in `stage`,
which actors meet in `models`; `mutants` are mistakes that some order has to find.
"""

import argparse
import contextlib
import gc
import itertools
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.preferences import CacheBackend
from tests.cache.models import MODELS
from tests.cache.mutants import MUTANTS
from tests.cache.stage import THOROUGH_EVERY, Order, Stage

SOMEWHERE_FAST = Path("/dev/shm")


def orders(*turns: int) -> Iterator[Order]:
    """All orders of actors with so many turns each."""

    def go_on(left: list[int], so_far: list[int]) -> Iterator[Order]:
        if not any(left):
            yield tuple(so_far)
            return
        for at, number in enumerate(left):
            if number:
                left[at] -= 1
                so_far.append(at)
                yield from go_on(left, so_far)
                so_far.pop()
                left[at] += 1

    return go_on(list(turns), [])


@dataclass
class Outcome:
    """What came of some orders."""

    ran: int = 0
    cpu_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


@contextlib.contextmanager
def stage_for(backend: CacheBackend, thorough_every: int = THOROUGH_EVERY) -> Iterator[Stage]:
    """A stage on a disk that is as fast as there is."""
    folder = SOMEWHERE_FAST if os.access(SOMEWHERE_FAST, os.W_OK) else None
    with contextlib.ExitStack() as opened:
        where = opened.enter_context(tempfile.TemporaryDirectory(prefix="orders-", dir=folder))
        yield Stage(Path(where), backend, opened, thorough_every)


def run_all(stage: Stage, name: str, some: Sequence[Order], *, stop_after: int = 3) -> Outcome:
    """Run orders of the model called *name*, until so many went wrong."""
    outcome, began = Outcome(), time.process_time()
    for order in some:
        outcome.ran += 1
        try:
            stage.run(MODELS[name], order)
        except Exception as error:  # noqa: BLE001  # reported with its order
            letters = "".join("ABC"[at] for at in order)
            outcome.wrong.append(
                f"{name} {stage.backend} {letters}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            )
            if len(outcome.wrong) >= stop_after:
                break
    outcome.cpu_seconds = time.process_time() - began
    return outcome


def _share(
    name: str, backend: CacheBackend, mutant: str | None, every: int, thorough_every: int, share: int, shares: int
) -> Outcome:
    some = list(itertools.islice(orders(*MODELS[name].turns), 0, None, every))[share::shares]
    gc.freeze()
    gc.set_threshold(50_000)  # all that lives long has been made
    with stage_for(backend, thorough_every) as stage, MUTANTS[mutant].planted() if mutant else contextlib.nullcontext():
        return run_all(stage, name, some)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run whole sets of orders; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cache.orders", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", choices=MODELS, action="append", help="one of them only (may be repeated)")
    parser.add_argument("--backend", choices=[backend.value for backend in CacheBackend], action="append")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th order only")
    parser.add_argument(
        "--thorough-every", type=int, default=THOROUGH_EVERY, metavar="N", help="every N-th order the long way (1: all)"
    )
    parser.add_argument("--mutant", choices=MUTANTS, help="plant this mistake first")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for backend in options.backend or [backend.value for backend in CacheBackend]:
            for name in options.model or MODELS:
                began = time.perf_counter()
                share = (name, CacheBackend(backend), options.mutant, options.every, options.thorough_every)
                outcomes = pool.starmap(_share, [(*share, at, options.workers) for at in range(options.workers)], 1)
                found = [line for outcome in outcomes for line in outcome.wrong]
                wrong += found
                ran, seconds = sum(outcome.ran for outcome in outcomes), time.perf_counter() - began
                ms = 1000 * sum(outcome.cpu_seconds for outcome in outcomes) / ran
                took = f"{seconds:6.1f} s, {ms:4.2f} ms of CPU each"
                sys.stdout.write(f"{backend:7} {name:11} {ran:6} orders in {took}  {len(found)} wrong\n")
                sys.stdout.writelines(f"    {line}\n" for line in found)
                sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
