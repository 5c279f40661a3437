r"""How one value is written in CSV and in JSON, and read again: a row of `SHAPES` for each type of column.

| value      | CSV cell                                                                              | JSON          |
|------------|---------------------------------------------------------------------------------------|---------------|
| None       | empty. No column can hold both None and empty text, so it is never ambiguous          | `null`        |
| text       | as it is, line breaks included. Before text that a spreadsheet would run as a formula | as it is      |
|            | (it begins with = + - @ tab CR LF or a full-width form of these), and before an       |               |
|            | apostrophe, stands one apostrophe; also inside of it, where after ; tab CR or LF      |               |
|            | something would be a formula to whoever splits lines there                            |               |
| number     | the shortest decimal that gives the same number again (`30.0`, `1e-05`)               | the same      |
| yes or no  | `true`, `false`                                                                       | the same      |
| instant    | ISO 8601 in UTC, with microseconds if there are any: `2026-11-22T14:03:05.120000Z`    | the same text |
| list       | JSON array: `["home", "money"]`; after a semicolon, = + - @ as `\u003d` and so on     | array         |
| weights    | JSON object: `{"avg_relief": 2.0}`                                                    | object        |

Quotes around a cell keep it whole for whoever splits at commas. They do not for a spreadsheet that splits at semicolons
or tabs, as many do by their country: to it they stand in the middle of a cell. Hence the apostrophes inside of texts.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Boolean, Float, Integer, String
from sqlalchemy.types import TypeEngine

from data.errors import InvalidInputError, shown
from data.models import Instant, Weights, Words

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width = + - @

_SIGNS = re.escape("".join(sign for sign in FORMULA_STARTS if not sign.isspace()))
_NEEDS_APOSTROPHE = frozenset(FORMULA_STARTS + "'")
_ESCAPED = re.compile(f"'(?=[{re.escape(FORMULA_STARTS)}'])")
_INNER = re.compile(f"(?<=[;\t\r\n])(?='*\"*[{_SIGNS}])")
_INNER_ESCAPED = re.compile(f"(?<=[;\t\r\n])'(?='*\"*[{_SIGNS}])")
_INNER_OF_JSON = re.compile(f"(?<=;)[{_SIGNS}]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?")
_COMMA = re.compile(r"[+-]?[0-9]{1,400},[0-9]{0,400}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
_MAX_NUMBER = 2**1000
"""Whole numbers of JSON may have any length; no column holds one above this, and every float below it is finite."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of one type are written and read. None is no business of it."""

    to_cell: Callable[[Any], str]
    from_cell: Callable[[str], Any]
    """Returns what is of another shape as the text that it is, for the column's check to refuse."""
    to_json: Callable[[Any], Any]
    from_json: Callable[[Any], Any]
    """Returns only what the JSON type should be; raises `InvalidInputError` otherwise."""


def shape_of(type_: TypeEngine[Any]) -> Shape:
    """Return how values of a column's type are written."""
    return next(shape for kind, shape in SHAPES if isinstance(type_, kind))


def to_text_cell(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula, or a part of it, wherever it splits lines."""
    inner = _INNER.sub("'", text)
    return "'" + inner if text and text[0] in _NEEDS_APOSTROPHE else inner


def from_text_cell(cell: str) -> str:
    """Undo `to_text_cell`. An apostrophe that it would not have written belongs to the text ('tis)."""
    return _INNER_ESCAPED.sub("", cell[1:] if _ESCAPED.match(cell) else cell)


def to_instant(moment: datetime) -> str:
    """Return an aware UTC time as ISO 8601."""
    return moment.isoformat().replace("+00:00", "Z")


def from_instant(written: Any) -> datetime:
    """Return the aware time; an offset is required, because without it nobody could say when it was.

    Raises:
        InvalidInputError: it is not written so.
    """
    if isinstance(written, str) and _INSTANT.fullmatch(written):
        try:
            return datetime.fromisoformat(written)
        except ValueError:
            raise InvalidInputError(f"{shown(written)}: expected {_what_there_is(written)}") from None
    raise InvalidInputError(f"{shown(written)}: expected a time with its offset from UTC, such as 2026-11-22T14:03:05Z")


def _what_there_is(written: str) -> str:
    """Return what to expect instead of an instant that is written well, and does not exist."""
    for part, what in ((written[:10], "day"), (f"2000-01-01{written[10:16]}", "time of day")):
        try:
            datetime.fromisoformat(part)
        except ValueError:
            return f"a {what} that there is"
    return "seconds below 60, and an offset from UTC of less than a day"


def from_number_cell(cell: str) -> Any:
    """Return the number, whole if it is written so.

    Raises:
        InvalidInputError: it would be one without its comma, or the space around it.
    """
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if _COMMA.fullmatch(cell):
        raise InvalidInputError(f"{shown(cell)}: expected a decimal point, and no comma, such as 1.5")
    if _NUMBER.fullmatch(cell.strip()):
        raise InvalidInputError(f"{shown(cell)}: expected the number without space around it")
    return cell


def from_flag_cell(cell: str) -> Any:
    """Return the yes or no; spreadsheets write it in capitals."""
    return {"true": True, "false": False}.get(cell.lower(), cell)


def from_words_cell(cell: str) -> list[str]:
    """Return the list; an empty cell is an empty one.

    Raises:
        InvalidInputError: it is not a JSON array of strings.
    """
    try:
        return msgspec.json.decode(cell, type=list[str]) if cell else []
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidInputError(f'{shown(cell)}: expected a JSON array of texts, such as ["home", "money"]') from None


def from_weights_cell(cell: str) -> dict[str, float]:
    """Return the weights; an empty cell means none.

    Raises:
        InvalidInputError: it is not a JSON object of numbers.
    """
    try:
        return msgspec.json.decode(cell, type=dict[str, float]) if cell else {}
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidInputError(
            f'{shown(cell)}: expected a JSON object of numbers, such as {{"avg_relief": 2}}'
        ) from None


def _to_json_cell(value: Any) -> str:
    """Return JSON, with no sign that begins a formula after a semicolon."""
    written = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _INNER_OF_JSON.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{shown(value)}: expected text, in quotes")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MAX_NUMBER:
        raise InvalidInputError(f"{shown(value)}: expected a number")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInputError(f"{shown(value)}: expected true or false")
    return value


def _words(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise InvalidInputError(f'{shown(value)}: expected an array of texts, such as ["home", "money"]')
    return value


def _weights(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise InvalidInputError(f'{shown(value)}: expected an object of numbers, such as {{"avg_relief": 2}}')
    return {name: float(_number(weight)) for name, weight in value.items()}


def _same(value: Any) -> Any:
    return value


SHAPES: tuple[tuple[type[Any], Shape], ...] = (
    (Instant, Shape(to_instant, from_instant, to_instant, from_instant)),
    (Words, Shape(lambda words: _to_json_cell(list(words)), from_words_cell, list, _words)),
    (Weights, Shape(_to_json_cell, from_weights_cell, dict, _weights)),
    (Boolean, Shape(lambda flag: "true" if flag else "false", from_flag_cell, _same, _flag)),
    (Integer, Shape(str, from_number_cell, _same, _number)),
    (Float, Shape(repr, from_number_cell, _same, _number)),
    (String, Shape(to_text_cell, from_text_cell, _same, _text)),
)
"""A type stands before those that it derives from."""
