"""What a person fills in: feelings, minutes, texts, moments. Each field turns what was typed into what commands take.

Checking is the commands' business; a field refuses only what it cannot read. The forms are in `dialogs`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from data.errors import InvalidInputError
from data.fields import Feelings
from data.preferences import Profile
from pages import figures
from pages.controls import Handler, Words, stack
from pages.words import ENDS


class Feeling(ValueElement[int | None], component="static/feeling.js"):
    """A slider from 0 to 100 that begins with nothing said. `value` is None until somebody moves it."""

    VALUE_PROP = "value"
    LOOPBACK = None  # the browser shows the new value by itself

    def __init__(
        self, label: str, *, ends: tuple[str, str], value: int | None = None, expected: int | None = None
    ) -> None:
        super().__init__(value=value)
        self.props["label"] = label
        self.props["low"], self.props["high"] = ends
        self.props["expected"] = expected


class Select(ValueElement[str], component="static/native_select.js"):
    """A native list of which one is chosen, as `{word: text}`. Give it a name, or a label that names it.

    *on_choose* is given what a person chose, and nothing that was set by `show`.
    """

    VALUE_PROP = "value"

    def __init__(
        self,
        options: Mapping[str, str],
        *,
        value: str = "",
        name: str = "",
        on_choose: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(value=value)
        self._is_showing = False
        self.offer(options)
        if name:
            self.props["aria-label"] = name
        self.on_value_change(lambda event: None if self._is_showing else on_choose(event.value))

    def offer(self, options: Mapping[str, str]) -> None:
        """Offer *options* instead; nothing is sent if they are the same."""
        pairs = [list(pair) for pair in options.items()]
        if self.props.get("options") != pairs:
            self.props["options"] = pairs

    def show(self, options: Mapping[str, str], chosen: str) -> None:
        """Offer *options*, with *chosen* in sight."""
        self.offer(options)
        self.choose(chosen)

    def choose(self, chosen: str) -> None:
        """Show which one is chosen."""
        self._is_showing = True
        try:
            self.value = chosen
        finally:
            self._is_showing = False


class Suggest(ValueElement[str], component="static/suggest.js"):
    """A text field that suggests words as one types a part of them. Its value may be another than those."""

    VALUE_PROP = "value"

    def __init__(self, options: Sequence[str], *, value: str, name: str) -> None:
        super().__init__(value=value)
        self.props["options"] = list(options)
        self.props["label"] = name


class Ticker(ui.element, component="static/ticker.js"):
    """A timer that the browser advances by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[datetime | None, float] | None = None

    def show(self, resumed_at: datetime | None, timed_minutes: float, now: datetime) -> None:
        """Show *timed_minutes* and, if it runs, the time since *resumed_at*. Nothing is sent if nothing changed."""
        if self._shown == (resumed_at, timed_minutes):
            return
        self._shown = (resumed_at, timed_minutes)
        since = None if resumed_at is None else resumed_at.timestamp() * 1000 - timed_minutes * 60_000
        self.props.update({"since": since, "now": now.timestamp() * 1000, "standing": timed_minutes})


class FeelingsGroup:
    """The sliders of several feelings, as one answer."""

    def __init__(
        self,
        labels: dict[str, str],
        *,
        expected: dict[str, int | None] | None = None,
        said: dict[str, int | None] | None = None,
    ) -> None:
        expected, said = expected or {}, said or {}
        with stack("feelings"):
            self._sliders = {
                name: Feeling(label, ends=ENDS[name], value=said.get(name), expected=expected.get(name))
                for name, label in labels.items()
            }

    def focus_first(self) -> None:
        """Let the first slider have the focus when the dialog opens."""
        next(iter(self._sliders.values())).props["first"] = True

    @property
    def value(self) -> Feelings:
        """What was said."""
        return Feelings(**{name: slider.value for name, slider in self._sliders.items()})


class _Typed:
    """A field with its label above."""

    def __init__(self, label: str, value: str, *, placeholder: str = "", rows: int = 0) -> None:
        self.label = label
        with stack("field-block") as self.block:
            above = Words(label, "label").classes("field-label")
            kind = ui.textarea if rows else ui.input
            self.input = kind(value=value, placeholder=placeholder).props("outlined dense").classes("field")
            above.props["for"] = self.input.html_id
            if rows:
                self.input.props["rows"] = rows

    def focus_first(self) -> None:
        """Have the focus when the dialog opens."""
        self.input.props["autofocus"] = True

    def refuse(self, why: str) -> None:
        """Say at the field why it cannot stay as it is, until it is changed."""
        self.input.error = why
        self.input.on_value_change(lambda: setattr(self.input, "error", None))

    @property
    def typed(self) -> str:
        """What was typed, without the space around it."""
        return (self.input.value or "").strip()


