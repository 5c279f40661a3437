"""F01: the app is killed with SIGKILL. `kills` does it and judges what is left; here is what must come of it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from data.rehearsal import COMMANDS
from tests.data.ledger import ROOT
from tests.faults.conftest import KILLS

pytestmark = pytest.mark.timeout(600)  # seconds; other tests run beside these

STATEMENT = "kill -9 at each statement and after each commit of {}, and after it was acknowledged"
HOLDS = "acknowledged: all there; else all or nothing; every value equals a fresh load"


Kill = Callable[..., dict[str, Any]]


@pytest.fixture
def kills(record_property: Callable[[str, object], None]) -> Kill:
    """Run `kills` and put what it counted into the matrix."""

    def run(*arguments: str) -> dict[str, Any]:
        found = in_a_process(*arguments)
        for what in ("kills", "acknowledged", "compared"):
            record_property(what, f"{found[what]:,}")
        return found

    return run


def in_a_process(*arguments: str) -> dict[str, Any]:
    """Run `kills` in a process without threads, which it has to fork from."""
    command = [sys.executable, "-m", "tests.faults.kills", "--quiet", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.fault("F01", inject=STATEMENT.format("a completion"), holds=HOLDS)
def test_no_statement_of_a_command_is_a_bad_one_to_die_at(kills: Kill) -> None:
    found = kills("--command", "complete what is planned")
    assert found["wrong"] == []
    assert found["kills"] > 10
    assert found["acknowledged"] >= 1
    assert found["compared"] >= 10 * found["kills"]


@pytest.mark.fault("F01", inject="kill -9 of three processes at random moments under load, 5 times", holds=HOLDS)
def test_no_moment_is_a_bad_one_to_die_at(kills: Kill) -> None:
    found = kills("--kills", "5")
    assert found["wrong"] == []
    assert (found["kills"], found["acknowledged"] > 0) == (5, True)


@pytest.mark.fault("F01", inject="commands leave out their row of the log, and the app is killed", holds="it is found")
def test_a_command_without_its_row_in_the_log_is_found(kills: Kill) -> None:
    """The proof that the check bites."""
    wrong = kills("--command", "complete what is planned", "--most", "8", "--without-log")["wrong"]
    assert [one for one in wrong if one.startswith("stale: dashboard.metrics")]
    assert [one for one in wrong if one.startswith("lost: acknowledged, and not there: events")]
    at_random = kills("--kills", "6", "--without-log")["wrong"]
    assert [one for one in at_random if one.startswith("stale")]


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault("F01", inject=STATEMENT.format("every command"), holds=HOLDS)
def test_no_statement_of_any_command_is_a_bad_one_to_die_at(kills: Kill) -> None:
    found = kills("--command", "all")
    assert found["wrong"] == []
    assert found["kills"] > 10 * len(COMMANDS)
    assert found["acknowledged"] >= len(COMMANDS)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.fault("F01", inject="kill -9 of three processes at random moments under load, 200 times", holds=HOLDS)
def test_no_moment_of_many_is_a_bad_one_to_die_at(kills: Kill) -> None:
    wanted = os.environ.get(KILLS, "200")
    found = kills("--kills", wanted)
    assert found["wrong"] == []
    assert found["kills"] == int(wanted)
    assert found["acknowledged"] > found["kills"]
