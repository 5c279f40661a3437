"""The daily summary: how yesterday and the week before were, as of the start of the user's day.

It is made of finished days only, so it stands still until the next day starts. What the numbers mean, and the
sentences, are in `data.calculations.summary`.
"""

import re
from collections.abc import Iterator

from cache.values import PREFERENCES, SUMMARY_DAILY
from data.calculations.composite import Composite
from data.calculations.summary import DailySummary, Deed, KindMinutes, Period
from data.models import Kind
from pages import figures
from pages.components import components
from pages.controls import Words, heading, stack
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Section, Shown
from pages.visit import Visit
from pages.why import why_button
from pages.words import KINDS

_UNIT = re.compile(r"(?<=\d) (?=(?:h|min|days?)\b)|(?<=\d h) (?=\d+ min\b)")
"""The space between a number and its unit, or between hours and minutes, which belong on one line."""


class SummarySection(Section):
    """What the parts of this page have in common: one value, and nothing to show before the first finished day."""

    values = (SUMMARY_DAILY,)
    title = ""

    def build(self) -> None:
        """Make heading and block."""
        self.home.classes("card")
        with stack("section-head"):
            self.home.props["aria-labelledby"] = heading(self.title).html_id
            why_button(self)
        self._block = Block()

    def update(self, shown: Shown) -> None:
        """Show the summary, or nothing while there is none."""
        summary = shown.get(SUMMARY_DAILY)
        self.home.set_visibility(not _is_empty(summary))
        self._block.show(self.markup(summary))

    def markup(self, summary: DailySummary) -> Markup:
        """Return what this part shows."""
        raise NotImplementedError


class Story(Section):
    """The title, for which day it is, and three sentences; or why there are none yet."""

    values = (SUMMARY_DAILY, PREFERENCES)
    name = "The summary"
    element = "header"
    room = (276, 406)

    def build(self) -> None:
        """Make heading, date and sentences."""
        self.home.classes("page-head story")
        heading("Daily summary", 1).props["tabindex"] = "-1"
        self._date = Words("", "p").classes("page-date")
        self._sentences = Block()
        with stack("card welcome") as self._empty:
            heading("Nothing to sum up yet")
            Words(
                "A summary is made when a day is over, out of what you finished or gave up in the seven days before. "
                "Finish something today and look again tomorrow.",
                "p",
            ).classes("lead")
            with stack("welcome-buttons"):
                Words("Go to the dashboard", "a").classes("button is-primary").props["href"] = "/"
        self._empty.set_visibility(False)
        self._when = Words("", "p").classes("hint")

    def update(self, shown: Shown) -> None:
        """Show the sentences, and until when they stand."""
        summary, profile = shown.get(SUMMARY_DAILY), shown.get(PREFERENCES)
        last = summary.yesterday.last_day
        is_empty = _is_empty(summary)
        self._date.set_visibility(not is_empty)
        self._when.set_visibility(not is_empty)
        self._date.set_text(f"For {figures.long_day(last)}, and the seven days that ended with it")
        sentences = (tag("p", _UNIT.sub("\u00a0", words)) for words in summary.sentences)
        self._sentences.show(NOTHING if is_empty else join(*sentences))
        self._empty.set_visibility(is_empty)
        begins = profile.calendar.starts(summary.today)
        began = figures.clock_time(begins, profile)
        self._when.set_text(
            f"As of {began} today, when your day began. It counts finished days only and stays as it is until the next."
        )


class Score(SummarySection):
    """The composite score, and what it is made of."""

    title = "Composite score"
    name = "The composite score"
    room = (597, 752)

    def markup(self, summary: DailySummary) -> Markup:
        """Return the score and one line per component, the greatest contribution first."""
        return join(_score(summary.composite), components(summary.composite))


class Time(SummarySection):
    """Minutes by kind, against the target."""

    title = "Time"
    name = "The time"
    room = (501, 699)

    def markup(self, summary: DailySummary) -> Markup:
        """Return yesterday and the week."""
        target = figures.duration(summary.yesterday.work_target_minutes)
        told = f"The target is for work alone, {target} on each of the seven days. Self-care counts too towards the "
        goal = tag("a", "goal of the week", href="/goals", class_="term")
        return join(
            _period("Yesterday", summary.yesterday),
            _period("7 days", summary.week),
            tag("p", told, goal, ".", class_="hint") if summary.yesterday.work_target_minutes else NOTHING,
        )


