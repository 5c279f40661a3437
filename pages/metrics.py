"""Today's numbers on the dashboard: the monitored ones as cards, some more in one block, all of them on request.

What the metrics mean is in `data.calculations.registry`; how numbers are written, in `figures`.
"""

import functools
from collections.abc import Mapping
from typing import ClassVar

from nicegui.events import GenericEventArguments

from cache.values import DASHBOARD_METRICS, PREFERENCES
from data.calculations.dashboard import Band, DashboardMetrics, MetricCard
from data.calculations.metric import Metric
from data.calculations.registry import BY_NAME
from pages import figures
from pages.controls import Words, heading, stack
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Section, Shown
from pages.sparkline import sparkline
from pages.terms import term
from pages.why import why_button
from pages.words import BASELINES

MOST_CARDS = 4
MORE = (
    "completion_rate",
    "avg_relief",
    "avg_stress",
    "avg_aversion",
    "minutes_work",
    "relief_per_hour",
    "avg_time_accuracy",
    "life_balance",
    "weekly_relief",
    "completed",
    "streak_days",
    "productive_minutes",
)
"""Which others are shown, the first eight of them that are not monitored."""
MOST_MORE = 8
BANDS: Mapping[Band, tuple[str, str]] = {
    Band.GOOD: ("better than usual", "is-good"),
    Band.FAIR: ("about as usual", "is-fair"),
    Band.POOR: ("worse than usual", "is-poor"),
    Band.NONE: ("", "is-none"),
}


class Metrics(Section):
    """The numbers of today, held against what is usual."""

    values = (DASHBOARD_METRICS, PREFERENCES)
    name: ClassVar[str] = "Today's numbers"
    room = (361, 777)

    def build(self) -> None:
        """Make the cards and the blocks below."""
        self.home.classes("metrics")
        self._last: dict[str, float | None] = {}
        self._metrics: DashboardMetrics | None = None
        self._is_open = False
        with stack("section-head"):
            self.home.props["aria-labelledby"] = heading("Today").html_id
            self._against = Words("").classes("hint")
            why_button(self)
        with stack("metric-cards"):
            self._cards = [Block(element="article").classes("card metric") for _ in range(MOST_CARDS)]
        with stack("card more-metrics"):
            self._more = Block(element="dl").classes("metric-strip")
            with stack("all-metrics", "details") as details:
                details.on("toggle", self._toggle, js_handler="(event) => emit(event.target.open)")
                Words("All numbers", "summary")
                self._all = Block().classes("all-metrics-table")

    def update(self, shown: Shown) -> None:
        """Show the values of today."""
        metrics = self._metrics = shown.get(DASHBOARD_METRICS)
        self._against.set_text(_against(metrics.baseline_days, shown.get(PREFERENCES).baseline))
        by_name = {card.name: card for card in metrics.cards}
        monitored = [name for name in metrics.monitored if name in by_name][:MOST_CARDS]
        for place, block in enumerate(self._cards):
            block.set_visibility(place < len(monitored))
            if place < len(monitored):
                card = by_name[monitored[place]]
                block.show(_card(card, self._value_class(card, "metric-value")))
        more = [name for name in MORE if name in by_name and name not in monitored][:MOST_MORE]
        self._more.show(
            join(*(_strip(by_name[name], self._value_class(by_name[name], "strip-value")) for name in more))
        )
        self._show_all()
        self._last = {card.name: card.value for card in metrics.cards}

    def _toggle(self, event: GenericEventArguments) -> None:
        self._is_open = bool(event.args)
        self._show_all()

    def _show_all(self) -> None:
        """Draw the long table, but only for somebody who has opened it."""
        if self._is_open and self._metrics is not None:
            self._all.show(_table(self._metrics))

    def _value_class(self, card: MetricCard, plain: str) -> str:
        """Mark a number that has changed under somebody's eyes."""
        if self._last.get(card.name, card.value) == card.value:
            return plain
        before, now = (figures.plain(value, BY_NAME[card.name].unit) for value in (self._last[card.name], card.value))
        return plain if before == now else f"{plain} has-changed"


@functools.lru_cache(maxsize=256)  # the same in all windows, whose numbers changed at the same time
def _card(card: MetricCard, value_class: str) -> Markup:
    metric = BY_NAME[card.name]
    return join(
        tag("h3", term(metric.name, metric.label), class_="metric-label"),
        _band(card),
        tag("p", figures.measure(card.value, metric.unit), class_=value_class),
        tag("p", _comparison(card, metric), class_="metric-compare"),
        sparkline(card.sparkline, card.baseline, _course(card, metric)),
    )


@functools.lru_cache(maxsize=256)
def _strip(card: MetricCard, value_class: str) -> Markup:
    metric = BY_NAME[card.name]
    return tag(
        "div",
        tag("dt", term(metric.name, metric.label)),
        tag("dd", figures.measure(card.value, metric.unit), class_=value_class),
        tag("dd", _band(card) or tag("span", _usually(card, metric), class_="hint"), class_="strip-band"),
    )


def _against(days: int, baseline: str) -> str:
    if not days:
        return "From tomorrow on, this is held against your usual days."
    known = {"week": 7, "month": 30, "quarter": 90}.get(baseline)
    if known is not None and days < known:
        return f"held against your first {days} days" if days > 1 else "held against your first day"
    return f"held against your {BASELINES[baseline]}"


def _band(card: MetricCard) -> Markup:
    word, look = BANDS[card.band]
    if not word and BY_NAME[card.name].accumulates and card.value is not None and card.baseline is not None:
        word = "so far"  # below what is usual, which says nothing before the day is over
    return tag("span", word, class_=f"band {look}") if word else NOTHING


def _comparison(card: MetricCard, metric: Metric) -> str:
    """Return the difference and what is usual, in words: `▲ 2 · usually 3`."""
    usual = _usually(card, metric)
    if card.value is None or card.baseline is None:
        return usual
    difference = figures.as_written(card.value, metric.unit) - figures.as_written(card.baseline, metric.unit)
    size = figures.amount(difference, metric.unit)
    if not any(digit in size for digit in "123456789"):
        return usual
    return f"{'▲' if difference > 0 else '▼'} {size} · {usual}"


def _usually(card: MetricCard, metric: Metric) -> str:
    return f"usually {figures.plain(card.baseline, metric.unit)}" if card.baseline is not None else ""


def _course(card: MetricCard, metric: Metric) -> str:
    known = [value for value in card.sparkline if value is not None]
    least, most = (
        figures.plain(min(known), metric.unit) if known else "",
        figures.plain(max(known), metric.unit) if known else "",
    )
    return f"{metric.label}, the last {len(card.sparkline)} days: between {least} and {most}" if known else metric.label


def _table(metrics: DashboardMetrics) -> Markup:
    rows = []
    for card in metrics.cards:
        metric = BY_NAME[card.name]
        rows.append(
            tag(
                "tr",
                tag("th", term(metric.name, metric.label), tag("span", metric.tooltip, class_="hint"), scope="row"),
                tag("td", figures.measure(card.value, metric.unit), class_="is-number"),
                tag("td", figures.measure(card.baseline, metric.unit), class_="is-number"),
                tag("td", _band(card)),
            )
        )
    head = (
        tag("th", "Metric", scope="col"),
        tag("th", "Today", scope="col", class_="is-number"),
        tag("th", "Usually", scope="col", class_="is-number"),
        tag("th", "", scope="col", aria_label="Against what is usual"),
    )
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
