"""What brought relief: how much and of what kind, when in the week, how well it was foreseen, and which tasks."""

from collections.abc import Sequence

from cache.values import ANALYTICS_RELIEF_SUMMARY
from data.calculations.relief import Foresight, HourRelief, PredictedRelief, ReliefSummary, TaskRelief
from data.models import WEEKDAYS
from pages import figures
from pages.analytics.card import Card
from pages.charts import Cell, balance_bar, bar, heat_grid
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Shown
from pages.terms import term
from pages.words import KINDS

LEVELS = 5
WINDOW_HOURS = 4
"""How long the best time of the week is."""


class _OfRelief(Card):
    """A card made of one block of the relief summary."""

    values = (ANALYTICS_RELIEF_SUMMARY,)

    def build_content(self) -> None:
        """Make the block."""
        self._block = Block()

    def update(self, shown: Shown) -> None:
        """Show the relief summary."""
        summary = shown.get(ANALYTICS_RELIEF_SUMMARY)
        self.say_aside(self.aside(summary))
        self._block.show(self.markup(summary))

    def aside(self, summary: ReliefSummary) -> str:
        """Return what stands beside the heading."""
        return ""

    def markup(self, summary: ReliefSummary) -> Markup:
        """Return what the card shows."""
        raise NotImplementedError


class ReliefCard(_OfRelief):
    """How much relief, of what, and whether it was worth it."""

    name = title = "Relief"
    room = (447, 571)

    def aside(self, summary: ReliefSummary) -> str:
        """Return of how many it is."""
        return f"all {summary.completed:,} completed"

    def markup(self, summary: ReliefSummary) -> Markup:
        """Return the points, in all and by kind, and the net wellbeing."""
        points = figures.number(summary.relief_points) if summary.relief_points is not None else figures.DASH
        return join(
            tag(
                "p",
                tag("span", points, class_="figure"),
                tag("span", " ", term("relief_points", "relief points"), class_="unit"),
                class_="big-figure",
            ),
            _by_kind(summary),
            tag("h3", term("net_wellbeing", "Net wellbeing"), class_="sub-heading"),
            _net(summary),
        )


class WeekCard(_OfRelief):
    """Relief by hour and weekday."""

    name = title = "When relief comes"
    room = (389, 888)

    def build_content(self) -> None:
        """Make the block, over the whole width."""
        self.home.classes("is-wide")
        super().build_content()

    def aside(self, summary: ReliefSummary) -> str:
        """Return what the cells show."""
        return "average relief by weekday and hour of finishing"

    def markup(self, summary: ReliefSummary) -> Markup:
        """Return the grid, with what is darkest put into words."""
        if not any(cell.avg_relief is not None for row in summary.grid for cell in row):
            return _empty("Say how relieved you feel when you finish something, and the week fills in.")
        first = WEEKDAYS.index(self.profile.first_weekday)
        order = [(first + place) % 7 for place in range(7)]
        hours = [_hour(hour, self.profile.clock_hours) for hour in range(24)]
        averages = [cell.avg_relief for row in summary.grid for cell in row if cell.avg_relief is not None]
        least, most = min(averages), max(averages)

        def level(value: float) -> int:
            return 1 + min(LEVELS - 1, int(LEVELS * (value - least) / (most - least))) if most > least else LEVELS

        rows = [
            (
                figures.DAY_NAMES[day][:3],
                [_cell(cell, f"{figures.DAY_NAMES[day]} {hours[hour]}") for hour, cell in enumerate(summary.grid[day])],
            )
            for day in order
        ]
        grid = heat_grid(hours, rows, caption="Average relief by weekday and hour", level=level)
        return join(_in_words(summary, self.profile.clock_hours), grid, _scale(least, most))


class ForesightCard(_OfRelief):
    """Predicted against actual relief."""

    name = title = "Hoped for and felt"
    room = (608, 653)

    def aside(self, summary: ReliefSummary) -> str:
        """Return of how many it is."""
        return f"{summary.foresight.n:,} with both" if summary.foresight.n else ""

    def markup(self, summary: ReliefSummary) -> Markup:
        """Return the two means, and both for each range of predictions."""
        seen = summary.foresight
        if seen.bias is None:
            return _empty("Say what you expect when you plan something: then this shows how right you were.")
        return join(
            tag(
                "dl",
                _fact("You hoped for", figures.measure(seen.predicted, "of 100")),
                _fact("You felt", figures.measure(seen.actual, "of 100")),
                _missed_by(seen),
                class_="facts",
            ),
            tag("p", _verdict(seen.bias), class_="hint"),
            tag("h3", "By what you hoped for", class_="sub-heading"),
            _foresight_table(summary.by_prediction),
        )


