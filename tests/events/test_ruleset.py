"""How a table is read, and what is found wrong with one before it is used."""

import functools
import sys
from collections.abc import Callable
from dataclasses import replace
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
from events.findings import ROOT, Finding
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


def at(keys: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(keys, "cache/values.py:1")


def faults(*rules: Rule, keys: tuple[str, ...] = KEYS, unreached: tuple[str, ...] = ()) -> list[str]:
    found = check([*FINE, *rules], (TaskCreated, TaskArchived, TaskEdited), at(keys), unreached=unreached)
    return [finding.sentence for finding in found]


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


def test_an_event_that_the_catalog_does_not_list_is_found() -> None:
    assert faults(CHANGES_NOTHING, Rule(on=(TaskCreatedd,))) == [
        "TaskCreatedd is not in the catalog: add its line to CATALOG"
    ]


def test_a_misspelt_prefix_is_found_with_the_nearest_one() -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=("dashboard.task",))) == [
        "'dashboard.task' covers no value; did you mean 'dashboard.tasks'?"
    ]
    assert faults(Rule(on=(TaskEdited,), invalidates=("sumary.*",))) == [
        "'sumary.*' covers no value; did you mean 'summary'?"
    ]


def test_a_prefix_below_a_value_is_found() -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=("summary.daily.today",))) == [
        "'summary.daily.today' covers no value; did you mean 'summary.daily'?"
    ]


def test_a_misspelt_prefix_that_is_kept_is_found_as_well() -> None:
    assert faults(Rule(on=(TaskEdited,), keeps={"summery.*": "finished days only"})) == [
        "'summery.*' covers no value; did you mean 'summary'?"
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
        "keeps 'summary.*' without a reason; say why it stays right"
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
    assert fault.startswith(f"{pattern!r} is not a pattern: expected dotted lower-case segments")


@pytest.mark.parametrize(
    ("invalidated", "kept"),
    [("summary.*", "summary.*"), ("summary.*", "summary.daily"), ("summary.daily", "summary.*"), ("*", "summary.*")],
)
def test_a_value_that_one_row_both_invalidates_and_keeps_is_found(invalidated: str, kept: str) -> None:
    assert faults(Rule(on=(TaskEdited,), invalidates=(invalidated,), keeps={kept: "finished days only"})) == [
        f"invalidates {invalidated!r} and keeps {kept!r}, which are both 'summary.daily'; decide"
    ]


def test_a_condition_that_the_event_does_not_have_is_found() -> None:
    assert faults(CHANGES_NOTHING, Rule(on=(TaskEdited,), when=PreferencesChanged.moves_days)) == [
        "task.edited has no condition PreferencesChanged.moves_days; `when` is a method of the event"
    ]
    inherited = Rule(on=(InstanceEdited,), when=TouchesDays.touches_past, invalidates=("summary.*",))
    assert check([*FINE, inherited], (TaskCreated, TaskArchived, InstanceEdited), at(KEYS)) == []


@pytest.mark.parametrize("when", [lambda event: True, functools.partial(TaskEdited.changes_label)])
def test_a_condition_that_is_no_method_of_the_event_is_found(when: Callable[[Any], bool]) -> None:
    (fault,) = faults(CHANGES_NOTHING, Rule(on=(TaskEdited,), when=when))
    assert fault.startswith("task.edited has no condition ")


def test_only_a_refresh_can_carry_a_prefix() -> None:
    assert faults(Rule(on=(TaskEdited,), carried=True)) == ["only refresh.requested carries a prefix"]


def test_all_faults_of_a_table_are_found_at_once() -> None:
    found = check(
        [
            Rule(on=(TaskCreatedd,), invalidates=("dashboard.task", "Dash"), keeps={"dashboard.tasks": ""}),
            Rule(on=(TaskCreated,), invalidates=("summary.*",), keeps={"summary.daily": "because"}),
            Rule(on=(TaskCreated,)),
            Rule(on=(TaskArchived,), carried=True, when=TaskEdited.changes_label),
        ],
        (TaskCreated, TaskArchived, TaskEdited),
        at((*KEYS, "goals.week")),
    )
    assert len(found) == 11
    for part in (
        "TaskCreatedd is not in the catalog",
        "'dashboard.task' covers no value",
        "'Dash' is not a pattern",
        "keeps 'dashboard.tasks' without a reason",
        "invalidates 'summary.*' and keeps 'summary.daily'",
        "only refresh.requested carries a prefix",
        "task.archived has no condition TaskEdited.changes_label",
        "task.created stands in two rows with the same condition",
        "task.edited has no rule",
        "value 'goals.week' is reached by no rule",
        "value 'dashboard.tasks' is reached by no rule",
    ):
        assert sum(part in finding.sentence for finding in found) == 1, part


def test_every_fault_says_the_file_and_line_of_its_row() -> None:
    line = sys._getframe().f_lineno
    rows = [
        Rule(on=(TaskCreated,), invalidates=("dashboard.task",)),
        Rule(
            on=(TaskEdited,),
            keeps={"summary.*": ""},
        ),
    ]
    places = [finding.where for finding in check(rows, (TaskCreated, TaskEdited), at(KEYS))]
    here = "tests/events/test_ruleset.py"
    assert places == [f"{here}:{line + 2}", f"{here}:{line + 3}", "cache/values.py:1", "cache/values.py:1"]
    assert replace(rows[0], invalidates=()).where == f"{here}:{line + 2}"


def test_an_event_without_a_row_is_found_where_its_class_is() -> None:
    (finding,) = check([], (DayStarted,), {})
    file, _, line = finding.where.partition(":")
    nearby = (ROOT / file).read_text().splitlines()[int(line) - 1 : int(line) + 1]  # its decorator stands above it
    assert any("class DayStarted" in text for text in nearby)


def test_the_true_table_would_notice_a_value_that_somebody_adds_without_a_rule() -> None:
    keys = at(("goals.week", *pieces.KEYS))
    assert [str(finding) for finding in check(RULES, CATALOG, keys)] == [
        "cache/values.py:1: value 'goals.week' is reached by no rule and nothing else bounds its age"
    ]


def test_the_error_shows_every_finding() -> None:
    findings = [Finding("events/rules.py:7", "one is wrong"), Finding("events/rules.py:9", "two is wrong")]
    error = RulesError(findings)
    assert str(error) == (
        "the tables do not fit together:\n  events/rules.py:7: one is wrong\n  events/rules.py:9: two is wrong"
    )
    assert error.findings == tuple(findings)
