"""Charts: round axes, gaps, and every value where it belongs."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pages.charts import Course, axis_for, bar, course_chart, heat_grid, line

DAYS = [date(2026, 5, 1) + timedelta(days=place) for place in range(90)]
UNITS = ("of 100", "minutes", "instances", "ratio", "points", "percent", "days", "points per hour")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def course(daily: list[float | None], **other: object) -> Course:
    """A course of these values."""
    values = {"days": DAYS[: len(daily)], "mean": daily, "unit": "of 100", "description": "Relief", **other}
    return Course(daily=daily, **values)  # type: ignore[arg-type]


@example([0.0, 1e-09], "of 100", False)
@example([0.0, 1e-09], "of 100", True)
@given(st.lists(NUMBERS, min_size=1, max_size=40), st.sampled_from(UNITS), st.booleans())
def test_an_axis_holds_all_values_and_has_a_few_round_ticks(values: list[float], unit: str, from_zero: bool) -> None:
    axis = axis_for(values, unit=unit, from_zero=from_zero)
    slack = 1e-6 * max(1.0, *(abs(value) for value in values))
    assert all(axis.least - slack <= value <= axis.most + slack for value in values)
    assert axis.least < axis.most
    assert 2 <= len(axis.ticks) <= 7
    assert not from_zero or axis.least - slack <= 0 <= axis.most + slack
    assert all(axis.least - slack <= tick <= axis.most + slack for tick in axis.ticks)


@pytest.mark.parametrize(
    ("values", "unit", "ticks"),
    [
        ([42.0, 78.0], "of 100", (40, 50, 60, 70, 80)),
        ([0.0, 130.0], "minutes", (0, 60, 120, 180)),
        ([0.0, 3.0], "instances", (0, 1, 2, 3)),
        ([5.0], "of 100", (4, 5, 6)),
    ],
)
def test_ticks_are_round(values: list[float], unit: str, ticks: tuple[float, ...]) -> None:
    assert axis_for(values, unit=unit, from_zero=values[0] == 0).ticks == ticks


def test_an_axis_does_not_go_beyond_what_is_possible() -> None:
    axis = axis_for([3.0, 99.0], unit="of 100", from_zero=False, least=0, most=100)
    assert (axis.least, axis.most) == (0, 100)


def test_a_line_has_gaps_and_dots() -> None:
    axis = axis_for([0.0, 10.0], unit="of 100", from_zero=True)
    assert line([0.0, 10.0, None, 5.0, None], axis) == "M100.0 200.0L300.0 0.0M700.0 100.0h.01"
    assert line([None, None], axis) == ""


def test_a_chart_of_nothing_is_nothing() -> None:
    assert course_chart(course([None, None])) == ""


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=90), st.booleans())
def test_every_day_can_be_pointed_at(daily: list[float | None], from_zero: bool) -> None:
    drawn = course_chart(course(daily, from_zero=from_zero))
    if any(value is not None for value in daily):
        assert drawn.count("data-tip=") == len(daily)
        assert drawn.count("<svg") == 1
        assert 'role="img" aria-label="Relief"' in drawn
        assert "nan" not in drawn


def test_a_bar_stays_in_its_place() -> None:
    assert "width:0.0%" in bar(-3)
    assert "width:100.0%" in bar(7)


def test_a_grid_is_a_table_with_headings_and_escapes_its_cells() -> None:
    grid = heat_grid(
        ["<a>", "b"], [("Mon", [("62", 62.0, "a & b"), ("", None, "")])], caption="Relief", level=lambda _: 3
    )
    assert grid.count('scope="col"') == 2
    assert grid.count('scope="row"') == 1
    assert "&lt;a&gt;" in grid
    assert 'class="tipped heat-3 is-first" data-tip="a &amp; b"' in grid
    assert '<td class="heat-none"></td>' in grid
