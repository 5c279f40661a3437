"""Every read must be explained by the order of the log, whatever befalls the processes; and what that finds.

How a history is judged is in `history`, how one is made in `clients`.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.data.ledger import ROOT
from tests.faults.history import Log, Read, Write, explain
from tests.faults.plants import PLANTS

pytestmark = pytest.mark.timeout(600)  # seconds; other tests run beside these

QUICK = ("a late store: as_of is of when the loader returned", "the feed skips rows")
SECONDS_FOR_A_PLANT = 400
BEFALLS = "clients of 3 processes read and write; kills, a lost and an overwritten cache folder, clocks set: "
EXPLAINED = "every read is explained by the order of the log"

LOG = {1: Log({"a": [1, 3, 5], "b": [2, 4]})}
"""Task a was created by event 1 and edited by 3 and 5, task b created by 2 and edited by 4."""
WRITES = [
    Write(user=1, task="a", number=1, begin=10, end=12),
    Write(user=1, task="b", number=1, begin=20, end=22),
    Write(user=1, task="a", number=2, begin=30, end=32),
]


def clients(*arguments: str) -> dict[str, Any]:
    """Run `clients` in a process without threads, which it has to fork from."""
    command = [sys.executable, "-m", "tests.faults.clients", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(a: int, b: int, begin: int, end: int, **more: Any) -> Read:
    return Read(user=1, how="test", numbers={"a": a, "b": b}, begin=begin, end=end, **more)


@pytest.mark.parametrize(
    "explained",
    [
        read(0, 0, 5, 9),
        read(1, 0, 11, 13),
        read(0, 0, 11, 13),  # nobody had been told yet when it began
        read(1, 1, 23, 31),
        read(2, 1, 31, 40),  # nobody has been told yet, but it may be done
        read(1, 0, 33, 40, is_fresh=False, as_of=3),
        read(2, 1, 33, 40, seq=9, as_of=5),
    ],
)
def test_a_read_that_shows_a_state_of_its_time_is_explained(explained: Read) -> None:
    assert explain(LOG, WRITES, [explained]) == []


@pytest.mark.parametrize(
    ("problem", "unexplained"),
    [
        ("stale", read(0, 0, 13, 14)),
        ("stale", read(1, 0, 23, 24)),
        ("torn", read(0, 1, 40, 41)),
        ("torn", read(3, 1, 40, 41)),
        ("torn", read(1, 1, 25, 26, seq=3)),
        ("early", read(1, 1, 13, 14)),
        ("mislabelled", read(1, 0, 33, 40, is_fresh=False, as_of=4)),
    ],
)
def test_a_read_that_shows_anything_else_is_not(problem: str, unexplained: Read) -> None:
    (found,) = explain(LOG, WRITES, [unexplained])
    assert found.startswith(problem)


def test_what_one_reader_has_seen_no_later_one_may_miss() -> None:
    newer, older = read(2, 1, 31, 33), read(1, 1, 34, 35)
    unacknowledged = [*WRITES[:2], Write(user=1, task="a", number=2, begin=30, end=None)]
    assert explain(LOG, unacknowledged, [older]) == []
    assert [line[:5] for line in explain(LOG, unacknowledged, [newer, older])] == ["stale"]


def test_an_acknowledged_write_that_is_not_in_the_log_is_lost() -> None:
    lost = Write(user=1, task="b", number=2, begin=40, end=41)
    assert [line[:4] for line in explain(LOG, [*WRITES, lost], [])] == ["lost"]


@pytest.mark.fault("F01", inject=BEFALLS + "for 4 s", holds=EXPLAINED)
def test_every_read_is_explained() -> None:
    found = clients("--seconds", "4")
    assert found["wrong"] == []
    assert found["reads"] > 100
    assert found["writes"] > 10


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.fault("F01", inject=BEFALLS + "for a minute", holds=EXPLAINED)
def test_every_read_of_a_minute_is_explained(record_property: Callable[[str, object], None]) -> None:
    found = clients("--seconds", "60", "--seed", "2")
    for what in ("reads", "writes", "kills"):
        record_property(what, f"{found[what]:,}")
    assert found["wrong"] == []
    assert found["kills"] > 5


@pytest.mark.parametrize(
    "plant", [plant if plant in QUICK else pytest.param(plant, marks=pytest.mark.long) for plant in PLANTS]
)
@pytest.mark.fault("F06", inject="a mistake of order is planted in every process, a dozen in turn", holds="it is found")
def test_a_planted_mistake_of_order_is_found(plant: str) -> None:
    found = clients("--seconds", str(SECONDS_FOR_A_PLANT), "--plant", plant)
    assert found["wrong"], f"not in {found['reads']} reads"
    assert not [one for one in found["wrong"] if one.startswith("error")]
