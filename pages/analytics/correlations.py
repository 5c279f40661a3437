"""What goes with what: correlations of the numbers of single attempts, ranked. With which, stands in the address."""

from collections.abc import Sequence

from cache.values import ANALYTICS_CORRELATIONS
from data.calculations.analytics import Correlation, Correlations
from data.calculations.attributes import ATTRIBUTES, BY_NAME, are_related_by_definition
from pages import figures
from pages.analytics.card import Card
from pages.charts import balance_bar
from pages.controls import stack
from pages.fields import Select
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Shown
from pages.terms import term

ALL = ""
MOST = 12
OPTIONS = {one.name: f"with {one.label.lower()}" for one in sorted(ATTRIBUTES, key=lambda one: one.label)}
STRENGTHS = ((0.5, "strong"), (0.3, "clear"), (0.1, "slight"), (0.0, "hardly any"))
"""From which |r| on it is called what (Cohen 1988)."""


class CorrelationsCard(Card):
    """Correlations, the strongest first."""

    values = (ANALYTICS_CORRELATIONS,)
    name = title = "What goes together"
    room = (522, 1376)

    def build_choosers(self) -> None:
        """Make the chooser of the attribute."""
        self.home.classes("is-wide")
        address = self.visit.address
        with stack("choosers"):
            self._with = Select(
                {ALL: "the strongest", **OPTIONS},
                name="Goes together with",
                on_choose=lambda name: address.choose(pair=name),
            )
        self._show_choice()
        address.listen(self.show_again)

    def build_content(self) -> None:
        """Make the block."""
        self._block = Block()

    def update(self, shown: Shown) -> None:
        """Show the correlations of the chosen attribute, or the strongest of all."""
        correlations = shown.get(ANALYTICS_CORRELATIONS)
        self._block.show(_ranked(correlations, self._show_choice()))

    def _show_choice(self) -> str:
        """Show and return with what; what means nothing counts as not chosen."""
        chosen = self.visit.address.get("pair")
        chosen = chosen if chosen in OPTIONS else ALL
        self._with.choose(chosen)
        return chosen


def _ranked(correlations: Correlations, chosen: str) -> Markup:
    pairs = [
        pair
        for pair in correlations.pairs
        if pair.r is not None
        and (chosen in (ALL, pair.first, pair.second))
        and not are_related_by_definition(pair.first, pair.second)
    ]
    pairs.sort(key=lambda pair: -abs(pair.r or 0.0))
    if not pairs:
        return tag("p", "It takes three completed attempts with both numbers, and some difference.", class_="empty")
    left_out = "Left out is what is computed from the same numbers, such as stress and mental load."
    pairs = pairs[:MOST]
    half = (len(pairs) + 1) // 2
    return join(
        tag("div", _table(pairs[:half], chosen), _table(pairs[half:], chosen), class_="halves"),
        tag(
            "p",
            "r is Pearson’s: 1 rise together, −1 one falls as the other rises, 0 neither. It tells no cause. ",
            left_out,
            class_="hint",
        ),
    )


def _table(pairs: Sequence[Correlation], chosen: str) -> Markup:
    if not pairs:
        return NOTHING
    rows = (_row(pair, chosen) for pair in pairs)
    return tag("table", tag("thead", tag("tr", *_head())), tag("tbody", *rows), class_="numbers correlations")


def _head() -> list[Markup]:
    return [
        tag("th", "Pair", scope="col"),
        tag("th", "r", scope="col", class_="is-number"),
        tag("td"),
        tag("th", "n", scope="col", class_="is-number"),
    ]


def _row(pair: Correlation, chosen: str) -> Markup:
    r = pair.r or 0.0
    names = [pair.second] if chosen == pair.first else [pair.first] if chosen == pair.second else _both(pair)
    strength = next(word for least, word in STRENGTHS if abs(r) >= least)
    way = "" if abs(r) < STRENGTHS[2][0] else ", same way" if r > 0 else ", opposite"
    return tag(
        "tr",
        tag(
            "th",
            join(*(term(name, BY_NAME[name].label) for name in names), by=" and "),
            tag("span", strength + way, class_="hint"),
            scope="row",
        ),
        tag("td", figures.number(r, 2), class_="is-number"),
        tag("td", balance_bar(r), class_="bar-cell"),
        tag("td", f"{pair.n:,}", class_="is-number hint"),
    )


def _both(pair: Correlation) -> list[str]:
    return [pair.first, pair.second]
