"""Takes pictures of the pages: `PYTHONPATH=. python tests/browser/screenshots.py [FOLDER [NAMES]]`.

Their folder is docs/screenshots/ unless said otherwise. NAMES is a part of the names of those to take, `all` takes
every one, and without it those are taken that the documentation shows. They are always of the same day and the same
made-up year, so that pictures change only if the pages do.
"""

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Page

from data import demo
from data.preferences import LOCAL_USER
from tests.browser.site_under_test import ROOT, Site, browsing, serving

NOW = datetime(2026, 11, 22, 15, 20, tzinfo=UTC)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or "chromium"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 800}}
SHOWN = (
    "dashboard-demo-desktop-light",
    "dashboard-demo-desktop-dark",
    "dashboard-demo-phone-light",
    "analytics-demo-desktop-light",
    "analytics-demo-phone-dark",
    "summary-demo-desktop-light",
    "dialog-complete-desktop-light",
)
"""The pictures of the documentation."""
FONT = "body, .button { font-family: 'Liberation Sans', Arial, Helvetica, sans-serif !important }"
"""The system's font differs from machine to machine; this one is on most, or looks like those that are."""
PAGES = {
    "dashboard": "/",
    "analytics": "/analytics",
    "summary": "/summary",
    "tasks": "/tasks",
    "history": "/tasks?view=history",
    "goals": "/goals",
    "glossary": "/glossary",
    "settings": "/settings",
    "experimental": "/experimental",
    "inspector": "/inspector",
    "lost": "/nonsense",
}
DIALOGS = {
    "complete": ".entry:has(.entry-ticker) .icon-check",
    "give-up": ".entry:has(.entry-ticker) .icon-close",
    "plan": ".entry:not(.offer) .icon-plan",
    "create": ".section-head .icon-plus",
    "why": ".metrics .is-why",
    "shortcuts": ".help-door",
}
"""What opens each dialog of the dashboard."""
CORRECTIONS = {"edit-task": "/tasks", "edit-attempt": "/tasks?view=history&state=completed"}
"""Where the first row opens which form."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where pictures go, and which are wanted."""

    browser: Browser
    site: Site
    target: Path
    wanted: str

    def wants(self, name: str) -> bool:
        """Whether the picture called *name* is to be taken."""
        return name in SHOWN if not self.wanted else self.wanted == "all" or self.wanted in name

    async def take(self, name: str, path: str, form: str, theme: str, door: str = "") -> None:
        """Take one picture; of a whole page, or of what a *door* opens above it."""
        page = await self._open(path, form, theme)
        if door:
            await page.locator(door).first.click()
            await page.wait_for_function("() => document.querySelector('.q-dialog')?.contains(document.activeElement)")
            await page.wait_for_function(
                "() => document.querySelector('.q-dialog__inner').getAnimations({ subtree: true }).length === 0"
            )
        await page.screenshot(path=self.target / f"{name}.png", full_page=not door and form == "desktop")
        await page.close()

    async def _open(self, path: str, form: str, theme: str) -> Page:
        page = await self.browser.new_page(viewport=SIZES[form], color_scheme=theme, reduced_motion="reduce")
        await page.goto(self.site.address + path)
        await page.add_style_tag(content=FONT)
        await page.wait_for_selector("main h1")
        await page.wait_for_function("() => window.did_handshake && !document.querySelector('.is-loading')")
        return page


async def take_all(target: Path, wanted: str) -> None:
    """Take the pictures: of an empty application first, then of one with demo data."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), NOW) as site:
        async with browsing(CHROMIUM) as browser:
            camera = Camera(browser=browser, site=site, target=target, wanted=wanted)
            for content in ("empty", "demo"):
                if content == "demo":
                    with site.database() as database:
                        demo.add(database, LOCAL_USER)
                for form in SIZES:
                    for theme in ("light", "dark"):
                        await _take(camera, content, form, theme)


async def _take(camera: Camera, content: str, form: str, theme: str) -> None:
    for called, path in PAGES.items():
        name = f"{called}-{content}-{form}-{theme}"
        if camera.wants(name):
            await camera.take(name, path, form, theme)
    if content == "demo":
        for called, door in DIALOGS.items():
            name = f"dialog-{called}-{form}-{theme}"
            if camera.wants(name) and not (called == "shortcuts" and form == "phone"):  # which has no keys
                await camera.take(name, "/", form, theme, door)
        for called, path in CORRECTIONS.items():
            name = f"dialog-{called}-{form}-{theme}"
            if camera.wants(name):
                await camera.take(name, path, form, theme, "[data-act=edit]")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    folder = Path(arguments[0]) if arguments else ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(folder, arguments[1] if len(arguments) > 1 else ""))
