"""The catalog: names that never clash, and events that survive their way through the log, or say that they did not."""

import re
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalog import (
    CATALOG,
    NOTIFICATIONS,
    CompletionUndone,
    DayStarted,
    Event,
    EventUnreadable,
    PreferencesChanged,
    TaskArchived,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    TaskId,
    TouchesDays,
    UserId,
)
from events.stored import decode, encode

AT = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
USER = UserId(7)

instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
st.register_type_strategy(datetime, instants)
st.register_type_strategy(str, texts)
some_event = st.sampled_from(CATALOG).flatmap(st.from_type)


def test_names_are_unique_and_dotted_lower_case_words() -> None:
    names = [kind.name for kind in (*CATALOG, *NOTIFICATIONS)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(\.[a-z]+)+", name)] == []


def test_the_stored_names_are_those_of_the_first_release() -> None:
    assert {kind.__name__: kind.name for kind in CATALOG} == {
        "UserCreated": "user.created",
        "AccountChanged": "account.changed",
        "PreferencesChanged": "preferences.changed",
        "TaskCreated": "task.created",
        "TaskEdited": "task.edited",
        "TaskArchived": "task.archived",
        "InstancePlanned": "instance.planned",
        "PlanUndone": "plan.undone",
        "InstanceStarted": "instance.started",
        "StartUndone": "start.undone",
        "InstancePaused": "instance.paused",
        "InstanceResumed": "instance.resumed",
        "TaskCompleted": "task.completed",
        "CompletionUndone": "completion.undone",
        "InstanceCancelled": "instance.cancelled",
        "CancellationUndone": "cancellation.undone",
        "InstanceEdited": "instance.edited",
        "DayStarted": "day.started",
        "ClockCorrected": "clock.corrected",
        "RoutineMissed": "routine.missed",
        "RefreshRequested": "refresh.requested",
        "DataImported": "data.imported",
        "DataRemoved": "data.removed",
        "DataRestored": "data.restored",
        "EventUnreadable": "event.unreadable",
    }


def test_every_class_of_an_event_is_in_the_catalog() -> None:
    defined: set[type[Event]] = set()
    waiting: list[type[Event]] = [Event]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__ == "events.catalog" and kind is not TouchesDays:
                defined.add(kind)
    # slots=True builds each class twice; only the second one counts
    assert {kind for kind in defined if "__slots__" in vars(kind)} == set(CATALOG)


@pytest.mark.parametrize("kind", CATALOG, ids=lambda kind: kind.name)
def test_every_event_is_an_immutable_record_with_user_and_time(kind: type[Event]) -> None:
    assert is_dataclass(kind)
    assert {"user", "at"} <= {field.name for field in fields(kind)}
    blank = object.__new__(kind)
    with pytest.raises(FrozenInstanceError):
        blank.user = USER  # type: ignore[misc]


@given(event=some_event)
def test_every_event_comes_back_from_the_log_as_it_was(event: Event) -> None:
    assert decode(event.name, event.user, event.at, encode(event)) == event


@given(event=some_event)
def test_the_stored_body_leaves_out_what_the_log_has_columns_for(event: Event) -> None:
    assert not {"user", "at", "name"} & msgspec.json.decode(encode(event)).keys()


def test_a_body_cannot_pretend_to_be_another_users() -> None:
    body = '{"task": "t", "user": 8, "at": "2000-01-01T00:00:00Z"}'
    assert decode("task.created", USER, AT, body) == TaskCreated(user=USER, at=AT, task=TaskId("t"))


def test_fields_that_a_newer_version_added_are_ignored() -> None:
    body = '{"task": "t", "colour": "red"}'
    assert decode("task.created", USER, AT, body) == TaskCreated(user=USER, at=AT, task=TaskId("t"))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("task.shared", "{}"),
        ("", "{}"),
        ("cache.invalidated", '{"prefixes": [], "cause": "", "seq": 1}'),
        ("task.created", ""),
        ("task.created", "{}"),
        ("task.created", "null"),
        ("task.created", "[]"),
        ("task.created", '{"task": 5}'),
        ("task.created", '{"task": null}'),
        ("task.created", '{"task": "t"'),
        ("task.archived", '{"task": "t", "archived": "yes"}'),
        ("task.edited", '{"task": "t", "changed": "name"}'),
        ("day.started", '{"day": "2026-13-01"}'),
        ("day.started", '{"day": 20586}'),
        ("data.imported", '{"source": "csv", "tasks": 1e99, "instances": 0}'),
        ("task.created", "[" * 100_000),
        ("task.created", b"\xff"),
        ("task.created", 5),
        ("task.created", None),
        (5, "{}"),
    ],
)
def test_a_row_that_cannot_be_read_becomes_an_unreadable_event(name: str, body: str) -> None:
    assert decode(name, USER, AT, body) == EventUnreadable(user=USER, at=AT, stored_name=name)


def test_an_unreadable_event_survives_its_own_way_through_the_log() -> None:
    event = EventUnreadable(user=USER, at=AT, stored_name="task.shared")
    assert decode(event.name, USER, AT, encode(event)) == event


@pytest.mark.parametrize(
    ("earliest", "later"),
    [
        (None, ()),
        (date(2026, 5, 12), None),
        (date(2026, 5, 13), tuple(f"2026-05-{day}" for day in range(14, 21))),
        (date(2026, 5, 14), tuple(f"2026-05-{day}" for day in range(15, 22))),
    ],
)
def test_what_counts_today_concerns_the_days_after_and_what_counts_before_any_day(
    earliest: date | None, later: tuple[str, ...] | None
) -> None:
    event = CompletionUndone(
        user=USER, at=AT, task="t", instance="i", earliest_day=earliest, today=date(2026, 5, 13)
    )  # fmt: skip
    assert event.later_days() == later


@pytest.mark.parametrize(
    ("changed", "days", "monitoring", "composite", "ranking"),
    [
        ((), False, False, False, False),
        (("theme", "cache_mode"), False, False, False, False),
        (("time_zone",), True, False, False, False),
        (("theme", "day_start"), True, False, False, False),
        (("monitored_metrics",), False, True, False, False),
        (("baseline",), False, True, False, False),
        (("target_minutes_per_day",), False, True, True, False),
        (("composite_weights",), False, False, True, False),
        (("recommendation_weights",), False, False, False, True),
    ],
)
def test_changed_preferences_know_what_they_feed(
    changed: tuple[str, ...], days: bool, monitoring: bool, composite: bool, ranking: bool
) -> None:
    event = PreferencesChanged(user=USER, at=AT, changed=changed)
    assert event.moves_days() is days
    assert event.changes_monitoring() is monitoring
    assert event.changes_composite() is composite
    assert event.changes_ranking() is ranking


@pytest.mark.parametrize(
    ("changed", "label"),
    [(("notes", "due_at"), False), (("name",), True), (("kind",), True), (("notes", "categories"), True), ((), False)],
)
def test_an_edited_task_knows_whether_past_numbers_are_shown_under_another_label(
    changed: tuple[str, ...], label: bool
) -> None:
    assert TaskEdited(user=USER, at=AT, task=TaskId("t"), changed=changed).changes_label() is label


def test_events_compare_by_what_they_say() -> None:
    assert DayStarted(user=USER, at=AT, day=date(2026, 5, 13)) == DayStarted(user=USER, at=AT, day=date(2026, 5, 13))
    assert TaskArchived(user=USER, at=AT, task=TaskId("t"), archived=True) != TaskArchived(
        user=USER, at=AT, task=TaskId("t"), archived=False
    )
    assert TaskCompleted.name == "task.completed"
