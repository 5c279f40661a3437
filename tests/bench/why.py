"""How long "why is this stale, fresh or slow?" takes with a long log: `python -m tests.bench.why [EVENTS]`.

Times the first answer of a process, which has to find out what was invalidated before it began, and those after it; for
every value, as `python -m cache why` and the inspector ask. Nothing is asserted: timings are for people.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import insert

from cache.inspection import inspect
from cache.values import VALUES
from data.models import EventRow
from data.rehearsal import START, live
from events.catalog import CATALOG, UserId
from events.stored import encode
from tests.expect import specimen
from tests.house import Clock, House, open_house

ROUNDS = 21
NAMES = ("task.completed", "instance.started", "task.edited", "preferences.changed", "refresh.requested", "day.started")


def fill(house: House, count: int) -> None:
    """Put *count* events into the log, of many kinds; no condition of a rule holds in any of them."""
    kinds = [kind for kind in CATALOG if kind.name in NAMES]
    rows = []
    for number in range(count):
        event = specimen(kinds[number % len(kinds)], user=house.user)
        rows.append({"user_id": house.user, "name": event.name, "at": START, "token": number, "body": encode(event)})

    def command(transaction: object) -> None:
        transaction.session.execute(insert(EventRow), rows)  # type: ignore[attr-defined]
        transaction.record(specimen(kinds[0], user=house.user))  # type: ignore[attr-defined]

    house.database.write(command)


def timed_ms(act: Callable[[], object]) -> tuple[float, float]:
    """Return how many milliseconds *act* took, and how many of the processor's."""
    began, worked = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


def main() -> int:
    """Print the times."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    clock = Clock(START)
    with tempfile.TemporaryDirectory() as folder:
        with open_house(Path(folder), clock=clock) as house:
            live(house.database, clock, house.user, days=30)
            fill(house, count)
        first = []
        for value in VALUES:
            with open_house(Path(folder), clock=clock) as house:
                first.append(timed_ms(partial(house.manager.why, value, UserId(1))))
        with open_house(Path(folder), clock=clock) as house:
            with house.manager.snapshot(house.user) as snapshot:
                for value in VALUES:
                    snapshot.get(value)
            later = [timed_ms(partial(house.manager.why, value, house.user)) for value in ROUNDS * VALUES]
            page = [timed_ms(lambda: inspect(house.manager, house.user)) for _ in range(ROUNDS)]
    sys.stdout.write(f"with {count:,} events in the log, in ms: median (worst); of the processor's\n")
    for name, times in (("why, first of a process", first), ("why, later", later), ("inspector's table", page)):
        passed, worked = zip(*times, strict=True)
        shown = [f"{statistics.median(part):8.2f} ({max(part):.2f})" for part in (passed, worked)]
        sys.stdout.write(f"{name:26} {shown[0]};{shown[1]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
