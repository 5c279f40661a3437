"""What all tests share: a clean environment, a clock, and a house on it."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache.rulebook.observing import Observed, observe
from cache.values import VALUES
from data.preferences import CacheBackend
from data.rehearsal import COMMANDS
from tests.house import Clock, House, open_house

MOST_WORKERS = 8

_SETTINGS = ("DATABASE_URL", "HOST", "PORT", "ALLOWED_HOSTS", "OPEN_TO_NETWORK")
for _variable in [name for name in os.environ if name.startswith("CACHE_") or name in _SETTINGS]:
    del os.environ[_variable]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    """A house with the default backend."""
    with open_house(tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture(params=list(CacheBackend))
def any_house(tmp_path: Path, clock: Clock, request: pytest.FixtureRequest) -> Iterator[House]:
    """A house on each backend in turn."""
    with open_house(tmp_path, clock=clock, backend=request.param) as opened:
        yield opened


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Ask which warnings, and worse, have been logged by now."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture(scope="session")
def observed() -> Observed:
    """What every command does to every value; takes some seconds, once."""
    return observe(COMMANDS, VALUES)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without it the test is skipped on a user's machine and fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing_tool("Chromium (Debian package chromium)")
    assert found
    return found


def missing_tool(what: str) -> None:
    """Skip because *what* is not installed; in CI, where everything has to be, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing tool: {what}")
    pytest.skip(f"missing tool: {what}")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Tests wait, for browsers and other processes, about as long as they compute: one more than processors."""
    return min(1 + (os.cpu_count() or 1), MOST_WORKERS)