class Highlights(SummarySection):
    """What stood out."""

    title = "What stood out"
    name = "What stood out"
    room = (351, 422)

    def markup(self, summary: DailySummary) -> Markup:
        """Return the streak, and the best and hardest deeds."""
        week, yesterday = summary.week, summary.yesterday
        return tag(
            "dl",
            _fact("Streak", figures.measure(summary.streak_days, "days"), "with something finished, up to yesterday"),
            _fact(
                "Finished",
                figures.measure(week.completed, "instances"),
                f"in 7 days, {yesterday.completed} of them yesterday; {week.cancelled} given up",
            ),
            _fact("Relief", figures.measure(week.avg_relief, "of 100"), "on average in 7 days"),
            _fact("Stress", figures.measure(week.avg_stress, "of 100"), "on average in 7 days"),
            _deed("Best relief", week.best_relief, summary),
            _deed("Hardest thing done", week.hardest, summary),
            class_="highlights",
        )


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    Story(visit)
    yield
    with stack("columns is-even"):
        with stack("side"):
            Score(visit)
            yield
        with stack("side"):
            Time(visit)
            yield
            Highlights(visit)


def _is_empty(summary: DailySummary) -> bool:
    return not summary.week.completed and not summary.week.cancelled


def _score(composite: Composite) -> Markup:
    return join(
        tag("p", figures.measure(composite.score, "of 100"), class_="big-figure"),
        tag("p", "The weighted mean of these twelve, each from 0 to 100, over the seven days.", class_="hint"),
    )


def _period(title: str, period: Period) -> Markup:
    parts = [part for part in period.minutes_by_kind if part.minutes > 0]
    longest = max([part.minutes for part in parts] + [period.work_target_minutes, 1.0])
    lines = [_kind(part, period, longest) for part in _with_work(parts)]
    total = tag("span", figures.duration(period.minutes), " in all", class_="hint")
    return tag(
        "section",
        tag("h3", title, " ", total),
        tag("ul", *lines, class_="kinds") if period.minutes else tag("p", "Nothing was recorded.", class_="empty"),
        class_="period",
    )


def _with_work(parts: list[KindMinutes]) -> list[KindMinutes]:
    """Return *parts* with work among them: the target is shown even if there was none."""
    return parts if any(part.kind == Kind.WORK for part in parts) else [KindMinutes(Kind.WORK, 0.0), *parts]


def _kind(part: KindMinutes, period: Period, longest: float) -> Markup:
    target = period.work_target_minutes if part.kind == Kind.WORK else 0.0
    against = tag("span", f"of {figures.duration(target)} target", class_="hint") if target else NOTHING
    mark = tag("span", class_="bar-target", style=f"left:{100 * target / longest:.1f}%") if target else NOTHING
    share = 100 * min(1.0, part.minutes / longest)
    return tag(
        "li",
        tag("span", KINDS.get(part.kind, part.kind), class_="component-label"),
        tag("span", figures.measure(part.minutes, "minutes"), class_="component-value"),
        tag(
            "span",
            tag(
                "span",
                tag("span", class_="bar-fill", style=f"width:{share:.1f}%"),
                mark,
                class_="bar",
                aria_hidden="true",
            ),
            class_="component-bar",
        ),
        tag("span", against, class_="component-share"),
        class_="component",
    )


def _fact(label: str, figure: Markup, explanation: str) -> Markup:
    return tag("div", tag("dt", label), tag("dd", figure, class_="fact-figure"), tag("dd", explanation, class_="hint"))


def _deed(label: str, deed: Deed | None, summary: DailySummary) -> Markup:
    if deed is None:
        return _fact(label, figures.measure(None, ""), "nothing was rated")
    return tag(
        "div",
        tag("dt", label),
        tag("dd", deed.name, class_="deed"),
        tag("dd", figures.measure(deed.score, "of 100"), " · ", figures.day(deed.day, summary.today), class_="hint"),
    )
