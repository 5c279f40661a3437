"""The page of goals: the week's productive hours against the goal, the pace, and where it leads. Never cached.

What the numbers mean is in `data.calculations.goals`. Which week is shown stands in the address.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import dropwhile

from nicegui import ui

from cache.values import DASHBOARD_TASKS, PREFERENCES
from data import preferences
from data.calculations.goals import DAYS_OF_WEEK, GoalDay, GoalWeek, load_week
from data.database import ReadTransaction
from data.days import ONE_DAY
from data.errors import InvalidInputError
from data.viewpoint import Viewpoint
from pages import figures
from pages.controls import Button, Words, heading, stack
from pages.markup import NOTHING, Block, Markup, join, tag
from pages.section import Query, Section, Shown
from pages.visit import Visit

PATH = "/goals"
ON_PACE_MINUTES = 30.0
"""Less than that ahead or behind is called on pace."""


class GoalSection(Section):
    """What the parts of this page have in common: the week that the address names, read with the goal of this state."""

    values = (PREFERENCES,)
    follows = (DASHBOARD_TASKS,)
    ticks = True
    title = ""

    def build(self) -> None:
        """Make heading and block."""
        self.home.classes("card")
        if self.title:
            self.home.props["aria-labelledby"] = heading(self.title).html_id
        self._block = Block()

    def query(self) -> Query | None:
        """Return what reads the week."""
        return partial(_load, week_of(self.visit.address.get("week")))

    def update(self, shown: Shown) -> None:
        """Show the week."""
        self._block.show(self.markup(shown.found))

    def markup(self, week: GoalWeek) -> Markup:
        """Return what this part shows."""
        raise NotImplementedError


class Heading(GoalSection):
    """The title, which week it is, and the way to others."""

    name = "The heading"
    element = "header"
    room = (60, 76)

    def build(self) -> None:
        """Make the heading; it has the focus after moving here."""
        self.home.classes("page-head is-row")
        with stack():
            heading("Goals", 1).props["tabindex"] = "-1"
            self._when = Words("", "p").classes("page-date")
        self._block = Block(element="nav").classes("pager")
        self._block.props["aria-label"] = "Weeks"

    def update(self, shown: Shown) -> None:
        """Show the week's dates and the links."""
        week: GoalWeek = shown.found
        self._when.set_text(f"{figures.day(week.first)} to {figures.long_day(week.days[-1].day)}")
        super().update(shown)

    def markup(self, week: GoalWeek) -> Markup:
        """Return the links to the weeks beside this one."""
        later = _week("Later week", week.first + ONE_DAY * DAYS_OF_WEEK, "ArrowRight")
        now = tag("a", "This week", href=PATH, class_="button is-quiet")
        off = tag("span", "Later week", class_="button is-quiet is-off", aria_hidden="true")
        return join(
            _week("Earlier week", week.first - ONE_DAY * DAYS_OF_WEEK, "ArrowLeft"),
            now if week.is_over else NOTHING,
            later if week.is_over else off,
        )