class BestAndWorstCard(_OfRelief):
    """The tasks that did most and least good."""

    name = title = "What does you good"
    room = (677, 804)

    def aside(self, summary: ReliefSummary) -> str:
        """Return what they are ranked by."""
        return "by net wellbeing"

    def markup(self, summary: ReliefSummary) -> Markup:
        """Return both lists."""
        if not summary.best:
            return _empty("Say how heavy things were when you finish them, and tasks are ranked here.")
        worst = join(tag("h3", "Least", class_="sub-heading"), _tasks(summary.worst)) if summary.worst else NOTHING
        return join(tag("h3", "Most", class_="sub-heading"), _tasks(summary.best), worst)


def _empty(sentence: str) -> Markup:
    return tag("p", sentence, class_="empty")


def _by_kind(summary: ReliefSummary) -> Markup:
    most = max((kind.relief_points or 0.0 for kind in summary.by_kind), default=0.0)
    lines = [
        tag(
            "li",
            tag("span", KINDS.get(kind.kind, kind.kind), class_="component-label"),
            tag(
                "span",
                figures.number(kind.relief_points) if kind.relief_points is not None else figures.DASH,
                class_="component-value figure",
            ),
            tag("span", bar((kind.relief_points or 0.0) / most if most else 0.0), class_="component-bar"),
            tag(
                "span",
                tag("span", f"{figures.plain(kind.avg_relief, '')} on average", class_="hint"),
                class_="component-share",
            ),
            class_="component",
        )
        for kind in sorted(summary.by_kind, key=lambda kind: -(kind.relief_points or 0.0))
    ]
    return tag("ul", *lines, class_="kinds")


def _net(summary: ReliefSummary) -> Markup:
    sides = (("Better off", summary.positive, 1), ("Worse off", summary.negative, -1))
    total = summary.positive.count + summary.negative.count + summary.neutral
    if not total:
        return _empty("Say how relieved and how strained you are: then this shows whether it was worth it.")
    lines = [
        tag(
            "li",
            tag("span", label, class_="component-label"),
            tag("span", f"{side.count:,}", class_="component-value figure"),
            tag("span", balance_bar(sign * side.count / total), class_="component-bar"),
            tag("span", tag("span", f"{_signed(side.total)} points", class_="hint"), class_="component-share"),
            class_="component",
        )
        for label, side, sign in sides
    ]
    even = tag("p", f"{summary.neutral:,} left you as you were.", class_="hint") if summary.neutral else NOTHING
    return join(tag("ul", *lines, class_="kinds"), even)


def _signed(value: float) -> str:
    return ("+" if round(value) > 0 else "") + figures.number(value)


def _hour(hour: int, clock_hours: int) -> str:
    if clock_hours == 24:
        return str(hour)
    return f"{(hour - 1) % 12 + 1} {'am' if hour < 12 else 'pm'}"


def _cell(cell: HourRelief, when: str) -> Cell:
    if cell.avg_relief is None:
        return "", None, ""
    things = "1 thing" if cell.completed == 1 else f"{cell.completed:,} things"
    points = f", {figures.number(cell.relief_points)} points" if cell.relief_points is not None else ""
    tip = f"{when} h: relief {figures.number(cell.avg_relief)}\n{things}{points}"
    return figures.number(cell.avg_relief), cell.avg_relief, tip.replace("m h:", "m:")


def _scale(least: float, most: float) -> Markup:
    steps = (tag("span", class_=f"heat-{level}") for level in range(1, LEVELS + 1))
    return tag(
        "p",
        f"relief {figures.number(least)}",
        tag("span", *steps, class_="heat-scale", aria_hidden="true"),
        figures.number(most),
        tag("span", class_="heat-none", aria_hidden="true"),
        "nothing finished",
        class_="chart-key",
    )


