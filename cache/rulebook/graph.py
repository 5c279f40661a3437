"""The rules as a picture: events on the left, values in the middle, pages on the right; as Mermaid and as SVG.

Events whose rows say the same share a box. A dashed line holds under a condition only. `draw` computes where everything
stands; who shows it as something else than a file walks through the `Drawing`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape  # nosec B406  # it writes, and reads no XML

from cache.rulebook.chain import condition
from cache.rulebook.parts import Part
from cache.values import Row
from events.patterns import EVERYTHING, covers, parse
from events.ruleset import Rule

TITLE = "Which event makes which values stale, and which pages show them"
LINE = 20
"""Height of a line of text, in pixels."""
PAD = 10
GAP = 14
COLUMNS = (0, 420, 800)
"""The left edges of events, values and pages."""
WIDTHS = (250, 230, 160)
_EVERY_PAGE = "*"


@dataclass(frozen=True)
class Line:
    """A connection between two boxes; `words` is its condition, None if it always holds."""

    source: str
    target: str
    words: str | None = None


@dataclass
class Graph:
    """Boxes with their lines of text, by id, and what connects them. `subsystems` are the values below each prefix."""

    events: dict[str, tuple[str, ...]] = field(default_factory=dict)
    subsystems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


def graph(rules: Sequence[Rule], values: Sequence[Row], parts: Sequence[Part]) -> Graph:
    """Return what the table says, in the order of the table."""
    found = Graph()
    targets: dict[str, list[tuple[str, str | None]]] = {}
    for rule in rules:
        for event_class in rule.on:
            drops = ("*",) if rule.carried else rule.invalidates
            words = "the prefix that it carries" if rule.carried else condition(rule)
            targets.setdefault(event_class.name, []).extend((pattern, words) for pattern in drops)
    groups: dict[tuple[tuple[str, str | None], ...], list[str]] = {}
    for name, edges in targets.items():
        groups.setdefault(tuple(edges), []).append(name)
    for value in values:
        subsystem = value.key.partition(".")[0]
        found.subsystems[subsystem] = (*found.subsystems.get(subsystem, ()), value.key)
    for number, (group, names) in enumerate(groups.items()):
        found.events[f"e{number}"] = tuple(names)
        always = {pattern for pattern, words in group if words is None}
        for pattern, words in group:
            if words is None or pattern not in always:
                found.lines += [Line(f"e{number}", target, words) for target in _boxes(pattern, found)]
    shown: dict[tuple[str, str], None] = {}
    for part in parts:
        for page in part.pages:
            found.pages[page] = ()
            shown.update(dict.fromkeys((key, page) for key in part.keys))
    found.pages = {page: (_EVERY_PAGE_WORDS if page == _EVERY_PAGE else page,) for page in sorted(found.pages)}
    found.lines += [Line(key, page) for key, page in shown]
    return found


_EVERY_PAGE_WORDS = "every page"


def _boxes(pattern: str, found: Graph) -> Iterable[str]:
    """Return the ids of what *pattern* names: one value, a subsystem, or all of those."""
    prefix = parse(pattern)
    if prefix == EVERYTHING:
        return list(found.subsystems)
    if prefix in found.subsystems:
        return [prefix]
    return [key for keys in found.subsystems.values() for key in keys if covers(prefix, key)]


# --- as Mermaid


def mermaid(drawn: Graph) -> str:
    """Return the graph in Mermaid's language."""
    lines = ["flowchart LR"]
    lines += [f'  {_id(name)}["{"<br>".join(texts)}"]' for name, texts in drawn.events.items()]
    for subsystem, keys in drawn.subsystems.items():
        lines += [f"  subgraph {_id(subsystem)}[{subsystem}]", *(f'    {_id(key)}["{key}"]' for key in keys), "  end"]
    lines += [f'  {_id(name)}(["{texts[0]}"])' for name, texts in drawn.pages.items()]
    for line in drawn.lines:
        arrow = f" -. {line.words} .-> " if line.words else " --> "
        lines.append(f"  {_id(line.source)}{arrow}{_id(line.target)}")
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    """Return *name* as Mermaid takes it: of letters, digits and underscores."""
    if name == _EVERY_PAGE:
        return "every_page"
    return "page_" + name.strip("/").replace("/", "_") if name.startswith("/") else name.replace(".", "_")


# --- as a drawing


@dataclass(frozen=True)
class Box:
    """A box in pixels. `look` is `event`, `subsystem`, `value` or `page`; `texts` are its lines."""

    name: str
    look: str
    left: float
    top: float
    width: float
    height: float
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """A connection from left to right. `words` is its condition, if it has one."""

    start: tuple[float, float]
    end: tuple[float, float]
    words: str | None
    title: str

    @property
    def path(self) -> str:
        """The curve as the `d` of an SVG path."""
        (x1, y1), (x2, y2) = self.start, self.end
        bend = (x2 - x1) / 2
        return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


