"""Charts to look at: a course over days, bars, and a grid, as markup with SVG where lines are needed.

No script and no library. Colours are the style sheet's (`charts.css`), the values show when one points at them or taps
them. Screen readers get what `description` says, and a table beside the chart where there is one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pages import figures
from pages.markup import NOTHING, Markup, join, tag

WIDTH, HEIGHT = 1000, 200
"""Of the drawing, in its own units: it is stretched to the place it has, strokes are not."""
MOST_TICKS = 5
ROOMY_DAYS = 8
"""With no more days than this, the name of the last one fits below its middle."""
_DAYS_BETWEEN_LABELS: tuple[tuple[float, int], ...] = ((8, 1), (16, 2), (35, 7), (70, 10), (math.inf, 15))
"""Up to how many days, every how many days one is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One metric over consecutive days, oldest first. `mean` is the smoothed line, if there is one.

    With `from_zero` the days are drawn as columns, as sums and counts should be, else as dots. `least` and `most` bound
    the axis.
    """

    days: Sequence[date]
    daily: Sequence[float | None]
    mean: Sequence[float | None]
    unit: str
    description: str
    from_zero: bool = False
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, and those of them that are named."""

    least: float
    most: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return where *value* lies: 0 at the bottom, 1 at the top."""
        return (value - self.least) / (self.most - self.least)


def axis_for(
    values: Sequence[float], *, unit: str, from_zero: bool, least: float | None = None, most: float | None = None
) -> Axis:
    """Return an axis with round ends around *values*, within *least* and *most*."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-6:  # flat to the eye
        low, high = (low, high + 1) if from_zero else (low - 1, high + 1)
    step = _step((high - low) / (MOST_TICKS - 1), unit)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if least is not None:
        low = max(low, least)
    if most is not None:
        high = min(high, most)
    count = math.floor((high - low) / step + 1e-9)
    return Axis(low, high, tuple(low + step * place for place in range(count + 1)))


def _step(wanted: float, unit: str) -> float:
    """Return a round distance between ticks, no less than *wanted*; of minutes, one that is round on a clock."""
    if unit == "minutes":
        steps = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
        found = next((float(step) for step in steps if step >= wanted), None)
        if found is not None:
            return found
    scale = 10.0 ** math.floor(math.log10(wanted))
    step = next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= wanted * 0.999)
    return max(step, 1.0) if unit in ("instances", "days", "percent", "of 100", "points") else step


def course_chart(course: Course) -> Markup:
    """Return the chart of a course, or nothing if there is no value at all."""
    known = [value for value in (*course.daily, *course.mean) if value is not None]
    if not known:
        return NOTHING
    axis = axis_for(known, unit=course.unit, from_zero=course.from_zero, least=course.least, most=course.most)
    daily = _columns(course.daily, axis) if course.from_zero else _dots(course.daily, axis)
    drawing = tag(
        "svg",
        tag("path", class_="chart-grid", d=join(*(f"M0 {_y(axis, tick)}H{WIDTH}" for tick in axis.ticks), by="")),
        tag("path", class_="chart-columns" if course.from_zero else "chart-dots", d=daily),
        tag("path", class_="chart-line", d=line(course.mean, axis)),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        preserve_aspect_ratio="none",
        aria_hidden="true",
    )
    names = [_tick(tick, course.unit) for tick in axis.ticks]
    ticks = (
        tag("span", name, style=f"bottom:{100 * axis.share(tick):.1f}%")
        for name, tick in zip(names, axis.ticks, strict=True)
    )
    return tag(
        "div",
        tag("div", *ticks, class_="chart-ticks", aria_hidden="true", style=f"width:{max(map(len, names)) + 1}ch"),
        tag(
            "div",
            drawing,
            tag("div", *_hover(course), class_="chart-days", aria_hidden="true"),
            class_="chart-plot",
            role="img",
            aria_label=course.description,
        ),
        tag("div", *_day_labels(course.days), class_="chart-labels", aria_hidden="true"),
        class_="chart",
    )


def line(values: Sequence[float | None], axis: Axis) -> Markup:
    """Return the path of *values*; days without one are gaps, and one alone is a dot."""
    strokes: list[str] = []
    is_down = False
    for place, value in enumerate(values):
        if value is not None:
            alone = not is_down and (place + 1 == len(values) or values[place + 1] is None)
            strokes.append(
                f"{'L' if is_down else 'M'}{_x(place, len(values))} {_y(axis, value)}" + ("h.01" if alone else "")
            )
        is_down = value is not None
    return join(*strokes)


def _x(place: int, count: int) -> str:
    return f"{WIDTH * (place + 0.5) / count:.1f}"


