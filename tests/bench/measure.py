"""How things are timed: batches, in rounds in which everybody has a turn, and what is said about the samples.

Which operations there are is in `contenders` and `ours`.
"""

import gc
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

PATIENCE_SECONDS = 30.0


@dataclass
class Cell:
    """One contender in one column. *sample* measures a batch of n operations and returns seconds per operation."""

    contender: str
    column: str
    sample: Callable[[int], float]
    rounds: int
    operations: int = 1
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        if len(self.seconds) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high


def timed(act: Callable[[Any], Any], arguments: Iterable[Any]) -> float:
    """Return the seconds that *act* takes for all of *arguments*, the loop included."""
    began = time.perf_counter()
    for argument in arguments:
        act(argument)
    return time.perf_counter() - began


def grow(cell: Cell, batch_seconds: float, most: int = 1_000_000) -> None:
    """Warm *cell* up: double its batch until it takes *batch_seconds*, the quicker of two."""
    while cell.operations < most:
        quicker = min(cell.sample(cell.operations) for _ in range(2))
        if quicker * cell.operations >= batch_seconds:
            return
        cell.operations *= 2


def take_turns(cells: list[Cell]) -> None:
    """Measure all *cells*, one batch of each per round, in each round in another order (the same in every run)."""
    gc.collect()
    for turn in range(max(cell.rounds for cell in cells)):
        for cell in random.Random(turn).sample(cells, len(cells)):
            if turn < cell.rounds:
                cell.seconds.append(cell.sample(cell.operations))


def stampede(read: Callable[[Callable[[], Any]], Any], readers: int = 100) -> tuple[int, float]:
    """Let *readers* threads *read* what nobody has, at the same moment. The loader takes 20 ms.

    Return the number of loads and the seconds until all had it.
    """
    loads = []
    began: list[float] = []
    together = threading.Barrier(readers, action=lambda: began.append(time.perf_counter()))

    def loader() -> int:
        loads.append(1)
        time.sleep(0.02)
        return 1

    def run() -> None:
        together.wait(PATIENCE_SECONDS)
        read(loader)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        if thread.is_alive():
            raise RuntimeError("a reader hangs")
    if not loads:
        raise RuntimeError("somebody had it already")
    return len(loads), time.perf_counter() - began[0]


def late_store(read: Callable[[Callable[[], Any]], Any], invalidate: Callable[[], Any]) -> str:
    """A loader has read, the truth changes and is invalidated, the loader returns what it read. What is read then?"""
    truth = ["older"]
    read(lambda: truth[0])
    truth[0] = "old"
    invalidate()
    if read(lambda: truth[0]) != "old":
        raise RuntimeError("it does not invalidate even where nobody is late")
    invalidate()
    has_read, may_return = threading.Event(), threading.Event()

    def slow_loader() -> str:
        found = truth[0]
        has_read.set()
        if not may_return.wait(PATIENCE_SECONDS):
            raise RuntimeError("the loader was never let go")
        return found

    late = threading.Thread(target=read, args=(slow_loader,), daemon=True)
    late.start()
    if not has_read.wait(PATIENCE_SECONDS):
        raise RuntimeError("the loader never began")
    truth[0] = "new"
    invalidate()
    may_return.set()
    late.join(PATIENCE_SECONDS)
    return "fresh" if read(lambda: truth[0]) == "new" else "stale"
