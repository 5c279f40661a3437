"""Fixtures of the page tests: the stage, and people who look at it."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from events.catalog import CATALOG, NOTIFICATIONS
from tests.house import Clock
from tests.pages.stage import Current, Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test in this folder run the site of this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.nicegui_main_file("tests/pages/site.py"))


@pytest.fixture(scope="session")
def modules() -> None:
    """Look at all pages once, and let NiceGUI's collecting before and after each test pass over what that keeps."""
    app.check_tables()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, clock: Clock, modules: None) -> Iterator[Stage]:
    """The application of this test; it is built when somebody asks for `user`."""
    Current.stage = set_up = Stage(tmp_path, clock)
    yield set_up
    Current.stage = None
    if set_up.application is not None:
        bus = set_up.application.bus
        left = [kind.name for kind in (*CATALOG, *NOTIFICATIONS) if bus.has_receivers(kind.name)]
        assert not left, f"receivers are left on {left}"
