"""The glossary: what each number means, how it is made, and which way is better. Made of the tables of calculations.

Each entry has an address of its own (`/glossary#avg_relief`). Nothing here depends on anybody's data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nicegui import ui

from data.calculations import attributes
from data.calculations.composite import COMPONENTS
from data.calculations.metric import Direction, Metric
from data.calculations.recommendations import SUB_SCORES
from data.calculations.registry import METRICS
from pages import figures
from pages.controls import Words, heading, stack
from pages.markup import Block, Markup, join, tag
from pages.visit import Visit

BETTER = {
    Direction.MORE: "more is better",
    Direction.LESS: "less is better",
    Direction.ZERO: "nearer to 0 is better",
    Direction.NEUTRAL: "neither is better",
}
UNITS = {"of 100": "0 to 100", "instances": "count", "ratio": "ratio, ×", "points": "points", "percent": "percent"}
ONE_ATTEMPT = "what you say and what is timed"
_ABOUT_RECOMMENDATIONS = (
    "What speaks for a task. The score is the weighted mean of the percentile ranks of these four among all tasks. "
    "What is expected is the mean of earlier attempts; one of 30 days ago counts half."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number."""

    name: str
    label: str
    sentence: str
    formula: str
    unit: str
    direction: str
    source: str
    window: str = ""

    @property
    def searched(self) -> str:
        """Everything that a search looks at."""
        return " ".join((self.name.replace("_", " "), self.label, self.sentence, self.formula, self.source)).casefold()


def groups() -> list[tuple[str, str, list[Entry]]]:
    """Return the entries in groups: a heading, a sentence about the group, and what is in it."""
    of_metrics = {metric.name for metric in METRICS}
    return [
        (
            "Metrics",
            "Numbers of a day, or of a few days. The dashboard holds them against what is usual, trends draw them.",
            [_of_metric(metric) for metric in METRICS],
        ),
        (
            "Composite score",
            "The weighted mean of twelve components over 7 days. Nine of them are metrics; these are the others.",
            [
                Entry(
                    name=component.name,
                    label=component.label,
                    sentence=component.tooltip,
                    formula=component.formula,
                    unit="of 100",
                    direction=BETTER[Direction.MORE],
                    source=ONE_ATTEMPT,
                    window="over 7 days",
                )
                for component in COMPONENTS
                if component.name not in of_metrics
            ],
        ),
        (
            "Numbers of one attempt",
            "Of each that you finished. Correlations compare most of them, and averages are made of them.",
            [
                Entry(
                    name=one.name,
                    label=one.label,
                    sentence=one.tooltip,
                    formula=one.formula,
                    unit=one.unit,
                    direction="",
                    source=ONE_ATTEMPT,
                )
                for one in (*attributes.ATTRIBUTES, *attributes.OTHERS)
            ],
        ),
        (
            "Recommendations",
            _ABOUT_RECOMMENDATIONS,
            [
                Entry(
                    name=name,
                    label=criterion.label,
                    sentence=criterion.tooltip,
                    formula=criterion.formula,
                    unit=criterion.unit,
                    direction=BETTER[Direction.MORE],
                    source="the task's earlier attempts, and what you say when you plan",
                )
                for name, criterion in SUB_SCORES.items()
            ],
        ),
    ]


def build(visit: Visit) -> None:
    """Make the page."""
    listed = groups()
    with stack("page-head", "header"):
        heading("Glossary", 1).props["tabindex"] = "-1"
        Words("What each number means, how it is made, and which way is better.", "p").classes("page-date")
    search = ui.input(placeholder="Search", value=visit.address.get("q")).props("outlined dense clearable")
    search.classes("field glossary-search").props["aria-label"] = "Search the glossary"
    block = Block().classes("glossary")

    def show() -> None:
        block.show(_page(listed, visit.address.get("q")))

    def arrived() -> None:
        if (search.value or "") != visit.address.get("q"):
            search.value = visit.address.get("q")
        show()

    search.on_value_change(lambda event: visit.address.choose(step=False, q=event.value or ""))
    visit.address.listen(arrived)
    show()


def found(entries: Sequence[Entry], query: str) -> list[Entry]:
    """Return the entries in which every word of *query* occurs."""
    words = query.casefold().split()
    return [entry for entry in entries if all(word in entry.searched for word in words)]


def _page(listed: Sequence[tuple[str, str, list[Entry]]], query: str) -> Markup:
    parts = []
    for title, about, entries in listed:
        left = found(entries, query)
        if left:
            count = tag("span", f"{len(left)}", class_="count")
            parts.append(
                tag(
                    "section",
                    tag("h2", title, " ", count),
                    tag("p", about, class_="hint"),
                    tag("div", *(_entry(entry) for entry in left), class_="glossary-entries"),
                    class_="glossary-group",
                )
            )
    return join(*parts) or tag(
        "p", f"Nothing here is about “{query}”. Try a shorter word, such as relief or time.", class_="empty"
    )


def _entry(entry: Entry) -> Markup:
    facts = (
        ("Unit", " ".join(filter(None, (UNITS.get(entry.unit, entry.unit), entry.window)))),
        ("Direction", entry.direction),
        ("Source", entry.source),
    )
    return tag(
        "article",
        tag("h3", tag("a", entry.label, href=f"/glossary#{entry.name}", class_="term"), tag("code", entry.name)),
        tag("p", entry.sentence),
        tag("p", entry.formula, class_="formula"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", told)) for name, told in facts if told)),
        id=entry.name,
        class_="card glossary-entry",
    )


def _of_metric(metric: Metric) -> Entry:
    window = f"over {metric.days} days" if metric.days > 1 else ""
    bounds = ""
    if metric.unit == "points" and metric.least is not None and metric.most is not None:
        bounds = f"{figures.number(metric.least)} to {figures.number(metric.most)}"
    return Entry(
        name=metric.name,
        label=metric.label,
        sentence=metric.tooltip,
        formula=metric.formula,
        unit=metric.unit,
        direction=BETTER[metric.direction],
        source=metric.source,
        window=", ".join(filter(None, (bounds, window))),
    )
