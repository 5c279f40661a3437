"""The table of attributes: it covers what is compared, and knows what goes together by definition."""

from data.calculations import analytics
from data.calculations.attributes import ATTRIBUTES, BY_NAME, OTHERS, are_related_by_definition


def test_it_has_a_row_for_each_attribute_that_is_compared() -> None:
    assert sorted(one.name for one in ATTRIBUTES) == sorted(analytics.ATTRIBUTES)


def test_what_something_is_made_of_is_in_the_table_too() -> None:
    assert {part for one in (*ATTRIBUTES, *OTHERS) for part in one.made_of} <= set(BY_NAME)


def test_what_is_computed_from_the_same_numbers_is_related_by_definition() -> None:
    assert are_related_by_definition("net_wellbeing", "mental_load")  # by way of stress
    assert are_related_by_definition("surprise", "predicted_relief")
    assert not are_related_by_definition("relief", "stress")
    assert not are_related_by_definition("delay_minutes", "aversion")
