"""What all tests share: a clean environment, a clock, and a house on it."""

import contextlib
import fcntl
import gc
import logging
import os
import pickle
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache.rulebook.observing import Observed, observe
from cache.values import VALUES
from data import database
from data.database import Database, make_file
from data.preferences import CacheBackend
from data.rehearsal import COMMANDS
from data.sqlite import sqlite
from tests.house import Clock, House, open_house

MOST_WORKERS = 8

_SETTINGS = ("DATABASE_URL", "HOST", "PORT", "ALLOWED_HOSTS", "OPEN_TO_NETWORK")
for _variable in [name for name in os.environ if name.startswith("CACHE_") or name in _SETTINGS]:
    del os.environ[_variable]


@pytest.fixture(scope="session", autouse=True)
def new_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let each new database be a copy of one that has its tables: to make them takes longer than most tests do.

    Each has a lineage of its own nevertheless. `tests/data/test_migrations.py` makes databases from nothing.
    """
    template = tmp_path_factory.mktemp("template") / "reprieve.db"
    with Database(f"sqlite:///{template}").opened():
        pass
    content = template.read_bytes()

    def copy(file: Path) -> None:
        is_new = not file.exists()
        make_file(file)
        if is_new:
            file.write_bytes(content)
            with contextlib.closing(sqlite.connect(file)) as copied:
                copied.execute("UPDATE lineage SET token = ?", (secrets.randbits(63),))
                copied.commit()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "make_file", copy)
        yield


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
def observed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Observed:
    """What every command does to every value; takes some seconds, once for all the processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "observed"
    with shared.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if kept := file.read():
            found: Observed = pickle.loads(kept)
            return found
        found = observe(COMMANDS, VALUES)
        file.write(pickle.dumps(found))
        return found


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no processor waits for it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Let the collector pass over modules and tests, and look less often: it takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
