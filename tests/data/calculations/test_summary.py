"""The daily summary: finished days only, and sentences that are right with and without data."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from data.calculations.composite import COMPONENTS
from data.calculations.summary import load_daily
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]


def at(hour: int, *, day: int = 9) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def test_it_is_of_yesterday_and_the_seven_days_that_ended_with_it(records: Any, view: MakeView) -> None:
    records.task("taxes", name="Taxes")
    records.task("walk", name="Walk", kind="self_care")
    records.completed(at(9, day=2), "taxes")  # too long ago
    records.completed(at(9, day=3), "taxes", actual_minutes=120.0, actual_relief=90, actual_mental_load=0)
    records.completed(at(9, day=8), "walk", actual_minutes=30.0, actual_relief=50, actual_mental_load=90)
    records.completed(at(9), "taxes", actual_minutes=60.0, actual_relief=70, actual_mental_load=60)
    records.cancelled(at(10), "walk")
    records.completed(at(9, day=10), "taxes", actual_relief=100)  # today
    daily = load_daily(records.read, view())
    yesterday, week = daily.yesterday, daily.week
    assert (yesterday.first_day, yesterday.last_day) == (date(2026, 6, 9), date(2026, 6, 9))
    assert (week.first_day, week.last_day) == (date(2026, 6, 3), date(2026, 6, 9))
    assert (yesterday.completed, yesterday.cancelled, week.completed, week.cancelled) == (1, 1, 3, 1)
    assert (yesterday.work_minutes, yesterday.work_target_minutes) == (60, 360)
    assert (week.work_minutes, week.work_target_minutes, week.minutes) == (180, 2520, 210)
    assert {part.kind: part.minutes for part in week.minutes_by_kind} == {
        "work": 180,
        "play": 0,
        "self_care": 30,
        "sleep": 0,
        "other": 0,
    }
    assert (yesterday.avg_relief, week.avg_relief) == (70, 70)
    assert week.best_relief is not None
    assert week.hardest is not None
    assert (week.best_relief.name, week.best_relief.score, week.best_relief.day) == ("Taxes", 90, date(2026, 6, 3))
    assert (week.hardest.name, week.hardest.score) == ("Walk", 65)
    assert yesterday.best_relief is not None
    assert yesterday.best_relief.score == 70
    assert daily.streak_days == 2
    assert daily.composite.score is not None
    score_and_streak = f"your composite score is {daily.composite.score:.0f} of 100 and your streak stands at 2 days"
    assert daily.sentences == (
        "Yesterday you finished one thing in 1 h, with an average relief of 70.",
        f"In the last 7 days you worked 3 h, 7% of the 42 h you aim for; {score_and_streak}.",
        "“Taxes” brought the most relief (90), and “Walk” was the hardest thing you did (difficulty 65).",
    )


def test_nothing_of_today_changes_it(records: Any, view: MakeView) -> None:
    records.completed(at(9))
    before = load_daily(records.read, view())
    records.completed(at(1, day=10), "new", created_at=at(8))
    records.completed(at(9, day=10))
    records.cancelled(at(9, day=10), created_at=at(8))
    records.instance(created_at=at(9), state="active", started_at=at(9), resumed_at=at(9))
    assert load_daily(records.read, view()) == before


def test_yesterday_ended_when_the_users_day_did(records: Any, view: MakeView) -> None:
    records.completed(at(5, day=10))  # one o'clock at night in New York, where days begin at 03:00
    newyorker = view(time_zone="America/New_York", day_start="03:00")
    assert load_daily(records.read, newyorker).yesterday.completed == 1
    assert load_daily(records.read, view(time_zone="America/New_York")).yesterday.completed == 0


def test_without_data_it_says_so(records: Any, view: MakeView) -> None:
    daily = load_daily(records.read, view())
    assert daily.composite.score is None
    assert daily.streak_days == 0
    assert daily.week.best_relief is daily.week.hardest is daily.week.avg_relief is None
    assert daily.sentences == (
        "Nothing was finished yesterday.",
        "Nothing was finished in the last 7 days, so there is no score yet.",
        "Nothing stood out, because nothing was rated.",
    )


def test_a_streak_that_ended_before_yesterday_is_over(records: Any, view: MakeView) -> None:
    records.completed(at(9, day=8))
    daily = load_daily(records.read, view())
    assert daily.streak_days == 0
    assert "streak" not in daily.sentences[1]


@pytest.mark.parametrize(
    ("felt", "third"),
    [
        ({}, "“Task t” was the hardest thing you did (difficulty 45) and brought the most relief (60)."),
        ({"actual_relief": None}, "“Task t” was the hardest thing you did (difficulty 45)."),
        ({"actual_aversion": None}, "“Task t” brought the most relief (60)."),
        ({"actual_relief": None, "actual_aversion": None}, "Nothing stood out, because nothing was rated."),
    ],
)
def test_the_third_sentence_leaves_out_what_is_unknown(
    records: Any, view: MakeView, felt: dict[str, None], third: str
) -> None:
    records.completed(at(9), **felt)
    assert load_daily(records.read, view()).sentences[2] == third


def test_sentences_leave_out_a_target_that_is_not_set(records: Any, view: MakeView) -> None:
    records.completed(at(9), actual_minutes=None, actual_relief=None)
    records.completed(at(10), actual_minutes=None, actual_relief=None)
    weights = tuple((component.name, 0.0) for component in COMPONENTS)
    daily = load_daily(records.read, view(target_minutes_per_day=0, composite_weights=weights))
    assert daily.sentences[:2] == (
        "Yesterday you finished 2 things.",
        "In the last 7 days you worked 0 min; your streak stands at 1 day.",
    )


def test_of_equal_deeds_the_earliest_stands_out(records: Any, view: MakeView) -> None:
    records.completed(at(9), id="b")
    records.completed(at(9), id="a")
    best = load_daily(records.read, view()).yesterday.best_relief
    assert best is not None
    assert best.instance_id == "a"
