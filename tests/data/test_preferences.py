"""Preferences: what each may be, what is said of what it may not be, and that only differences are events."""

from typing import Any

import pytest

from data import preferences
from data.database import Database
from data.errors import DataError, InvalidInputError, UnknownRecordError
from data.preferences import (
    FIELDS,
    AnalyticsRefresh,
    Baseline,
    CacheBackend,
    CacheMode,
    Profile,
    Theme,
)
from events.catalog import UserId
from tests.data.ledger import all_rows, lines, newest

HUGE = 10**5000

GOOD: dict[str, list[tuple[Any, Any]]] = {
    "cache_mode": [("full", CacheMode.FULL), (CacheMode.DISABLED, CacheMode.DISABLED), (None, None)],
    "cache_backend": [("file", CacheBackend.FILE), (None, None)],
    "analytics_refresh": [("manual", AnalyticsRefresh.MANUAL), (AnalyticsRefresh.AUTO, AnalyticsRefresh.AUTO)],
    "time_zone": [("Europe/Berlin", "Europe/Berlin"), ("UTC", "UTC"), ("Africa/Cairo", "Africa/Cairo")],
    "day_start": [("03:00", "03:00"), ("23:59", "23:59"), ("00:00", "00:00")],
    "first_weekday": [("sun", "sun"), ("mon", "mon")],
    "clock_hours": [(12, 12), (24, 24)],
    "theme": [("dark", Theme.DARK), (Theme.LIGHT, Theme.LIGHT)],
    "target_minutes_per_day": [(0, 0.0), (1440, 1440.0), (90.5, 90.5)],
    "goal_hours_per_week": [(0, 0.0), (168, 168.0), (37.5, 37.5)],
    "composite_weights": [
        ({"low_stress": 2, "avg_relief": 0.5}, (("avg_relief", 0.5), ("low_stress", 2.0))),
        ((("avg_relief", 0.0),), (("avg_relief", 0.0),)),
        ({}, ()),
    ],
    "recommendation_weights": [({"gain": 1e300}, (("gain", 1e300),)), ({}, ())],
    "monitored_metrics": [
        (["avg_relief", "execution"], ("avg_relief", "execution")),
        (["a", "b", "c", "d", "a"], ("a", "b", "c", "d")),
        ([], ()),
    ],
    "baseline": [("week", Baseline.WEEK), ("all", Baseline.ALL)],
}

BAD: dict[str, tuple[str, list[Any]]] = {
    "cache_mode": ("expected one of full, selective, disabled", ["", "Full", "none", 5, [], True, HUGE]),
    "cache_backend": ("expected one of memory, file, hybrid", ["", "redis", 5]),
    "analytics_refresh": ("expected one of auto, manual", ["", None, "hourly", False]),
    "time_zone": (
        "expected an IANA name such as 'Europe/Berlin'",
        ["", None, "Europe", "Berlin", "+02:00", "../../etc/passwd", "/etc/localtime", "\0", "\ud800", "x" * 5000, 5,
         b"UTC", [], HUGE, "UTC\n", "Europe/Berlin/"],
    ),
    "day_start": (
        "expected HH:MM between 00:00 and 23:59",
        ["", None, "3:00", "24:00", "03:60", "+3:00", "\N{FULLWIDTH DIGIT ZERO}3:00", "03:00:00", 3, HUGE],
    ),
    "first_weekday": ("expected one of mon, tue, wed, thu, fri, sat, sun", ["", None, "Mon", "monday", 1, [], HUGE]),
    "clock_hours": ("expected 12 or 24", [None, 0, 23, "24", True, [], float("nan"), HUGE]),
    "theme": ("expected one of auto, light, dark", ["", None, "black", 5]),
    "target_minutes_per_day": (
        "expected 0 to 1440",
        [None, -1, 1440.5, "90", True, float("nan"), float("inf"), 10**400, HUGE, []],
    ),
    "goal_hours_per_week": ("expected 0 to 168", [None, -1, 168.5, "30", True, float("nan"), HUGE]),
    "composite_weights": (
        "expected",
        [None, 5, "gain", [1], [("a",)], {"a": "x"}, {"a": None}, {"a": True}, {"a": -0.1}, {"a": float("nan")},
         {"a": float("inf")}, {"a": 10**400}, {"a": HUGE}, {5: 1}, {"": 1}, {"\ud800": 1}, {"a\0": 1}],
    ),
    "recommendation_weights": ("expected", [None, {"gain": -1}]),
    "monitored_metrics": (
        "expected",
        [None, 5, "avg_relief", ["a", "b", "c", "d", "e"], [5], [None], [""], ["\ud800"], HUGE],
    ),
    "baseline": ("expected one of week, month, quarter, all", ["", None, "year", 7]),
}  # fmt: skip


def load(database: Database, user: UserId) -> Profile:
    with database.read() as read:
        return preferences.load(read, user)


