"""The fields of the settings: each shows one preference as it holds, and saves it as soon as another is chosen."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from data import preferences
from data.errors import InvalidInputError
from data.preferences import MAX_MONITORED, Profile
from pages import figures
from pages.controls import Words, stack
from pages.fields import Select
from pages.visit import Visit


class Saver:
    """The fields of one card. What is shown changes only where the preference has: what is being typed stays."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._profile: Profile | None = None
        self.is_showing = False
        """Whether a field is being set to what holds: it need not be saved."""
        self._fields: dict[str, Callable[[Any], None]] = {}
        self._wanted: dict[str, Any] = {}
        visit.endings.append(self._fields.clear)

    def show(self, profile: Profile) -> None:
        """Show what holds now."""
        before, self._profile = self._profile, profile
        for column in self._fields:
            if before is None or getattr(before, column) != getattr(profile, column):
                self.show_again(column)

    def add(
        self,
        column: str,
        label: str,
        element: ValueElement[Any],
        *,
        convert: Callable[[str], Any] = str,
        event: str | None = None,
    ) -> None:
        """Let *element* show and save *column*: when its value changes, or only at *event* (when it is left)."""

        def chosen() -> object:  # decided now: what is awaited runs when showing is over
            return None if self.is_showing else save()

        async def save() -> None:
            try:
                given = convert(element.value)
            except InvalidInputError as refusal:
                self._visit.toasts.refused(f"{label} {refusal}.")
                self.show_again(column)
            else:
                await self.save(column, label, given)

        def show(value: Any) -> None:
            element.value = as_text(value)

        self._fields[column] = show
        if event is None:
            element.on_value_change(chosen)
        else:
            element.on(event, chosen)

    def add_weights(self, column: str, label: str, weights: "Mapping[str, Weight]") -> None:
        """Let *weights* show and save *column*, a mapping of which each is one entry."""

        def show(value: Any) -> None:
            held = dict(value)
            total = sum(held.get(name, 1.0) for name in weights)
            for name, weight in weights.items():
                mine = held.get(name, 1.0)
                weight.show(mine, mine / total if total else 0.0)

        async def chosen(name: str) -> None:
            held = dict(getattr(self._profile, column)) if self._profile is not None else {}
            try:
                given = weights[name].value
            except InvalidInputError as refusal:
                self._visit.toasts.refused(f"{weights[name].label} {refusal}.")
                self.show_again(column)
                return
            if given != held.get(name, 1.0):
                await self.save(column, label, {**held, name: given})

        self._fields[column] = show
        self.show_again(column)
        for name, weight in weights.items():
            weight.field.on("change", partial(chosen, name))

    def add_shown(self, column: str, show: Callable[[Any], None]) -> None:
        """Let *show* show *column*; who saves it, does so by `save`."""
        self._fields[column] = show

    def show_again(self, column: str) -> None:
        """Show what holds, as far as is known here, in place of what was refused."""
        if self._profile is not None and column in self._fields:  # which are gone when the page is
            self.is_showing = True  # fields tell of their change, whoever made it
            try:
                self._fields[column](getattr(self._profile, column))
            finally:
                self.is_showing = False

    async def save(self, column: str, label: str, value: Any) -> None:
        """Save it; say so, with the way back. What is refused is shown as it was.

        Of what is chosen while that goes on, the last is saved next: arrow keys choose faster than a database writes.
        """
        is_going_on = column in self._wanted
        self._wanted[column] = value
        if is_going_on:
            return
        saved: Any = self._wanted
        try:
            while self._wanted[column] is not saved:
                saved = self._wanted[column]
                await self._save(column, label, saved)
        finally:
            del self._wanted[column]

    async def _save(self, column: str, label: str, value: Any) -> None:
        visit, about = self._visit, ("preference", column)
        database = visit.services.database

        def command() -> tuple[bool, Any]:
            with database.read() as read:
                before = getattr(preferences.load(read, visit.user), column)
            return bool(preferences.change(database, visit.user, **{column: value})), before

        done = await visit.actions.run(about, command)
        if done is None:
            self.show_again(column)
        elif done.value[0]:
            back = partial(preferences.change, database, visit.user, **{column: done.value[1]})

            async def restore() -> None:
                await visit.actions.run(about, back)

            visit.toasts.done(f"Saved: {label}", action="Undo", on_action=restore, about=about)


class Chosen:
    """One of a few words."""

    def __init__(
        self,
        saver: Saver,
        column: str,
        label: str,
        options: Mapping[str, str],
        *,
        hint: str = "",
        convert: Callable[[str], Any] = str,
    ) -> None:
        with field_row(label, hint):
            self.select = Select(options, value="", name=label)
        saver.add(column, label, self.select, convert=convert)


class Typed:
    """A number or a time, saved when the field is left or Enter is pressed."""

    def __init__(
        self,
        saver: Saver,
        column: str,
        label: str,
        *,
        hint: str = "",
        suffix: str = "",
        props: str = "inputmode=decimal",
        convert: Callable[[str], Any] = str,
    ) -> None:
        with field_row(label, hint):
            field = ui.input().props(f"outlined dense {props}").classes("field" + (" is-number" if suffix else ""))
            field.props["aria-label"] = label
            field.props.set_optional("suffix", suffix or None)
        saver.add(column, label, field, convert=convert, event="change")


class Monitored:
    """Up to four metrics, in the order in which they are shown; without a choice, those that *default* names."""

    def __init__(
        self, saver: Saver, metrics: Mapping[str, str], default: Callable[[tuple[str, ...]], tuple[str, ...]]
    ) -> None:
        self._saver = saver
        self._default = default
        with field_row("Cards", "Up to four, in this order."), stack("monitored"):
            self._selects = [
                Select({"": "None", **metrics}, value="", name=f"Card {place + 1}").on_value_change(self._chosen)
                for place in range(MAX_MONITORED)
            ]
        saver.add_shown("monitored_metrics", self._show)

    def _show(self, names: tuple[str, ...]) -> None:
        names = self._default(names)
        for place, select in enumerate(self._selects):
            select.value = names[place] if place < len(names) else ""

    def _chosen(self) -> object:
        if self._saver.is_showing:
            return None
        chosen = tuple(dict.fromkeys(select.value for select in self._selects if select.value))
        return self._saver.save("monitored_metrics", "Cards", chosen)


class Weight:
    """One number of a mapping, with its share of the whole."""

    def __init__(self, label: str, tooltip: str) -> None:
        self.label = label
        with stack("weight", "label", title=tooltip):
            Words(label)
            self._share = Words("").classes("hint weight-share")
            self.field = ui.input().props("outlined dense inputmode=decimal").classes("field is-number")
            self.field.props["aria-label"] = label  # the label around it names what Quasar makes of it, not the input

    def show(self, weight: float, share: float) -> None:
        """Show the weight and its share, 0-1."""
        if self.field.value != f"{weight:g}":
            self.field.value = f"{weight:g}"
        self._share.set_text(f"{100 * share:.0f}%")

    @property
    def value(self) -> float:
        """What was typed; an empty field is 1.

        Raises:
            InvalidInputError: it is not a number.
        """
        typed = (self.field.value or "").strip()
        return figures.parse_number(typed) if typed else 1.0


def field_row(label: str, hint: str = "") -> ui.element:
    """Make a row with a label; what is made inside of it is the field."""
    with stack("setting"):
        with stack("setting-label"):
            Words(label)
            if hint:
                Words(hint, "p").classes("hint")
        return stack("setting-field")


def as_text(value: Any) -> str:
    """Return a preference as its field shows it; None is empty."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
