"""Names of numbers that tell what they mean: the sentence when one points at them, the glossary when one follows them.

What they mean is in the tables of `data.calculations`; the page that they lead to is `glossary`.
"""

from data.calculations import attributes, registry
from data.calculations.composite import COMPONENTS
from data.calculations.recommendations import SUB_SCORES
from pages.markup import Markup, tag

GLOSSARY = "/glossary"

_TOOLTIPS = {
    **{name: criterion.tooltip for name, criterion in SUB_SCORES.items()},
    **{one.name: one.tooltip for one in (*attributes.ATTRIBUTES, *attributes.OTHERS)},
    **{one.name: one.tooltip for one in COMPONENTS},
    **{one.name: one.tooltip for one in registry.METRICS},
}


def term(name: str, label: str) -> Markup:
    """Return *label* as a link to the entry *name* of the glossary; just the label if there is no such entry."""
    if name not in _TOOLTIPS:
        return tag("span", label)
    return tag("a", label, class_="term", href=f"{GLOSSARY}#{name}", title=_TOOLTIPS[name])
