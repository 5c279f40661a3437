"""The sweep of `make days`, thinned: the zones with the oddest clocks, through the years in which they were odd."""

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from data import days
from tests.scheduler import sweep
from tests.scheduler.sweep import DAY_STARTS, Progress, behaviours, cron_dates, judge, through_database

ODD = [
    ("Africa/Cairo", 2026),  # no midnight
    ("America/Nuuk", 2024),  # no 23:30
    ("America/St_Johns", 2006),  # midnight twice
    ("Antarctica/Casey", 2020),  # three hours forward, from 00:01
    ("Atlantic/Azores", 2026),
    ("Australia/Lord_Howe", 2026),  # half an hour
    ("Europe/Berlin", 2026),
]


def year(number: int) -> tuple[datetime, datetime]:
    return datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("name", "number"), ODD, ids=[name for name, _ in ODD])
def test_awake_asleep_restarted_and_with_its_clock_set_each_date_starts_once(name: str, number: int) -> None:
    ((shifts, names),) = behaviours([name], year(number)).items()
    found = judge(names, shifts, year(number), every=False, cron=False)
    assert found.wrong == ()
    assert found.starts > 15 * 365


@pytest.mark.parametrize("day_start", DAY_STARTS)
def test_the_date_that_samoa_skipped_is_not_started(day_start: str) -> None:
    span = datetime(2011, 12, 27, tzinfo=UTC), datetime(2012, 1, 5, tzinfo=UTC)
    started, _, _ = sweep.walk("Pacific/Apia", day_start, sweep.looks(span, [], every=True), [])
    assert date(2011, 12, 30) not in started
    assert started == sweep.civil_dates(ZoneInfo("Pacific/Apia"), started[0], started[-1])


def test_in_one_database_users_of_all_these_zones_start_each_date_once() -> None:
    names = [name for name, _ in ODD]
    spring = datetime(2026, 3, 25, tzinfo=UTC), datetime(2026, 4, 28, tzinfo=UTC)
    count, wrong = through_database(names, spring, random.Random(1), Progress())
    assert wrong == []
    assert count > len(names) * len(DAY_STARTS) * 30


def test_the_sweep_notices_a_look_that_compares_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "due", lambda own, last, today: [today] if today != last else [])
    ((shifts, names),) = behaviours(["America/St_Johns"], year(2006)).items()
    assert judge(names, shifts, year(2006), every=False, cron=False).wrong
    assert days.due is not sweep.due


def test_a_cron_job_at_midnight_misses_the_days_without_one() -> None:
    """Why we look instead."""
    fired = {day for _, day in cron_dates(ZoneInfo("Africa/Cairo"), "00:00", year(2026))}
    assert date(2026, 4, 24) not in fired
