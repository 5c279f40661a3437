"""The section: the smallest part of a page that redraws itself.

A section is built once and updated many times: `build` makes the elements, `update` sets what they show. It names the
values that it shows and can read no others. When it is updated is the hub's business (`live`); what keeps it alive is
the element it lives in, so that deleting that element, or the whole client, frees everything.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from nicegui import ui

from cache.snapshot import Look
from cache.values import Value
from data.database import ReadTransaction
from data.viewpoint import Viewpoint
from pages import controls, figures
from pages.errors import LoadStoppedError, UndeclaredValueError
from pages.markup import Block, tag

if TYPE_CHECKING:
    from pages.visit import Visit

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP = "Stop"
"""What the button says that ends a load."""

Query = Callable[[ReadTransaction, Viewpoint], Any]
"""What reads something that is not cached, in a worker thread."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read for some sections in one snapshot: values by key, and what their queries found.

    What could not be had is its error instead.
    """

    view: Viewpoint
    looks: Mapping[str, "Look[Any] | Exception"]
    read_at: datetime
    found: Mapping["Section", Any]


class Shown:
    """What a section may show now: the values that it declared, all of one state."""

    def __init__(self, declared: tuple[Value[Any], ...], reading: Reading, found: Any = None) -> None:
        self._declared = declared
        self._reading = reading
        self.found = found
        """What the section's `query` read; None if it has none."""

    @property
    def today(self) -> date:
        """The user's local date."""
        return self._reading.view.today

    @property
    def now(self) -> datetime:
        """When it was read. Not the moment of drawing, so that all windows that show it show the same."""
        return self._reading.read_at

    def get(self, value: Value[T]) -> T:
        """Return *value*.

        Raises:
            UndeclaredValueError: the section does not list it in `values`. The start finds that as well, where it can
                be read off the code (`inventory`).
        """
        if value not in self._declared:
            listed = ", ".join(declared.key for declared in self._declared) or "none"
            raise UndeclaredValueError(f"{value.key} is not among the values that this section declares: {listed}")
        look: Look[T] = self._reading.looks[value.key]  # type: ignore[assignment]  # failed ones never get here
        return look.value