class Progress(GoalSection):
    """How far it is, and how that compares with the pace; the goal itself can be changed here."""

    name = "The progress"
    title = "Productive hours"
    room = (433, 631)

    def build(self) -> None:
        """Make the block, and the field for the goal."""
        super().build()
        with stack("goal-form", "form") as form:
            form.on("submit.prevent", self._save)
            label = Words("Goal a week", "label").classes("field-label")
            self._goal = ui.input().props("outlined dense inputmode=decimal suffix=h").classes("field is-number")
            label.props["for"] = self._goal.html_id
            self._button = Button("Set", lambda: None)
            self._button.props["type"] = "submit"
        self._difference = Words("", "p").classes("hint")
        self._known: float | None = None

    def update(self, shown: Shown) -> None:
        """Show the sums; the field only if the goal has changed, so that nothing typed is lost."""
        super().update(shown)
        profile = shown.get(PREFERENCES)
        goal = profile.goal_hours_per_week
        a_day = figures.duration(profile.target_minutes_per_day)
        self._difference.set_text(
            f"Work and self-care count here. The summary holds work alone against another target, {a_day} a day."
        )
        if goal != self._known:
            self._known = goal
            self._goal.value = f"{goal:g}"

    async def _save(self) -> None:
        visit, before = self.visit, self._known
        try:
            goal = figures.parse_number(self._goal.value or "")
        except InvalidInputError as refusal:
            visit.toasts.refused(f"Goal {refusal}.")
            return
        set_goal = partial(preferences.change, visit.services.database, visit.user)
        done = await visit.actions.run("goal", partial(set_goal, goal_hours_per_week=goal))
        if done is not None and done.value:

            async def restore() -> None:
                await visit.actions.run("goal", partial(set_goal, goal_hours_per_week=before))

            visit.toasts.done(f"The goal is {goal:g} hours a week.", action="Undo", on_action=restore, about="goal")

    def markup(self, week: GoalWeek) -> Markup:
        """Return the sum, its bar, and three facts."""
        most = max(week.goal, week.done, 1.0)
        pace = (
            NOTHING if week.is_over else tag("span", class_="bar-target", style=f"left:{100 * week.pace / most:.1f}%")
        )
        fill = tag("span", class_="bar-fill", style=f"width:{100 * week.done / most:.1f}%")
        return join(
            tag(
                "p",
                figures.measure(week.done, "minutes"),
                tag("span", f" of {figures.duration(week.goal)}", class_="unit"),
                class_="big-figure",
            ),
            tag("span", fill, pace, class_="bar is-thick", aria_hidden="true"),
            tag("p", _verdict(week), class_="goal-verdict"),
            tag("dl", *_facts(week), class_="goal-facts"),
        )


class Days(GoalSection):
    """What each day brought."""

    name = "The days"
    title = "Day by day"
    room = (351, 366)

    def markup(self, week: GoalWeek) -> Markup:
        """Return one bar a day, work below and self-care above, with what a day would have to bring."""
        even = week.goal / DAYS_OF_WEEK
        most = max([day.minutes for day in week.days] + [even, 60.0])
        line = tag("span", class_="day-goal", style=f"--at:{even / most:.3f}", aria_hidden="true")
        bars = tag("ul", *(_day_bar(day, week, most) for day in week.days))
        return join(
            tag("div", bars, line if week.goal else NOTHING, class_="day-bars"),
            tag(
                "p",
                tag("span", "Work", class_="key is-work"),
                tag("span", "Self-care", class_="key is-care"),
                tag("span", f"an even share: {figures.duration(even)}", class_="key is-line") if week.goal else NOTHING,
                class_="keys hint",
            ),
        )


class Weeks(GoalSection):
    """The weeks before, against the goal as it is now."""

    name = "The weeks before"
    title = "Week by week"
    room = (342, 613)

    def markup(self, week: GoalWeek) -> Markup:
        """Return one bar a week, the newest first."""
        begun = dropwhile(lambda pair: not pair[1], week.before)  # weeks before the first hour say nothing
        sums = [*begun, (week.first, week.done)]
        most = max([minutes for _, minutes in sums] + [week.goal, 1.0])
        return tag("ul", *(_week_bar(first, minutes, week, most) for first, minutes in reversed(sums)), class_="kinds")


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    parts: list[Section] = [Heading(visit)]
    yield
    with stack("columns is-even"):
        with stack("side"):
            parts.append(Progress(visit))
            yield
        with stack("side"):
            parts.append(Days(visit))
            yield
            parts.append(Weeks(visit))
    visit.address.listen(lambda: visit.hub.mark(parts, force=True))


def week_of(said: str) -> date | None:
    """Return the day whose week the address asks for; None is today's."""
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None


def _load(day: date | None, read: ReadTransaction, view: Viewpoint) -> GoalWeek:
    shown = None if day is None else min(day, view.today)
    return load_week(read, view, view.profile.goal_hours_per_week, shown)


