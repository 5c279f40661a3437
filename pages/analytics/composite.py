"""The composite score: what it is, how it came to be on each day, and what its twelve components add to it."""

from cache.values import ANALYTICS_COMPOSITE_SCORES
from data.calculations.analytics import COMPOSITE_HISTORY_DAYS, CompositeScores
from pages import figures
from pages.analytics.card import Card
from pages.charts import Course, course_chart
from pages.components import components
from pages.markup import Block, Markup, join, tag
from pages.section import Shown


class CompositeCard(Card):
    """The composite score of the last 7 days."""

    values = (ANALYTICS_COMPOSITE_SCORES,)
    name = title = "Composite score"
    room = (809, 978)

    def build_content(self) -> None:
        """Make the blocks: the score with its history, and the components."""
        self._score = Block()
        self._parts = Block()

    def update(self, shown: Shown) -> None:
        """Show the score, its history and its components."""
        scores = shown.get(ANALYTICS_COMPOSITE_SCORES)
        self.say_aside("7 days, today included")
        self._score.show(join(_figure(scores), _history(scores)))
        self._parts.show(
            join(
                tag("h3", "What it is made of", class_="sub-heading"),
                components(scores.composite, with_weights=True),
                tag("p", "Each component has the weight that you give it in the settings.", class_="hint"),
            )
        )


def _figure(scores: CompositeScores) -> Markup:
    score = scores.composite.score
    known = [each.score for each in scores.history[:-1] if each.score is not None]
    compared = ""
    if score is not None and known:
        usual = sum(known) / len(known)
        difference = round(score) - round(usual)
        arrow = f"▲ {difference}" if difference > 0 else f"▼ {-difference}" if difference < 0 else "="
        compared = f"{arrow} against {figures.number(usual)} on average over {len(known)} days"
    return join(
        tag("p", figures.measure(score, "of 100"), class_="big-figure"), tag("p", compared, class_="metric-compare")
    )


def _history(scores: CompositeScores) -> Markup:
    values = [each.score for each in scores.history]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return tag("p", "From the second day on, its course is drawn here.", class_="empty")
    description = (
        f"Composite score on each of the last {COMPOSITE_HISTORY_DAYS} days: "
        f"between {figures.number(min(known))} and {figures.number(max(known))}"
    )
    return course_chart(
        Course(
            days=[each.day for each in scores.history],
            daily=values,
            mean=values,
            unit="of 100",
            description=description,
            least=0,
            most=100,
        )
    )
