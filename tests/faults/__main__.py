"""Runs all faults, the long ones too, and prints the matrix: `python -m tests.faults`, or `make faults`.

    python -m tests.faults [--quick] [--kills 200] [-k EXPRESSION] [-x ...]

What it does not know itself goes to pytest. Ends with 1 if a fault was not withstood, and with 2 if none was tried.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import KILLS, LONG
from tests.faults.matrix import FAULTS, LATER, Line, table

HERE = Path(__file__).resolve().parent


class Results:
    """Collects what pytest reports of marked tests: outcomes and seconds of each test's cases."""

    def __init__(self) -> None:
        self.marks: dict[str, list[pytest.Mark]] = {}
        self._outcomes: dict[str, Counter[str]] = {}
        self._seconds: Counter[str] = Counter()
        self._measured: dict[str, dict[str, object]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.marks[_test(item.nodeid)] = list(item.iter_markers("fault"))

    def pytest_runtest_logreport(self, report: Any) -> None:
        test = _test(report.nodeid)
        self._seconds[test] += report.duration
        if report.when == "call":
            self._measured.setdefault(test, {}).update(report.user_properties)
        if report.when == "call" or report.outcome != "passed":
            self._outcomes.setdefault(test, Counter())[report.outcome] += 1

    @property
    def lines(self) -> list[Line]:
        return [
            Line(
                number=mark.args[0],
                inject=mark.kwargs["inject"],
                holds=mark.kwargs["holds"],
                result=_result(self._outcomes[test], self._measured.get(test, {})),
                seconds=self._seconds[test],
            )
            for test, marks in self.marks.items()
            for mark in marks
            if test in self._outcomes
        ]


def _test(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def _result(outcomes: Counter[str], measured: Mapping[str, object]) -> str:
    counted = [f"{number} {outcome}" for outcome, number in sorted(outcomes.items())]
    plain = [*outcomes] if outcomes.total() == 1 else counted
    return "; ".join([", ".join(plain), *(f"{what}: {figure}" for what, figure in measured.items())])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out what only `make faults` runs")
    parser.add_argument("--kills", type=int, help="at random moments under load; default: 200")
    given, for_pytest = parser.parse_known_args()
    if not given.quick:
        os.environ[LONG] = "1"
    if given.kills is not None:
        os.environ[KILLS] = str(given.kills)
    results = Results()
    code = pytest.main([str(HERE), "-p", "no:randomly", *for_pytest], plugins=[results])
    later = [
        Line(number=number, inject=FAULTS[number], holds="", result=reason, seconds=None)
        for number, reason in LATER.items()
    ]
    sys.stdout.write("\n" + table([*results.lines, *([] if "-k" in for_pytest else later)]) + "\n")
    return 2 if code == pytest.ExitCode.NO_TESTS_COLLECTED else int(code != pytest.ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
