"""Tasks, goals and settings as only a browser shows them: keys, focus, going back, drafts, a cut line, a phone."""

import pytest
from playwright.async_api import Page, expect

from data import instances, preferences, tasks
from data.fields import Feelings
from data.preferences import LOCAL_USER as USER
from tests.browser.conftest import OpenWindow, go
from tests.browser.site_under_test import Site
from tests.browser.test_look import DIALOG, PHONE, STANDS_STILL, findings, serious

ADDRESSES = ("/tasks", "/tasks?view=history", "/goals", "/settings", "/experimental", "/inspector")


def plan(site: Site, *names: str) -> list[str]:
    """Plan something of each name, as another process would."""
    with site.database() as database:
        return [instances.plan(database, USER, tasks.create(database, USER, name=name)) for name in names]


async def dialog(page: Page) -> None:
    """Wait until a dialog is open and stands still."""
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.wait_for_function(STANDS_STILL)


async def test_forms_are_accessible(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window("/tasks?view=history&state=completed", on=with_demo)
    await page.get_by_role("button", name="Edit").first.click()
    await dialog(page)
    assert await findings(page, within=DIALOG) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("?")
    await dialog(page)
    assert await findings(page, within=DIALOG) == []


async def test_a_routine_is_set_by_keyboard_and_outlives_a_reload(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Water the plants")
    page = await open_window("/tasks")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await dialog(page)
    await page.get_by_role("radio", name="Weekly").focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_text("Without a weekday, Mon is taken.")).to_be_visible()
    await page.get_by_role("checkbox", name="Thu").focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_text("tomorrow, Thu 21 May, Thu 28 May")).to_be_visible()
    assert await serious(page, within=DIALOG) == []

    await page.reload()
    await dialog(page)
    await expect(page.get_by_role("checkbox", name="Thu")).to_be_checked()
    await expect(page.get_by_text("tomorrow, Thu 21 May, Thu 28 May")).to_be_visible()
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_text("next tomorrow")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await page.get_by_role("button", name="Plan: Water the plants").press("r")
    await expect(page.locator(".entry-routine .flag")).to_have_text("Paused")
    await page.keyboard.press("u")
    await expect(page.get_by_text("next tomorrow")).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_keys_act_at_once_after_a_form_was_closed(with_demo: Site, open_window: OpenWindow, motion: str) -> None:
    page = await open_window(on=with_demo, reduced_motion=motion)
    await page.keyboard.press("?")
    await dialog(page)
    await page.keyboard.press("Escape")
    await page.wait_for_function(
        "() => !document.querySelector('.q-dialog[aria-modal=true]')"
    )  # with motion, it fades by now
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await page.wait_for_url("**/inspector")


