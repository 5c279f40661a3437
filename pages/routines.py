"""Routines on the pages: how they are written, and the fields that set them. When they have their turns is decided in
`data.routines`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from nicegui import ui

from data.calculations.dashboard import Template
from data.calculations.records import TaskRecord
from data.days import parse_clock_time
from data.errors import InvalidInputError
from data.models import WEEKDAYS, Routine
from data.preferences import Profile
from data.routines import Turns, is_paused, paused, resumed, turns_of, weekdays_of
from pages import figures
from pages.controls import Words, stack
from pages.fields import Choice, TimeOfDay
from pages.figures import Present
from pages.markup import NOTHING, Markup, act, tag

OFTEN: dict[str, str] = {Routine.NONE: "Never", Routine.DAILY: "Every day", Routine.WEEKLY: "Weekly"}
DAY_NAMES = {day: name[:3] for day, name in zip(WEEKDAYS, figures.DAY_NAMES, strict=True)}
TURNS_SHOWN = 3


class RoutineFields:
    """How often a task comes back, and when; with the next turns, as they would be. *now* tells the present."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], task: Template | None = None) -> None:
        self._profile = profile
        self._now = now
        stored = tuple(task.routine_weekdays) if task is not None else ()
        was_paused = task is not None and is_paused(task.routine, stored)
        often = resumed(stored)["routine"] if was_paused else task.routine if task is not None else Routine.NONE
        with stack("routine"):
            self._often = Choice("Comes back by itself", OFTEN, value=often, on_change=self._follow)
            with stack("routine-when") as self._when:
                with stack("weekdays", role="group", aria_label="Weekdays") as self._weekdays:
                    self._days = {
                        day: ui.checkbox(DAY_NAMES[day], value=day in stored, on_change=self._follow).props("dense")
                        for day in _in_order(profile)
                    }
                self._at = TimeOfDay("At", value=task.routine_at if task is not None else None, on_change=self._follow)
                self._paused = ui.checkbox("Paused for now", value=was_paused, on_change=self._follow).props("dense")
            self._next = Words("", "p").classes("hint").props("role=status")
        self._follow()

    @property
    def value(self) -> dict[str, Any]:
        """The columns of the task, for its commands."""
        often, days, at = self._often.value, self._chosen_days(), self._at.value
        if often == Routine.NONE:
            return {"routine": often, "routine_weekdays": (), "routine_at": at}
        if self._paused.value:
            return {**paused(often, days, self._profile.first_weekday), "routine_at": at}
        return {"routine": often, "routine_weekdays": days, "routine_at": at}

    def _chosen_days(self) -> tuple[str, ...]:
        return tuple(day for day in WEEKDAYS if self._days[day].value)

    def _follow(self) -> None:
        """Show the fields that matter, and what comes of them."""
        often = self._often.value
        self._when.set_visibility(often != Routine.NONE)
        self._weekdays.set_visibility(often == Routine.WEEKLY)
        self._next.set_text(self._outlook(often))

    def _outlook(self, often: str) -> str:
        if often == Routine.NONE:
            return "It is planned only when you plan it."
        if self._paused.value:
            return "It has no turns until you let it go on."
        first, days = self._profile.first_weekday, self._chosen_days()
        try:
            turns = turns_of(self._profile.calendar, often, days, self._at.value, first)
        except InvalidInputError:
            return ""
        now = self._now()
        present = Present(now, self._profile.calendar.day_of(now), self._profile)
        otherwise = "" if often == Routine.DAILY or days else f"Without a weekday, {DAY_NAMES[first]} is taken. "
        when = " when the day starts" if turns.clock_time is None else ""
        return f"{otherwise}It is planned{when}: {', '.join(_turns(turns, present, TURNS_SHOWN))}, and so on."


def in_words(item: Template, profile: Profile) -> str:
    """Return how often a task comes back: `every day at 08:00`, `Mon, Thu`; empty if it does not."""
    if item.routine == Routine.NONE:
        if not is_paused(item.routine, item.routine_weekdays):
            return ""
        often = resumed(item.routine_weekdays)["routine"]
    else:
        often = item.routine
    days = weekdays_of(often, item.routine_weekdays, profile.first_weekday)
    on = (
        "every day"
        if often == Routine.DAILY
        else ", ".join(DAY_NAMES[day] for day in _in_order(profile) if day in days)
    )
    return on if item.routine_at is None else f"{on} at {figures.wall_time(parse_clock_time(item.routine_at), profile)}"


def line(item: TaskRecord, present: Present) -> Markup:
    """Return the line of a task that comes back: how often, when next, what was missed, and the button to pause it."""
    words = in_words(item, present.profile)
    if not words or item.archived:
        return NOTHING
    stands = is_paused(item.routine, item.routine_weekdays)
    facts: list[str] = [words[:1].upper() + words[1:]]
    if stands:
        facts.append(tag("span", "Paused", class_="flag"))
    else:
        turns = turns_of(
            present.profile.calendar,
            item.routine,
            item.routine_weekdays,
            item.routine_at,
            present.profile.first_weekday,
        )
        facts += [f"next {turn}" for turn in _turns(turns, present, 1)]
    if item.missed:
        days = ", ".join(figures.day(day, present.today) for day in item.missed)
        facts.append(tag("span", f"missed {days}", class_="flag is-late", title="Reprieve was not running then"))
    verb = "Go on" if stands else "Pause"
    return tag(
        "p",
        *(tag("span", fact, class_="fact") for fact in facts),
        act("routine", verb, name=f"{verb} with the routine: {item.name}", look="is-small", key="r"),
        class_="entry-facts is-wrapping entry-routine icon icon-repeat",
    )


def toggled(item: TaskRecord, profile: Profile) -> dict[str, Any]:
    """Return the columns of a task whose routine is paused, or goes on if it is."""
    if is_paused(item.routine, item.routine_weekdays):
        return resumed(item.routine_weekdays)
    return paused(item.routine, item.routine_weekdays, profile.first_weekday)


def _in_order(profile: Profile) -> tuple[str, ...]:
    first = WEEKDAYS.index(profile.first_weekday)
    return WEEKDAYS[first:] + WEEKDAYS[:first]


def _turns(turns: Turns, present: Present, most: int) -> list[str]:
    days = turns.days_after(present.now, most)
    if turns.clock_time is None:
        return [figures.day(day, present.today) for day in days]
    return [figures.moment(turns.at(day), present) for day in days]
