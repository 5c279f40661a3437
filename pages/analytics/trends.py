"""Trends: any metric by day, with the mean of 7 days. Which metric, and how many days, stands in the address."""

from nicegui.events import GenericEventArguments

from cache.values import ANALYTICS_TRENDS
from data.calculations.analytics import TREND_MEAN_DAYS, WINDOW_DAYS, Trend, Trends
from data.calculations.metric import Direction, Metric
from data.calculations.registry import BY_NAME, METRICS
from pages import figures
from pages.analytics.card import Card
from pages.charts import Course, course_chart
from pages.choosers import Segments
from pages.controls import Words, stack
from pages.fields import Select
from pages.markup import Block, Markup, join, tag
from pages.section import Shown
from pages.terms import term

DEFAULT_METRIC = "avg_relief"
WINDOWS = {str(days): f"{days} days" for days in WINDOW_DAYS}
DEFAULT_WINDOW = "90"
BETTER = {
    Direction.MORE: "more is better",
    Direction.LESS: "less is better",
    Direction.ZERO: "nearer to 0 is better",
    Direction.NEUTRAL: "neither more nor less is better",
}
OPTIONS = {metric.name: metric.label for metric in METRICS if metric.in_trends}


class TrendsCard(Card):
    """One metric over time."""

    values = (ANALYTICS_TRENDS,)
    name = title = "Trends"
    room = (453, 531)

    def build_choosers(self) -> None:
        """Make the choosers of metric and window."""
        self.home.classes("is-wide")
        address = self.visit.address
        with stack("choosers"):
            self._metric = Select(
                dict(sorted(OPTIONS.items(), key=lambda option: option[1])),
                name="Metric",
                on_choose=lambda name: address.choose(metric="" if name == DEFAULT_METRIC else name),
            )
            self._window = Segments(
                "Days", WINDOWS, lambda days: address.choose(days="" if days == DEFAULT_WINDOW else days)
            )
        self._show_choice()
        address.listen(self.show_again)

    def build_content(self) -> None:
        """Make the blocks: what it says, the chart, and the table, which is drawn only for those who open it."""
        self._is_open = False
        self._said = Block()
        self._chart = Block().classes("chart-place")
        with stack("all-metrics", "details") as details:
            details.on("toggle", self._toggle, js_handler="(event) => emit(event.target.open)")
            Words("As a table", "summary")
            self._table = Block().classes("all-metrics-table")
            self._table.props.update({"tabindex": "0", "role": "group", "aria-label": "Day by day"})

    def update(self, shown: Shown) -> None:
        """Show the chosen metric."""
        trends = shown.get(ANALYTICS_TRENDS)
        name, window = self._show_choice()
        metric, trend, count = BY_NAME[name], trends.of(name), min(int(window), len(trends.days))
        self._said.show(_said(metric, trend, trends, count))
        self._chart.show(course_chart(_course(metric, trend, trends, count)) or _nothing(metric))
        if self._is_open:
            self._table.show(_table(metric, trend, trends, count))

    def _show_choice(self) -> tuple[str, str]:
        """Show and return the chosen metric and window; what means nothing counts as not chosen."""
        name, window = self.visit.address.get("metric"), self.visit.address.get("days")
        name, window = name if name in OPTIONS else DEFAULT_METRIC, window if window in WINDOWS else DEFAULT_WINDOW
        self._metric.choose(name)
        self._window.choose(window)
        return name, window

    def _toggle(self, event: GenericEventArguments) -> None:
        self._is_open = bool(event.args)
        self.show_again()


def _course(metric: Metric, trend: Trend, trends: Trends, count: int) -> Course:
    known = [value for value in trend.daily[-count:] if value is not None]
    least, most = (figures.plain(bound(known), metric.unit) if known else "" for bound in (min, max))
    description = f"{metric.label} on each of the last {count} days: between {least} and {most}"
    return Course(
        days=trends.days[-count:],
        daily=trend.daily[-count:],
        mean=trend.mean[-count:],
        unit=metric.unit,
        description=description,
        from_zero=metric.accumulates or metric.unit in ("minutes", "instances", "days"),
        least=metric.least,
        most=metric.most,
    )


def _said(metric: Metric, trend: Trend, trends: Trends, count: int) -> Markup:
    """Return the metric of the window, how it stands to the window before, and the metric of the other windows."""
    place = WINDOW_DAYS.index(count)
    now, before = trend.windows[place], trend.before[place]
    hints = [_span(metric, count)]
    if _adds_up(metric) and now is not None:
        hints.append(f"{figures.plain(now / count, metric.unit)} a day")
    if now is not None and before is not None:
        now_written, before_written = (figures.as_written(value, metric.unit) for value in (now, before))
        arrow = "▲" if now_written > before_written else "▼" if now_written < before_written else "="
        earlier = f"in the {count} days before" if metric.spans_window else f"{count} days ago"
        hints.append(f"{arrow} from {figures.plain(before, metric.unit)} {earlier}")
    return join(
        tag(
            "p",
            tag("span", figures.measure(now, metric.unit), class_="middle-figure"),
            *(tag("span", hint, class_="hint") for hint in hints),
            class_="trend-figures",
        ),
        _windows(metric, trend, trends) if metric.spans_window else "",
        tag("p", term(metric.name, metric.label), f": {metric.tooltip} ({BETTER[metric.direction]})", class_="hint"),
        tag(
            "p",
            tag("span", class_="key-columns" if _course_is_columns(metric) else "key-dots", aria_hidden="true"),
            "each day",
            tag("span", class_="key-line", aria_hidden="true"),
            f"mean of {TREND_MEAN_DAYS} days",
            class_="chart-key",
        ),
    )


def _span(metric: Metric, count: int) -> str:
    if metric.spans_window:
        return f"over {count} days"
    return f"over {metric.days} days" if metric.days > 1 else "today"


def _windows(metric: Metric, trend: Trend, trends: Trends) -> Markup:
    """Return the metric of every window."""
    spans = [*(f"{days} days" for days in WINDOW_DAYS), f"all {_days(trends.whole_days)}"]
    return tag(
        "dl",
        *(
            tag("div", tag("dt", span), tag("dd", figures.plain(value, metric.unit)))
            for span, value in zip(spans, trend.windows, strict=True)
        ),
        class_="trend-windows",
    )


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"


def _adds_up(metric: Metric) -> bool:
    return metric.accumulates and metric.unit in ("minutes", "instances")


def _course_is_columns(metric: Metric) -> bool:
    return metric.accumulates or metric.unit in ("minutes", "instances", "days")


def _nothing(metric: Metric) -> Markup:
    return tag("p", f"There is no {metric.label.lower()} in these days. Choose more days, or say more.", class_="empty")


def _table(metric: Metric, trend: Trend, trends: Trends, count: int) -> Markup:
    first = len(trends.days) - count
    rows = [
        tag(
            "tr",
            tag("th", figures.day(trends.days[place]), scope="row"),
            tag("td", figures.measure(trend.daily[place], metric.unit), class_="is-number"),
            tag("td", figures.measure(trend.mean[place], metric.unit), class_="is-number"),
        )
        for place in reversed(range(first, len(trends.days)))
    ]
    head = (
        tag("th", "Day", scope="col"),
        tag("th", metric.label, scope="col", class_="is-number"),
        tag("th", f"Mean of {TREND_MEAN_DAYS} days", scope="col", class_="is-number"),
    )
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