class Line(_Typed):
    """One line of text, or several if *rows* is given."""

    def __init__(
        self, label: str, *, value: str = "", placeholder: str = "", rows: int = 0, most: int | None = None
    ) -> None:
        super().__init__(label, value, placeholder=placeholder, rows=rows)
        if most:
            self.input.props["maxlength"] = most

    @property
    def value(self) -> str:
        """What was typed."""
        return self.input.value or ""


class Number(_Typed):
    """A number, or nothing. *suffix* names its unit."""

    def __init__(self, label: str, *, suffix: str, value: float | None = None, placeholder: str = "") -> None:
        super().__init__(label, "" if value is None else f"{value:g}", placeholder=placeholder)
        self._as_given = self.input.value
        self.input.props("inputmode=decimal").classes("is-number").props["suffix"] = suffix

    @property
    def value(self) -> float | None:
        """What was typed; None if nothing was.

        Raises:
            InvalidInputError: it is not a number.
        """
        if not self.typed:
            return None
        try:
            return float(self.typed.replace(",", "."))
        except ValueError:
            raise InvalidInputError(f"{self.label} {self.typed!r}: expected a number") from None

    def kept(self, exact: float | None) -> float | None:
        """Return *exact*, of which less was shown, while nothing else was typed; else `value`."""
        return exact if self.input.value == self._as_given else self.value

    def set(self, value: float) -> None:
        """Put another number there."""
        self.input.value = f"{value:g}"


class Moment(_Typed):
    """A day and a time at the user's place, or nothing.

    The browser writes it in its own way, which may be the wrong way round; below it stands how we write it.
    """

    def __init__(self, label: str, profile: Profile, *, value: datetime | None = None) -> None:
        self._zone = profile.calendar.zone
        self._profile = profile
        super().__init__(label, "" if value is None else f"{profile.calendar.wall(value):%Y-%m-%dT%H:%M}")
        self._as_given = self.input.value
        self.input.props("type=datetime-local")
        with self.block:
            self._written = Words("", "p").classes("hint")
        self.input.on_value_change(self._write)
        self._write()

    def _write(self) -> None:
        try:
            chosen = self.value
        except InvalidInputError:
            chosen = None
        words = ""
        if chosen is not None:
            day = self._profile.calendar.wall(chosen).date()
            words = f"{figures.day(day)} {day.year}, {figures.clock_time(chosen, self._profile)}"
        self._written.set_text(words)
        self._written.set_visibility(bool(words))

    @property
    def value(self) -> datetime | None:
        """The moment, in UTC; None if nothing was chosen. Of a time that occurs twice that day, the first.

        Raises:
            InvalidInputError: it is no time.
        """
        if not self.typed:
            return None
        try:
            return datetime.fromisoformat(self.typed).replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidInputError(f"{self.label} {self.typed!r}: expected a date and a time") from None

    def kept(self, exact: datetime | None) -> datetime | None:
        """Return *exact*, of which the minute was shown, while nothing else was chosen; else `value`."""
        return exact if self.input.value == self._as_given else self.value


class TimeOfDay(_Typed):
    """A time of day at the user's place, or nothing."""

    def __init__(self, label: str, *, value: str | None, on_change: Handler) -> None:
        super().__init__(label, value or "")
        self.input.props("type=time").on_value_change(lambda: on_change())

    @property
    def value(self) -> str | None:
        """The time as HH:MM; None if nothing was chosen."""
        return self.typed or None


class Choice:
    """One of a few words, all in sight."""

    def __init__(self, label: str, options: dict[str, str], *, value: str, on_change: Handler = lambda: None) -> None:
        with stack("choice", "fieldset"):
            Words(label, "legend")
            self._radio = ui.radio(options, value=value).props("inline dense").classes("choice-options")
            self._radio.on_value_change(lambda: on_change())

    @property
    def value(self) -> str:
        """The word chosen."""
        return str(self._radio.value)