def test_every_preference_is_tested_here() -> None:
    assert set(GOOD) == set(BAD) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_preference_is_stored_and_read_back_and_recorded_by_name(database: Database, user: UserId, name: str) -> None:
    for given, read_back in GOOD[name]:
        previous = getattr(load(database, user), name)
        before = newest(database)
        changed = preferences.change(database, user, **{name: given})
        assert getattr(load(database, user), name) == read_back
        if previous == read_back:
            assert changed == ()
            assert lines(database, before) == []
        else:
            assert changed == (name,)
            assert lines(database, before) == [("preferences.changed", user, {"changed": [name]})]


@pytest.mark.parametrize("name", FIELDS)
def test_what_a_preference_may_not_be_is_refused_by_a_short_sentence(
    database: Database, user: UserId, name: str
) -> None:
    expected, values = BAD[name]
    before = all_rows(database)
    for given in values:
        with pytest.raises(InvalidInputError) as refused:
            preferences.change(database, user, **{name: given})
        said = str(refused.value)
        assert expected in said
        assert len(said) < 250
        assert said.startswith((name.replace("_", " "), "weight", "day start", "time zone", "5 monitored"))
    assert all_rows(database) == before


def test_an_unknown_preference_is_refused_with_those_there_are(database: Database, user: UserId) -> None:
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match=r"^preference 'colour': expected one of cache_mode, .*, baseline$"):
        preferences.change(database, user, theme="dark", colour="red")
    for name in ("user_id", "demo", "", "load"):
        with pytest.raises(InvalidInputError, match="expected one of"):
            preferences.change(database, user, **{name: 1})
    assert all_rows(database) == before


def test_one_bad_value_keeps_the_good_ones_from_being_stored(database: Database, user: UserId) -> None:
    before = all_rows(database)
    with pytest.raises(InvalidInputError):
        preferences.change(database, user, theme="dark", clock_hours=13)
    assert all_rows(database) == before


def test_several_changes_are_one_event_that_names_only_what_differs(database: Database, user: UserId) -> None:
    preferences.change(database, user, theme="dark")
    before = newest(database)
    changed = preferences.change(database, user, clock_hours=12, theme="dark", baseline="week")
    assert changed == ("clock_hours", "baseline")
    assert lines(database, before) == [("preferences.changed", user, {"changed": ["clock_hours", "baseline"]})]


def test_changing_nothing_is_no_event(database: Database, user: UserId) -> None:
    before = all_rows(database)
    assert preferences.change(database, user) == ()
    profile = load(database, user)
    assert preferences.change(database, user, **{name: getattr(profile, name) for name in FIELDS}) == ()
    assert all_rows(database) == before


def test_a_new_user_has_the_defaults_of_a_blank_profile(database: Database) -> None:
    user = preferences.create_user(database, "local", time_zone="Asia/Tokyo")
    assert load(database, user) == Profile(time_zone="Asia/Tokyo")


def test_a_profile_cannot_be_changed_by_who_holds_it(database: Database, user: UserId) -> None:
    preferences.change(database, user, composite_weights={"avg_relief": 2}, monitored_metrics=["execution"])
    profile = load(database, user)
    hash(profile)
    with pytest.raises(AttributeError):
        profile.theme = Theme.DARK  # type: ignore[misc]


def test_creating_a_user_twice_gives_the_same_user_and_one_event(database: Database) -> None:
    user = preferences.create_user(database, "local", time_zone="Asia/Tokyo")
    before = all_rows(database)
    assert preferences.create_user(database, "local", time_zone="Europe/Berlin") == user
    assert all_rows(database) == before
    assert preferences.create_user(database, "other") != user
    assert lines(database) == [("user.created", user, {}), ("user.created", user + 1, {})]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\0", "\ud800", "x" * 201, None, 5, "a\u202eb"])
def test_a_user_cannot_be_called_anything(database: Database, name: Any) -> None:
    before = all_rows(database)
    with pytest.raises(InvalidInputError, match=r"^user name"):
        preferences.create_user(database, name)
    assert all_rows(database) == before


def test_a_user_needs_a_time_zone_that_exists(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="time zone 'Mars/Olympus'"):
        preferences.create_user(database, "local", time_zone="Mars/Olympus")
    assert lines(database) == []


def test_preferences_of_nobody_are_refused(database: Database, user: UserId) -> None:
    with pytest.raises(UnknownRecordError, match="there is no user 99") as refused:
        preferences.change(database, UserId(99), theme="dark")
    assert isinstance(refused.value, DataError)
    with pytest.raises(UnknownRecordError, match="there is no user 99"):
        load(database, UserId(99))


def test_a_users_preferences_are_not_anothers(database: Database, user: UserId, stranger: UserId) -> None:
    theirs = load(database, stranger)
    preferences.change(database, user, theme="dark", time_zone="Asia/Tokyo", monitored_metrics=["execution"])
    assert load(database, stranger) == theirs
