"""Analytics, glossary and the way there, in real windows: choices in the address, anchors, values on pointing."""

import pytest
from playwright.async_api import Page, expect

from data import instances, tasks
from data.fields import Feelings
from data.preferences import LOCAL_USER as USER
from pages.routes import ENTRIES
from pages.shell import MOST_IN_SIGHT
from tests.browser.conftest import OpenWindow
from tests.browser.site_under_test import Site

TRENDS = "[role=img][aria-label*=' on each of the last ']:not([aria-label^=Composite])"


def complete(site: Site, name: str = "Tax return") -> None:
    """Plan and complete something, as another process would."""
    felt = Feelings(relief=80, mental_load=40, emotional_load=20, physical_load=0)
    with site.database() as database:
        one = instances.plan(database, USER, tasks.create(database, USER, name=name, kind="work"))
        instances.complete(database, USER, one, actual=felt, actual_minutes=60)


def points(page: Page):
    """Return the relief points."""
    return page.locator(".analytics-card", has=page.get_by_role("heading", name="Relief", exact=True)).locator(
        ".big-figure .figure"
    )


async def test_analytics_follow_in_place_and_keep_where_one_is(site: Site, open_window: OpenWindow) -> None:
    complete(site)
    page = await open_window("/analytics")
    await page.evaluate("window.neverReloaded = true")
    chooser = page.get_by_label("Metric", exact=True)
    await chooser.select_option("minutes_work")
    await expect(page.locator(TRENDS)).to_have_attribute(
        "aria-label", "Work on each of the last 90 days: between 0 min and 1 h"
    )
    await expect(page).to_have_url(f"{site.address}/analytics?metric=minutes_work")
    await page.evaluate("window.scrollTo(0, 400)")
    await chooser.evaluate("(one) => one.focus({ preventScroll: true })")

    complete(site, "Another")

    await expect(points(page)).to_have_text("160")
    await expect(page.locator(TRENDS)).to_have_attribute(
        "aria-label", "Work on each of the last 90 days: between 0 min and 2 h"
    )
    await expect(chooser).to_be_focused()
    assert await page.evaluate("window.scrollY") == 400

    await page.get_by_role("button", name="30 days").click()
    await expect(page).to_have_url(f"{site.address}/analytics?metric=minutes_work&days=30")
    assert await page.evaluate("window.scrollY") == 400
    await page.go_back()
    await expect(page.get_by_role("button", name="90 days")).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate("window.scrollY") == 400
    await page.go_back()
    await expect(chooser).to_have_value("avg_relief")
    await expect(page.locator(TRENDS)).to_have_attribute(
        "aria-label", "Relief on each of the last 90 days: between 80 of 100 and 80 of 100"
    )
    await page.go_forward()
    await expect(chooser).to_have_value("minutes_work")
    assert await page.evaluate("window.neverReloaded")
    await page.reload()
    await expect(chooser).to_have_value("minutes_work")


async def test_a_value_shows_when_one_points_at_it(site: Site, open_window: OpenWindow) -> None:
    complete(site)
    page = await open_window("/analytics")
    cell = page.get_by_role("table", name="Average relief by weekday and hour").get_by_role("cell", name="80")
    await expect(cell).to_have_count(1)
    await cell.hover()
    tip = await cell.evaluate("(one) => getComputedStyle(one, '::after').content")
    assert "relief 80" in tip
    await page.get_by_text("As a table").click()
    await expect(page.get_by_role("rowheader", name="Wed 13 May")).to_be_visible()


async def test_a_name_leads_to_its_entry_in_the_glossary_and_back(site: Site, open_window: OpenWindow) -> None:
    complete(site)
    page = await open_window()
    await page.evaluate("window.neverReloaded = true")
    await page.get_by_role("link", name="Net wellbeing").first.click()
    await expect(page).to_have_url(f"{site.address}/glossary#avg_net_wellbeing")
    entry = page.locator("#avg_net_wellbeing")
    await expect(entry).to_be_in_viewport()
    assert await entry.evaluate("(one) => one.getBoundingClientRect().top") < 200
    await page.get_by_label("Search the glossary").fill("grit")
    await expect(page.locator(".glossary-entry")).to_have_count(2)  # that of attempts and that of their mean
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    assert await page.evaluate("window.neverReloaded")


async def test_a_link_from_elsewhere_opens_at_its_entry(site: Site, open_window: OpenWindow) -> None:
    page = await open_window("/glossary#avg_grit")
    await expect(page.locator("#avg_grit")).to_be_in_viewport()


async def test_where_there_is_no_page_it_says_so_and_leads_back(site: Site, open_window: OpenWindow) -> None:
    page = await open_window()
    answer = await page.goto(f"{site.address}/analytics/nonsense")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    await expect(page).to_have_title("Not found · Reprieve")
    await page.get_by_role("link", name="Go to the dashboard").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    for machine in ("/health", "/metrics", "/style.css"):
        assert (await page.request.get(site.address + machine)).status == 200


@pytest.mark.skipif(len(ENTRIES) <= MOST_IN_SIGHT, reason="all pages are in sight")
async def test_a_phone_has_the_other_pages_behind_more(site: Site, open_window: OpenWindow) -> None:
    last = ENTRIES[-1].label
    page = await open_window(viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    navigation = page.get_by_role("navigation", name="Pages")
    link = navigation.get_by_role("link", name=last, exact=True)
    await expect(link).to_be_hidden()
    await navigation.get_by_role("button", name="More").tap()
    await expect(link).to_be_in_viewport()
    assert await link.evaluate("(one) => one.getBoundingClientRect().height") >= 44
    await page.keyboard.press("Escape")
    await expect(link).to_be_hidden()
    await navigation.get_by_role("button", name="More").tap()
    await link.tap()
    await expect(page).to_have_title(f"{last} · Reprieve")
    await expect(link).to_be_hidden()

    wide = await open_window(ENTRIES[-1].path)
    await expect(wide.get_by_role("link", name=last, exact=True)).to_be_in_viewport()
    await expect(wide.get_by_role("button", name="More")).to_be_hidden()
    assert await wide.evaluate("document.documentElement.scrollWidth") <= 1280