def _y(axis: Axis, value: float) -> str:
    return f"{HEIGHT * (1 - axis.share(value)):.1f}"


def _dots(values: Sequence[float | None], axis: Axis) -> Markup:
    return join(
        *(f"M{_x(place, len(values))} {_y(axis, value)}h.01" for place, value in enumerate(values) if value is not None)
    )


def _columns(values: Sequence[float | None], axis: Axis) -> Markup:
    width = WIDTH / len(values)
    foot = _y(axis, max(axis.least, 0.0))
    return join(
        *(
            f"M{width * (place + 0.18):.1f} {foot}V{_y(axis, value)}h{width * 0.64:.1f}V{foot}z"
            for place, value in enumerate(values)
            if value
        )
    )


def _tick(value: float, unit: str) -> str:
    if unit == "minutes":
        return figures.plain(value, unit)
    decimals = 0 if abs(value - round(value)) < 1e-6 else 1 if abs(10 * value - round(10 * value)) < 1e-6 else 2
    return figures.number(value, decimals) + {"percent": "%", "ratio": "×"}.get(unit, "")


def _hover(course: Course) -> list[Markup]:
    count = len(course.days)
    made = []
    for place, (day, value) in enumerate(zip(course.days, course.daily, strict=True)):
        mean = course.mean[place] if course.mean else None
        tip = f"{figures.day(day)}: {figures.plain(value, course.unit)}"
        if mean is not None and course.daily is not course.mean:
            tip += f"\n7-day mean {figures.plain(mean, course.unit)}"
        side = "is-first" if place < count / 3 else "is-last" if place >= count * 2 / 3 else ""
        made.append(tag("span", class_=f"tipped {side}".strip(), data_tip=tip, tabindex="-1"))
    return made


def _day_labels(days: Sequence[date]) -> list[Markup]:
    """Return names of some of the days, each at its place; every second one is left out where it is narrow."""
    count = len(days)
    step = next(step for most, step in _DAYS_BETWEEN_LABELS if count <= most)
    named = range((count - 1) % step if step > 1 else 0, count, step)
    return [
        tag(
            "span",
            f"{days[place].day} {figures.MONTH_NAMES[days[place].month - 1][:3]}",
            class_="is-last"
            if place == count - 1 and count > ROOMY_DAYS
            else "is-second"
            if (len(named) - order) % 2 == 0
            else None,
            style=f"left:{100 * (place + 0.5) / count:.2f}%",
        )
        for order, place in enumerate(named)
    ]


def bar(share: float, look: str = "") -> Markup:
    """Return a bar of *share*, 0..1. The number beside it says the same, so it is hidden from screen readers."""
    width = 100 * min(1.0, max(0.0, share))
    fill = tag("span", class_=f"bar-fill {look}".strip(), style=f"width:{width:.1f}%")
    return tag("span", fill, class_="bar", aria_hidden="true")


def balance_bar(share: float) -> Markup:
    """Return a bar that grows from the middle: to the right for a positive *share*, -1..1, to the left otherwise."""
    width = 50 * min(1.0, abs(share))
    left = 50.0 if share >= 0 else 50 - width
    look = "is-positive" if share >= 0 else "is-negative"
    fill = tag("span", class_=f"bar-fill {look}", style=f"left:{left:.1f}%;width:{width:.1f}%")
    return tag("span", fill, class_="bar is-balance", aria_hidden="true")


Cell = tuple[str, float | None, str]
"""What stands in a cell of a grid, what colours it (None: nothing there), and what it says when one points at it."""


def heat_grid(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]], *, caption: str, level: Callable[[float], int]
) -> Markup:
    """Return a table whose cells are coloured by their value; *level* says how strongly, 0 to 5."""
    head = tag("tr", tag("td"), *(tag("th", name, scope="col") for name in columns))
    count = len(columns)
    lines = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            *(
                tag(
                    "td",
                    shown,
                    class_=_cell_class(value, level, place, count),
                    data_tip=tip or None,
                    tabindex="-1" if tip else None,
                )
                for place, (shown, value, tip) in enumerate(cells)
            ),
        )
        for name, cells in rows
    ]
    return tag(
        "table", tag("caption", caption, class_="only-read"), tag("thead", head), tag("tbody", *lines), class_="heat"
    )


def _cell_class(value: float | None, level: Callable[[float], int], place: int, count: int) -> str:
    if value is None:
        return "heat-none"
    side = " is-first" if place < count / 3 else " is-last" if place >= count * 2 / 3 else ""
    return f"tipped heat-{level(value)}{side}"
