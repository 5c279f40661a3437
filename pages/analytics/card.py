"""What the cards of the analytics page have in common, and what they share: when they are redrawn, and their choices.

Somebody who wants to refresh by hand (`analytics_refresh`) keeps what the cards show until the button is pressed, or
until it is an hour old; everybody else's cards are redrawn like all others.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from data.preferences import AnalyticsRefresh, Profile
from pages.controls import Words, heading, stack
from pages.section import Reading, Section
from pages.visit import Visit
from pages.why import why_button

KEPT_FOR = timedelta(hours=1)
"""For how long numbers stand, at most, for somebody who refreshes by hand."""


class Board:
    """The cards of one open page, and how their reader wants them. `changed` is called when either changes."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.cards: list[Card] = []
        self.profile: Profile | None = None
        self.changed: Callable[[], None] = lambda: None
        visit.endings.append(self._end)

    @property
    def is_manual(self) -> bool:
        """Whether the reader refreshes by hand."""
        return self.profile is not None and self.profile.analytics_refresh is AnalyticsRefresh.MANUAL

    @property
    def is_behind(self) -> bool:
        """Whether newer numbers exist than those on show."""
        return any(card.is_behind for card in self.cards)

    @property
    def loaded_at(self) -> datetime | None:
        """When the oldest of the numbers on show were computed; None while there are none."""
        return min((card.loaded_at for card in self.cards if card.loaded_at is not None), default=None)

    def follow(self, profile: Profile) -> None:
        """Take new preferences: cards may have to be redrawn after all, or to write times otherwise."""
        before, self.profile = self.profile, profile
        if before is not None and (before.clock_hours, before.first_weekday) != (
            profile.clock_hours,
            profile.first_weekday,
        ):
            self.show_again()

    def _end(self) -> None:
        self.cards.clear()
        self.changed = lambda: None

    def show_again(self) -> None:
        """Let the cards show what they have, by the choices and preferences of now."""
        for card in self.cards:
            card.show_again()


class Card(Section):
    """One card: a heading with what belongs beside it, then what the subclass makes of its value."""

    title: ClassVar[str] = ""

    def __init__(self, visit: Visit, board: Board) -> None:
        self.board = board
        super().__init__(visit)
        board.cards.append(self)

    def build(self) -> None:
        """Make heading and content."""
        self.home.classes("card analytics-card")
        with stack("section-head"):
            self.home.props["aria-labelledby"] = heading(self.title).html_id
            self._aside = Words("").classes("hint")
            self.build_choosers()
            why_button(self)
        self.build_content()

    def build_choosers(self) -> None:
        """Make what stands beside the heading."""

    def build_content(self) -> None:
        """Make what the value is shown in."""

    def say_aside(self, words: str) -> None:
        """Say something short beside the heading."""
        self._aside.set_text(words)

    def keeps(self, now: datetime) -> bool:
        """Whether it stays as it is at *now*: for somebody who refreshes by hand, up to an hour."""
        loaded_at = self.loaded_at
        return self.board.is_manual and loaded_at is not None and now - loaded_at < KEPT_FOR

    def fall_behind(self) -> None:
        """Take note that there are newer numbers, and let the page say so."""
        if not self.is_behind:
            super().fall_behind()
            self.say_age()
            self.board.changed()

    def draw(self, reading: Reading | Exception, ticket: int) -> None:
        """Show *reading*, and let the page say as of when."""
        if self.board.profile is None and isinstance(reading, Reading):
            self.board.profile = reading.view.profile  # cards may be there before the head
        super().draw(reading, ticket)
        self.board.changed()

    @property
    def profile(self) -> Profile:
        """How times are to be written."""
        assert self.board.profile is not None  # no card is updated before it has been read
        return self.board.profile
