"""The analytics page: what stands where, as of when, and the button that asks for newer numbers."""

from collections.abc import Iterator

from cache.values import ANALYTICS_DISTRIBUTION, PREFERENCES
from pages import figures
from pages.analytics.card import KEPT_FOR, Board, Card
from pages.analytics.composite import CompositeCard
from pages.analytics.correlations import CorrelationsCard
from pages.analytics.distribution import DistributionCard
from pages.analytics.relief import BestAndWorstCard, ForesightCard, ReliefCard, WeekCard
from pages.analytics.trends import TrendsCard
from pages.controls import Words, button, heading, stack
from pages.section import Section, Shown
from pages.visit import Visit


class Head(Section):
    """The title, as of when the numbers stand, and the button."""

    values = (PREFERENCES,)
    name = "The title"
    element = "header"

    def __init__(self, visit: Visit, board: Board) -> None:
        self._board = board
        self._is_refreshing = False
        super().__init__(visit)
        board.changed = self._say

    def build(self) -> None:
        """Make title, line and button."""
        self.home.classes("page-head analytics-head")
        heading("Analytics", 1).props["tabindex"] = "-1"
        self._line = Words("", "p").classes("page-date").props("role=status")
        self._button = button("Refresh", self._refresh, icon="refresh").once()

    def update(self, shown: Shown) -> None:
        """Take the preferences over."""
        self._board.follow(shown.get(PREFERENCES))
        self._say()

    def _say(self) -> None:
        """Say as of when the numbers are, and whether there are newer ones."""
        board = self._board
        if board.profile is None or board.loaded_at is None or self.is_closed:
            return
        now = self.visit.services.clock()
        present = figures.Present(now, board.profile.calendar.day_of(now), board.profile)
        since = figures.moment(board.loaded_at, present).removeprefix("today ")
        words = f"As of {since}."
        if board.is_behind:
            words = f"Newer numbers exist. These are as of {since}."
        elif board.is_manual:
            kept = figures.duration(KEPT_FOR.total_seconds() / 60)
            words += f" You refresh by hand; after {kept} it happens by itself."
        if self._line.text != words:
            self._line.set_text(words)
        self._button.classes(
            add="is-primary" if board.is_behind else None, remove=None if board.is_behind else "is-primary"
        )

    async def _refresh(self) -> None:
        """Have everything computed anew, draw it, and say so."""
        if self._is_refreshing:
            return
        visit = self.visit
        self._is_refreshing = True
        self._button.set_text("Refreshing …")
        self._button.props["aria-busy"] = "true"
        try:
            manager = visit.services.manager
            done = await visit.actions.run("refresh", lambda: manager.invalidate("analytics.*", user=visit.user))
            if done is not None:
                await visit.hub.redraw(visit.user, [card for card in self._board.cards if not card.is_closed])
        finally:
            self._is_refreshing = False
            if not self.is_closed:
                self._button.set_text("Refresh")
                self._button.props.set_optional("aria-busy", None)
        if done is not None and not self.is_closed:
            failed = any(card.is_broken for card in self._board.cards)
            if failed:
                visit.toasts.refused("Some numbers could not be computed. Their cards say which.")
            else:
                visit.toasts.done("All numbers were computed anew.")


class Nothing(Card):
    """What stands here before the first thing was finished."""

    values = (ANALYTICS_DISTRIBUTION,)
    name = title = "Nothing to analyse yet"

    def build(self) -> None:
        """Make the card, hidden."""
        self.home.classes("card welcome").set_visibility(False)
        heading(self.title)
        Words(
            "Numbers need something to count. Finish a first task and say how it felt; from then on this page shows "
            "what brings you relief, when, and at what price.",
            "p",
        ).classes("lead")
        with stack("welcome-buttons"):
            Words("Go to the dashboard", "a").classes("button is-primary").props["href"] = "/"

    def update(self, shown: Shown) -> None:
        """Show it, and hide all others, while nothing has been completed."""
        is_empty = not shown.get(ANALYTICS_DISTRIBUTION).completed
        for card in self.board.cards:
            card.home.set_visibility(is_empty == (card is self))


def build(visit: Visit) -> Iterator[None]:
    """Make the page."""
    board = Board(visit)
    Head(visit, board)
    with stack("analytics"):
        Nothing(visit, board)
        yield
        CompositeCard(visit, board)
        yield
        with stack("side"):
            ReliefCard(visit, board)
            yield
            DistributionCard(visit, board)
            yield
        for card in (TrendsCard, WeekCard, BestAndWorstCard, ForesightCard, CorrelationsCard):
            card(visit, board)
            yield
