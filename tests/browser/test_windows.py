"""What only real windows show: redrawing without reloading, focus and typed text, lost lines, timers, midnight."""

import re
from datetime import UTC, datetime

from playwright.async_api import Page, expect

from data import instances, tasks
from data.fields import Feelings
from data.preferences import LOCAL_USER as USER
from tests.browser.conftest import NOON, OpenWindow, settled
from tests.browser.site_under_test import Site


def plan(site: Site, *names: str) -> list[str]:
    """Plan something of each name, as another process would."""
    with site.database() as database:
        return [instances.plan(database, USER, tasks.create(database, USER, name=name)) for name in names]


def completed(page: Page):
    """Return the number on the card "Completed"."""
    return page.locator(".metric", has_text="Completed").locator(".metric-value .figure")


async def test_completing_in_one_window_changes_the_other_and_keeps_what_is_typed_there(
    site: Site, open_window: OpenWindow
) -> None:
    plan(site, "Tax return", "Dentist")
    here, there = await open_window(), await open_window()
    await there.evaluate("window.neverReloaded = true")
    await there.get_by_label("Jot down a task").fill("half a tho")
    await expect(completed(there)).to_have_text("0")

    await here.get_by_role("button", name="Done: Tax return").click()
    await here.get_by_role("slider", name="Relief").press("8")
    await here.get_by_label("Note", exact=True).fill("It was fine")
    await here.get_by_role("button", name="Done", exact=True).click()

    await expect(completed(there)).to_have_text("1")
    await expect(there.get_by_role("list", name="Recently done")).to_contain_text("Tax return")
    await expect(there.get_by_role("list", name="Planned")).not_to_contain_text("Tax return")
    await there.keyboard.type("ught")
    await expect(there.get_by_label("Jot down a task")).to_have_value("half a thought")
    await expect(there.get_by_label("Jot down a task")).to_be_focused()
    assert await there.evaluate("window.neverReloaded")


