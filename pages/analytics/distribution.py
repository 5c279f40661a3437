"""Where time went: minutes and completions by kind, category or task. By which, stands in the address."""

from collections.abc import Sequence

from cache.values import ANALYTICS_DISTRIBUTION
from data.calculations.analytics import Distribution, Portion
from pages import figures
from pages.analytics.card import Card
from pages.charts import bar
from pages.choosers import Segments
from pages.controls import Words, button, stack
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Shown
from pages.words import KINDS

BY = {"kind": "Kind", "category": "Category", "task": "Task"}
DEFAULT_BY = "kind"
MOST = 10


class DistributionCard(Card):
    """What the time went into."""

    values = (ANALYTICS_DISTRIBUTION,)
    name = title = "Where time goes"
    room = (283, 379)

    def build_choosers(self) -> None:
        """Make the chooser."""
        address = self.visit.address
        with stack("choosers"):
            self._by = Segments("By", BY, lambda by: address.choose(by="" if by == DEFAULT_BY else by))
        self._show_choice()
        address.listen(self.show_again)

    def build_content(self) -> None:
        """Make the block, and the button that shows the rest of a long list."""
        self._shows_all = False
        self._sum = Words("", "p").classes("lead-in")
        self._block = Block()
        self._more = button("", self._show_all, look="is-quiet entries-more")
        self._more.set_visibility(False)

    def update(self, shown: Shown) -> None:
        """Show the chosen list."""
        distribution = shown.get(ANALYTICS_DISTRIBUTION)
        by = self._show_choice()
        portions = _portions(distribution, by)
        self._sum.set_text(
            f"{figures.duration(distribution.minutes)} in {distribution.completed:,} completed."
            if distribution.completed
            else ""
        )
        hidden = 0 if self._shows_all else max(0, len(portions) - MOST)
        self._block.show(_list(portions[: len(portions) - hidden], by))
        self._more.set_visibility(hidden > 0)
        self._more.set_text(f"Show {hidden} more")

    def _show_choice(self) -> str:
        """Show and return by what; what means nothing counts as not chosen."""
        by = self.visit.address.get("by")
        by = by if by in BY else DEFAULT_BY
        self._by.choose(by)
        return by

    def _show_all(self) -> None:
        self._shows_all = True
        self.show_again()


def _portions(distribution: Distribution, by: str) -> Sequence[Portion]:
    return {"kind": distribution.by_kind, "category": distribution.by_category, "task": distribution.by_task}[by]


def _list(portions: Sequence[Portion], by: str) -> Markup:
    if not portions:
        return tag("p", "No finished task is in a category. Tasks get theirs where they are made.", class_="empty")
    most = max(portion.minutes for portion in portions)
    note = (
        tag("p", "A task in several categories counts in full in each.", class_="hint") if by == "category" else NOTHING
    )
    return join(tag("ul", *(_line(portion, most, by) for portion in portions), class_="kinds portions"), note)


def _line(portion: Portion, most: float, by: str) -> Markup:
    label = KINDS.get(portion.label, portion.label) if by == "kind" else portion.label
    share = f"{figures.number(portion.share)}% · " if portion.share is not None else ""
    return tag(
        "li",
        tag("span", label, class_="component-label", title=label),
        tag("span", figures.measure(portion.minutes, "minutes"), class_="component-value"),
        tag("span", bar(portion.minutes / most if most else 0.0), class_="component-bar"),
        tag("span", tag("span", f"{share}{portion.completed:,} ×", class_="hint"), class_="component-share"),
        class_="component",
    )
