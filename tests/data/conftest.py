"""An open database on a test's clock, and its first user."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data import preferences
from data.database import Database
from events.catalog import UserId
from tests.house import Clock


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/state/reprieve.db", clock=clock)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def user(database: Database) -> UserId:
    return preferences.create_user(database, "local")


@pytest.fixture
def stranger(database: Database, user: UserId) -> UserId:
    return preferences.create_user(database, "stranger")
