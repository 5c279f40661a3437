"""Makes checks of the true system with the auditor: `python -m tests.audit [CHECKS [SEED]]`, 100,000 unless said
otherwise.

Commands of the rehearsal are carried out in random order, values are read by two users, days begin, and now and then
the house is opened anew. After each of these steps the auditor looks; it must never find a difference.
"""

import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path

from cache.auditor import Auditor
from cache.values import VALUES
from data.errors import DataError
from data.preferences import CacheBackend
from data.rehearsal import COMMANDS, START, Stage, live
from tests.house import Clock, House, open_house

STEPS_PER_HOUSE = 40
CHECKS_PER_STEP = 25
UNSUITED = (
    "create a user",
    "add other demo data",
    "remove the demo data",
    "cancel after the clock was set back",
    "cancel after the clock was set back to another month",
    "the clock is corrected",
    "restore a backup",
)
"""Commands that can be carried out once only, or that would leave nothing to look at."""


def run(checks: int, seed: int, folder: Path) -> tuple[int, int]:
    """Make at least so many checks; return how many were made, and how many found a difference."""
    made = differed = 0
    number = 0
    while made < checks:
        number += 1
        chance = random.Random(f"{seed}/{number}")
        done: list[str] = []
        backend = chance.choice(list(CacheBackend))
        clock = Clock(START)
        for reopened in range(2):
            with open_house(folder / str(number), clock=clock, backend=backend) as house:
                if not reopened:
                    live(house.database, clock, house.user, days=5)
                    live(house.database, clock, house.new_user("another"), days=2)
                auditor = Auditor(house.manager, chance=chance)
                for _ in range(STEPS_PER_HOUSE):
                    done.append(step(house, chance))
                    for _ in range(CHECKS_PER_STEP):
                        auditor.look_once()
                report = auditor.report()
                for found in report.differences:
                    sys.stderr.write(f"seed {seed}, house {number}, after {done}:\n{found}\n")
            made, differed = made + report.checked, differed + report.differed
            if made >= checks:
                break
    return made, differed


def step(house: House, chance: random.Random) -> str:
    """Let something happen, and somebody look; return what it was, for whom and when."""
    clock = house.clock
    clock.advance(minutes=chance.choice((1, 7, 55, 600)))
    name = chance.choice([name for name in COMMANDS if name not in UNSUITED])
    user = chance.choice((house.user, house.user + 1))
    stage = Stage(database=house.database, user=user, clock=clock, look=lambda: None)
    with contextlib.suppress(DataError, StopIteration):  # nothing is left in the state that it needs
        COMMANDS[name](stage)
    for someone in (house.user, house.user + 1):
        with house.manager.snapshot(someone) as snapshot:
            for value in chance.sample(VALUES, chance.randint(1, len(VALUES))):
                snapshot.get(value)
    return f"{clock():%d %H:%M} {name} ({user})"


def main() -> int:
    """Run as long as it takes; return 1 if anything differed."""
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made, differed = run(checks, seed=seed, folder=Path(folder))
    sys.stdout.write(f"{made:,} checked, {differed:,} differed, in {time.monotonic() - began:,.0f} s\n")
    return 1 if differed else 0


if __name__ == "__main__":
    sys.exit(main())
