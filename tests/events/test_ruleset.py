"""How a table is read, and what is found wrong with one before it is used."""

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cache import pieces
from events.catalog import (
    CATALOG,
    DayStarted,
    Event,
    InstanceEdited,
    InstanceId,
    PreferencesChanged,
    RefreshRequested,
    TaskArchived,
    TaskCreated,
    TaskEdited,
    TaskId,
    TouchesDays,
    UserId,
)
from events.errors import PatternError, RulesError
from events.patterns import EVERYTHING
from events.rules import RULES
from events.ruleset import Rule, Ruleset, check

AT = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
USER = UserId(1)
KEYS = ("dashboard.tasks", "summary.daily")
FINE = (Rule(on=(TaskCreated, TaskArchived), invalidates=("dashboard.*", "summary.daily")),)


class TaskCreatedd(Event):
    """An event that the catalog does not list."""

    name = "task.createdd"


def faults(*rules: Rule, keys: tuple[str, ...] = KEYS, unreached: tuple[str, ...] = ()) -> list[str]:
    return check([*FINE, *rules], (TaskCreated, TaskArchived, TaskEdited), keys, unreached=unreached)


CHANGES_NOTHING = Rule(on=(TaskEdited,))


# --- reading


def test_the_prefixes_of_all_rows_that_hold_are_joined_in_table_order_without_repeats() -> None:
    ruleset = Ruleset(
        [
            Rule(on=(TaskEdited,), invalidates=("b", "a.*")),
            Rule(on=(TaskCreated,), invalidates=("x",)),
            Rule(on=(TaskEdited,), when=TaskEdited.changes_label, invalidates=("c", "a")),
        ]
    )
    edited = TaskEdited(user=USER, at=AT, task=TaskId("t"), changed=("notes",))
    assert ruleset.prefixes(edited) == ("b", "a")
    renamed = TaskEdited(user=USER, at=AT, task=TaskId("t"), changed=("name",))
    assert ruleset.prefixes(renamed) == ("b", "a", "c")


def test_an_event_without_a_row_invalidates_nothing() -> None:
    assert Ruleset([]).prefixes(DayStarted(user=USER, at=AT, day=date(2026, 5, 13))) == ()
    assert list(Ruleset([]).rows(DayStarted)) == []


def test_a_row_that_carries_takes_the_prefix_from_the_event() -> None:
    ruleset = Ruleset([Rule(on=(RefreshRequested,), carried=True)])
    assert ruleset.prefixes(RefreshRequested(user=USER, at=AT, prefix="analytics.*")) == ("analytics",)
    assert ruleset.prefixes(RefreshRequested(user=USER, at=AT, prefix="*")) == (EVERYTHING,)
    with pytest.raises(PatternError):
        ruleset.prefixes(RefreshRequested(user=USER, at=AT, prefix="Analytics"))


def test_a_row_knows_whether_it_has_to_look_at_the_event() -> None:
    assert not Rule(on=(TaskEdited,)).depends_on_event
    assert Rule(on=(TaskEdited,), when=TaskEdited.changes_label).depends_on_event
    assert Rule(on=(RefreshRequested,), carried=True).depends_on_event


def test_a_condition_sees_the_event_itself() -> None:
    seen: list[Event] = []
    edited = InstanceEdited(
        user=USER, at=AT, task=TaskId("t"), instance=InstanceId("i"), changed=(), earliest_day=None, today=AT.date()
    )
    Ruleset([Rule(on=(InstanceEdited,), when=lambda event: bool(seen.append(event)))]).prefixes(edited)
    assert seen == [edited]


# --- faults


def test_a_table_without_fault_yields_nothing() -> None:
    assert faults(CHANGES_NOTHING) == []


def test_an_event_that_the_catalog_does_not_list_is_found_with_the_nearest_one() -> None:
    assert faults(CHANGES_NOTHING, Rule(on=(TaskCreatedd,))) == [
        "row 3: TaskCreatedd is not in the catalog; did you mean 'TaskCreated'?"
    ]


def test_a_misspelt_prefix_is_found_with_the_nearest_one() -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=("dashboard.task",))) == [
        "row 2: 'dashboard.task' covers no value; did you mean 'dashboard.tasks'?"
    ]
    assert faults(Rule(on=(TaskEdited,), invalidates=("sumary.*",))) == [
        "row 2: 'sumary.*' covers no value; did you mean 'summary'?"
    ]


def test_a_prefix_below_a_value_is_found() -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=("summary.daily.today",))) == [
        "row 2: 'summary.daily.today' covers no value; did you mean 'summary.daily'?"
    ]


def test_a_misspelt_prefix_that_is_kept_is_found_as_well() -> None:
    assert faults(Rule(on=(TaskEdited,), keeps={"summery.*": "finished days only"})) == [
        "row 2: 'summery.*' covers no value; did you mean 'summary'?"
    ]


def test_an_event_without_a_row_is_found() -> None:
    assert faults() == ["task.edited has no rule; write `()` if nothing goes stale"]


def test_two_rows_of_one_event_with_the_same_condition_are_found() -> None:
    expected = "task.edited stands in two rows with the same condition; join them"
    assert faults(CHANGES_NOTHING, CHANGES_NOTHING) == [expected]
    conditional = Rule(on=(TaskEdited,), when=TaskEdited.changes_label, invalidates=("summary.*",))
    assert faults(CHANGES_NOTHING, conditional) == []
    assert faults(CHANGES_NOTHING, conditional, conditional) == [expected]


