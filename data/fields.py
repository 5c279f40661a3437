"""What single fields may hold: checks that commands and imports share. Each returns the value as it is stored.

A refusal is an `InvalidInputError` whose sentence names the field, what was given and what would be right. Rules that
span several fields of a record are with its commands.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from data.days import parse_clock_time
from data.errors import InvalidInputError, shown
from data.models import WEEKDAYS

MAX_NAME = 200
MAX_TEXT = 1_000_000
MAX_MINUTES = 100_000.0
FIRST_YEAR, LAST_YEAR = 1970, 2999
"""Of the moments that may be given, in UTC: far enough from the ends of calendars to count on from each."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

_INVISIBLE = "\u200c\u200d\u200e\u200f"
"""Invisible, but parts of words (Persian, Hindi) and of emoji, and the marks of direction that keyboards type."""

Word = TypeVar("Word", bound=StrEnum)


class Feelings(msgspec.Struct, frozen=True, kw_only=True):
    """How something felt, or is expected to feel: integers 0-100, None where nothing was said."""

    relief: int | None = None
    mental_load: int | None = None
    emotional_load: int | None = None
    physical_load: int | None = None
    aversion: int | None = None
    motivation: int | None = None

    def columns(self, when: str) -> dict[str, int | None]:
        """Return these as columns: `{"predicted_relief": 70, ...}`; *when* is `predicted` or `actual`.

        Raises:
            InvalidInputError: a feeling is not an integer 0-100, or an actual motivation was given.
        """
        names = [name for name in self.__struct_fields__ if when == "predicted" or name != "motivation"]
        if when == "actual" and self.motivation is not None:
            raise InvalidInputError("motivation is predicted only: expected none when an instance is finished")
        return {f"{when}_{name}": feeling(getattr(self, name), name) for name in names}


UNSAID = Feelings()


def feeling(value: Any, field: str) -> int | None:
    """Check a feeling: an integer 0-100, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or not 0 <= value <= 100:
        raise _refusal(field, value, "a whole number from 0 to 100")
    return int(value)


def minutes(value: Any, field: str) -> float | None:
    """Check a duration in minutes: a finite float from 0 to 100,000 (ten weeks), or None."""
    return _number(value, field, MAX_MINUTES, "minutes")


def percent(value: Any, field: str) -> float | None:
    """Check a completion percentage: 0 to 200, 100 being what was planned, or None."""
    return _number(value, field, 200.0, "percent")


def _number(value: Any, field: str, most: float, unit: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _refusal(field, value, f"0 to {most:,.0f} {unit}")
    return float(value)


def name(value: Any, field: str = "name") -> str:
    """Check a name: 1 to 200 characters on one line, not all of them invisible; surrounding space is dropped."""
    checked = text(value, field).strip()
    for character in checked:
        if _is_control(character):
            raise InvalidInputError(
                f"{_words(field)}: U+{ord(character):04X} is an invisible control character, expected printable "
                "characters on one line"
            )
    if len(checked) > MAX_NAME or not checked.strip(_INVISIBLE + " "):
        raise _refusal(field, checked, f"1 to {MAX_NAME} printable characters on one line")
    return checked


def _is_control(character: str) -> bool:
    # Not `str.isprintable`: it refuses the spaces of other scripts, and emoji that are newer than this Python.
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character not in _INVISIBLE


def text(value: Any, field: str) -> str:
    """Check free text: up to a million characters that a database can keep."""
    if not isinstance(value, str):
        raise _refusal(field, value, "text")
    if len(value) > MAX_TEXT:
        raise InvalidInputError(f"{_words(field)} of {len(value):,} characters: expected at most {MAX_TEXT:,}")
    if not is_storable(value):
        raise InvalidInputError(f"{_words(field)}: expected text without NUL and lone surrogate characters")
    return value


def is_storable(value: Any) -> bool:
    """Return whether a database can keep *value* as text, and so look for it: a lone surrogate has no UTF-8."""
    return isinstance(value, str) and not _UNSTORABLE.search(value)


def words(value: Iterable[str], field: str) -> tuple[str, ...]:
    """Check a list of names, such as categories; repeats are dropped."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refusal(field, value, "a list of words")
    return tuple(dict.fromkeys(name(word, field) for word in value))


def weekdays(value: Iterable[str], field: str) -> tuple[str, ...]:
    """Check a set of weekdays, returned Monday first."""
    given = None if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    if given is None or any(day not in WEEKDAYS for day in given):
        raise _refusal(field, value, f"some of {', '.join(WEEKDAYS)}")
    return tuple(day for day in WEEKDAYS if day in given)


def clock_time(value: str | None, field: str) -> str | None:
    """Check a local time written HH:MM, or None."""
    if value is None:
        return None
    return parse_clock_time(value, _words(field)).strftime("%H:%M")


def instant(value: Any, field: str) -> datetime | None:
    """Check a moment: an aware time of the years 1970 to 2999, returned in UTC, or None."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise _refusal(field, value, "a time with its time zone")
    try:
        in_utc = value.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or not FIRST_YEAR <= in_utc.year <= LAST_YEAR:
        raise _refusal(field, value, f"a time of the years {FIRST_YEAR} to {LAST_YEAR}")
    return in_utc


def choice(value: Any, words_allowed: type[Word], field: str) -> Word:
    """Check that *value* is one of the words of an enumeration."""
    try:
        return words_allowed(value)
    except ValueError:
        raise _refusal(field, value, f"one of {', '.join(words_allowed)}") from None


def flag(value: Any, field: str) -> bool:
    """Check a yes or no."""
    if not isinstance(value, bool):
        raise _refusal(field, value, "true or false")
    return value


def _refusal(field: str, value: object, expected: str) -> InvalidInputError:
    return InvalidInputError(f"{_words(field)} {shown(value)}: expected {expected}")


def _words(field: str) -> str:
    return field.replace("_", " ")
