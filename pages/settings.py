"""The page of settings: every preference, saved as soon as it is chosen, with the way back.

What a preference may hold is checked by its command (`data.preferences`). The fields are in `setting_fields`, the
experimental ones in `experimental`, data out and in, in `transfer`.
"""

import functools
import zoneinfo
from collections.abc import Iterator
from typing import ClassVar

from cache.values import PREFERENCES
from data.calculations.composite import COMPONENTS
from data.calculations.recommendations import SUB_SCORES
from data.calculations.registry import METRICS, monitored
from data.database import ReadTransaction
from data.days import parse_clock_time, parse_zone
from data.preferences import Baseline, Theme
from data.viewpoint import Viewpoint
from pages import figures
from pages.controls import Words, button, heading, stack
from pages.experimental import Experimental
from pages.fields import Suggest
from pages.markup import Block, tag
from pages.section import Query, Section, Shown
from pages.setting_fields import Chosen, Monitored, Saver, Typed, Weight, field_row
from pages.transfer import Transfer
from pages.visit import Visit
from pages.words import BASELINES

WEEKDAY_NAMES = {"mon": "Monday", "sat": "Saturday", "sun": "Sunday"}
CLOCKS = {"24": "24 hours, 14:05", "12": "12 hours, 2:05 pm"}
THEMES: dict[str, str] = {Theme.AUTO: "As the system", Theme.LIGHT: "Light", Theme.DARK: "Dark"}


@functools.cache
def zones() -> list[str]:
    """Return the names of all time zones, by name. Reads the disk the first time."""
    return sorted(zoneinfo.available_timezones())


class Settings(Section):
    """What the cards of this page have in common: fields that show what holds, and save what is chosen."""

    values = (PREFERENCES,)
    title: ClassVar[str] = ""
    anchor: ClassVar[str] = ""

    def __init__(self, visit: Visit) -> None:
        self.saver = Saver(visit)
        super().__init__(visit)

    def build(self) -> None:
        """Make the heading and the fields."""
        self.home.classes("card settings")
        self.home.props["aria-labelledby"] = heading(self.title).html_id
        self.build_fields()

    def build_fields(self) -> None:
        """Make the fields."""
        raise NotImplementedError

    def update(self, shown: Shown) -> None:
        """Show what holds now."""
        self.saver.show(shown.get(PREFERENCES))


class Place(Settings):
    """Where and when somebody lives, and how they like times and colours."""

    title = name = "Time and look"
    ticks = True

    def build_fields(self) -> None:
        """Make the fields."""
        with field_row("Time zone", "Type any part of its name, such as a city."):
            self._zone = Suggest([], value="", name="Time zone")
        self._clock = Block().classes("setting-fact")
        self.saver.add("time_zone", "Time zone", self._zone)
        Chosen(self.saver, "clock_hours", "Clock", CLOCKS, convert=int)
        Typed(
            self.saver,
            "day_start",
            "Your day starts at",
            hint="Until then, what you do counts for the day before.",
            props="type=time",
        )
        Chosen(self.saver, "first_weekday", "Weeks start on", WEEKDAY_NAMES)
        Chosen(self.saver, "theme", "Theme", THEMES)

    def query(self) -> Query | None:
        """Return what lists the time zones."""
        return _zones

    def update(self, shown: Shown) -> None:
        """Show what holds, and what time it is there."""
        if self._zone.props["options"] != shown.found:
            self._zone.props["options"] = shown.found
        super().update(shown)
        profile, now = shown.get(PREFERENCES), self.visit.services.clock()
        there = now.astimezone(parse_zone(profile.time_zone))
        began = figures.wall_time(parse_clock_time(profile.day_start), profile)
        words = f"It is {figures.clock_time(now, profile)} there, on {figures.long_day(there.date())}. "
        words += f"Your days begin at {began}."
        self._clock.show(tag("p", words, class_="hint"))


class Targets(Settings):
    """What somebody aims at."""

    title = name = "Targets"

    def build_fields(self) -> None:
        """Make the fields."""
        Typed(
            self.saver,
            "target_minutes_per_day",
            "Work a day",
            hint="Your work volume is held against it.",
            suffix="min",
            convert=figures.parse_number,
        )
        Typed(
            self.saver,
            "goal_hours_per_week",
            "Productive hours a week",
            hint="Work and self-care, on the page of goals.",
            suffix="h",
            convert=figures.parse_number,
        )


class Monitoring(Settings):
    """Which numbers the dashboard shows first, and what it holds them against."""

    title = name = "Numbers on the dashboard"

    def build_fields(self) -> None:
        """Make the fields."""
        Monitored(self.saver, {metric.name: metric.label for metric in METRICS}, monitored)
        Chosen(
            self.saver,
            "baseline",
            "Held against",
            {word: f"your {words}" for word, words in BASELINES.items() if word in tuple(Baseline)},
        )


class Weights(Settings):
    """How much each part counts in the composite score and in recommendations."""

    title = name = "Weights"

    def build_fields(self) -> None:
        """Make the fields, folded up."""
        Words(
            "1 counts once, 2 twice, 0 not at all; the percentage is the share of the whole. Any scale will do.", "p"
        ).classes("hint")
        parts = {component.name: (component.label, component.tooltip) for component in COMPONENTS}
        self._group("composite_weights", "Composite score", parts)
        ranks = {name: (criterion.label, criterion.tooltip) for name, criterion in SUB_SCORES.items()}
        self._group("recommendation_weights", "Ranking of recommendations", ranks)

    def _group(self, column: str, title: str, parts: dict[str, tuple[str, str]]) -> None:
        """Make a group whose fields, of which there are many, are made when it is opened for the first time."""
        with stack("weights", "details") as details:
            Words(title, "summary")
            place = stack("weight-fields")

        def opened() -> None:
            if not place.default_slot.children:
                with place:
                    weights = {name: Weight(label, words) for name, (label, words) in parts.items()}
                    self.saver.add_weights(column, title, weights)
                    button("All equal again", lambda: self.saver.save(column, title, {}), look="is-quiet", icon="undo")

        details.on("toggle", opened)


def _zones(read: ReadTransaction, view: Viewpoint) -> list[str]:
    return zones()


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    with stack("page-head", "header"):
        heading("Settings", 1).props["tabindex"] = "-1"
        Words("Everything is saved as soon as you choose it.", "p").classes("page-date")
    with stack("columns is-even"):
        with stack("side"):
            Place(visit)
            yield
            Targets(visit)
            yield
            Transfer(visit)
            yield
        with stack("side"):
            Monitoring(visit)
            yield
            Weights(visit)
            yield
    with stack("settings-wide"):
        Experimental(visit)
