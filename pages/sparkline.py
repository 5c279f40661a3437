"""Small charts as inline SVG: no script and no library. Colours are the style sheet's."""

from collections.abc import Sequence

from pages.markup import NOTHING, Markup, join, tag

WIDTH, HEIGHT = 120, 32
_PADDING = 3


def sparkline(values: Sequence[float | None], baseline: float | None, description: str) -> Markup:
    """Return the course of *values*, oldest first, with *baseline* as a broken line and a dot on the last one.

    Gaps are days without data. *description* says the same in words. With fewer than two values there is no course.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return NOTHING
    bounds = [*known, *([baseline] if baseline is not None else [])]
    least, most = min(bounds), max(bounds)
    if least == most:
        least, most = least - 1, most + 1

    def x(place: int) -> float:
        return _PADDING + (WIDTH - 2 * _PADDING) * place / max(1, len(values) - 1)

    def y(value: float) -> float:
        return HEIGHT - _PADDING - (HEIGHT - 2 * _PADDING) * (value - least) / (most - least)

    strokes: list[str] = []
    is_down = False
    for place, value in enumerate(values):
        if value is not None:
            alone = not is_down and (place + 1 == len(values) or values[place + 1] is None)
            strokes.append(f"{'L' if is_down else 'M'}{x(place):.1f} {y(value):.1f}" + ("h.01" if alone else ""))
        is_down = value is not None
    last = max(place for place, value in enumerate(values) if value is not None)
    last_value = values[last]
    assert last_value is not None
    level = f"M{_PADDING} {y(baseline):.1f}H{WIDTH - _PADDING}" if baseline is not None else ""
    return tag(
        "svg",
        tag("title", description),
        tag("path", class_="spark-base", d=level) if level else NOTHING,
        tag("path", class_="spark-line", d=join(*strokes)),
        tag("path", class_="spark-dot", d=f"M{x(last):.1f} {y(last_value):.1f}h.01"),
        class_="sparkline",
        role="img",
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        preserve_aspect_ratio="none",
    )
