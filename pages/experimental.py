"""What is experimental: how much is kept ready and where, with the load times of this user in each mode.

`Experimental` is the card in the settings, `build` the page that leads there.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from cache.settings import CacheSettings
from cache.values import PREFERENCES
from data.preferences import AnalyticsRefresh, CacheBackend, CacheMode, Profile
from pages import figures
from pages.controls import Words, heading, stack
from pages.fields import Select
from pages.markup import Block, Markup, join, tag
from pages.section import Section, Shown
from pages.setting_fields import Saver, field_row
from pages.times import Taken
from pages.visit import Visit

MODES: dict[str, tuple[str, str]] = {
    CacheMode.FULL: ("Full", "Everything is computed ahead and kept ready, so that every page opens at once."),
    CacheMode.SELECTIVE: ("Selective", "A page's numbers are computed when it is first opened, and kept from then on."),
    CacheMode.DISABLED: ("Disabled", "Everything is computed each time it is shown: the slowest way, for comparison."),
}
BACKENDS: dict[str, tuple[str, str]] = {
    CacheBackend.MEMORY: ("Memory", "The fastest; after a restart of the server everything is computed anew."),
    CacheBackend.FILE: ("File", "Survives a restart, and every read goes to the disk."),
    CacheBackend.HYBRID: ("Hybrid", "Memory first, with a copy on disk for the time after a restart."),
}
REFRESHES: dict[str, tuple[str, str]] = {
    AnalyticsRefresh.AUTO: ("Automatic", "Open analytics follow every change by themselves."),
    AnalyticsRefresh.MANUAL: (
        "By hand",
        "Open analytics stand still until you ask for newer numbers, or an hour has passed.",
    ),
}
NAMES = {
    "/": "Dashboard",
    "/analytics": "Analytics",
    "/summary": "Summary",
    "/tasks": "Tasks",
    "/goals": "Goals",
    "/glossary": "Glossary",
    "/settings": "Settings",
    "/experimental": "Experimental",
}


class Experimental(Section):
    """The experimental settings, each with what its choices change."""

    values = (PREFERENCES,)
    name = "The experimental settings"
    ticks = True
    title: ClassVar[str] = "Experimental"

    def build(self) -> None:
        """Make the fields, and below each what its choices mean."""
        self.saver = Saver(self.visit)
        self.home.classes("card settings").props["id"] = "experimental"
        self.home.props["aria-labelledby"] = heading(self.title).html_id
        Words("These change how fast pages are, never what they show.", "p").classes("hint")
        settings = self.visit.services.manager.settings
        _, self._modes = self._choice("cache_mode", "Cache mode", MODES, MODES[settings.mode][0])
        self._backends, self._meanings = self._choice("cache_backend", "Cache backend", BACKENDS, "")
        self._choice("analytics_refresh", "Analytics refresh", REFRESHES, None)

    def update(self, shown: Shown) -> None:
        """Show what holds, and what was measured."""
        profile, settings = shown.get(PREFERENCES), self.visit.services.manager.settings
        allowed: dict[str, tuple[str, str]] = {
            word: BACKENDS[word] for word in settings.backends_of(profile.account_tier)
        }
        default = settings.backend_for(msgspec.structs.replace(profile, cache_backend=None))
        self._backends.offer(_options(allowed, BACKENDS[default][0]))
        self._meanings.show(_meanings(allowed))
        self.saver.show(profile)
        times = {mode: self.visit.hub.times.of(self.visit.user, mode) for mode in CacheMode}
        in_use = settings.mode_for(profile)
        self._modes.show(join(_meanings(MODES), _times(times, in_use)))

    def _choice(
        self, column: str, label: str, words: Mapping[str, tuple[str, str]], default: str | None
    ) -> tuple[Select, Block]:
        with stack("experiment"):
            with field_row(label):
                select = Select(_options(words, default), value="", name=label)
            self.saver.add(column, label, select, convert=lambda word: word or None)
            return select, Block(_meanings(words))


class Overview(Section):
    """What experimental features there are, and how each is set."""

    values = (PREFERENCES,)
    name = "The experimental features"

    def build(self) -> None:
        """Make the block."""
        self._block = Block(element="ul").classes("features")

    def update(self, shown: Shown) -> None:
        """Show each feature with its state."""
        profile, settings = shown.get(PREFERENCES), self.visit.services.manager.settings
        self._block.show(join(*(tag("li", one, class_="card feature") for one in _features(profile, settings))))


def build(visit: Visit) -> None:
    """Make the page."""
    with stack("page-head", "header"):
        heading("Experimental", 1).props["tabindex"] = "-1"
        Words("What is being tried out. It is safe: nothing here changes your data.", "p").classes("page-date")
    Overview(visit)


def _options(words: Mapping[str, tuple[str, str]], default: str | None) -> dict[str, str]:
    options = {word: called for word, (called, _) in words.items()}
    return options if default is None else {"": f"Default ({default})", **options}


def _features(profile: Profile, settings: CacheSettings) -> list[Markup]:
    backend = settings.backend_for(profile)
    chosen = (
        ("Cache mode", MODES, settings.mode_for(profile), profile.cache_mode is None),
        ("Cache backend", BACKENDS, backend, profile.cache_backend is not backend),
        ("Analytics refresh", REFRESHES, profile.analytics_refresh, False),
    )
    return [
        join(
            tag("h2", label),
            tag(
                "p",
                words[word][0],
                tag("span", " by default" if is_default else "", class_="unit"),
                class_="feature-state",
            ),
            tag("p", words[word][1], class_="hint"),
            tag("a", "Change in the settings", href="/settings#experimental", class_="button"),
        )
        for label, words, word, is_default in chosen
    ]


def _meanings(words: Mapping[str, tuple[str, str]]) -> Markup:
    rows = (tag("div", tag("dt", called), tag("dd", meaning)) for called, meaning in words.values())
    return tag("dl", *rows, class_="meanings")


def _times(times: Mapping[CacheMode, Mapping[str, Taken]], in_use: CacheMode) -> Markup:
    """Return a table of what was measured: a row for each page, a column for each mode."""
    pages = [page for page in NAMES if any(page in measured for measured in times.values())]
    if not pages:
        return tag(
            "p", "Your pages have not been opened since the server started: nothing is measured yet.", class_="hint"
        )
    head = [
        tag("th", MODES[mode][0], " (in use)" if mode is in_use else "", scope="col", class_="is-number")
        for mode in times
    ]
    rows = [
        tag("tr", tag("th", NAMES[page], scope="row"), *(_cell(measured.get(page)) for measured in times.values()))
        for page in pages
    ]
    caption = tag("caption", "How long your pages took to fill: the median since the server started, of how many times")
    table = tag("table", caption, tag("thead", tag("tr", tag("th", "Page", scope="col"), *head)), tag("tbody", *rows))
    return tag("div", table, class_="load-times", tabindex="0", role="group", aria_label="Load times")


def _cell(taken: Taken | None) -> Markup:
    if taken is None:
        return tag("td", figures.DASH, class_="is-number")
    spoken = f"{figures.number(taken.median_ms)} ms"
    return tag("td", spoken, " ", tag("span", f"of {taken.times}", class_="hint"), class_="is-number")
