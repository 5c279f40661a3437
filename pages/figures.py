"""How numbers, times and dates are written: one place, so that no two cards write them differently.

No data is an em dash, never 0. Numbers carry their unit in a lighter tone; minus is a minus sign. Text of a person
does not pass through here.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from data.days import ONE_DAY
from data.errors import InvalidInputError
from data.preferences import Profile
from pages.markup import Markup, join, tag

DASH = "—"
MINUS = "−"
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_SUFFIXES = {
    "percent": ("%", ""),
    "of 100": ("of 100", " "),
    "points": ("points", " "),
    "ratio": ("×", ""),
    "points per hour": ("per hour", " "),
}


def number(value: float, decimals: int = 0) -> str:
    """Return *value* with separators and a real minus sign: `−1,234.5`. Never `−0`."""
    written = f"{value:,.{decimals}f}"
    if not written.strip("-0.,"):
        written = written.lstrip("-")
    return written.replace("-", MINUS)


def parts(value: float | None, unit: str) -> list[tuple[str, str]]:
    """Return *value* as pairs of figure and unit: 125 minutes are `[("2", "h"), ("5", "min")]`."""
    if value is None:
        return [(DASH, "")]
    if unit == "minutes":
        return _duration_parts(value)
    if unit == "days":
        return [(number(value), "day" if round(value, 1) == 1 else "days")]
    if unit == "instances":
        return [(_short(value), "")]
    if unit == "points":
        sign = "+" if round(value) > 0 else ""
        return [(sign + number(value), "points")]
    if unit == "ratio":
        return [(number(value, 1), "×")]
    suffix, _ = _SUFFIXES.get(unit, (unit, " "))
    return [(number(value), suffix)]


def measure(value: float | None, unit: str) -> Markup:
    """Return *value* as markup, figures strong and units light."""
    _, gap = _SUFFIXES.get(unit, ("", " "))
    pieces = [
        join(tag("span", figure, class_="figure"), tag("span", gap + suffix, class_="unit") if suffix else "")
        for figure, suffix in parts(value, unit)
    ]
    return join(*pieces, by=" ")


def plain(value: float | None, unit: str) -> str:
    """Return *value* as plain text: `2 h 5 min`, `83%`, `—`."""
    _, gap = _SUFFIXES.get(unit, ("", " "))
    return " ".join(figure + (gap + suffix if suffix else "") for figure, suffix in parts(value, unit))


def as_written(value: float, unit: str) -> float:
    """Return *value* with the decimals that it is shown with, so that what is written beside it adds up."""
    return round(value, 1 if unit in ("instances", "ratio") else 0)


def amount(value: float, unit: str) -> str:
    """Return the size of a difference, without sign: `2 h 5 min`, `12`."""
    if unit == "minutes":
        return plain(abs(value), unit)
    if unit in ("instances", "ratio", "days"):
        return _short(abs(value))
    return number(abs(value))


def duration(minutes: float | None) -> str:
    """Return minutes as text: `45 min`, `2 h 5 min`, `—`."""
    return plain(minutes, "minutes")


def feeling(value: int | None) -> str:
    """Return a feeling, 0-100, or the em dash where nothing was said."""
    return DASH if value is None else str(value)


def parse_number(typed: str) -> float:
    """Return the number that somebody typed, with a point or a comma.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        return float(typed.strip().replace(",", "."))
    except ValueError:
        raise InvalidInputError(f"{typed.strip()!r}: expected a number") from None


def clock_time(instant: datetime, profile: Profile) -> str:
    """Return the time of day at the user's place: `14:05` or `2:05 pm`."""
    return wall_time(profile.calendar.wall(instant).time(), profile)


def wall_time(local: time, profile: Profile) -> str:
    """Return what a clock shows: `14:05` or `2:05 pm`."""
    if profile.clock_hours == 12:
        return f"{(local.hour - 1) % 12 + 1}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"
    return f"{local:%H:%M}"


def day(value: date, today: date | None = None) -> str:
    """Return a date: `today`, `yesterday`, `tomorrow`, `Mon 23 Nov`, and with its year if that is another one."""
    if today is not None:
        near = {today: "today", today - ONE_DAY: "yesterday", today + ONE_DAY: "tomorrow"}.get(value)
        if near:
            return near
    year = f" {value.year}" if today is not None and value.year != today.year else ""
    return f"{DAY_NAMES[value.weekday()][:3]} {value.day} {MONTH_NAMES[value.month - 1][:3]}{year}"


def long_day(value: date) -> str:
    """Return a date in full: `Sunday, 22 November 2026`."""
    return f"{DAY_NAMES[value.weekday()]}, {value.day} {MONTH_NAMES[value.month - 1]} {value.year}"


@dataclass(frozen=True, slots=True)
class Present:
    """When and where something is drawn: now, the user's local date, and how they want times written."""

    now: datetime
    today: date
    profile: Profile


def moment(instant: datetime, present: Present) -> str:
    """Return day and time at the user's place: `tomorrow 14:05`. The day is that of the calendar on the wall."""
    local_day = present.profile.calendar.wall(instant).date()
    return f"{day(local_day, present.today)} {clock_time(instant, present.profile)}"


def ago(instant: datetime, present: Present) -> str:
    """Return how long ago it was, or when, if that was before today: `5 min ago`, `yesterday 21:40`."""
    passed = present.now - instant
    if present.profile.calendar.day_of(instant) < present.today and passed >= timedelta(hours=1):
        return moment(instant, present)
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min ago"
    return f"{passed // timedelta(hours=1)} h ago"


def late(due: datetime, now: datetime) -> str:
    """Return by how much *due* has passed: `20 min`, `3 h`, `2 days`."""
    passed = now - due
    if passed < timedelta(hours=1):
        return f"{max(1, passed // timedelta(minutes=1))} min"
    if passed < timedelta(days=2):
        return f"{passed // timedelta(hours=1)} h"
    return f"{passed // timedelta(days=1)} days"


def _duration_parts(minutes: float) -> list[tuple[str, str]]:
    whole = round(abs(minutes))
    sign = MINUS if minutes < 0 and whole else ""
    hours, rest = divmod(whole, 60)
    if not hours:
        return [(f"{sign}{rest}", "min")]
    return [(f"{sign}{hours:,}", "h"), *([(str(rest), "min")] if rest and hours < 100 else [])]


def _short(value: float) -> str:
    """Return a count: whole if it is, else with one decimal."""
    rounded = round(value, 1)
    return number(rounded) if rounded == round(rounded) else number(rounded, 1)
