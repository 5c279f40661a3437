"""What to do next: the recommended tasks, with what speaks for each, and one click to plan or start it.

How they are ranked is in `data.calculations.recommendations`. Filters only leave out: scores stay those among all. They
stand in the address, so a reload or a link brings them back.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cache.values import ANALYTICS_RECOMMENDATIONS, PREFERENCES
from data.calculations.recommendations import SUB_SCORES, Recommendation, Recommendations, SubScore, fitting
from events.catalog import InstanceId, TaskId
from pages import figures
from pages.charts import bar
from pages.choosers import Segments
from pages.controls import Handler, heading, stack
from pages.deeds import Deeds
from pages.fields import Select
from pages.figures import Present
from pages.markup import NOTHING, Markup, act, join, tag
from pages.rows import BlockRow, EmptyState, RowList
from pages.section import Section, Shown
from pages.terms import term
from pages.visit import Visit
from pages.why import why_button
from pages.words import KINDS

MOST = 4
TASKS, PLANNED = "", "planned"
MODES = {TASKS: "Any task", PLANNED: "Planned"}
MINUTES = {"": "Any time", "10": "10 min", "15": "15 min", "30": "30 min", "60": "1 h", "120": "2 h"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A recommendation as a row of a list."""

    recommended: Recommendation

    @property
    def id(self) -> str:
        """What tells it from others: a task has one row among tasks, and one for each time it is planned."""
        return self.recommended.instance_id or self.recommended.task_id


class Recommended(Section):
    """The best of what could be done now."""

    values = (ANALYTICS_RECOMMENDATIONS, PREFERENCES)
    name: ClassVar[str] = "What next"
    room = (657, 957)

    def __init__(self, visit: Visit, deeds: Deeds) -> None:
        self._deeds = deeds
        super().__init__(visit)

    def build(self) -> None:
        """Make the filters and the list."""
        self.home.classes("card recommended")
        address = self.visit.address
        with stack("section-head"):
            self.home.props["aria-labelledby"] = heading("What next").html_id
            self._mode = Segments("Out of what", MODES, lambda mode: address.choose(step=False, next=mode))
            why_button(self)
        with stack("filters", role="group", aria_label="Only what fits"):
            self._minutes = Select(
                MINUTES, name="Minutes I have", on_choose=lambda minutes: address.choose(step=False, minutes=minutes)
            )
            self._kind = Select(
                {"": "Any kind", **KINDS}, name="Kind", on_choose=lambda kind: address.choose(step=False, kind=kind)
            )
            self._category = Select(
                {}, name="Category", on_choose=lambda category: address.choose(step=False, category=category)
            )
        self._rows = RowList("What next", lambda offer: OfferRow(self._deeds, offer), most=MOST)
        self._empty = EmptyState("")
        self._show_choice(filter(None, [address.get("category")]))  # others are not known yet
        address.listen(self.show_again)

    def update(self, shown: Shown) -> None:
        """Show what fits."""
        found, profile = shown.get(ANALYTICS_RECOMMENDATIONS), shown.get(PREFERENCES)
        mode, minutes, kind, category = self._show_choice(_categories(found))
        of_mode = found.planned if mode == PLANNED else found.templates
        fits = [
            Offer(one)
            for one in fitting(
                of_mode,
                category=category or None,
                kind=kind if kind in KINDS else None,
                minutes=float(minutes) if minutes.isdecimal() else None,
            )
        ]
        self._rows.show(fits, Present(shown.now, shown.today, profile))
        self._empty.show(visible=not fits, sentence=_why_empty(mode, of_mode, found))

    def _show_choice(self, categories: Iterable[str]) -> tuple[str, str, str, str]:
        """Show and return out of what, minutes, kind and category, as the address has them; offer *categories*."""
        get = self.visit.address.get
        mode = PLANNED if get("next") == PLANNED else TASKS
        minutes, kind, category = get("minutes"), get("kind"), get("category")
        self._mode.choose(mode)
        self._minutes.choose(minutes)
        self._kind.choose(kind)
        self._category.show({"": "Any category", **{word: word for word in categories}}, category)
        return mode, minutes, kind, category


