"""The components of a composite score as lines: value, bar, and what each adds. The summary and analytics show them."""

from data.calculations.composite import COMPONENTS, Composite, Part
from pages import figures
from pages.charts import bar
from pages.markup import NOTHING, Markup, join, tag
from pages.terms import term

LABELS = {component.name: component.label for component in COMPONENTS}


def components(composite: Composite, *, with_weights: bool = False) -> Markup:
    """Return one line per component, the greatest contribution first; *with_weights*: also how much each counts."""
    lines = sorted(
        composite.parts, key=lambda part: -1.0 if part.contribution is None else part.contribution, reverse=True
    )
    return tag("ul", *(_line(part, with_weights=with_weights) for part in lines), class_="components")


def _line(part: Part, *, with_weights: bool) -> Markup:
    told = "no data" if part.value is None else "not counted" if part.contribution is None else ""
    if part.contribution is not None:
        told = f"adds {figures.number(part.contribution, 1)}"
        if with_weights and part.share is not None:
            told = f"× {figures.number(100 * part.share, 1)}% {told}"
    return tag(
        "li",
        tag("span", term(part.name, LABELS.get(part.name, part.name)), class_="component-label"),
        tag("span", figures.measure(part.value, ""), class_="component-value"),
        tag("span", bar((part.value or 0.0) / 100), class_="component-bar"),
        tag("span", tag("span", told, class_="hint") if told else NOTHING, class_="component-share"),
        class_=str(join("component", "is-missing" if part.value is None else "", by=" ")),
    )