def _in_words(summary: ReliefSummary, clock_hours: int) -> Markup:
    """Return the part of the week with the most relief, of those with enough to tell."""
    windows = []
    for day, row in enumerate(summary.grid):
        for hour in range(24 - WINDOW_HOURS + 1):
            cells = [cell for cell in row[hour : hour + WINDOW_HOURS] if cell.avg_relief is not None]
            count = sum(cell.completed for cell in cells)
            if count >= 2 * WINDOW_HOURS:
                relief = sum((cell.avg_relief or 0.0) * cell.completed for cell in cells) / count
                windows.append((relief, count, day, hour))
    if not windows:
        return NOTHING
    relief, count, day, hour = max(windows)
    until = _hour((hour + WINDOW_HOURS) % 24, clock_hours)
    return tag(
        "p",
        f"Most relief on {figures.DAY_NAMES[day]}s between {_hour(hour, clock_hours)} and {until}"
        f"{' o’clock' if clock_hours == 24 else ''}: {figures.number(relief)} on average, of {count:,} things.",
        class_="lead-in",
    )


def _written(seen: Foresight) -> float | None:
    """Return the difference of the two numbers as they are written beside it."""
    if seen.predicted is None or seen.actual is None:
        return None
    return figures.as_written(seen.predicted, "of 100") - figures.as_written(seen.actual, "of 100")


def _missed_by(seen: Foresight) -> Markup:
    """Return by how much hopes were wrong, in words: a sign would have to be explained."""
    missed = _written(seen) or 0.0
    label = "Hopes too high by" if missed > 0 else "Hopes too low by" if missed < 0 else "Difference"
    return _fact(term("prediction_bias", label), figures.measure(abs(missed), "of 100"))


def _verdict(bias: float) -> str:
    if abs(bias) < 0.5:
        return "You know quite well how relieved you will be."
    return (
        "Things bring you less relief than you hope for."
        if bias > 0
        else "Things bring you more relief than you hope for."
    )


def _foresight_table(ranges: Sequence[PredictedRelief]) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", f"{each.least}–{each.most}", scope="row"),
            tag("td", _span(each), class_="dumbbell-cell"),
            tag("td", figures.measure(each.foresight.predicted, ""), class_="is-number"),
            tag("td", figures.measure(each.foresight.actual, ""), class_="is-number"),
            tag("td", f"{each.foresight.n:,}", class_="is-number hint"),
        )
        for each in ranges
    ]
    head = (
        tag("th", "Hoped", scope="col"),
        tag("td"),
        tag("th", "Mean", scope="col", class_="is-number"),
        tag("th", "Felt", scope="col", class_="is-number"),
        tag("th", "n", scope="col", class_="is-number"),
    )
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="numbers foresight")


def _span(each: PredictedRelief) -> Markup:
    """Return a line from what was hoped for (a ring) to what was felt (a dot), on a scale of 0 to 100."""
    hoped, felt = each.foresight.predicted, each.foresight.actual
    if hoped is None or felt is None:
        return NOTHING
    left, width = min(hoped, felt), abs(hoped - felt)
    look = "is-positive" if felt >= hoped else "is-negative"
    return tag(
        "span",
        tag("span", class_=f"dumbbell-line {look}", style=f"left:{left:.1f}%;width:{width:.1f}%"),
        tag("span", class_="dumbbell-ring", style=f"left:{hoped:.1f}%"),
        tag("span", class_=f"dumbbell-dot {look}", style=f"left:{felt:.1f}%"),
        class_="dumbbell",
        aria_hidden="true",
    )


def _tasks(tasks: Sequence[TaskRelief]) -> Markup:
    lines = [
        tag(
            "li",
            tag(
                "span",
                tag("span", task.name, class_="component-name"),
                tag("span", f"{KINDS.get(task.kind, task.kind)} · {task.completed:,} ×", class_="hint"),
                class_="component-label is-double",
            ),
            tag("span", _signed(task.avg_net_wellbeing), class_="component-value figure"),
            tag("span", balance_bar(task.avg_net_wellbeing / 100), class_="component-bar"),
            class_="component",
        )
        for task in tasks
    ]
    return tag("ul", *lines, class_="tasks-ranked")


def _fact(label: str, figure: Markup) -> Markup:
    return tag("div", tag("dt", label), tag("dd", figure, class_="fact-figure"))
