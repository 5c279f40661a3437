"""F32: the line between a browser and the app is cut for a while, and much happens meanwhile."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import expect

from data import instances, tasks
from data.preferences import LOCAL_USER
from events.catalog import InstanceId
from tests.browser.site_under_test import Site, browsing, serving

NOON = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)
BURST = 12
PATIENCE_MS = 15_000


def plan(site: Site) -> list[InstanceId]:
    with site.database() as database:
        task = tasks.create(database, LOCAL_USER, name="Tax return")
        return [instances.plan(database, LOCAL_USER, task) for _ in range(BURST)]


def complete(site: Site, planned: list[InstanceId]) -> None:
    """As another process would, several a second."""
    with site.database() as database:
        for one in planned:
            instances.complete(database, LOCAL_USER, one)
            time.sleep(0.1)


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seconds", [1, 30, 600])
@pytest.mark.fault(
    "F32",
    inject="a browser's line is cut for 1 s, 30 s, 10 min during a burst",
    holds="the page converges; from reconnecting to the right number it takes what is measured",
)
async def test_a_page_converges_once_its_line_is_back(
    tmp_path: Path, chromium: str, seconds: float, record_property: Callable[[str, object], None]
) -> None:
    with serving(tmp_path, NOON) as site:
        planned = plan(site)
        async with browsing(chromium) as browser:
            page = await browser.new_page()
            await page.goto(site.address)
            await page.wait_for_function("() => window.did_handshake && !document.querySelector('.is-loading')")
            shown = page.locator(".metric", has_text="Completed").locator(".metric-value .figure")
            burst = asyncio.create_task(asyncio.to_thread(complete, site, planned))
            await expect(shown).not_to_have_text("0", timeout=PATIENCE_MS)
            await page.evaluate("window.socket.disconnect()")
            await burst
            await asyncio.sleep(seconds)
            await expect(shown).not_to_have_text(str(BURST))
            began = time.monotonic()
            await page.evaluate("window.socket.connect()")
            await expect(shown).to_have_text(str(BURST), timeout=PATIENCE_MS)
            record_property(f"after {seconds} s", f"{time.monotonic() - began:.2f} s")