@dataclass(frozen=True)
class Drawing:
    """Boxes and curves on a sheet of that size, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]


def draw(drawn: Graph) -> Drawing:
    """Return where everything stands: three columns, each in the middle of the height."""
    columns = [
        _stacked([(name, "event", texts) for name, texts in drawn.events.items()], 0),
        _values(drawn),
        _stacked([(name, "page", texts) for name, texts in drawn.pages.items()], 2),
    ]
    height = max(bottom for _, bottom in columns) + PAD
    boxes: dict[str, Box] = {}
    for column, bottom in columns:
        shift = (height - PAD - bottom) / 2
        boxes.update({box.name: _moved(box, shift) for box in column})
    curves = [_curve(line, boxes) for line in drawn.lines]
    width = COLUMNS[-1] + WIDTHS[-1] + PAD
    return Drawing(width=width, height=height, boxes=tuple(boxes.values()), curves=tuple(curves))


def _stacked(items: Iterable[tuple[str, str, tuple[str, ...]]], column: int) -> tuple[list[Box], float]:
    boxes: list[Box] = []
    top = float(PAD)
    for name, look, texts in items:
        height = len(texts) * LINE + 2 * PAD
        boxes.append(Box(name, look, COLUMNS[column] + PAD, top, WIDTHS[column], height, texts))
        top += height + GAP
    return boxes, top - GAP


def _values(drawn: Graph) -> tuple[list[Box], float]:
    boxes: list[Box] = []
    top = float(PAD)
    left, width = COLUMNS[1] + PAD, WIDTHS[1]
    for subsystem, keys in drawn.subsystems.items():
        height = (len(keys) + 1) * (LINE + 8) + PAD
        boxes.append(Box(subsystem, "subsystem", left, top, width, height, (f"{subsystem}.*",)))
        for index, key in enumerate(keys, start=1):
            texts = (key.partition(".")[2],)
            boxes.append(Box(key, "value", left + PAD, top + index * (LINE + 8), width - 2 * PAD, LINE + 4, texts))
        top += height + GAP
    return boxes, top - GAP


def _moved(box: Box, down: float) -> Box:
    return Box(box.name, box.look, box.left, box.top + down, box.width, box.height, box.texts)


def _curve(line: Line, boxes: dict[str, Box]) -> Curve:
    source, target = boxes[line.source], boxes[line.target]
    # Those of a whole subsystem end at its head line.
    height = LINE + 2 * PAD if target.look == "subsystem" else target.height
    title = f"{', '.join(source.texts)} -> {target.name}" + (f", {line.words}" if line.words else "")
    return Curve(
        start=(source.left + source.width, source.top + source.height / 2),
        end=(target.left, target.top + height / 2),
        words=line.words,
        title=title,
    )


# --- as a file

_STYLE = """
svg{font:13px system-ui,-apple-system,"Segoe UI","Liberation Sans",Arial,sans-serif}
text{fill:#1b1d28}.box{fill:#fff;stroke:#c9cbdb}.event{fill:#eef0fb;stroke:#4650b8}.subsystem{fill:#f6f6fa}
.page{fill:#e9f5ee;stroke:#2c7a4b}.curve{fill:none;stroke:#8b8fa8;stroke-width:1.2}.curve.if{stroke-dasharray:4 4}
.head{font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#e8e9f2}.box{fill:#1d1f2b;stroke:#44475c}.event{fill:#262a4a;stroke:#8f98f0}
.subsystem{fill:#171823}.page{fill:#1b3125;stroke:#6fbf8c}.curve{stroke:#767a94}}
"""


def svg(drawn: Drawing) -> str:
    """Return the drawing as an SVG file that suits light and dark pages."""
    size = f"{drawn.width:g} {drawn.height:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" aria-label="{TITLE}">',
        f"<style>{_STYLE}</style>",
    ]
    holders = [box for box in drawn.boxes if box.look == "subsystem"]  # below what they hold, and below the lines
    parts += [_svg_box(box) for box in holders]
    parts += [_svg_curve(curve) for curve in drawn.curves]
    parts += [_svg_box(box) for box in drawn.boxes if box not in holders]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _svg_curve(curve: Curve) -> str:
    look = "curve if" if curve.words else "curve"
    return f'<path class="{look}" d="{curve.path}"><title>{escape(curve.title)}</title></path>'


def _svg_box(box: Box) -> str:
    texts = "".join(f'<text x="{x:g}" y="{y:g}"{_head(box)}>{escape(text)}</text>' for text, x, y in text_places(box))
    return (
        f'<rect class="box {box.look}" x="{box.left:g}" y="{box.top:g}" width="{box.width:g}" height="{box.height:g}" '
        f'rx="6"/>{texts}'
    )


def _head(box: Box) -> str:
    return ' class="head"' if box.look == "subsystem" else ""


def text_places(box: Box) -> list[tuple[str, float, float]]:
    """Return the texts of *box*, each with the left end of its base line."""
    top = box.top + (4 if box.look == "value" else PAD)
    return [(text, box.left + PAD, top + index * LINE + 14) for index, text in enumerate(box.texts)]
