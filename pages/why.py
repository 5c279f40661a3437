"""Why a card shows what it shows: the event that last concerned it, the rule by which it did, and when.

The answer is the cache's own (`CacheManager.why`); here it is put into words. The rules are in `events.rules`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nicegui import ui

from cache.snapshot import Look
from cache.values import PREFERENCES, Value
from cache.why import Cause, Why
from data.preferences import Profile
from events.patterns import parse
from events.ruleset import Rule
from events.table import rules
from pages import figures
from pages.controls import Button, Words, button, stack
from pages.markup import NOTHING, Block, Markup, join, tag, text
from pages.words import EVENTS

if TYPE_CHECKING:
    from pages.section import Section


def why_button(section: "Section") -> Button:
    """Make the button that answers for *section*. It belongs beside its heading."""
    return button("", lambda: _answer(section), look="is-quiet is-why", icon="why", name=f"Why? {section.name}")


async def _answer(section: "Section") -> None:
    """Ask the cache, and open a dialog with the answer; it is gone once it is closed."""
    visit, reading = section.visit, section.reading
    asked = [value for value in section.values if value is not PREFERENCES] or list(section.values)

    def ask() -> tuple[Profile, list[Why]]:
        with visit.services.manager.snapshot(visit.user) as snapshot:
            return snapshot.view.profile, [snapshot.why(value) for value in asked]

    profile, answers = await visit.hub.workers.read(ask)
    times = _Times(profile, visit.services.clock())
    looks = {} if reading is None else reading.looks
    parts = [_part(value, looks.get(value.key), why, times) for value, why in zip(asked, answers, strict=True)]
    with visit.overlay, stack() as holder, ui.dialog(value=True) as dialog:
        dialog.props("transition-duration=150").on("hide", holder.delete)
        with stack("dialog"):
            with stack("dialog-head"):
                dialog.props["aria-labelledby"] = Words("Why does it show this?", "h2").html_id
                close = button("", dialog.close, look="is-quiet", icon="close", name="Close")
                close.props["autofocus"] = True
                Words(section.name, "p").classes("dialog-subtitle")
            with stack("dialog-body"):
                Block(join(*parts)).classes("why")


class _Times:
    """Writes moments to the second: two events within a minute are not the same."""

    def __init__(self, profile: Profile, now: datetime) -> None:
        self._profile = profile
        self._today = profile.calendar.day_of(now)

    def of(self, instant: datetime) -> str:
        """Return day, time and second at the user's place; the day is left out if it is today."""
        local = self._profile.calendar.wall(instant)
        clock = figures.clock_time(instant, self._profile)
        if self._profile.clock_hours == 12:
            figure, _, half = clock.partition(" ")
            clock = f"{figure}:{local:%S} {half}"
        else:
            clock = f"{clock}:{local:%S}"
        return clock if local.date() == self._today else f"{figures.day(local.date(), self._today)} {clock}"


def _part(value: Value[Any], shown: Look[Any] | Exception | None, why: Why, times: _Times) -> Markup:
    look = shown if isinstance(shown, Look) else None
    rows = [("Value", tag("code", why.key))]
    if why.cause is not None:
        rows.append(("Event", _event(why.cause, times)))
        rule = rule_behind(why.cause)
        if rule is not None:
            rows.append(("Rule", _rule(rule, why.cause)))
    if look is not None:
        took = f", in {why.load_ms:.1f} ms" if why.load_ms is not None and why.as_of == look.as_of else ""
        rows.append(("Computed", text(f"{times.of(look.loaded_at)}{took}, as of event {look.as_of:,}")))
    rows.append(("Now", text(f"{why.state}: {why.verdict}")))
    details = (tag("div", tag("dt", name), tag("dd", told)) for name, told in rows)
    return tag(
        "section",
        tag("p", sentence(value.label, why, look, times.of), class_="why-sentence"),
        tag("dl", *details, class_="why-details"),
    )


def sentence(label: str, why: Why, shown: Look[Any] | None, when: Callable[[datetime], str]) -> str:
    """Return why the value is what it is, for somebody who does not know how it works."""
    cause = why.cause
    if cause is None:
        return f"Nothing that concerns “{label}” has happened since it was first computed."
    happened = EVENTS.get(cause.event, cause.event)
    happened = f"{when(cause.at)}: {happened}." if cause.at is not None else f"{happened.capitalize()}."
    if shown is not None and shown.as_of < cause.seq:
        return f"{happened} That concerns “{label}”, but what stands here is of before."
    return f"{happened} That concerns “{label}”, so it was computed again. Nothing since then has."


def rule_behind(cause: Cause) -> Rule | None:
    """Return the rule by which *cause* made a value stale; None if the table has changed since."""
    for rule in rules():
        if not any(event.name == cause.event for event in rule.on):
            continue
        if rule.carried or any((parse(pattern) or "*") == cause.prefix for pattern in rule.invalidates):
            return rule
    return None


def _event(cause: Cause, times: _Times) -> Markup:
    at = f", {times.of(cause.at)}" if cause.at is not None else ""
    return join(tag("code", cause.event), f", number {cause.seq:,}{at}")


def _rule(rule: Rule, cause: Cause) -> Markup:
    when = f" if it {rule.when.__name__.replace('_', ' ')}" if rule.when is not None else ""
    patterns: Sequence[str] = (cause.prefix,) if rule.carried else rule.invalidates
    listed = join(*(tag("code", pattern) for pattern in patterns), by=", ")
    carried = ", which it carries" if rule.carried else NOTHING
    return join(tag("code", cause.event), f"{when} invalidates ", listed, carried)