def test_an_event_that_stands_twice_in_one_row_is_found() -> None:
    assert faults(Rule(on=(TaskEdited, TaskEdited))) == [
        "task.edited stands in two rows with the same condition; join them"
    ]


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_prefix_that_is_kept_without_a_reason_is_found(reason: str) -> None:
    assert faults(Rule(on=(TaskEdited,), keeps={"summary.*": reason})) == [
        "row 2: keeps 'summary.*' without a reason; say why it stays right"
    ]


def test_a_value_that_no_rule_reaches_is_found_unless_something_else_bounds_its_age() -> None:
    keys = (*KEYS, "goals.week")
    assert faults(CHANGES_NOTHING, keys=keys) == [
        "value 'goals.week' is reached by no rule and nothing else bounds its age"
    ]
    assert faults(CHANGES_NOTHING, keys=keys, unreached=("goals.week",)) == []


def test_rules_that_drop_everything_do_not_count_as_reaching_a_value() -> None:
    keys = (*KEYS, "goals.week")
    assert faults(Rule(on=(TaskEdited,), invalidates=("*",)), keys=keys) == [
        "value 'goals.week' is reached by no rule and nothing else bounds its age"
    ]


def test_a_value_that_is_only_kept_is_not_reached() -> None:
    keys = (*KEYS, "goals.week")
    assert faults(Rule(on=(TaskEdited,), keeps={"goals.*": "goals are not tasks"}), keys=keys) == [
        "value 'goals.week' is reached by no rule and nothing else bounds its age"
    ]


@pytest.mark.parametrize("pattern", ["", "dashboard..tasks", "*.tasks", "Dashboard", "dash*"])
def test_a_bad_pattern_is_found(pattern: str) -> None:
    (fault,) = faults(Rule(on=(TaskEdited,), invalidates=(pattern,)))
    assert fault.startswith(f"row 2: {pattern!r} is not a pattern: expected dotted lower-case segments")


@pytest.mark.parametrize(
    ("invalidated", "kept"),
    [("summary.*", "summary.*"), ("summary.*", "summary.daily"), ("summary.daily", "summary.*"), ("*", "summary.*")],
)
def test_a_value_that_one_row_both_invalidates_and_keeps_is_found(invalidated: str, kept: str) -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=(invalidated,), keeps={kept: "finished days only"})) == [
        f"row 2: invalidates {invalidated!r} and keeps {kept!r}, which are both 'summary.daily'; decide"
    ]


def test_a_condition_that_the_event_does_not_have_is_found() -> None:
    assert faults(CHANGES_NOTHING, Rule(on=(TaskEdited,), when=PreferencesChanged.moves_days)) == [
        "row 3: task.edited has no condition PreferencesChanged.moves_days; `when` is a method of the event"
    ]
    inherited = Rule(on=(InstanceEdited,), when=TouchesDays.touches_finished_day, invalidates=("summary.*",))
    assert check([*FINE, inherited], (TaskCreated, TaskArchived, InstanceEdited), KEYS) == []


@pytest.mark.parametrize("when", [lambda event: True, functools.partial(TaskEdited.changes_label)])
def test_a_condition_that_is_no_method_of_the_event_is_found(when: Callable[[Any], bool]) -> None:
    (fault,) = faults(CHANGES_NOTHING, Rule(on=(TaskEdited,), when=when))
    assert fault.startswith("row 3: task.edited has no condition ")


def test_only_a_refresh_can_carry_a_prefix() -> None:
    assert faults(Rule(on=(TaskEdited,), carried=True)) == ["row 2: only refresh.requested carries a prefix"]


def test_all_faults_of_a_table_are_found_at_once() -> None:
    found = check(
        [
            Rule(on=(TaskCreatedd,), invalidates=("dashboard.task", "Dash"), keeps={"dashboard.tasks": ""}),
            Rule(on=(TaskCreated,), invalidates=("summary.*",), keeps={"summary.daily": "because"}),
            Rule(on=(TaskCreated,)),
            Rule(on=(TaskArchived,), carried=True, when=TaskEdited.changes_label),
        ],
        (TaskCreated, TaskArchived, TaskEdited),
        (*KEYS, "goals.week"),
    )
    assert len(found) == 11
    for part in (
        "row 1: TaskCreatedd is not in the catalog",
        "row 1: 'dashboard.task' covers no value",
        "row 1: 'Dash' is not a pattern",
        "row 1: keeps 'dashboard.tasks' without a reason",
        "row 2: invalidates 'summary.*' and keeps 'summary.daily'",
        "row 4: only refresh.requested carries a prefix",
        "row 4: task.archived has no condition TaskEdited.changes_label",
        "task.created stands in two rows with the same condition",
        "task.edited has no rule",
        "value 'goals.week' is reached by no rule",
        "value 'dashboard.tasks' is reached by no rule",
    ):
        assert sum(part in sentence for sentence in found) == 1, part


def test_the_true_table_would_notice_a_value_that_somebody_adds_without_a_rule() -> None:
    keys = list(pieces.KEYS)
    assert check(RULES, CATALOG, [*keys, "goals.week"]) == [
        "value 'goals.week' is reached by no rule and nothing else bounds its age"
    ]


def test_the_error_shows_every_finding() -> None:
    error = RulesError(("one is wrong", "two is wrong"))
    assert str(error) == "events/rules.py:\n  - one is wrong\n  - two is wrong"
    assert error.findings == ("one is wrong", "two is wrong")
