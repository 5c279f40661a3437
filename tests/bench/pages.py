"""Measure the pages in a real browser and by HTTP, beside an empty NiceGUI page: `make bench ARGS=pages`.

One run, in turns: the time to the first byte and to the last, the time until the main content stands, and the bytes of
each page in each cache mode; then the way from a click to the changed text in another window, with 1, 10 and 50 of
them. Prints tables and the aims, and writes the same to build/bench-pages.json. Nothing is asserted: timings are for
people.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, Page

from data import demo, instances, preferences
from data.calculations.dashboard import load_tasks
from data.preferences import LOCAL_USER, CacheMode
from data.viewpoint import Viewpoint
from events.catalog import InstanceId
from pages.routes import ENTRIES
from tests.browser.site_under_test import ROOT, Site, browsing, serving

WINDOWS = (1, 10, 50)
VISIBLE = """() => window.did_handshake && document.querySelector('main h1')
    && !document.querySelector('.is-loading') && performance.now()"""
VISIBLE_BARE = "() => window.did_handshake && document.querySelector('main h1') && performance.now()"
WATCH = """() => {
    const look = () => {
        if (window.awaited === undefined) return;
        for (const one of document.querySelectorAll('main button, main .watched'))
            if (one.textContent.trim() === window.awaited) {
                window.changedAt = performance.timeOrigin + performance.now();
                window.awaited = undefined;
                return;
            }
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
AWAIT = "(text) => { window.changedAt = 0; window.awaited = text; }"
STAMP_CLICKS = """() => document.addEventListener('click',
    (event) => { window.clickedAt = performance.timeOrigin + event.timeStamp; }, true)"""


@dataclass(frozen=True)
class Pace:
    """How much is measured."""

    requests: int
    visits: int
    clicks: int
    windows: tuple[int, ...]


FULL = Pace(requests=40, visits=9, clicks=60, windows=WINDOWS)
QUICK = Pace(requests=10, visits=3, clicks=12, windows=(1, 10))


def quantile(found: Sequence[float], share: float) -> float:
    """Return that quantile of what was measured, the next one that was."""
    return sorted(found)[min(int(share * len(found)), len(found) - 1)]


@contextlib.contextmanager
def bare() -> Iterator[str]:
    """Serve the empty page; yields its address."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_page", str(port)], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=1):
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


class Run:
    """All that is measured, of one site with 10,000 instances and one that is bare."""

    def __init__(self, site: Site, bare_address: str, pace: Pace) -> None:
        self.site = site
        self.bare = bare_address
        self.pace = pace
        self.first_byte: dict[tuple[str, str], list[float]] = {}
        self.whole: dict[tuple[str, str], list[float]] = {}
        self.visible: dict[tuple[str, str], list[float]] = {}
        self.size: dict[tuple[str, str], int] = {}
        self.live: dict[tuple[str, int], list[float]] = {}
        self.cpu: dict[int, float] = {}

    def set_mode(self, mode: CacheMode) -> None:
        with self.site.database() as database:
            preferences.change(database, LOCAL_USER, cache_mode=mode.value)

    def requests(self, mode: CacheMode) -> None:
        """First bytes of each page, in turns with the empty one, by a client that comes back."""
        addresses = {"empty": f"{self.bare}/", **{entry.path: self.site.address + entry.path for entry in ENTRIES}}
        with contextlib.ExitStack() as opened:
            clients = {name: opened.enter_context(httpx.Client()) for name in addresses}
            for warm_up in (True, False):
                for _ in range(3 if warm_up else self.pace.requests):
                    for name, address in addresses.items():
                        began = time.perf_counter()
                        with clients[name].stream("GET", address) as answer:
                            body = next(chunks := answer.iter_raw())
                            took = time.perf_counter() - began
                            size = len(body) + sum(map(len, chunks))
                            took_all = time.perf_counter() - began
                        if not warm_up:
                            self.first_byte.setdefault((name, mode.value), []).append(took)
                            self.whole.setdefault((name, mode.value), []).append(took_all)
                            self.size[name, mode.value] = size

    async def visits(self, browser: Browser, mode: CacheMode) -> None:
        """The time until the main content of each page stands, in turns with the empty one."""
        addresses = {"empty": f"{self.bare}/", **{entry.path: self.site.address + entry.path for entry in ENTRIES}}
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        for number in range(self.pace.visits + 1):
            for name, address in addresses.items():
                page = await context.new_page()
                await page.goto(address, wait_until="commit")
                condition = VISIBLE_BARE if name == "empty" else VISIBLE
                handle = await page.wait_for_function(condition, polling="raf", timeout=60_000)
                if number:  # the first fills the browser's cache
                    self.visible.setdefault((name, mode.value), []).append(float(await handle.json_value()) / 1000)
                await page.close()
        await context.close()

    async def clicks(self, browser: Browser, windows: int) -> None:
        """From the click in one window to the changed text in the others; ours and bare in turns."""
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        ours = await self._open(context, f"{self.site.address}/", windows + 1, VISIBLE)
        plain = await self._open(context, f"{self.bare}/echo", windows + 1, VISIBLE_BARE)
        for page in (*ours[1:], *plain[1:]):
            await page.evaluate(WATCH)
        for page in (ours[0], plain[0]):
            await page.evaluate(STAMP_CLICKS)
        cpu_before = _cpu_seconds(self.site.pid)
        count = int(await plain[0].locator(".watched").inner_text())
        for number in range(self.pace.clicks):
            press, appears = ("Pause", "Resume") if number % 2 == 0 else ("Resume", "Pause")
            for kind, pages, button, awaited in (
                ("ours", ours, ours[0].locator(f"main button:has-text('{press}')").first, appears),
                ("bare", plain, plain[0].locator("main button").first, str(count + number + 1)),
            ):
                for page in pages[1:]:
                    await page.evaluate(AWAIT, awaited)
                await button.click()
                clicked = await pages[0].evaluate("() => window.clickedAt")
                for page in pages[1:]:
                    changed = await page.wait_for_function("() => window.changedAt", polling=20)
                    self.live.setdefault((kind, windows), []).append((await changed.json_value() - clicked) / 1000)
            await asyncio.sleep(0.6)  # so that no redraw has to wait for the one before
        self.cpu[windows] = (_cpu_seconds(self.site.pid) - cpu_before) / self.pace.clicks
        await context.close()

    async def _open(self, context: BrowserContext, address: str, number: int, ready: str) -> list[Page]:
        pages = []
        for _ in range(number):
            page = await context.new_page()
            await page.goto(address)
            await page.wait_for_function(ready, timeout=60_000)
            pages.append(page)
        return pages


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(site: Site, days: int, per_day: int) -> None:
    """Make the data, with one instance whose timer runs."""
    with site.database() as database:
        demo.add(database, LOCAL_USER, days=days, per_day=per_day, seed=1)
        with database.read() as read:
            view = Viewpoint.at(LOCAL_USER, preferences.load(read, LOCAL_USER), database.clock())
            lists = load_tasks(read, view)
        for one in lists.paused:
            instances.complete(database, LOCAL_USER, InstanceId(one.id))
        for one in lists.active[1:]:
            instances.complete(database, LOCAL_USER, InstanceId(one.id))
        if not lists.active:
            instances.start(database, LOCAL_USER, InstanceId(lists.planned[0].id))


def aims(run: Run) -> list[dict[str, Any]]:
    """Return what is aimed at, and what was reached."""
    found = []

    def aim(what: str, ratio: float, at_most: float, unit: str = "x") -> None:
        found.append({"what": what, "ratio": ratio, "at_most": at_most, "unit": unit, "met": ratio <= at_most})

    for (name, mode), seconds in run.first_byte.items():
        if name != "empty" and mode != CacheMode.DISABLED:
            base = statistics.median(run.first_byte["empty", mode])
            aim(f"first byte of {name}, {mode}, to that of an empty page", statistics.median(seconds) / base, 1.3)
    for (name, mode), seconds in run.visible.items():
        if name != "empty" and mode != CacheMode.DISABLED:
            base = statistics.median(run.visible["empty", mode])
            aim(f"main content of {name}, {mode}, to that of an empty page", statistics.median(seconds) / base, 1.5)
    for (kind, windows), seconds in run.live.items():
        if kind == "ours":
            base = run.live["bare", windows]
            aim(f"click to {windows} other windows, p50, to bare", quantile(seconds, 0.5) / quantile(base, 0.5), 3)
            aim(f"click to {windows} other windows, p99, to bare", quantile(seconds, 0.99) / quantile(base, 0.99), 5)
    counts = sorted(run.cpu)
    if len(counts) > 1:
        extra = (run.cpu[counts[-1]] - run.cpu[counts[0]]) / (counts[-1] - counts[0]) * 1000
        aim("server CPU per extra window and event", extra, 1.0, "ms")
    return found


def report(run: Run) -> str:
    """Return all that is printed."""
    lines = [f"{'page':14} {'mode':10} {'first byte':>12} {'answer':>10} {'content':>10} {'bytes':>9}"]
    nothing = [float("nan")]
    for name, mode in run.first_byte or run.visible:
        first, content = run.first_byte.get((name, mode), nothing), run.visible.get((name, mode), nothing)
        whole = statistics.median(run.whole.get((name, mode), nothing)) * 1000
        lines.append(
            f"{name:14} {mode:10} {statistics.median(first) * 1000:9.1f} ms {whole:7.1f} ms"
            f" {statistics.median(content) * 1000:7.0f} ms"
            f" {run.size.get((name, mode), 0):9,}"
        )
    lines += ["", f"{'click to other windows':24} {'windows':>8} {'p50':>9} {'p99':>9}"]
    for (kind, windows), seconds in run.live.items():
        lines.append(
            f"{kind:24} {windows:8} {quantile(seconds, 0.5) * 1000:6.0f} ms {quantile(seconds, 0.99) * 1000:6.0f} ms"
        )
    lines.append("")
    for one in aims(run):
        state = "met   " if one["met"] else "MISSED"
        lines.append(f"{state} {one['ratio']:8.2f} {one['unit']:2} (aim: {one['at_most']:g})  {one['what']}")
    return "\n".join(lines) + "\n"


async def measure(run: Run, chromium: str, only: str | None = None) -> None:
    """Measure everything, or one part of it."""
    for mode in CacheMode:
        run.set_mode(mode)
        if only in (None, "answers"):
            await asyncio.to_thread(run.requests, mode)
        if only in (None, "content"):
            async with browsing(chromium) as browser:
                await run.visits(browser, mode)
    run.set_mode(CacheMode.SELECTIVE)
    for windows in run.pace.windows if only in (None, "clicks") else ():
        async with browsing(chromium) as browser:
            await run.clicks(browser, windows)


def main(arguments: Sequence[str]) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=pages", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and not 50 windows")
    parser.add_argument("--only", choices=["answers", "content", "clicks"], help="one of the three parts")
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--per-day", type=int, default=10)
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("this needs Chromium (on Debian and Ubuntu: apt install chromium)")
    build = Path("build")
    build.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-pages-", dir=build) as folder,
        serving(Path(folder).resolve()) as site,
        bare() as address,
    ):
        fill(site, options.days, options.per_day)
        run = Run(site, address, QUICK if options.quick else FULL)
        asyncio.run(measure(run, chromium, options.only))
    found = {
        "command": "make bench ARGS='pages" + (" --quick'" if options.quick else "'"),
        "instances": options.days * options.per_day,
        "first_byte_ms": {f"{name} {mode}": statistics.median(s) * 1000 for (name, mode), s in run.first_byte.items()},
        "answer_ms": {f"{name} {mode}": statistics.median(s) * 1000 for (name, mode), s in run.whole.items()},
        "content_ms": {f"{name} {mode}": statistics.median(s) * 1000 for (name, mode), s in run.visible.items()},
        "bytes": {f"{name} {mode}": size for (name, mode), size in run.size.items()},
        "live_ms": {
            f"{kind} {windows}": {"p50": quantile(s, 0.5) * 1000, "p99": quantile(s, 0.99) * 1000}
            for (kind, windows), s in run.live.items()
        },
        "aims": aims(run),
    }
    (build / "bench-pages.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sys.stdout.write(report(run))


if __name__ == "__main__":
    main(sys.argv[1:])
