"""Fixtures of the browser tests: a running application, and windows of a real Chromium that look at it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from data import demo
from data.preferences import LOCAL_USER
from tests.browser.site_under_test import Site, browsing, serving

NOON = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)

expect.set_options(timeout=15_000)  # milliseconds; other tests run beside these

CALM = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
"""A window as most tests want it: without a graphics card, what moves and fades takes most of their time."""

_REFUSED = "Content Security Policy"

OpenWindow = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder, and let all run in the event loop of their browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
def site(tmp_path: Path, chromium: str) -> Iterator[Site]:
    """An application of its own, at noon of 13 May 2026."""
    with serving(tmp_path, NOON) as running:
        yield running


@pytest.fixture(scope="module")
def with_demo(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """An application with some weeks of demo data, for all tests of a file that only look."""
    with serving(tmp_path_factory.mktemp("demo"), NOON) as running:
        with running.database() as database:
            demo.add(database, LOCAL_USER, days=40)
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests of this process: it takes longer to start than most of them."""
    async with browsing(chromium) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[OpenWindow]:
    """Open windows on `site` (or on another one), each with a profile of its own.

    Fail if a script in one throws, or if a page does what its own policy refuses.
    """
    async with AsyncExitStack() as opened:
        problems: list[str] = []

        async def open_window(path: str = "/", *, on: Site | None = None, **options: object) -> Page:
            site = on or request.getfixturevalue("site")
            context = await browser.new_context(**{**CALM, **options})
            opened.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: problems.append(said.text) if _REFUSED in said.text else None)
            await go(page, site, path)
            return page

        yield open_window
        assert not problems


async def go(page: Page, site: Site, path: str) -> None:
    """Open an address in a window that is there, which takes a third of the time of a new one."""
    await page.goto(site.address + path)
    await settled(page)


async def settled(page: Page) -> None:
    """Wait until the page has its line to the server and shows its content."""
    await page.wait_for_selector("main h1")
    await page.wait_for_function("() => window.did_handshake && !document.querySelector('.is-loading')")
