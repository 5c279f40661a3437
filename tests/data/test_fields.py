"""What single fields may hold: what is stored, and the sentence for what is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import fields
from data.errors import DataError, InvalidInputError
from data.fields import UNSAID, Feelings
from data.models import EPOCH, Kind

HUGE = 10**5000
LAST = datetime(3000, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
BERLIN_SUMMER = timezone(timedelta(hours=2))


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, dt: datetime | None) -> None:
        return None


def label(value: Any) -> str:
    """Return a short name of a parameter for pytest, which cannot show a huge number either; the same in each run."""
    try:
        return getattr(value, "__name__", None) or ascii(value).partition(" at 0x")[0][:30]
    except ValueError:
        return "huge"


def feeling(value: Any) -> Any:
    return fields.feeling(value, "mental_load")


def minutes(value: Any) -> Any:
    return fields.minutes(value, "actual_minutes")


def percent(value: Any) -> Any:
    return fields.percent(value, "completion_percent")


def text(value: Any) -> Any:
    return fields.text(value, "note")


def words(value: Any) -> Any:
    return fields.words(value, "categories")


def weekdays(value: Any) -> Any:
    return fields.weekdays(value, "routine_weekdays")


def clock_time(value: Any) -> Any:
    return fields.clock_time(value, "routine_at")


def instant(value: Any) -> Any:
    return fields.instant(value, "due_at")


def choice(value: Any) -> Any:
    return fields.choice(value, Kind, "kind")


def flag(value: Any) -> Any:
    return fields.flag(value, "archived")


@pytest.mark.parametrize(
    ("check", "given", "stored"),
    [
        (feeling, None, None),
        (feeling, 0, 0),
        (feeling, 100, 100),
        (feeling, 37.0, 37),
        (minutes, None, None),
        (minutes, 0, 0.0),
        (minutes, 100_000, 100_000.0),
        (minutes, 0.25, 0.25),
        (percent, 0, 0.0),
        (percent, 200, 200.0),
        (percent, None, None),
        (fields.name, "  Taxes ", "Taxes"),
        (fields.name, "x" * 200, "x" * 200),
        (fields.name, "納税　確定申告", "納税　確定申告"),
        (fields.name, "5\u00a0€ sparen", "5\u00a0€ sparen"),
        (fields.name, "می\u200cروم", "می\u200cروم"),
        (fields.name, "👩\u200d💻 work 🏳️\u200d🌈", "👩\u200d💻 work 🏳️\u200d🌈"),
        (fields.name, "\U0001fa77 a heart of Unicode 15", "\U0001fa77 a heart of Unicode 15"),
        (text, "", ""),
        (text, "a\r\n\tb \u202e ", "a\r\n\tb \u202e "),
        (text, "x" * 1_000_000, "x" * 1_000_000),
        (words, [], ()),
        (words, ["home", " garden ", "home"], ("home", "garden")),
        (words, iter(["b", "a"]), ("b", "a")),
        (weekdays, [], ()),
        (weekdays, ("sun", "mon", "sun"), ("mon", "sun")),
        (clock_time, None, None),
        (clock_time, "00:00", "00:00"),
        (clock_time, "23:59", "23:59"),
        (instant, None, None),
        (instant, datetime(2026, 5, 13, 12, tzinfo=BERLIN_SUMMER), datetime(2026, 5, 13, 10, tzinfo=UTC)),
        (instant, EPOCH, EPOCH),
        (instant, LAST, LAST),
        (choice, "self_care", Kind.SELF_CARE),
        (choice, Kind.WORK, Kind.WORK),
        (flag, True, True),
        (flag, False, False),
    ],
    ids=label,
)
def test_what_a_field_may_hold_is_returned_as_it_is_stored(
    check: Callable[[Any], Any], given: Any, stored: Any
) -> None:
    found = check(given)
    assert found == stored
    assert type(found) is type(stored)


@pytest.mark.parametrize(
    ("check", "given", "sentence"),
    [
        *((feeling, given, "expected a whole number from 0 to 100") for given in (
            -1, 101, 50.5, True, False, "50", "", float("nan"), float("inf"), -float("inf"), 10**400, HUGE, -HUGE,
            1e308, [], {}, b"5", 5j, object(),
        )),
        *((minutes, given, "expected 0 to 100,000 minutes") for given in (
            -0.1, 100_000.1, True, "5", float("nan"), float("inf"), 10**400, HUGE, -HUGE, [], 5j,
        )),
        *((percent, given, "expected 0 to 200 percent") for given in (-1, 201, True, "100", float("nan"), HUGE)),
        *((fields.name, given, "printable characters on one line") for given in (
            "", "   ", "\n", "a\nb", "a\rb", "a\tb", "a\x1bb", "a\u2028b", "a\u2029b", "a\u202eb", "a\u2066b",
            "\ufeffa", "\u200d", "\u200c \u200d", "x" * 201, "x" * 1_000_000, "\x7f", "a\x85b",
        )),
        *((check, given, "expected text") for check in (fields.name, text) for given in (
            None, 5, b"a", ["a"], HUGE, True, "\0", "a\0b", "\ud800", "a\udfffb",
        )),
        (text, "x" * 1_000_001, "expected at most 1,000,000"),
        *((words, given, "expected a list of words") for given in ("home", None, 5, HUGE, True)),
        (words, ["home", ""], "expected 1 to 200 printable characters"),
        (words, ["home", 5], "expected text"),
        *((weekdays, given, "expected some of mon, tue, wed, thu, fri, sat, sun") for given in (
            ["monday"], ["mon", "MON"], "mon", None, 5, [5, "mon"], [[]], [None], [HUGE],
        )),
        *((clock_time, given, "expected HH:MM between 00:00 and 23:59") for given in (
            "", "24:00", "12:60", "7:00", "07:0", "07:00:00", "+7:00", " 7:00", "07 00", "07:00\n", "-0:00",
            "\N{FULLWIDTH DIGIT ZERO}7:00", 5, b"07:00", ["07:00"], HUGE, True,
        )),
        *((instant, given, "expected a time with its time zone") for given in (
            datetime(2026, 5, 13), datetime(2026, 5, 13, tzinfo=Nowhere()), "2026-05-13", 5, HUGE,  # noqa: DTZ001
            datetime(2026, 5, 13, tzinfo=UTC).date(), True,
        )),
        *((instant, given, "expected a time of the years 1970 to 2999") for given in (
            LAST + timedelta(microseconds=1), datetime.max.replace(tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), datetime.min.replace(tzinfo=BERLIN_SUMMER),
        )),
        *((choice, given, "expected one of work, play, self_care, sleep, other") for given in (
            "", "Work", "chore", None, 5, [], {}, HUGE, "\ud800", True,
        )),
        *((flag, given, "expected true or false") for given in (None, 0, 1, "true", "", HUGE)),
    ],
    ids=label,
)  # fmt: skip
def test_what_a_field_may_not_hold_is_refused_by_a_short_sentence(
    check: Callable[[Any], Any], given: Any, sentence: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check(given)
    said = str(refused.value)
    assert sentence in said
    assert len(said) < 250
    assert "_" not in said.split(" ")[0]
    assert isinstance(refused.value, DataError)
    assert isinstance(refused.value, ValueError)


def test_a_sentence_names_the_field_what_was_given_and_what_would_be_right() -> None:
    with pytest.raises(InvalidInputError, match=r"^mental load 101: expected a whole number from 0 to 100$"):
        feeling(101)
    with pytest.raises(InvalidInputError, match=r"^kind 'chore': expected one of work, play, self_care, sleep, other$"):
        choice("chore")
    with pytest.raises(InvalidInputError, match=r"^routine at '7:00': expected HH:MM between 00:00 and 23:59$"):
        clock_time("7:00")


def test_a_long_text_is_not_repeated_in_its_refusal() -> None:
    for check, value in ((fields.name, "private " * 1000), (text, "private " * 200_000), (text, ["private " * 1000])):
        with pytest.raises(InvalidInputError) as refused:
            check(value)
        assert str(refused.value).count("private") < 10


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.datetimes(), st.dates(),
    st.lists(st.text() | st.integers()), st.dictionaries(st.text(), st.integers()), st.complex_numbers(),
    st.integers(min_value=10**300), st.decimals(), st.fractions(),
)  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [feeling, minutes, percent, fields.name, text, words, weekdays, clock_time, instant, choice, flag],
    ids=lambda check: check.__name__,
)
def test_whatever_is_given_is_stored_in_a_settled_form_or_refused(check: Callable[[Any], Any]) -> None:
    @given(value=anything)
    def holds(value: Any) -> None:
        try:
            stored = check(value)
        except InvalidInputError:
            return
        assert check(stored) == stored

    holds()


def test_feelings_become_columns() -> None:
    said = Feelings(relief=70, motivation=10)
    assert said.columns("predicted") == {
        "predicted_relief": 70,
        "predicted_mental_load": None,
        "predicted_emotional_load": None,
        "predicted_physical_load": None,
        "predicted_aversion": None,
        "predicted_motivation": 10,
    }
    assert set(UNSAID.columns("actual").values()) == {None}
    assert "actual_motivation" not in UNSAID.columns("actual")


def test_motivation_cannot_be_felt_afterwards() -> None:
    with pytest.raises(InvalidInputError, match="motivation is predicted only"):
        Feelings(motivation=10).columns("actual")


def test_a_feeling_is_named_in_its_refusal() -> None:
    with pytest.raises(InvalidInputError, match=r"^emotional load 101: expected"):
        Feelings(emotional_load=101).columns("predicted")
