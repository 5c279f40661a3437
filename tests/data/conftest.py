"""An open database on a test's clock, and its first users."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import preferences
from data.database import Database
from events.catalog import UserId
from tests.house import Clock


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was just made. Tests get a copy: making one takes longer than most of them."""
    path = tmp_path_factory.mktemp("blank") / "reprieve.db"
    database = Database(f"sqlite:///{path}")
    database.open()
    database.close()
    return path


@pytest.fixture
def database(tmp_path: Path, clock: Clock, blank: Path) -> Iterator[Database]:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    shutil.copy(blank, folder)
    opened = Database(f"sqlite:///{folder}/reprieve.db", clock=clock)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def user(database: Database) -> UserId:
    return preferences.create_user(database, "local")


@pytest.fixture
def stranger(database: Database, user: UserId) -> UserId:
    return preferences.create_user(database, "stranger")
