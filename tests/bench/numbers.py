"""Measure what the numbers cost, beside one aggregate over the same rows in raw SQL: part of `make bench`.

Each size is a process of its own, which has computed nothing before: a demo of ten years, all values that pages show,
then again after one more completion, after an edit of something old, and so on. Meanwhile an event loop in the main
thread says how late it was. At 5,000 the slow calculations of the tests take a turn as well: they read every row for
every value, plainly, one after the other. Nothing is asserted: figures are for people, and ratios within one run say
more than times.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cache.errors import LoadError
from cache.settings import CacheSettings
from cache.values import VALUES
from data import demo, instances, preferences
from data.fields import Feelings
from data.preferences import CacheBackend
from data.viewpoint import Viewpoint
from scheduler import garbage
from tests.data.calculations.reference import analytics as slow_analytics
from tests.data.calculations.reference import dashboard as slow_dashboard
from tests.data.calculations.reference import recommendations as slow_recommendations
from tests.data.calculations.reference import relief as slow_relief
from tests.data.calculations.reference import summary as slow_summary
from tests.house import House, open_house
from tests.lateness import longest_wait, waits

SIZES = (1_000, 5_000, 10_000, 100_000)
GIVEN_UP = 5
"""How often a load may take longer than it may, where others use the machine: the next one goes on where it was."""
SLOW_UP_TO = 6_000
MILLION = 1_000_000
DAYS = 3650
FINISHED_SHARE = 1.05
"""The demo leaves some instances cancelled: so many more are made than are to be completed."""
ROUNDS = 7
COLUMNS = (
    *(f"predicted_{name}" for name in ("relief", "aversion", "motivation")),
    *(f"actual_{name}" for name in ("relief", "mental_load", "emotional_load", "physical_load", "aversion")),
    *("estimate_minutes", "actual_minutes", "completion_percent", "created_at", "started_at", "completed_at"),
)
FROM = "FROM instances NOT INDEXED WHERE user_id = 1 AND completed_at IS NOT NULL"
MEANS_SQL = f"SELECT count(*), {', '.join(f'avg({column})' for column in COLUMNS)} {FROM}"
RANGES_SQL = (
    f"SELECT count(*), {', '.join(f'avg({column}), min({column}), max({column})' for column in COLUMNS)} {FROM}"
)
SLOW = (
    slow_dashboard.load_metrics,
    slow_summary.load_daily,
    slow_analytics.load_composite_scores,
    slow_analytics.load_trends,
    slow_analytics.load_correlations,
    slow_analytics.load_distribution,
    slow_relief.load_relief_summary,
    slow_recommendations.load_recommendations,
)
FELT = Feelings(relief=50, mental_load=20, emotional_load=30, physical_load=10, aversion=40)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that *work* keeps processors busy, in whatever thread: what other programs do is left out."""
    began = time.process_time()
    work()
    return time.process_time() - began