class Section:
    """Subclass it, list `values`, and write `build` and `update`. Everything here runs on the event loop."""

    values: ClassVar[tuple[Value[Any], ...]] = ()
    """The cached values that it shows. A change of any of them redraws it."""
    follows: ClassVar[tuple[Value[Any], ...]] = ()
    """Cached values that it does not show, a change of which redraws it: what its `query` reads changes with them."""
    name: ClassVar[str] = "This part"
    """What to call it where it cannot be shown."""
    ticks: ClassVar[bool] = False
    """Whether what it shows changes with every minute, without any value changing."""
    element: ClassVar[str] = "section"
    room: tuple[int, int] = (0, 0)
    """How tall it is while it loads, in px, on a wide screen and on a phone: then what is below need not move."""

    def __init__(self, visit: "Visit") -> None:
        self.visit = visit
        self.redraws = 0
        """How often `update` has run."""
        self.is_closed = False
        self.is_forced = False
        """Whether the next redraw happens even if no value has changed."""
        self.is_broken = False
        """Whether what it shows is an error, or the last good numbers in place of newer ones."""
        self.is_behind = False
        """Whether it keeps what it shows although there is newer, see `keeps`."""
        self.is_stopped = False
        """Whether what it waits for was stopped; somebody has to ask for it again, or something has to change."""
        self.reading: Reading | None = None
        """What it shows; None before the first time and while that is an error."""
        self._ticket = -1
        self._note: _Note | None = None
        self._looks = "is-loading"
        with controls.Ending(self.close, self.element) as self.home:  # the only lasting reference to it
            self.home.classes(f"section {self._looks}").props["aria-busy"] = "true"
            if any(self.room):
                self.home.style("--room:{}px;--room-on-phones:{}px".format(*self.room))
            with ui.element("div").classes("section-body") as self.body:
                self.build()
        visit.hub.add(self)

    def build(self) -> None:
        """Make the elements, with placeholders of the size that the content will have."""

    def query(self) -> Query | None:
        """Return what reads, past the cache, what else it shows; called each time before it is drawn.

        It runs in a worker thread on the state that the values are of, so it must not touch the section. What it
        returns is compared with `==`: if nothing differs, nothing is drawn.
        """
        return None

    def update(self, shown: Shown) -> None:
        """Show the values: set text, content and rows of what `build` made."""
        raise NotImplementedError

    @property
    def is_blank(self) -> bool:
        """Whether it shows nothing yet, and nobody wanted that."""
        return self.reading is None and not self.is_stopped

    @property
    def is_refreshing(self) -> bool:
        """Whether it shows older numbers while newer ones are computed."""
        return self.reading is not None and any(
            isinstance(look, Look) and look.is_loading
            for look in (self.reading.looks[value.key] for value in self.values)
        )

    def close(self) -> None:
        """Leave the hub for good. Called when the element is deleted."""
        if not self.is_closed:
            self.is_closed = True
            self.reading = None
            self.visit.hub.remove(self)

    def keeps(self, now: datetime) -> bool:
        """Whether it would rather stay as it is than be redrawn at *now*. It is told with `fall_behind` instead."""
        return False

    def fall_behind(self) -> None:
        """Take note that there is something newer than it shows."""
        self.is_behind = True

    def draw(self, reading: Reading | Exception, ticket: int) -> None:
        """Show *reading*. Tickets are given when a reading begins: one that comes later than a newer one is ignored.

        What fails in here stays in here: the card says so and offers to try again, and no other section notices.
        """
        if self.is_closed or ticket < self._ticket:
            return
        self._ticket = ticket
        was_kept, self.is_behind = self.is_behind, False
        self.is_stopped = isinstance(reading, Reading) and any(
            isinstance(reading.looks[value.key], LoadStoppedError) for value in self.values
        )
        if self.is_stopped:
            self._say_stopped()
            return
        if (
            isinstance(reading, Exception)
            or isinstance(reading.found.get(self), Exception)
            or any(isinstance(reading.looks[value.key], Exception) for value in self.values)
        ):
            self._keep_or_fail()
            return
        shows_it = self.reading is not None and self._shows(reading)
        if shows_it and not self.is_forced:
            self.reading = reading  # the same numbers; whether newer ones are on their way may differ
            self._say_age(reading)
            return
        self.is_forced = False
        is_renewed = self.reading is not None and not shows_it
        if not self._update(reading):
            return
        self.redraws += 1
        if is_renewed:
            keys = [value.key_for(reading.view) for value in self.values]
            manager = self.visit.services.manager
            seen_since = time.monotonic() if was_kept else self.visit.screen.seen_since
            manager.journal.redrew(self.visit.user, self.visit.page, type(self).__name__, keys, seen_since=seen_since)
        self.reading = reading
        self._say_age(reading)

    def show_again(self) -> None:
        """Show the same values once more: something besides them has changed, such as a choice. Before any, nothing."""
        if self.reading is not None and not self.is_closed:
            self._update(self.reading)

    def _update(self, reading: Reading) -> bool:
        try:
            with self.body:
                self.update(Shown(self.values, reading, reading.found.get(self)))
        except Exception:  # the page error boundary: one broken card must not take the page with it
            log.exception("section %s could not be drawn", type(self).__name__)
            self._fail()
            return False
        return True

    def is_outdated(self, view: Viewpoint) -> bool:
        """Whether any of its values is kept under another key by now: a new day or hour has begun."""
        if self.reading is None:
            return True
        shown = self.reading.view
        if shown.today == view.today and shown.hour == view.hour:
            return False
        return shown.today != view.today or any(value.key_for(shown) != value.key_for(view) for value in self.values)

    def _shows(self, reading: Reading) -> bool:
        assert self.reading is not None
        if self.is_outdated(reading.view) or self.reading.found.get(self) != reading.found.get(self):
            return False
        old, new = self.reading.looks, reading.looks
        return all(_is_as_before(old[value.key], new[value.key], self.ticks) for value in self.values)

    def say_age(self) -> None:
        """Say as of when the numbers are, until it is drawn again."""
        if not self.is_closed and self.reading is not None:
            self._tell(f"As of {self._age(self.reading)}")

    def say_waiting(self, words: str) -> None:
        """Say how old the numbers are, while newer ones are being computed for longer than an eye takes.

        Where there are none yet, say in *words* how far that is, and offer to stop it.
        """
        if self.is_closed:
            return
        if self.reading is not None:
            self._tell(f"As of {self._age(self.reading)}, refreshing …")
        else:
            self._tell(words, STOP, self.visit.hub.waits.of(self.visit.user).stop)

    def _say_age(self, reading: Reading) -> None:
        """Say since when the numbers stand, if newer ones could not be computed."""
        looks = [reading.looks[value.key] for value in self.values]
        self.is_broken = any(isinstance(look, Look) and look.problem is not None for look in looks)
        if self.is_refreshing:
            self._tell(f"As of {self._age(reading)}, refreshing …")
        elif self.is_broken:
            self._tell(f"Newer numbers could not be computed. As of {self._age(reading)}.", "Try again", self._retry)
        elif self._note is not None:
            self._note.hide()
        self._appear("")

    def _appear(self, like: str) -> None:
        """Look as after a load: whole, or `is-failed`. Most redraws change nothing of it, and to say so takes time."""
        if self._looks != like:
            self.home.classes(like, remove=self._looks).props(remove="aria-busy")
            self._looks = like

    def _keep_or_fail(self) -> None:
        """There is nothing new: keep what stands here and say how old it is; without it, say that there is nothing."""
        if self.reading is None:
            self._fail()
            return
        self.is_broken = True
        self._tell(f"Newer numbers could not be computed. As of {self._age(self.reading)}.", "Try again", self._retry)

    def _say_stopped(self) -> None:
        """Say that it was not loaded, because somebody did not want to wait; offer to go on."""
        what = "Loading was stopped." if self.reading is None else f"As of {self._age(self.reading)}."
        self._tell(what, "Load", self._retry)
        self._appear("is-failed" if self.reading is None else "")

    def _retry(self) -> None:
        for section in list(self.visit.sections):
            if section is self or section.is_stopped:  # all were stopped together
                self.visit.hub.retry(section)

    def _fail(self) -> None:
        """Say that there is nothing to show. What stood here before is hidden: it may be half of another state."""
        self.reading = None
        self.is_broken = True
        self._tell(f"{self.name} cannot be shown right now.", "Try again", self._retry)
        self._appear("is-failed")

    @property
    def loaded_at(self) -> datetime | None:
        """When the oldest of the values that it shows was computed; None while it shows none."""
        return None if self.reading is None else self._oldest(self.reading)

    def _oldest(self, reading: Reading) -> datetime:
        looks = [reading.looks[value.key] for value in self.values]
        return min((look.loaded_at for look in looks if isinstance(look, Look)), default=reading.read_at)

    def _age(self, reading: Reading) -> str:
        """Return when the oldest of the values was computed."""
        oldest = self._oldest(reading)
        profile, now = reading.view.profile, self.visit.services.clock()
        today = profile.calendar.day_of(now)
        if profile.calendar.day_of(oldest) == today:
            return figures.clock_time(oldest, profile)
        return figures.moment(oldest, figures.Present(now, today, profile))

    def _tell(self, sentence: str, offer: str = "", do: Callable[[], None] = lambda: None) -> None:
        if self._note is None:
            with self.home:
                self._note = _Note()
        self._note.say(sentence, offer, do)