async def test_the_summary_turns_over_at_midnight_in_an_open_window(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    with site.database() as database:
        instances.complete(database, USER, one, actual=Feelings(relief=70))
    page = await open_window("/summary")
    await page.evaluate("window.neverReloaded = true")
    await expect(page.get_by_role("main")).to_contain_text("Nothing to sum up yet")

    site.set_clock(datetime(2026, 5, 14, 0, 0, 1, tzinfo=UTC))

    await expect(page.get_by_role("main")).to_contain_text("For Wednesday, 13 May 2026")
    await expect(page.get_by_role("main")).to_contain_text("“Tax return” brought the most relief (70).")
    assert await page.evaluate("window.neverReloaded")


async def test_a_page_that_slept_through_midnight_is_right_when_it_wakes(site: Site, open_window: OpenWindow) -> None:
    page = await open_window()
    await expect(page.locator(".page-date")).to_have_text("Wednesday, 13 May 2026")
    await page.evaluate("window.socket.disconnect()")
    site.set_clock(datetime(2026, 5, 15, 8, 0, tzinfo=UTC))
    await page.evaluate("window.socket.connect()")
    await expect(page.locator(".page-date")).to_have_text("Friday, 15 May 2026")


async def test_what_happened_while_the_line_was_cut_shows_up_without_a_reload(
    site: Site, open_window: OpenWindow
) -> None:
    some = plan(site, "One", "Two", "Three")
    page = await open_window()
    await page.evaluate("window.neverReloaded = true")
    await page.evaluate("window.socket.disconnect()")
    with site.database() as database:
        for one in some:
            instances.complete(database, USER, one)
    await page.evaluate("window.socket.connect()")
    await expect(completed(page)).to_have_text("3")
    assert await page.evaluate("window.neverReloaded")


async def test_a_hidden_window_catches_up_when_it_is_shown(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    page = await open_window()
    await page.evaluate(
        """() => { window.shown = 'hidden';
        Object.defineProperty(document, 'visibilityState', { get: () => window.shown });
        document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    other = await open_window()
    with site.database() as database:
        instances.complete(database, USER, one)
    await expect(completed(other)).to_have_text("1")
    await expect(completed(page)).to_have_text("0")
    await page.evaluate("() => { window.shown = 'visible'; document.dispatchEvent(new Event('visibilitychange')); }")
    await expect(completed(page)).to_have_text("1")


async def test_a_timer_runs_in_the_browser_from_the_servers_time(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    with site.database() as database:
        instances.start(database, USER, one)
    site.set_clock(NOON.replace(hour=13, minute=5))
    page = await open_window()
    ticker = page.get_by_role("timer")
    await expect(ticker).to_have_text(re.compile(r"^1:0[45]:\d\d$"))
    frames: list[object] = []
    page.on("websocket", lambda socket: socket.on("framereceived", frames.append))
    before = await ticker.inner_text()
    await expect(ticker).not_to_have_text(before)
    assert not frames

    await page.get_by_role("button", name="Pause: Tax return").click()
    await expect(page.get_by_role("button", name="Resume: Tax return")).to_be_focused()
    stood = await ticker.inner_text()
    await page.wait_for_function(
        "async () => { await new Promise((done) => setTimeout(done, 1200)); return true; }"
    )  # longer than a tick
    assert await ticker.inner_text() == stood


async def test_a_double_click_does_not_hit_the_next_row(site: Site, open_window: OpenWindow) -> None:
    plan(site, "One", "Two", "Three")
    page = await open_window()
    await page.get_by_role("list", name="Planned").get_by_role("button", name="Start").first.dblclick()
    await expect(page.get_by_role("list", name="Running and paused").get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_role("list", name="Planned").get_by_role("listitem")).to_have_count(2)


async def test_a_form_can_be_filled_in_with_the_keyboard_alone(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Tax return")
    page = await open_window()
    await page.get_by_role("button", name="Start: Tax return").focus()
    await page.keyboard.press("Enter")
    done = page.get_by_role("list", name="Running and paused").get_by_role("button", name="Done: Tax return")
    await expect(done).to_be_focused()  # the row has moved, and the focus with it
    await page.keyboard.press("Enter")
    relief = page.get_by_role("slider", name="Relief")
    await expect(relief).to_be_focused()
    await expect(relief).to_have_attribute("aria-valuetext", "not said")
    await page.keyboard.press("9")
    await page.keyboard.press("ArrowRight")
    await expect(relief).to_have_attribute("aria-valuetext", "91 of 100")
    aversion = page.get_by_role("slider", name="Aversion")
    await aversion.press("3")
    await aversion.press("Delete")
    await expect(aversion).to_have_attribute("aria-valuetext", "not said")
    await page.get_by_label("Note", exact=True).press("Control+Enter")
    await expect(page.get_by_role("list", name="Recently done")).to_contain_text("relief 91")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("heading", name="Now")).to_be_focused()  # the row is gone, its section is not


async def test_undo_from_the_message_that_follows(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Tax return")
    page = await open_window()
    await page.get_by_role("button", name="Give up: Tax return").click()
    await page.get_by_role("radio", name="No energy").click()
    await page.get_by_role("button", name="Give up", exact=True).click()
    await expect(page.get_by_role("list", name="Planned").get_by_role("listitem")).to_have_count(0)
    await page.get_by_role("region", name="Messages").get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("list", name="Planned")).to_contain_text("Tax return")


async def test_moving_between_pages_keeps_the_window_and_tells_where_one_is(
    site: Site, open_window: OpenWindow
) -> None:
    page = await open_window()
    await page.evaluate("window.neverReloaded = true")
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Summary").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Daily summary")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await expect(page).to_have_title("Summary · Reprieve")
    await expect(page).to_have_url(f"{site.address}/summary")
    await expect(page.get_by_role("link", name="Summary")).to_have_attribute("aria-current", "page")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    assert await page.evaluate("window.neverReloaded")


async def test_a_name_full_of_markup_is_shown_as_it_is(site: Site, open_window: OpenWindow) -> None:
    name = '<img src=x onerror="window.broken = 1"><b>bold</b> ${1+1} `tick` {{ 7*7 }}'
    (one,) = plan(site, name)
    page = await open_window()
    await expect(page.get_by_text(name, exact=True).first).to_be_visible()
    with site.database() as database:
        instances.complete(database, USER, one, actual=Feelings(relief=70))
    await expect(page.get_by_role("list", name="Recently done").get_by_text(name, exact=True)).to_be_visible()
    site.set_clock(NOON.replace(day=14))
    await page.get_by_role("link", name="Summary").click()
    await expect(page.get_by_role("main")).to_contain_text(f"“{name}” brought the most relief")
    assert await page.evaluate("window.broken") is None


async def test_a_restarted_page_is_right_at_once(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    page = await open_window()
    with site.database() as database:
        instances.complete(database, USER, one)
    await page.reload()
    await settled(page)
    await expect(completed(page)).to_have_text("1")


async def test_what_was_typed_outlives_a_reload(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Tax return")
    page = await open_window()
    await page.get_by_label("Jot down a task").fill("half a thought")
    await page.get_by_role("button", name="Done: Tax return").click()
    await page.get_by_role("slider", name="Relief").press("8")
    await page.get_by_label("Note", exact=True).fill("a long note")
    await expect(page.get_by_role("slider", name="Relief")).to_have_attribute("aria-valuetext", "80 of 100")

    await page.reload()

    await expect(page.get_by_label("Note", exact=True)).to_have_value("a long note")
    await expect(page.get_by_role("slider", name="Relief")).to_have_attribute("aria-valuetext", "80 of 100")
    await expect(page.get_by_role("slider", name="Aversion")).to_have_attribute("aria-valuetext", "not said")
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.get_by_role("list", name="Recently done")).to_contain_text("relief 80")
    await expect(page.get_by_label("Jot down a task")).to_have_value("half a thought")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("list", name="Planned")).to_contain_text("half a thought")

    await page.reload()
    await settled(page)
    await expect(page.get_by_label("Jot down a task")).to_have_value("")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    with site.database() as database, database.read() as read:
        notes = read.connection.exec_driver_sql("SELECT note FROM instances WHERE state = 'completed'").scalars().all()
    assert notes == ["a long note"]


async def test_choices_and_sliders_outlive_a_reload_as_well(site: Site, open_window: OpenWindow) -> None:
    """The slider is moved last and by a digit, which the browser reports by no event of its own."""
    plan(site, "Tax return")
    page = await open_window()
    await page.get_by_role("button", name="New task").click()
    await page.get_by_label("Name", exact=True).fill("Guitar")
    await page.get_by_role("radio", name="Play").click()
    await page.get_by_role("slider").press("3")
    await expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "30 of 100")

    await page.reload()

    await expect(page.get_by_label("Name", exact=True)).to_have_value("Guitar")
    await expect(page.get_by_role("radio", name="Play")).to_be_checked()
    await expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "30 of 100")
    await page.get_by_role("button", name="Create only").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    with site.database() as database, database.read() as read:
        kept = read.connection.exec_driver_sql("SELECT kind, default_aversion FROM tasks WHERE name = 'Guitar'").one()
    assert tuple(kept) == ("play", 30)


async def test_a_window_outlives_a_restart_of_the_server(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    page = await open_window()
    await page.get_by_role("button", name="Done: Tax return").click()
    await page.get_by_label("Note", exact=True).fill("a long note")
    site.stop()
    with site.database() as database:
        instances.start(database, USER, one)
    site.start()
    await expect(page.get_by_label("Note", exact=True)).to_have_value("a long note", timeout=30_000)
    await expect(page.get_by_role("timer")).to_be_visible()


async def test_a_draft_about_something_that_is_gone_says_so(site: Site, open_window: OpenWindow) -> None:
    (one,) = plan(site, "Tax return")
    page = await open_window()
    await page.get_by_role("button", name="Done: Tax return").click()
    await page.get_by_label("Note", exact=True).fill("a long note")
    await page.evaluate("window.socket.disconnect()")
    with site.database() as database:
        instances.cancel(database, USER, one)
    await page.reload()
    await expect(page.get_by_role("alert")).to_contain_text("not open any more")
    await page.reload()
    await settled(page)
    await expect(page.get_by_role("alert")).to_have_count(0)
