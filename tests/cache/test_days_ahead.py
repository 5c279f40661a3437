"""Summaries of days that had been looked at before they began: nothing that was done since is missing in them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cache.values import SUMMARY_DAILY
from data import instances, tasks
from data.calculations.composite import COMPOSITE_DAYS
from data.calculations.summary import DailySummary
from data.database import Transaction
from events.catalog import InstanceId, TaskCompleted, TaskId, UserId
from tests.house import House

EVENING = datetime(2026, 5, 13, 23, 57, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 14, tzinfo=UTC)
TODAY = EVENING.date()


def planned(house: House) -> InstanceId:
    return instances.plan(house.database, house.user, tasks.create(house.database, house.user, name="Taxes"))


def shown(house: House) -> DailySummary:
    """Return the summary as a page shows it, and fail if it is another one than a fresh one."""
    with house.manager.snapshot(house.user) as snapshot:
        found = snapshot.get(SUMMARY_DAILY)
        assert found == snapshot.load(SUMMARY_DAILY)
    return found


Look = Callable[[], object]


def completed(house: House, look: Look) -> None:
    look()
    instances.complete(house.database, house.user, planned(house), actual_minutes=30)


def undone(house: House, look: Look) -> None:
    instance = planned(house)
    instances.complete(house.database, house.user, instance)
    look()
    instances.undo(house.database, house.user, instance)


def cancelled(house: House, look: Look) -> None:
    look()
    instances.cancel(house.database, house.user, planned(house))


def cancellation_undone(house: House, look: Look) -> None:
    instance = planned(house)
    instances.cancel(house.database, house.user, instance)
    look()
    instances.undo(house.database, house.user, instance)


def edited(house: House, look: Look) -> None:
    instance = planned(house)
    instances.complete(house.database, house.user, instance)
    look()
    instances.edit(house.database, house.user, instance, actual_minutes=77.0)


@pytest.mark.parametrize(
    "ahead", [timedelta(minutes=5), *(timedelta(days=days) for days in range(1, COMPOSITE_DAYS + 1))]
)
@pytest.mark.parametrize("act", [completed, undone, cancelled, cancellation_undone, edited])
def test_what_was_seen_by_a_clock_that_was_ahead_holds_what_was_done_after_it_was_set_right(
    any_house: House, act: Callable[[House, Look], None], ahead: timedelta
) -> None:
    """Nobody has said that the day began: the scheduler is off."""
    house = any_house

    def look() -> None:
        house.clock.now = EVENING + ahead
        shown(house)
        house.clock.now = EVENING

    look()
    act(house, look)
    look()


def test_what_was_seen_while_a_command_that_began_before_midnight_was_not_on_disk_holds_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.clock.now = EVENING
    instance = planned(house)
    run, is_done, go = house.database._run, threading.Event(), threading.Event()

    def run_slowly(command: Callable[[Transaction], Any], staged: Any = None) -> Any:
        def slow(transaction: Transaction) -> Any:
            result = command(transaction)
            is_done.set()
            assert go.wait(10)
            return result

        return run(slow, staged)

    monkeypatch.setattr(house.database, "_run", run_slowly)
    command = threading.Thread(target=instances.complete, args=(house.database, house.user, instance))
    command.start()
    assert is_done.wait(10)
    house.clock.now = MIDNIGHT
    assert shown(house).yesterday.completed == 0
    go.set()
    command.join()
    assert shown(house).yesterday.completed == 1


def test_the_days_that_an_event_names_are_as_many_as_a_summary_looks_back() -> None:
    event = TaskCompleted(
        user=UserId(1), at=EVENING, task=TaskId("t"), instance=InstanceId("i"), earliest_day=TODAY, today=TODAY
    )
    assert event.later_days() == tuple(str(TODAY + timedelta(days=n)) for n in range(1, COMPOSITE_DAYS + 1))


def test_the_summary_of_today_stays_kept_whatever_is_done_today(house: House) -> None:
    house.clock.now = EVENING
    shown(house)
    for act in (completed, cancelled):
        act(house, lambda: None)
        assert house.manager.why(SUMMARY_DAILY, house.user).state == "fresh"