def _week(label: str, first: date, key: str) -> Markup:
    return tag("a", label, href=f"{PATH}?week={first}", class_="button is-quiet", aria_keyshortcuts=key)


def _verdict(week: GoalWeek) -> str:
    left = week.goal - week.done
    if not week.done and not any(minutes for _, minutes in week.before):
        return "Finish something that is work or self-care, and it counts here."
    if not week.goal:
        return "Without a goal there is nothing to fall behind of."
    if left <= 0:
        return f"Reached, with {figures.duration(-left)} on top." if left < -1 else "Reached."
    if week.is_over:
        return f"{figures.duration(left)} short of the goal."
    ahead = week.done - week.pace
    if abs(ahead) < ON_PACE_MINUTES:
        return f"On pace. {figures.duration(left)} to go."
    where = f"{figures.duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the pace"
    return f"{where}. {figures.duration(left)} to go."


def _facts(week: GoalWeek) -> list[Markup]:
    facts = []
    if not week.is_over:
        facts.append(("Pace", week.pace, "what the goal asks for by now, if every hour counts the same"))
    if week.projection is not None:
        facts.append(("Projection", week.projection, "what the week comes to if it goes on as it began"))
    if week.per_day_left is not None and week.days_left == 1:
        facts.append(("Today", week.per_day_left, "what this last day has to bring"))
    elif week.per_day_left is not None:
        facts.append(("A day from here", week.per_day_left, "what each day left has to bring, today included"))
    if week.is_over:
        facts.append(("A day on average", week.done / DAYS_OF_WEEK, "over the seven days"))
    return [
        tag(
            "div",
            tag("dt", label),
            tag("dd", figures.measure(minutes, "minutes"), class_="fact-figure"),
            tag("dd", words, class_="hint"),
        )
        for label, minutes, words in facts
    ]


def _day_bar(day: GoalDay, week: GoalWeek, most: float) -> Markup:
    said = figures.duration(day.minutes) if day.day <= week.today else ""
    return tag(
        "li",
        tag(
            "span",
            tag("span", _short(day.minutes) if day.minutes else "", class_="day-sum", aria_hidden="true"),
            tag("span", class_="day-part is-care", style=f"height:{100 * day.self_care / most:.1f}%"),
            tag("span", class_="day-part is-work", style=f"height:{100 * day.work / most:.1f}%"),
            class_="day-column",
        ),
        tag("span", figures.DAY_NAMES[day.day.weekday()][:2], class_="day-name", aria_hidden="true"),
        tag("span", f"{figures.day(day.day)}: {said or 'not begun'}", class_="is-hidden-visually"),
        class_="day-bar" + (" is-today" if day.day == week.today else ""),
        title=f"{figures.day(day.day)}: {figures.duration(day.work)} work, {figures.duration(day.self_care)} self-care",
    )


def _short(minutes: float) -> str:
    return f"{minutes / 60:.1f} h" if minutes >= 60 else f"{minutes:.0f} min"


def _week_bar(first: date, minutes: float, week: GoalWeek, most: float) -> Markup:
    last = first + timedelta(days=DAYS_OF_WEEK - 1)
    mark = tag("span", class_="bar-target", style=f"left:{100 * week.goal / most:.1f}%") if week.goal else NOTHING
    fill = tag("span", class_="bar-fill", style=f"width:{100 * minutes / most:.1f}%")
    share = f"{100 * minutes / week.goal:.0f}%" if week.goal else ""
    words = "This week" if last >= week.today else figures.day(first, week.today)
    return tag(
        "li",
        tag("a", words, href=f"{PATH}?week={first}", class_="component-label"),
        tag("span", figures.measure(minutes, "minutes"), class_="component-value"),
        tag("span", tag("span", fill, mark, class_="bar", aria_hidden="true"), class_="component-bar"),
        tag("span", share, class_="component-share hint"),
        class_="component",
    )