class OfferRow(BlockRow):
    """One recommendation."""

    def __init__(self, deeds: Deeds, offer: Offer) -> None:
        self._deeds, self._offer = deeds, offer
        super().__init__(deeds.visit, f"offer-{offer.id}", "entry offer")

    def update(self, item: Offer, present: Present) -> None:
        """Show *item*."""
        self._offer = item
        self.block.show(_markup(item.recommended, present))

    def deeds(self) -> dict[str, Handler]:
        """Return what each button does."""
        deeds, one = self._deeds, self._offer.recommended
        if one.instance_id is not None:
            instance = InstanceId(one.instance_id)
            return {"start": lambda: deeds.start(instance, one.name)}
        task = TaskId(one.task_id)
        return {
            "start": lambda: deeds.plan(task, one.name, start=True),
            "plan": lambda: deeds.plan(task, one.name),
        }


def _categories(found: Recommendations) -> list[str]:
    named = {category for one in (*found.templates, *found.planned) for category in one.categories}
    return sorted(named, key=str.casefold)


def _why_empty(mode: str, of_mode: Sequence[Recommendation], found: Recommendations) -> str:
    if of_mode:
        return "Nothing fits. Choose more time, or any kind."
    if mode == PLANNED and found.templates:
        return "Nothing is planned. Look among all tasks instead."
    return "Once there are tasks, the most rewarding one for now stands here."


@functools.lru_cache(maxsize=256)  # the same in all windows that show the same reading
def _markup(one: Recommendation, present: Present) -> Markup:
    score = figures.DASH if one.score is None else figures.number(one.score)
    is_planned = one.instance_id is not None
    text = join(
        tag(
            "p",
            tag("span", score, class_="offer-score", title="Score: the weighted mean of the four below, 0 to 100"),
            tag("span", one.name),
            class_="entry-title",
        ),
        tag("p", *(tag("span", fact, class_="fact") for fact in _facts(one, present) if fact), class_="entry-facts"),
        tag("dl", *(_sub_score(sub) for sub in one.sub_scores), class_="sub-scores"),
    )
    verb = "Start" if is_planned else "Start now"
    buttons = (
        act("start", "Start", name=f"{verb}: {one.name}", icon="play", look="is-main"),
        NOTHING if is_planned else act("plan", name=f"Plan as it is: {one.name}", icon="plan", look="is-quiet"),
    )
    return join(tag("div", text, class_="entry-text"), tag("div", *buttons, class_="entry-buttons"))


def _facts(one: Recommendation, present: Present) -> list[str]:
    due: str = ""
    if one.due_at is not None:
        is_late = one.due_at < present.now
        due = (
            tag("span", f"{figures.late(one.due_at, present.now)} overdue", class_="flag is-late")
            if is_late
            else f"due {figures.moment(one.due_at, present)}"
        )
    takes = one.likely_minutes
    return [
        due,
        tag("span", KINDS.get(one.kind, one.kind), class_="kind"),
        f"about {figures.duration(takes)}" if takes else "",
        f"relief {figures.number(one.expected_relief)}" if one.expected_relief is not None else "",
    ]


def _sub_score(sub: SubScore) -> Markup:
    rank = figures.DASH if sub.rank is None else figures.number(sub.rank)
    value = figures.plain(sub.value, SUB_SCORES[sub.name].unit)
    return tag(
        "div",
        tag("dt", term(sub.name, SUB_SCORES[sub.name].label)),
        tag(
            "dd", bar((sub.rank or 0.0) / 100), tag("span", rank, class_="figure"), title=f"{value}; rank {rank} of 100"
        ),
    )
