"""The marks of the fault matrix: each test here says which fault it injects and what must hold all the same.

    @pytest.mark.fault("F12", inject="a value file is empty, cut, random or missing", holds="a miss")

A fault may have several tests, each with its mark. One that takes longer than a few seconds has `@pytest.mark.long` as
well: only `make faults` runs it, which also prints the matrix (`__main__`).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

LONG = "FAULTS_LONG"
"""The environment variable that lets long tests run; `python -m tests.faults` sets it."""

KILLS = "FAULTS_KILLS"
"""The environment variable that says how often the app is killed at a random moment, in the long test of that."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(number, *, inject, holds): a line of the fault matrix")
    config.addinivalue_line("markers", "long: only `make faults` runs it")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k F11` find the tests of that fault."""
    item.extra_keyword_matches.update(mark.args[0] for mark in item.iter_markers("fault"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long, unless it is wanted."""
    if os.environ.get(LONG):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, mounted for one test."""
    at = tmp_path / "disk"
    at.mkdir()
    if shutil.which("mount") is None or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "reprieve-test", at], capture_output=True, check=False
    ).returncode:  # fmt: skip
        pytest.skip("mounting a small disk takes root on Linux; the test with a failing SQLite runs everywhere")
    yield at
    subprocess.run(["umount", "--lazy", at], check=True)
