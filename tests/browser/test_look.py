"""How the pages are to use: for everybody (axe-core), on a phone, in the dark, and without jumping about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from data import demo, instances, preferences, tasks
from data.preferences import LOCAL_USER as USER
from tests.browser.conftest import NOON, OpenWindow, go
from tests.browser.site_under_test import Site, serving

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
PHONE = {"viewport": {"width": 360, "height": 800}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
COUNT_JUMPS = """window.jumps = 0; new PerformanceObserver((list) => {
for (const entry of list.getEntries()) window.jumps += entry.value;
}).observe({ type: 'layout-shift', buffered: true });"""
AFTER_THE_NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(window.jumps))))"
PAGES = (
    "/",
    "/analytics",
    "/summary",
    "/tasks",
    "/tasks?view=history",
    "/goals",
    "/glossary",
    "/settings",
    "/experimental",
    "/inspector",
)
SERIOUS = ("moderate", "serious", "critical")
DIALOG = "[role=dialog]"
STANDS_STILL = "() => document.querySelector('.q-dialog__inner')?.getAnimations({ subtree: true }).length === 0"

WITHOUT_FADING = """() => { const rules = new CSSStyleSheet(); rules.replaceSync('* { transition: none !important }');
document.adoptedStyleSheets.push(rules); }"""
HAS_CHANGED_ITS_COLOURS = """(isDark) => document.body.classList.contains('body--dark') === isDark
&& document.getAnimations().every((one) => !(one instanceof CSSTransition))"""
"""Quasar is told of it by a script."""


@pytest.fixture(scope="module")
def with_slow_loads(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """The same, of which each page has to be computed before it can be shown, and that takes a while."""
    with serving(tmp_path_factory.mktemp("slow"), NOON) as running:
        with running.database() as database:
            demo.add(database, USER)
            preferences.change(database, USER, cache_mode="disabled")
        running.slow_down(0.2)
        yield running


async def findings(page: Page, within: str = "html") -> list[str]:
    """Return what axe-core finds serious, in light and in dark; nothing but the colours is another there."""
    found = []
    await page.evaluate(WITHOUT_FADING)
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.wait_for_function(HAS_CHANGED_ITS_COLOURS, arg=scheme == "dark")
        found += [f"{scheme}: {finding}" for finding in await serious(page, *rules, within=within)]
    return found


async def serious(page: Page, *rules: str, within: str = "html") -> list[str]:
    """Return what axe-core finds serious as the page is, by these rules of its or by all, in a part or everywhere."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))  # in a tag, the page's policy would not let it run
    # without its own requests for style sheets, which would make Quasar show a loading bar
    asked = {"preload": False, "resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = await page.evaluate("async (given) => (await axe.run(...given)).violations", [within, asked])
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("paths", [PAGES[::2], [*PAGES[1::2], "/nonsense"]], ids=["some", "others"])
async def test_pages_are_accessible(with_demo: Site, open_window: OpenWindow, paths: list[str]) -> None:
    page = await open_window("/nonsense", on=with_demo)
    for path in paths:
        await go(page, with_demo, path)
        for folded in await page.locator("details:not([open])").element_handles():
            await folded.evaluate("(one) => one.open = true")
        assert await findings(page) == [], path


async def test_the_check_for_accessibility_finds_what_is_wrong(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window("/summary", on=with_demo)
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    assert [one for one in await findings(page) if "button-name" in one]
    await page.evaluate("document.querySelector('main h1').style.color = '#222'")
    assert [one for one in await findings(page) if one.startswith("dark: color-contrast")]


async def test_empty_pages_are_accessible(site: Site, open_window: OpenWindow) -> None:
    page = await open_window("/nonsense")
    for path in ("/", "/analytics", "/summary"):
        await go(page, site, path)
        assert await findings(page) == [], path


async def test_dialogs_are_accessible(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window("/nonsense", on=with_demo)
    for door in ("Done:", "Give up:", "Plan:", "New task", "Why? What next"):
        await go(page, with_demo, "/")
        await page.get_by_role("button", name=door).first.click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.wait_for_function(STANDS_STILL)
        assert await findings(page, within=DIALOG) == [], door


async def test_numbers_of_all_metrics_are_accessible(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window(on=with_demo)
    await page.get_by_text("All numbers").click()
    await expect(page.get_by_role("row", name="Grit")).to_be_visible()
    assert await findings(page) == []


async def test_a_phone_needs_no_sideways_scrolling(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window("/nonsense", on=with_demo, **PHONE)
    for path in ("/", "/analytics", "/summary", "/glossary"):
        await go(page, with_demo, path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        small = await page.evaluate(
            """() => [...document.querySelectorAll('main .button, nav a')].filter((one) => one.offsetParent)
            .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)"""
        )
        assert small == [], path


async def test_the_first_stop_of_the_tab_key_skips_to_the_content(site: Site, open_window: OpenWindow) -> None:
    page = await open_window()
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main .page")).to_be_focused()


async def test_a_preferred_theme_is_there_from_the_first_paint_and_can_change(
    site: Site, open_window: OpenWindow
) -> None:
    with site.database() as database:
        preferences.change(database, USER, theme="dark")
    page = await open_window("/", color_scheme="light")
    background = "() => getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(background) == "rgb(18, 19, 21)"
    html = await (await page.request.get(site.address)).text()
    assert 'name="color-scheme"\n      content="dark"' in html
    with site.database() as database:
        preferences.change(database, USER, theme="light")
    await page.wait_for_function(f"() => ({background})() === 'rgb(246, 246, 243)'")


async def test_a_warm_page_does_not_jump(with_demo: Site, open_window: OpenWindow) -> None:
    page = await open_window(on=with_demo)
    await page.add_init_script(COUNT_JUMPS)
    await page.reload()
    await page.wait_for_selector(".entry-title")
    await page.wait_for_function("() => window.did_handshake")
    assert await page.evaluate("window.jumps") < 0.02


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_page_does_not_jump_when_what_it_waits_for_arrives(
    with_slow_loads: Site, open_window: OpenWindow, size: dict[str, object]
) -> None:
    page = await open_window("/nonsense", on=with_slow_loads, **size)
    await page.add_init_script(COUNT_JUMPS)
    for path in ("/", "/analytics", "/summary", "/tasks", "/goals", "/settings", "/inspector"):
        await go(page, with_slow_loads, path)
        assert await page.evaluate(AFTER_THE_NEXT_FRAME) < 0.1, path


async def test_what_changed_is_highlighted_unless_motion_is_unwanted(site: Site, open_window: OpenWindow) -> None:
    with site.database() as database:
        instances.plan(database, USER, tasks.create(database, USER, name="Tax return"))
    lively, calm = await open_window(reduced_motion="no-preference"), await open_window()
    await lively.get_by_role("button", name="Done:").first.click()
    await lively.get_by_role("button", name="Done", exact=True).click()
    await expect(lively.locator(".has-changed").first).to_be_visible()
    await expect(calm.locator(".has-changed").first).to_be_visible()
    name = "(element) => getComputedStyle(element).animationName"
    assert await lively.locator(".has-changed").first.evaluate(name) == "changed"
    assert await calm.locator(".has-changed").first.evaluate(name) == "none"


async def test_demo_data_with_one_click_and_gone_with_another(site: Site, open_window: OpenWindow) -> None:
    page = await open_window()
    await page.get_by_role("button", name="Look around with demo data").click()
    await expect(page.get_by_role("list", name="Recently done")).to_be_visible(timeout=60_000)
    await expect(page.get_by_role("heading", name="What are you putting off?")).to_be_hidden()
    await page.get_by_role("button", name="Remove the demo data").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("heading", name="What are you putting off?")).to_be_visible()