class _Note:
    """What says below a card what is wrong with it, or on it what it waits for, with a button. Made when needed.

    What comes and goes by itself moves nothing: it lies on the card.
    """

    def __init__(self) -> None:
        self._do: Callable[[], None] = lambda: None
        self._said: tuple[str, str] | None = None
        with ui.element("div").classes("section-note").props("role=status") as self._line:
            self._text = Block()
            self._button = controls.button("", lambda: self._do(), look="is-quiet")

    def say(self, sentence: str, offer: str, do: Callable[[], None]) -> None:
        """Say *sentence*; *offer* is what the button says that does what *do* does, empty for none."""
        self._do = do
        if self._said == (sentence, offer):  # cards that wait are told again and again
            return
        self._said = (sentence, offer)
        self._line.set_visibility(True)
        self._button.set_visibility(bool(offer))
        if self._button.text != offer:
            self._button.set_text(offer)
        is_waiting = not offer or offer == STOP
        self._line.classes(add="is-waiting" if is_waiting else None, remove=None if is_waiting else "is-waiting")
        self._line.props.set_optional("aria-live", "off" if offer == STOP else None)  # it changes all the time
        self._text.show(tag("p", sentence))

    def hide(self) -> None:
        self._said = None
        self._line.set_visibility(False)


def _is_as_before(old: "Look[Any] | Exception", new: "Look[Any] | Exception", ticks: bool) -> bool:
    """Whether *new* shows what *old* does. What *ticks* shows the present as well: another with each reading."""
    if isinstance(old, Exception) or isinstance(new, Exception):
        return old is new
    if old.problem != new.problem:
        return False
    is_same = old.as_of == new.as_of and old.loaded_at == new.loaded_at
    return is_same or (not ticks and old.value == new.value)
