"""Text that would run if a page took it for markup, code or a template: in all data, in addresses, typed into forms."""

from urllib.parse import quote

from playwright.async_api import Page

from data import instances, tasks
from data.preferences import LOCAL_USER
from pages.routes import ENTRIES
from tests.browser.conftest import OpenWindow, go
from tests.browser.site_under_test import Site
from tests.hostile import LIVE, PRINTABLE

PARAMETERS = ("q", "metric", "days", "pair", "by", "week", "view", "text", "kind", "category", "state", "task", "next",
              "instance", "first", "last", "page", "archived", "minutes", "unknown")  # fmt: skip
DAMAGE = (
    "() => window.pwned || document.querySelectorAll('main script, main iframe, main [onerror], main [onload]').length"
)


def fill(site: Site) -> None:
    """Put every payload wherever a person may write."""
    with site.database() as database:
        for number, text in enumerate(PRINTABLE):
            name = text[:200]
            task = tasks.create(
                database, LOCAL_USER, name=name, description=text, notes=text, categories=(name.replace(",", " "),)
            )
            one = instances.plan(database, LOCAL_USER, task)
            if number % 3 == 0:
                instances.start(database, LOCAL_USER, one)
            elif number % 3 == 1:
                instances.complete(database, LOCAL_USER, one, note=text)
            else:
                instances.cancel(database, LOCAL_USER, one, reason="other", note=text)


async def test_nothing_that_somebody_wrote_runs_on_any_page(site: Site, open_window: OpenWindow) -> None:
    fill(site)
    window = await open_window("/")
    for entry in ENTRIES:
        await go(window, site, entry.path)
        assert not await window.evaluate(DAMAGE), entry.path
    await go(window, site, "/tasks?view=history")
    assert LIVE[0] in await window.inner_text("main")
    assert not await window.evaluate(DAMAGE)


async def test_nothing_in_an_address_runs(site: Site, open_window: OpenWindow) -> None:
    window = await open_window("/")
    for number, text in enumerate(LIVE):
        entry = ENTRIES[number % len(ENTRIES)]
        query = "&".join(f"{name}={quote(text)}" for name in PARAMETERS)
        for path in (f"{entry.path}?{query}#{quote(text)}", f"/{quote(text, safe='')}", f"/tasks?text={quote(text)}"):
            await go(window, site, path)
            assert not await window.evaluate(DAMAGE), path


async def test_what_is_typed_is_shown_as_it_is_and_does_not_run(site: Site, open_window: OpenWindow) -> None:
    window = await open_window("/tasks")
    for text in LIVE[:6]:
        search = window.get_by_placeholder("Search").first
        await search.fill(text)
        await window.wait_for_function("() => location.search.includes('text=')")
        assert await search.input_value() == text
        assert not await window.evaluate(DAMAGE), text


async def test_text_that_cannot_be_sent_is_refused_and_the_line_stays(site: Site, open_window: OpenWindow) -> None:
    """More than fits into a message, and half a character: neither is lost in silence, nor cuts the line."""
    window = await open_window("/tasks")
    search = window.get_by_placeholder("Search").first
    for value, word in (("'x'.repeat(1_000_000)", "too long for a form"), ("'half \\ud83d'", "")):
        await search.fill("before")
        await type_by_script(window, value)
        if word:
            await window.wait_for_selector(f"text={word}")
            assert await search.input_value() == "before"
        else:
            assert await search.input_value() == "half \ufffd"
        await window.wait_for_timeout(300)
        assert await window.evaluate("window.socket.connected")
    await search.fill("after")
    await window.wait_for_function("() => location.search.includes('after')")


async def type_by_script(window: Page, value: str) -> None:
    """Put text into the search field as pasting does; the keyboard of a test cannot type half a character."""
    await window.evaluate(
        "([value]) => { const field = document.querySelector('input[placeholder^=Search]');"
        " field.value = eval(value); field.dispatchEvent(new Event('input', { bubbles: true })); }",
        [value],
    )