class Life:
    """One user's ten years, and the costs of looking at them."""

    def __init__(self, house: House) -> None:
        self.house = house

    def query(self, sql: str) -> list[Any]:
        with self.house.database.read() as read:
            return list(read.connection.exec_driver_sql(sql))

    def aggregate(self, sql: str) -> float:
        """The median of some runs; the first one has warmed the pages of the file."""
        self.query(sql)
        return statistics.median(timed(partial(self.query, sql)) for _ in range(5))

    def all_values(self) -> float:
        def work() -> None:
            for again in range(GIVEN_UP):
                with contextlib.suppress(*([LoadError] if again < GIVEN_UP - 1 else [])):
                    with self.house.manager.snapshot(self.house.user) as snapshot:
                        for value in VALUES:
                            snapshot.get(value)
                    return

        return timed(work)

    def after(self, acts: list[Callable[[], object]]) -> float:
        """The median cost of all values after each of *acts*, whose own cost is left out."""
        costs = []
        for act in acts:
            act()
            costs.append(self.all_values())
        return statistics.median(costs)

    def measure(self) -> dict[str, float]:
        house = self.house
        own = (house.database, house.user)
        found = {"means": self.aggregate(MEANS_SQL), "ranges": self.aggregate(RANGES_SQL)}
        found["completed"] = self.query(MEANS_SQL)[0][0]
        found["cold"] = self.all_values()
        found["nothing"] = statistics.median(self.all_values() for _ in range(ROUNDS))
        ((task,),) = self.query("SELECT id FROM tasks WHERE user_id = 1 ORDER BY id LIMIT 1")
        in_order = [one for (one,) in self.query(f"SELECT id {FROM} ORDER BY completed_at LIMIT 500")]
        old = in_order[100 :: 400 // ROUNDS]

        def complete() -> None:
            planned = instances.plan(*own, task)
            instances.complete(*own, planned, actual=FELT, actual_minutes=20.0)

        found["completion"] = self.after([complete] * ROUNDS)
        edit = partial(instances.edit, *own)
        found["old edit"] = self.after([partial(edit, one, actual_relief=7, actual_minutes=33.0) for one in old])
        found["old undo"] = self.after([partial(instances.undo, *own, one) for one in old])
        found["first aversion"] = self.after(
            [partial(edit, in_order[0], actual_aversion=aversion) for aversion in (3, 5)]
        )
        clear: Callable[[], object] = house.manager.clear
        found["cold again"] = self.after([clear] * 3)
        return found


async def lateness(work: threading.Thread) -> list[tuple[float, float]]:
    """Return by how much an event loop was late each time, while *work* goes on, and how much of that was ours.

    On a machine that others use, the rest was spent waiting for a processor, by the loop or by who held it up: at
    least as long as the one of them that waited most.
    """
    late = []
    while work.is_alive():
        before = waits()
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        seconds = time.perf_counter() - began - 0.005
        late.append((seconds, max(0.0, seconds - longest_wait(before))))
    return late


def of_all(late: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the most."""
    ordered = sorted(late)
    places = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    return {name: ordered[int(share * (len(ordered) - 1))] for name, share in places.items()}


def slowly(house: House) -> float:
    """Return the cost of the same values by the calculations that the tests compare with; of lists there are none."""
    with house.database.read() as read:
        view = Viewpoint.at(house.user, preferences.load(read, house.user), house.clock.now)
        return sum(timed(partial(load, read, view)) for load in SLOW)


def measure(folder: Path, backend: CacheBackend) -> dict[str, float]:
    """Open the life in *folder* and return all that was measured, in seconds and MB."""
    with (
        open_house(folder, backend=backend, max_size_mb=CacheSettings().max_size_mb) as house,
        garbage.spared(),  # as the application does
    ):
        life = Life(house)
        found = life.measure()
        house.manager.clear()
        for what, act in (("late", life.all_values), ("late without", partial(time.sleep, 1.0))):
            work = threading.Thread(target=act)
            work.start()
            late = asyncio.run(lateness(work))
            found |= {f"{what} {name}": seconds for name, seconds in of_all([one for one, _ in late]).items()}
            found |= {f"{what} ours {name}": seconds for name, seconds in of_all([own for _, own in late]).items()}
        if found["completed"] <= SLOW_UP_TO:
            found["slowly"] = slowly(house)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"peak_mb": peak / (2**20 if sys.platform == "darwin" else 2**10)}


def report(results: dict[int, dict[str, float]]) -> str:
    """Return the table of *results*, by the number of completed instances."""
    rows: list[tuple[str, Callable[[dict[str, float]], str]]] = [
        ("aggregate: mean of 14 columns", lambda one: f"{one['means'] * 1000:.1f} ms"),
        ("aggregate: mean, least, most", lambda one: f"{one['ranges'] * 1000:.1f} ms"),
        ("all values, cold", lambda one: f"{one['cold'] * 1000:.0f} ms"),
        ("  x mean (aim: 5)", lambda one: f"{one['cold'] / one['means']:.1f}"),
        ("  x mean, least, most", lambda one: f"{one['cold'] / one['ranges']:.1f}"),
        ("  for each completed", lambda one: f"{one['cold'] / one['completed'] * 1e6:.1f} us"),
        ("again, cache emptied", lambda one: f"{one['cold again'] * 1000:.0f} ms"),
        ("  x mean", lambda one: f"{one['cold again'] / one['means']:.1f}"),
        ("  x mean, least, most", lambda one: f"{one['cold again'] / one['ranges']:.1f}"),
        ("the tests' slow ones x cold", lambda one: f"{one['slowly'] / one['cold']:.0f}" if "slowly" in one else "-"),
        *(
            row
            for what in ("completion", "old edit", "old undo", "first aversion")
            for row in (
                (f"after {what}", lambda one, what=what: f"{one[what] * 1000:.1f} ms"),
                ("  of cold (aim: 5%)", lambda one, what=what: f"{100 * one[what] / one['cold']:.1f}%"),
            )
        ),
        ("nothing changed (aim: 1 ms)", lambda one: f"{one['nothing'] * 1000:.2f} ms"),
        *(
            (f"{label}, {name}", lambda one, key=f"{what} {name}": f"{one[key] * 1000:.1f} ms")
            for label, what in (
                ("loop late (aim: 20)", "late"),
                ("  but for lack of processors", "late ours"),
                ("loop late, nothing going on", "late without"),
            )
            for name in ("p50", "p99", "most")
        ),
        ("memory, most (aim: 300)", lambda one: f"{one['peak_mb']:.0f} MB"),
    ]
    text = f"{'ten years, completed':36}" + "".join(f"{size:>12,}" for size in results) + "\n"
    for label, show in rows:
        text += f"{label:36}" + "".join(f"{show(one):>12}" for one in results.values()) + "\n"
    return text


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure all sizes, print the table, and return the figures."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=numbers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--million", action="store_true", help="a million instances as well: some minutes")
    parser.add_argument("--quick", action="store_true", help="1,000 and 10,000 only")
    parser.add_argument("--backend", choices=[backend.value for backend in CacheBackend], default="hybrid")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.folder is not None:
        sys.stdout.write(json.dumps(measure(given.folder, CacheBackend(given.backend))))
        return {}
    sizes = (*(SIZES[:3] if given.quick else SIZES), *((MILLION,) if given.million else ()))
    build = Path("build")
    build.mkdir(exist_ok=True)
    results: dict[int, dict[str, float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
            with open_house(Path(folder)) as house:
                demo.add(house.database, house.user, days=DAYS, per_day=size * FINISHED_SHARE / DAYS)
            own = [sys.executable, "-m", "tests.bench.numbers", "--folder", folder, "--backend", given.backend]
            done = subprocess.run(own, check=True, capture_output=True, text=True)
            results[size] = json.loads(done.stdout)
        sys.stderr.write(f"{size:,} instances\n")
    sys.stdout.write(report(results))
    return {str(size): one for size, one in results.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