async def test_pages_fit_a_phone(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window(on=with_demo, **PHONE)
    outside = """() => [...document.querySelectorAll('main .section *, .filters *')].filter((one) => one.offsetParent)
        .filter((one) => !one.closest('.load-times, .rules-frame') && one.getBoundingClientRect().right > 344.5)
        .map((one) => one.outerHTML.slice(0, 200))"""
    small = """() => [...document.querySelectorAll('main .button')].filter((one) => one.offsetParent)
        .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)"""
    for address in ADDRESSES:
        await go(page, with_demo, address)
        assert await page.evaluate(outside) == [], address
        assert await page.evaluate(small) == [], address


async def test_the_keyboard_alone_reaches_and_does_what_is_frequent(site: Site, open_window: OpenWindow) -> None:
    plan(site, "One", "Two")
    page = await open_window()
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
    await page.keyboard.press("/")
    await page.keyboard.type("two?")  # typed, not taken for keys
    await expect(page.get_by_label("Search", exact=True)).to_have_value("two?")
    await expect(page.get_by_text("Nothing matches.")).to_be_visible()
    await page.keyboard.press("Backspace")
    await expect(page.get_by_role("list", name="Tasks").get_by_role("listitem")).to_have_count(1)
    await page.keyboard.press("Tab")
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await dialog(page)
    await page.get_by_label("Name", exact=True).fill("Twice")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_label("Search", exact=True).fill("")
    await expect(page.get_by_role("list", name="Tasks")).to_contain_text("Twice")
    await page.get_by_role("heading", level=1).focus()
    await page.keyboard.press("u")
    await expect(page.get_by_role("list", name="Tasks")).to_contain_text("Two")
    await page.keyboard.press("?")
    await dialog(page)
    await page.get_by_label("Single keys act").uncheck()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("g")
    await page.keyboard.press("d")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")


async def test_a_new_row_is_reached_with_one_key(site: Site, open_window: OpenWindow) -> None:
    plan(site, *(f"Task {number}" for number in range(30)))
    page = await open_window()
    await page.keyboard.press("n")
    await page.keyboard.type("Call the bank")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Go to it").click()
    await expect(page.get_by_role("button", name="Start: Call the bank")).to_be_focused()
    await page.keyboard.press("s")
    await expect(page.get_by_role("button", name="Done: Call the bank")).to_be_focused()


async def test_going_back_leads_to_where_one_was_on_the_page(site: Site, open_window: OpenWindow) -> None:
    plan(site, *(f"Task {number}" for number in range(30)))
    page = await open_window("/tasks")
    await page.evaluate("scrollTo(0, 700)")
    await page.get_by_role("link", name="Goals").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Goals")
    await page.wait_for_function("() => scrollY === 0")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
    await page.wait_for_function("() => scrollY === 700")
    await page.go_forward()
    await page.wait_for_function("() => scrollY === 0")
    await page.go_back()
    await page.wait_for_function("() => scrollY === 700")
    await page.reload()
    await page.wait_for_function("() => window.did_handshake && scrollY === 700")
    await page.reload(wait_until="commit")
    await page.reload(wait_until="commit")  # before there is anything to scroll
    await page.wait_for_function("() => window.did_handshake && scrollY === 700")


async def test_what_is_looked_for_is_in_the_address_and_going_back_takes_it_back(
    site: Site, open_window: OpenWindow
) -> None:
    plan(site, "One", "Two")
    page = await open_window("/tasks")
    await page.evaluate("window.neverReloaded = true")
    await page.get_by_role("link", name="History").click()
    await page.get_by_label("State").select_option("completed")
    await expect(page).to_have_url(f"{site.address}/tasks?view=history&state=completed")
    await expect(page.get_by_text("Nothing matches.")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("State")).to_have_value("")
    await expect(page.get_by_role("list", name="History").get_by_role("listitem")).to_have_count(2)
    await page.go_back()
    await expect(page.get_by_role("list", name="Tasks")).to_be_visible()
    assert await page.evaluate("window.neverReloaded")


async def test_correcting_in_one_window_changes_the_other_and_the_focus_stays(
    site: Site, open_window: OpenWindow
) -> None:
    one, _ = plan(site, "One", "Two")
    with site.database() as database:
        instances.complete(database, USER, one, actual=Feelings(relief=80))
    here, there = await open_window("/tasks?view=history"), await open_window("/tasks?view=history&state=completed")
    await here.get_by_role("button", name="Edit: One").click()
    await dialog(here)
    await here.get_by_role("slider", name="Relief", exact=True).press("2")
    await here.get_by_role("button", name="Save").click()
    await expect(there.get_by_role("list", name="History")).to_contain_text("relief 20")
    await expect(here.get_by_role("list", name="History")).to_contain_text("relief 20")
    await expect(here.get_by_role("button", name="Edit: One")).to_be_focused()


async def test_escape_keeps_what_was_typed_and_start_over_forgets_it(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Tax return")
    page = await open_window()
    door = page.get_by_role("button", name="Done: Tax return")
    await door.click()
    await dialog(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_text("is kept")).to_have_count(0)  # nothing was typed
    await door.click()
    await dialog(page)
    await page.get_by_role("slider", name="Relief").press("8")
    await page.get_by_label("Note", exact=True).fill("a long note")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("What you filled in is kept.")).to_be_visible()
    await door.click()
    await expect(page.get_by_label("Note", exact=True)).to_have_value("a long note")
    await expect(page.get_by_role("slider", name="Relief")).to_have_attribute("aria-valuetext", "80 of 100")
    await page.get_by_role("button", name="Start over").click()
    await expect(page.get_by_label("Note", exact=True)).to_have_value("")
    await expect(page.get_by_role("slider", name="Relief")).to_have_attribute("aria-valuetext", "not said")
    await page.get_by_label("Note", exact=True).fill("another note")
    await page.get_by_role("button", name="Done", exact=True).click()
    await page.get_by_role("button", name="Undo: Tax return").click()
    await door.press("Enter")
    await dialog(page)
    await expect(page.get_by_text("is here again")).to_be_hidden()


async def test_a_click_while_the_line_is_cut_says_that_it_did_nothing(site: Site, open_window: OpenWindow) -> None:
    plan(site, "Tax return")
    page = await open_window()
    await page.evaluate("window.socket.disconnect()")
    await page.get_by_role("button", name="Start: Tax return").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no connection, so this was not done.")
    await page.evaluate("window.socket.connect()")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("list", name="Planned")).to_contain_text("Tax return")
    await page.get_by_role("button", name="Start: Tax return").click()
    await expect(page.get_by_role("button", name="Pause: Tax return")).to_be_visible()


async def test_settings_are_saved_as_they_are_chosen(site: Site, open_window: OpenWindow) -> None:
    page, other = await open_window("/settings"), await open_window("/settings")
    await page.get_by_label("Time zone").fill("Asia/Tokyo")
    await expect(other.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    await page.get_by_label("Theme").select_option("dark")
    await expect(other.get_by_label("Theme")).to_have_value("dark")
    await page.get_by_text("Ranking of recommendations").click()
    await page.get_by_label("Urgency").fill("3")
    await page.get_by_label("Urgency").press("Tab")
    await expect(page.get_by_text("50%")).to_be_visible()
    await page.get_by_label("Work a day").fill("90")
    await page.get_by_label("Work a day").press("Enter")
    await expect(other.get_by_label("Work a day")).to_have_value("90")
    await other.goto(site.address + "/experimental")
    await other.get_by_role("link", name="Change in the settings").first.click()
    await expect(other.get_by_role("heading", name="Experimental")).to_be_in_viewport()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download everything").click()
    archive = await (await download.value).path()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Take in an archive").click()
    await (await chooser.value).set_files(
        {"name": "a.zip", "mimeType": "application/zip", "buffer": archive.read_bytes()}
    )
    await page.get_by_role("button", name="Take it in").click()
    await expect(page.get_by_text("Took in 0 tasks")).to_be_visible()
    with site.database() as database, database.read() as read:
        assert preferences.load(read, USER).target_minutes_per_day == 90
