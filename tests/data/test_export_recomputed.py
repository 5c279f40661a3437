"""The numbers on the pages, computed once more from the exported CSV files alone: in SQL, by the glossary's sentences.

Nothing of `data.calculations` computes here; its values are only what comes out has to agree with. Somebody with
another tool, a spreadsheet perhaps, would go about it like this.
"""

import csv
import math
import sqlite3
import statistics
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cache import values
from cache.snapshot import Snapshot
from data import demo, preferences, transfer
from tests.house import Clock, open_house

TODAY = date(2026, 4, 7)  # clocks went forward a month ago, so some days of the history have 23 hours
KINDS = ("work", "play", "self_care", "sleep", "other")

NUMBERS_SQL = """
CREATE TABLE measured AS SELECT
    one.id, task_id, name, kind, local_day(completed_at) AS day, instant(completed_at) AS moment,
    actual_relief AS relief, actual_aversion AS aversion, predicted_motivation AS motivation,
    actual_mental_load AS mental_load, actual_emotional_load AS emotional_load, actual_physical_load AS physical_load,
    predicted_relief, predicted_aversion, one.estimate_minutes, actual_minutes, completion_percent,
    (actual_mental_load + actual_emotional_load + actual_physical_load) / 3.0 AS stress,
    (actual_mental_load + actual_emotional_load + actual_aversion) / 3.0 AS difficulty,
    actual_relief - predicted_relief AS surprise,
    max(0, instant(ifnull(started_at, completed_at)) - instant(one.created_at)) / 60.0 AS delay_minutes,
    CASE WHEN actual_minutes > 0 AND one.estimate_minutes > 0 THEN 100 * (1 - abs(actual_minutes - one.estimate_minutes)
        / max(actual_minutes, one.estimate_minutes)) END AS time_accuracy,
    actual_relief * actual_minutes / 60 * completion_percent / 100 AS relief_points,
    count(*) OVER earlier - 1 AS earlier,
    first_value(actual_aversion) OVER earlier - actual_aversion AS aversion_drop
FROM instances AS one JOIN tasks ON tasks.id = task_id WHERE state = 'completed'
WINDOW earlier AS (PARTITION BY task_id ORDER BY instant(completed_at), one.id ROWS UNBOUNDED PRECEDING);
ALTER TABLE measured ADD COLUMN net_wellbeing;
ALTER TABLE measured ADD COLUMN stress_efficiency;
ALTER TABLE measured ADD COLUMN serendipity;
ALTER TABLE measured ADD COLUMN disappointment;
ALTER TABLE measured ADD COLUMN grit;
ALTER TABLE measured ADD COLUMN execution;
UPDATE measured SET
    net_wellbeing = relief - stress, stress_efficiency = relief / max(stress, 1.0),
    serendipity = max(0, surprise), disappointment = max(0, -surprise),
    execution = (ifnull(0.35 * difficulty, 0) + ifnull(0.25 * time_accuracy, 0) + 20 * exp(-delay_minutes / 1440)
        + ifnull(0.2 * min(completion_percent, 100), 0)) / (0.2 + 0.35 * (difficulty IS NOT NULL)
        + 0.25 * (time_accuracy IS NOT NULL) + 0.2 * (completion_percent IS NOT NULL));
UPDATE measured SET grit = 0.5 * aversion + 0.3 * disappointment + 0.2 * min(100, 10 * earlier);
CREATE TABLE cancelled AS SELECT local_day(cancelled_at) AS day FROM instances WHERE state = 'cancelled';
"""
NUMBERS = ("predicted_", "actual_", "estimate_minutes", "completion_percent")
AVERAGES = (
    *("relief", "stress", "net_wellbeing", "stress_efficiency", "aversion", "mental_load", "emotional_load"),
    *("physical_load", "motivation", "delay_minutes", "time_accuracy", "execution", "grit", "serendipity"),
    "disappointment",
)


class Sheet:
    """The exported files as tables of a database of their own, and what one asks them."""

    def __init__(self, folder: Path) -> None:
        self._sql = sqlite3.connect(":memory:")
        own = {name: _rows(folder / f"{name}.csv") for name in ("tasks", "instances", "user_preferences")}
        (self.preferences,) = own["user_preferences"]
        zone, (hours, minutes) = ZoneInfo(self.preferences["time_zone"]), self.preferences["day_start"].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes))

        def local_day(cell: str) -> str:
            wall = datetime.fromisoformat(cell).astimezone(zone).replace(tzinfo=None)
            return (wall - offset).date().isoformat()

        self._sql.create_function("local_day", 1, local_day)
        self._sql.create_function("instant", 1, lambda cell: datetime.fromisoformat(cell).timestamp())
        self._sql.create_function("exp", 1, math.exp)
        for name in ("tasks", "instances"):
            columns = list(own[name][0])
            typed = [f"{column} {'REAL' if column.startswith(NUMBERS) else 'TEXT'}" for column in columns]
            self._sql.execute(f"CREATE TABLE {name} ({', '.join(typed)})")
            marks = ", ".join("?" * len(columns))
            self._sql.executemany(f"INSERT INTO {name} VALUES ({marks})", [list(row.values()) for row in own[name]])
        self._sql.executescript(NUMBERS_SQL)

    def ask(self, sql: str, *given: Any) -> Any:
        """Return the one value that *sql* asks for."""
        ((found,),) = self._sql.execute(sql, given)
        return found

    def rows(self, sql: str, *given: Any) -> list[Any]:
        return self._sql.execute(sql, given).fetchall()

    def close(self) -> None:
        self._sql.close()


