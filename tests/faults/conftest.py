"""The marks of the fault matrix: each test here says which fault it injects and what must hold all the same.

    @pytest.mark.fault("F12", inject="a value file is empty, cut, random or missing", holds="a miss")

A fault may have several tests, each with its mark. One that takes longer than a few seconds has `@pytest.mark.long` as
well: only `make faults` runs it, which also prints the matrix (`__main__`).
"""

import os

import pytest

LONG = "FAULTS_LONG"
"""The environment variable that lets long tests run; `python -m tests.faults` sets it."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(number, *, inject, holds): a line of the fault matrix")
    config.addinivalue_line("markers", "long: only `make faults` runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long, unless it is wanted."""
    if os.environ.get(LONG):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
