"""Warmth: summaries of new days are ready for whom everything is preloaded, and nobody waits for that."""

import threading
from datetime import timedelta

import pytest

from cache.errors import LoadError
from cache.values import SUMMARY_DAILY
from data import preferences
from data.preferences import CacheMode
from events.catalog import UserId
from scheduler import day
from scheduler.warmth import Warmth
from tests.house import House


def is_warm(house: House, user: UserId) -> bool:
    return house.manager.why(SUMMARY_DAILY, user).state == "fresh"


def full_user(house: House, name: str) -> UserId:
    user = house.new_user(name)
    preferences.change(house.database, user, cache_mode="full")
    return user


@pytest.fixture
def loads(house: House, monkeypatch: pytest.MonkeyPatch) -> list[UserId]:
    """Whose summary was asked for, in order."""
    asked: list[UserId] = []
    real = house.manager.get_or_load

    def get_or_load(value: object, user: UserId) -> object:
        asked.append(user)
        return real(value, user)  # type: ignore[arg-type]

    monkeypatch.setattr(house.manager, "get_or_load", get_or_load)
    return asked


def test_the_summary_of_the_new_day_is_ready_for_those_who_have_everything_preloaded(house: House) -> None:
    other = full_user(house, "other")
    work = day.work(house.database, house.manager)
    work["day"](threading.Event())
    house.clock.advance(days=1)
    work["day"](threading.Event())
    work["warmth"](threading.Event())
    assert [is_warm(house, user) for user in (house.user, other)] == [False, True]


def test_what_the_operator_chose_counts_for_those_who_have_not_chosen(house: House) -> None:
    users = preferences.users_in(house.database, CacheMode.FULL, default=CacheMode.FULL)
    assert users == {house.user}
    preferences.change(house.database, house.user, cache_mode="disabled")
    assert preferences.users_in(house.database, CacheMode.FULL, default=CacheMode.FULL) == set()
    assert preferences.users_in(house.database, CacheMode.DISABLED, default=CacheMode.FULL) == {house.user}


def test_a_look_that_starts_days_waits_for_no_summary(house: House, loads: list[UserId]) -> None:
    user = full_user(house, "other")
    work = day.work(house.database, house.manager)
    work["day"](threading.Event())
    assert loads == []
    work["warmth"](threading.Event())
    assert loads == [user]
    work["warmth"](threading.Event())
    assert loads == [user], "once for each day"


def test_a_summary_that_cannot_be_warmed_keeps_nobody_elses_from_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    users = [full_user(house, name) for name in ("first", "second")]
    real = house.manager.get_or_load

    def get_or_load(value: object, user: UserId) -> object:
        if user == users[0]:
            raise LoadError("summary.daily", RuntimeError("no"))
        return real(value, user)  # type: ignore[arg-type]

    monkeypatch.setattr(house.manager, "get_or_load", get_or_load)
    warmth = Warmth(house.database, house.manager)
    warmth.expect(users)
    warmth.warm(threading.Event())
    assert [is_warm(house, user) for user in users] == [False, True]
    assert f"nothing was warmed for user {users[0]}" in caplog.text


def test_warming_that_is_told_to_stop_ends_between_two_users_and_the_next_one_goes_on(
    house: House, loads: list[UserId]
) -> None:
    users = [full_user(house, name) for name in ("first", "second")]
    warmth = Warmth(house.database, house.manager)
    warmth.expect(users)
    stopping = threading.Event()
    stopping.set()
    warmth.warm(stopping)
    assert loads == users[:1]
    warmth.warm(threading.Event())
    assert loads == users


def test_it_rests_after_each_user_for_as_long_as_that_took(house: House) -> None:
    users = [full_user(house, name) for name in ("first", "second")]
    moments = iter([10.0, 10.5, 20.0, 20.25])
    rests: list[float | None] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout)
            return False

    warmth = Warmth(house.database, house.manager, clock=lambda: next(moments))
    warmth.expect(users)
    warmth.warm(Stopping())
    assert rests == [0.5, 0.25]


def test_a_day_that_starts_while_the_one_before_is_warmed_is_warmed_as_well(
    house: House, loads: list[UserId], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = full_user(house, "other")
    warmth = Warmth(house.database, house.manager)
    warmth.expect([user])
    counted = house.manager.get_or_load

    def get_or_load(value: object, who: UserId) -> object:
        if not loads:
            warmth.expect([user])
            house.clock.now += timedelta(days=1)
        return counted(value, who)  # type: ignore[arg-type]

    monkeypatch.setattr(house.manager, "get_or_load", get_or_load)
    warmth.warm(threading.Event())
    warmth.warm(threading.Event())
    assert loads == [user, user]