def _rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snapshot, Sheet]]:
    """What the pages show of two hundred made-up days, and the files that were exported of them."""
    folder = tmp_path_factory.mktemp("life")
    with open_house(folder, clock=Clock(datetime(2026, 4, 7, 16, tzinfo=UTC))) as house:
        preferences.change(house.database, house.user, time_zone="America/New_York", day_start="03:00")
        demo.add(house.database, house.user, days=200, per_day=5, seed=7)
        transfer.export_to(house.database, house.user, folder / "csv")
        with closing(Sheet(folder / "csv")) as sheet, house.manager.snapshot(house.user) as shown:
            assert sheet.ask("SELECT count(*) FROM measured") > 500
            yield shown, sheet


def days_ending(last: date, length: int) -> list[str]:
    return [(last - timedelta(days=ago)).isoformat() for ago in range(length)]


def within(days: list[str]) -> str:
    return f"day BETWEEN '{min(days)}' AND '{max(days)}'"


def test_todays_and_earlier_metrics(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    trends = shown.get(values.ANALYTICS_TRENDS)
    compared = 0
    for place in range(-20, 0):
        day = trends.days[place]
        own = f"FROM measured WHERE day = '{day}'"
        done = sheet.ask(f"SELECT count(*) {own}")
        given_up = sheet.ask(f"SELECT count(*) FROM cancelled WHERE day = '{day}'")
        minutes = [row[0] for row in sheet.rows(f"SELECT actual_minutes {own} AND actual_minutes IS NOT NULL")]
        expected = {f"avg_{name}": sheet.ask(f"SELECT avg({name}) {own}") for name in AVERAGES} | {
            "completed": done,
            "cancelled": given_up,
            "completion_rate": 100 * done / (done + given_up) if done + given_up else None,
            "median_minutes": statistics.median(minutes) if minutes else None,
            "prediction_bias": sheet.ask(f"SELECT avg(predicted_relief - relief) {own}"),
            "aversion_bias": sheet.ask(f"SELECT avg(predicted_aversion - aversion) {own}"),
            "relief_per_hour": sheet.ask(
                f"SELECT 60 * sum(relief_points) / sum(actual_minutes) {own} AND relief_points IS NOT NULL"
            ),
            "productive_minutes": sheet.ask(f"SELECT total(actual_minutes) {own} AND kind IN ('work', 'self_care')"),
        }
        for name, number in expected.items():
            assert trends.of(name).daily[place] == pytest.approx(number), (day, name)
            compared += number is not None
    assert compared > 300


def test_the_composite_score_of_the_week(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    week = days_ending(TODAY, 7)
    own = f"FROM measured WHERE {within(week)}"
    by_kind = {
        (kind, day): sheet.ask("SELECT total(actual_minutes) FROM measured WHERE kind = ? AND day = ?", kind, day)
        for kind in KINDS
        for day in week
    }
    tracked = [sum(min(480, by_kind[k, day]) if k == "sleep" else by_kind[k, day] for k in KINDS) for day in week]
    work = [by_kind["work", day] for day in week]
    rest = sum(by_kind[kind, day] for kind in ("play", "self_care") for day in week)
    done, efficiency = sheet.ask(f"SELECT count(*) {own}"), sheet.ask(f"SELECT avg(stress_efficiency) {own}")
    given_up = sheet.ask(f"SELECT count(*) FROM cancelled WHERE {within(week)}")
    target = float(sheet.preferences["target_minutes_per_day"])
    expected = {
        "tracking_consistency": statistics.mean(100 * (1 - math.exp(-2 * minutes / 1440)) for minutes in tracked),
        "low_stress": 100 - sheet.ask(f"SELECT avg(stress) {own}"),
        "net_wellbeing_normalized": 50 + sheet.ask(f"SELECT avg(net_wellbeing) {own}") / 2,
        "stress_efficiency_score": 100 * efficiency / (1 + efficiency),
        "avg_relief": sheet.ask(f"SELECT avg(relief) {own}"),
        "work_volume": min(100, 100 * statistics.mean(work) / target),
        "work_consistency": 100 * max(0, 1 - statistics.stdev(work) / statistics.mean(work)),
        "life_balance": 100 * (1 - abs(sum(work) - rest) / (sum(work) + rest)),
        "weekly_relief": 100 * (1 - math.exp(-sheet.ask(f"SELECT sum(relief_points) {own}") / 1000)),
        "completion_rate": 100 * done / (done + given_up),
        "self_care_frequency": min(100, 50 * sheet.ask(f"SELECT count(*) {own} AND kind = 'self_care'") / 7),
        "avg_execution": sheet.ask(f"SELECT avg(execution) {own}"),
    }
    composite = shown.get(values.ANALYTICS_COMPOSITE_SCORES).composite
    assert {part.name: part.value for part in composite.parts} == pytest.approx(expected)
    assert composite.score == pytest.approx(statistics.mean(expected.values()))


def test_the_relief_summary(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    relief = shown.get(values.ANALYTICS_RELIEF_SUMMARY)
    assert relief.completed == sheet.ask("SELECT count(*) FROM measured")
    assert relief.relief_points == pytest.approx(sheet.ask("SELECT sum(relief_points) FROM measured"))
    for sign, side in ((">", relief.positive), ("<", relief.negative)):
        count, total = sheet.rows(f"SELECT count(*), total(net_wellbeing) FROM measured WHERE net_wellbeing {sign} 0")[
            0
        ]
        assert (side.count, side.total) == (count, pytest.approx(total))
    for kind in relief.by_kind:
        own = sheet.rows("SELECT count(*), sum(relief_points), avg(relief) FROM measured WHERE kind = ?", kind.kind)
        assert (kind.completed, kind.relief_points, kind.avg_relief) == pytest.approx(own[0])
    for spread in relief.spreads:
        felt = [row[0] for row in sheet.rows(f"SELECT {spread.feeling} FROM measured")]
        felt = [one for one in felt if one is not None]
        assert (spread.n, spread.median) == (len(felt), statistics.median(felt))


def test_how_attributes_go_together(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    pairs = shown.get(values.ANALYTICS_CORRELATIONS).pairs
    known = 0
    for pair in pairs:
        found = sheet.rows(f"SELECT {pair.first}, {pair.second} FROM measured")
        xs, ys = zip(*(row for row in found if None not in row), strict=True)
        assert pair.n == len(xs), pair
        if pair.r is None:
            assert len(set(xs)) == 1 or len(set(ys)) == 1, pair
            continue
        known += 1
        assert pair.r == pytest.approx(statistics.correlation(xs, ys), abs=1e-9), pair
    assert known > len(pairs) / 2


def test_where_time_went(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    distribution = shown.get(values.ANALYTICS_DISTRIBUTION)
    everything = sheet.ask("SELECT total(actual_minutes) FROM measured")
    for column, portions in (("task_id", distribution.by_task), ("kind", distribution.by_kind)):
        rows = sheet.rows(f"SELECT {column}, count(*), total(actual_minutes) FROM measured GROUP BY 1")
        assert {one.key: (one.completed, one.minutes, one.share) for one in portions} == {
            key: (count, pytest.approx(minutes), pytest.approx(100 * minutes / everything))
            for key, count, minutes in rows
        }


def test_streak_and_yesterday(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    done = {row[0] for row in sheet.rows("SELECT DISTINCT day FROM measured")}
    day, streak = TODAY if TODAY.isoformat() in done else TODAY - timedelta(days=1), 0
    while day.isoformat() in done:
        day, streak = day - timedelta(days=1), streak + 1
    assert shown.get(values.DASHBOARD_METRICS).card("streak_days").value == streak
    yesterday = shown.get(values.SUMMARY_DAILY).yesterday
    own = f"FROM measured WHERE day = '{TODAY - timedelta(days=1)}'"
    assert yesterday.completed == sheet.ask(f"SELECT count(*) {own}")
    minutes = dict(sheet.rows(f"SELECT kind, sum(actual_minutes) {own} GROUP BY kind"))
    counted = {kind: min(480, minutes.get(kind, 0)) if kind == "sleep" else minutes.get(kind, 0) for kind in KINDS}
    assert {one.kind: one.minutes for one in yesterday.minutes_by_kind} == pytest.approx(counted)
    hardest = sheet.rows(f"SELECT id, difficulty {own} ORDER BY difficulty DESC, moment, id LIMIT 1")
    assert yesterday.hardest is not None
    assert (yesterday.hardest.instance_id, yesterday.hardest.score) == (hardest[0][0], pytest.approx(hardest[0][1]))


def test_what_a_task_is_expected_to_be_like(both: tuple[Snapshot, Sheet]) -> None:
    shown, sheet = both
    found = shown.get(values.ANALYTICS_RECOMMENDATIONS).templates
    usual = sheet.ask("SELECT avg(relief) FROM measured")
    for one in found:
        seen = sheet.rows("SELECT day, relief FROM measured WHERE task_id = ? AND relief IS NOT NULL", one.task_id)
        weights = [0.5 ** ((TODAY - date.fromisoformat(day)).days / 30) for day, _ in seen]
        total = sum(weight * relief for weight, (_, relief) in zip(weights, seen, strict=True))
        assert one.expected_relief == pytest.approx((total + 3 * usual) / (sum(weights) + 3)), one.name
    assert found
