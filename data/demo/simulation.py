"""Somebody's year of tasks, made up: rows for the tables from a seed. No database here.

Moods persist from day to day and colour how things feel; what is done often is feared less and estimated better; what
is disliked is put off; weekends are not weekdays. Numbers are plausible, not measured on anybody.
"""

import math
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from data.days import ONE_DAY, Calendar, parse_clock_time
from data.demo.templates import GLAD, NIGHT, SORRY, TEMPLATES, Template
from data.models import WEEKDAYS, CancelReason, Instance, Kind, Routine, State

Row = dict[str, Any]

MOOD_PERSISTENCE = 0.8
"""How much of yesterday's mood is left today: the coefficient of an AR(1) process."""

DAY_OFF = 0.04
"""The share of days on which nothing is done at all: streaks end now and then."""

_WEEKDAY_TONE = (-0.35, -0.1, 0.0, 0.0, 0.2, 0.4, 0.15)
_WEEKDAY_SHARE = (1.15, 1.15, 1.1, 1.1, 1.0, 0.8, 0.7)
_MAX_LATER_TODAY = 8
_TAIL = 64
_OPEN_ROLES = ("active", "planned", "overdue", "paused", "planned", "due", "overdue", "due", "planned")
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Habit:
    """One task of the demo while its history is being made up."""

    id: str
    template: Template
    done: int = 0
    first_planned: datetime | None = None

    def noticed(self, created_at: datetime) -> None:
        if self.first_planned is None or created_at < self.first_planned:
            self.first_planned = created_at


class Life:
    """The demo of one seed: exactly *count* instances on the *days* that end today. No clock, no database.

    Iterate over `instances` to the end, then over `tasks`.
    """

    def __init__(self, *, calendar: Calendar, now: datetime, days: int, count: int, seed: int) -> None:
        self._calendar = calendar
        self._now = now = now.replace(microsecond=0)
        self._days = days
        self._count = count
        # Seeded with text: as integers, -1 would be the same seed as 1.
        self._random = random.Random(f"demo {seed}")  # nosec B311  # made-up data
        self._ids = random.Random(f"ids of demo {seed}")  # nosec B311  # made-up data
        self._habits = [_Habit(self._new_id(), template) for template in TEMPLATES]
        self._night = _Habit(self._new_id(), NIGHT)
        self._today = calendar.day_of(now)
        self._first_day = self._today - ONE_DAY * (days - 1)
        self._begin = calendar.starts(self._first_day)
        self._later_today = 0
        # Hundreds of instances a day are for benchmarks; they become short, so that a day keeps its length.
        self._shortening = min(1.0, 12 * days / count)

    def instances(self) -> Iterator[Row]:
        """Yield all rows of the table `instances`, roughly in the order of time."""
        tail: list[tuple[_Habit, Row]] = []
        for habit, row in self._history():
            tail.append((habit, row))
            if len(tail) == 2 * _TAIL:
                yield from (settled for _, settled in tail[:_TAIL])
                del tail[:_TAIL]
        self._reopen(tail)
        for habit, row in tail:
            habit.noticed(row["created_at"])
            yield row

    def tasks(self) -> Iterator[Row]:
        """Yield the rows of the table `tasks`, each created before the first of its instances."""
        for habit in (*self._habits, self._night):
            template = habit.template
            first = habit.first_planned or self._begin
            created = first - _MINUTE * self._random.randint(1, 25)
            version = self._random.choice((1, 1, 1, 2, 3))
            updated = created if version == 1 else created + (self._now - created) * self._random.random()
            due = self._due(habit.template)
            yield {
                "id": habit.id,
                "name": template.name,
                "description": template.description,
                "kind": template.kind.value,
                "categories": template.categories,
                "estimate_minutes": template.minutes,
                "default_aversion": template.aversion,
                "routine": template.routine.value,
                "routine_weekdays": template.weekdays,
                "routine_at": template.at,
                "due_at": due,
                "notes": template.notes,
                "archived": template.until < 1,
                "demo": True,
                "version": version,
                "created_at": created,
                "updated_at": updated.replace(microsecond=0),
            }

    def _history(self) -> Iterator[tuple[_Habit, Row]]:
        moods, numbers = self._plan_days()
        for index, (mood, number) in enumerate(zip(moods, numbers, strict=True)):
            day = self._first_day + ONE_DAY * index
            tone = mood + _WEEKDAY_TONE[day.weekday()]
            habits = self._choose(day, index / self._days, tone, number)
            for habit in habits:
                row = self._attempt(habit, day, tone)
                habit.noticed(row["created_at"])
                yield habit, row

    def _plan_days(self) -> tuple[list[float], list[int]]:
        """Return each day's mood (mean 0, deviation 1) and its number of instances, which add up to the count."""
        moods, shares = [], []
        mood = self._random.gauss(0, 1)
        for index in range(self._days):
            weekday = (self._first_day + ONE_DAY * index).weekday()
            mood = MOOD_PERSISTENCE * mood + math.sqrt(1 - MOOD_PERSISTENCE**2) * self._random.gauss(0, 1)
            moods.append(mood)
            share = _WEEKDAY_SHARE[weekday] * math.exp(0.12 * mood + self._random.gauss(0, 0.2))
            is_off = self._random.random() < DAY_OFF and index < self._days - 1
            shares.append(0.0 if is_off else share)
        total = sum(shares)
        numbers, sum_of_shares, given = [], 0.0, 0
        for share in shares:
            sum_of_shares += share
            upto = round(self._count * sum_of_shares / total)
            numbers.append(upto - given)
            given = upto
        numbers[-1] += self._count - given
        return moods, numbers

    def _choose(self, day: date, progress: float, tone: float, number: int) -> list[_Habit]:
        weekday = day.weekday()
        chosen = []
        if number > 1 and day > self._first_day and self._random.random() < 0.85:
            chosen.append(self._night)
            number -= 1
        weights = [_appeal(habit.template, weekday, progress, tone) for habit in self._habits]
        return chosen + self._random.choices(self._habits, weights, k=number)

    def _attempt(self, habit: _Habit, day: date, tone: float) -> Row:
        rng = self._random
        template = habit.template
        practice = math.exp(-habit.done / 25)
        aversion = template.aversion * (0.5 + 0.5 * practice) - 4 * tone + rng.gauss(0, 6)
        estimate = self._estimate(template)
        expected = estimate or template.minutes * self._shortening
        minutes = expected * math.exp(rng.gauss(0.06 + 0.12 * practice, 0.18 + 0.25 * practice))
        if template is NIGHT:
            minutes = min(max(minutes, 300), 560)
        wall = self._wall_time(template, day)
        started = self._instant(wall)
        created = min(self._instant(self._planned_at(template, wall, aversion, tone)), started)
        if created < self._begin:
            created = min(self._begin, started) + timedelta(
                seconds=round(max(started - self._begin, timedelta()).total_seconds() * rng.random())
            )
        row = _BLANK | {
            "id": self._new_id(),
            "task_id": habit.id,
            "estimate_minutes": estimate,
            "created_at": created,
            "demo": True,
            **self._predicted(template, aversion, tone),
        }
        if rng.random() < 0.12 and template.routine is Routine.NONE and template.kind in (Kind.WORK, Kind.OTHER):
            row["due_at"] = (created + timedelta(hours=rng.choice((6, 24, 48, 72, 168)))).replace(minute=0, second=0)
        if rng.random() < 0.03 + 0.13 * (max(aversion, 0) / 100) ** 2 - 0.02 * max(-1.5, min(tone, 1.5)):
            self._give_up(row, started, minutes, aversion, tone)
        elif rng.random() < 0.07 and template is not NIGHT:
            self._log_afterwards(row, started, minutes)
        else:
            self._work(row, started, minutes)
        if row["state"] == State.COMPLETED:
            self._feel(row, template, aversion, practice, tone)
            habit.done += 1
        return self._not_in_the_future(row)

    def _estimate(self, template: Template) -> float | None:
        if template is NIGHT:
            return template.minutes
        if self._random.random() < 0.04:
            return None
        scaled = template.minutes * self._shortening * self._random.choice((0.75, 1.0, 1.0, 1.0, 1.25))
        return max(5.0 * round(scaled / 5), 5.0) if scaled >= 5 else max(round(scaled, 1), 0.5)

    def _wall_time(self, template: Template, day: date) -> datetime:
        """Return when it begins, on the user's wall clock."""
        if template is NIGHT:
            # The night that ends on this day.
            hour = template.hour - 24 + self._random.gauss(0, 0.5)
        else:
            late = 0.9 if day.weekday() >= 5 else 0.0
            spread = 0.5 if template.at else 1.6
            hour = min(max(template.hour + late + self._random.gauss(0, spread), 6.2), 22.9)
        return datetime.combine(day, time()) + timedelta(seconds=round(hour * 3600))

    def _planned_at(self, template: Template, wall: datetime, aversion: float, tone: float) -> datetime:
        """Return when it was planned: the more disliked, the longer before. People plan while they are awake."""
        median_hours = 0.5 * math.exp(max(aversion, 0) / 22 - 0.15 * tone)
        if template.routine is not Routine.NONE:
            median_hours *= 0.4
        hours = min(median_hours * math.exp(self._random.gauss(0, 0.8)), 24 * 21)
        planned = wall - timedelta(seconds=round(hours * 3600))
        if planned.hour < 6:
            planned -= timedelta(hours=planned.hour + 1 + 2 * self._random.random())
        return planned.replace(microsecond=0)

    def _instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self._calendar.zone).astimezone(UTC)

    def _predicted(self, template: Template, aversion: float, tone: float) -> Row:
        rng = self._random
        if rng.random() < 0.05:
            return {}
        return {
            # Hopes are too low for what is disliked, and too high for what is fun.
            "predicted_relief": _feeling(template.relief - 0.14 * (aversion - 30) + 3 * tone + rng.gauss(0, 9)),
            "predicted_mental_load": _feeling(template.mental + 5 - 2 * tone + rng.gauss(0, 8)),
            "predicted_emotional_load": _feeling(template.emotional + 8 - 3 * tone + rng.gauss(0, 8)),
            "predicted_physical_load": _feeling(template.physical + 2 + rng.gauss(0, 7)),
            "predicted_aversion": _feeling(aversion + 5 + rng.gauss(0, 6)),
            "predicted_motivation": _feeling(74 - 0.5 * aversion + 8 * tone + rng.gauss(0, 8)),
        }

    def _feel(self, row: Row, template: Template, aversion: float, practice: float, tone: float) -> None:
        rng = self._random
        ease = 0.8 + 0.2 * practice
        relief = template.relief + 6 * tone + 0.08 * (aversion - 40) + rng.gauss(0, 8)
        share = 100.0
        if rng.random() < 0.14 - 0.04 * max(-1.5, min(tone, 1.5)):
            share = float(rng.choice((40, 50, 60, 75, 80, 90)))
            relief -= (100 - share) * 0.2
        elif rng.random() < 0.04:
            share = float(rng.choice((110, 125, 150)))
        row["completion_percent"] = share
        row["actual_relief"] = _feeling(relief)
        row["actual_mental_load"] = _feeling(template.mental * ease - 5 * tone + rng.gauss(0, 7))
        row["actual_emotional_load"] = _feeling(template.emotional * ease - 6 * tone + rng.gauss(0, 7))
        if rng.random() < 0.97:
            row["actual_physical_load"] = _feeling(template.physical * ease - 2 * tone + rng.gauss(0, 6))
        row["actual_aversion"] = _feeling(aversion - 3 + rng.gauss(0, 5))
        if rng.random() < 0.07:
            expected = row.get("predicted_relief")
            row["note"] = rng.choice(GLAD if expected is None or row["actual_relief"] >= expected else SORRY)

    def _work(self, row: Row, started: datetime, minutes: float) -> None:
        """Let the timer run, with a pause now and then, as the commands would."""
        rng = self._random
        seconds = max(round(minutes * 60), 30)
        parts = [seconds]
        gap = 0
        if seconds > 900 and row["task_id"] != self._night.id and rng.random() < 0.18:
            first = round(seconds * rng.uniform(0.25, 0.75))
            parts = [first, seconds - first]
            gap = rng.randint(120, 2700)
            row["paused_at"] = started + timedelta(seconds=first)
        row["state"] = State.COMPLETED.value
        row["undo_state"] = State.ACTIVE.value
        row["started_at"] = started
        row["completed_at"] = started + timedelta(seconds=seconds + gap)
        row["timed_minutes"] = sum(part / 60 for part in parts)
        row["actual_minutes"] = row["timed_minutes"]
        if rng.random() < 0.05:
            row["actual_minutes"] = max(5.0 * round(minutes / 5), 1.0)  # corrected by hand

    def _log_afterwards(self, row: Row, started: datetime, minutes: float) -> None:
        row["state"] = State.COMPLETED.value
        row["undo_state"] = State.PLANNED.value
        row["completed_at"] = started + timedelta(seconds=max(round(minutes * 60), 30))
        if self._random.random() < 0.8:
            row["actual_minutes"] = max(5.0 * round(minutes / 5), 1.0)

    def _give_up(self, row: Row, started: datetime, minutes: float, aversion: float, tone: float) -> None:
        rng = self._random
        row["state"] = State.CANCELLED.value
        row["undo_state"] = State.PLANNED.value
        row["cancelled_at"] = started
        if rng.random() < 0.3:
            seconds = max(round(minutes * 60 * rng.uniform(0.1, 0.5)), 30)
            row["undo_state"] = State.ACTIVE.value
            row["started_at"] = started
            row["timed_minutes"] = seconds / 60
            row["cancelled_at"] = started + timedelta(seconds=seconds)
        weights = (4.0, 2.5 - tone, aversion / 12, 1.5, 1.0, 0.8)
        row["cancel_reason"] = rng.choices(list(CancelReason), [max(weight, 0.1) for weight in weights])[0].value

    def _not_in_the_future(self, row: Row) -> Row:
        """Turn what has not begun yet into a plan for later today; move the rest of it back by days."""
        finished = row["completed_at"] or row["cancelled_at"]
        if finished <= self._now:
            return row
        if (row["started_at"] or finished) > self._now and self._later_today < _MAX_LATER_TODAY:
            self._later_today += 1
            created = min(row["created_at"], self._now - _MINUTE * self._random.randint(5, 300))
            return _plan_again(row, created)
        back = ONE_DAY * math.ceil((finished - self._now) / ONE_DAY)
        for column in ("created_at", "started_at", "paused_at", "completed_at", "cancelled_at", "due_at"):
            if row[column] is not None:
                row[column] -= back
        return row

    def _reopen(self, tail: list[tuple[_Habit, Row]]) -> None:
        """Leave the newest attempt at some tasks unfinished, so that there is something to do."""
        newest: dict[str, int] = {}
        for place in reversed(range(len(tail))):
            habit, row = tail[place]
            if row["state"] == State.COMPLETED and habit.template.until >= 1 and habit is not self._night:
                newest.setdefault(habit.id, place)
        places = list(newest.values())[: 3 * len(_OPEN_ROLES)]
        places.sort(key=lambda place: tail[place][0].template.aversion)
        for role in _OPEN_ROLES[: (self._count + 2) // 4]:
            if not places:
                return
            # What is disliked waits; what is under way is neither loved nor feared.
            place = places.pop(len(places) // 2 if role in ("active", "paused") else -1)
            habit, row = tail[place]
            tail[place] = (habit, _ROLES[role](self._random, row, self._now))

    def _due(self, template: Template) -> datetime | None:
        """Return when the task is due next: by its routine, or for some of the others within two weeks or lately."""
        if template.until < 1:
            return None
        if template.at is not None:
            at = parse_clock_time(template.at)
            days = [self._today + ONE_DAY * ahead for ahead in range(9)]
            right = [day for day in days if not template.weekdays or WEEKDAYS[day.weekday()] in template.weekdays]
            return next(due for day in right if (due := self._instant(datetime.combine(day, at))) > self._now)
        if template.is_late:
            day = self._today - ONE_DAY * self._random.randint(1, 4)
        elif self._random.random() < 0.3:
            day = self._today + ONE_DAY * self._random.randint(1, 14)
        else:
            return None
        return self._instant(datetime.combine(day, time(hour=self._random.randint(9, 20))))

    def _new_id(self) -> str:
        return uuid.UUID(int=self._ids.getrandbits(128), version=4).hex


def _appeal(template: Template, weekday: int, progress: float, tone: float) -> float:
    """Return how likely *template* is chosen on such a day; what is disliked needs a good one."""
    if not template.since <= progress <= template.until:
        return 0.0
    if template.weekdays and WEEKDAYS[weekday] not in template.weekdays:
        return 0.0
    rhythm = template.weekend if weekday >= 5 and not template.weekdays else 1.0
    return template.share * rhythm * math.exp(0.25 * tone * (template.aversion - 45) / 40)


def _feeling(value: float) -> int:
    return max(0, min(100, round(value)))


def _plan_again(row: Row, created: datetime) -> Row:
    """Return *row* as it was when it was planned at *created*."""
    kept = {name: value for name, value in row.items() if name.startswith("predicted_")}
    kept |= {name: row[name] for name in ("id", "task_id", "estimate_minutes", "demo")}
    return _BLANK | kept | {"created_at": created}


def _planned(rng: random.Random, row: Row, now: datetime) -> Row:
    return _plan_again(row, row["created_at"])


def _due_soon(rng: random.Random, row: Row, now: datetime) -> Row:
    return _plan_again(row, row["created_at"]) | {"due_at": now + timedelta(hours=rng.randint(2, 90))}


def _overdue(rng: random.Random, row: Row, now: datetime) -> Row:
    due = now - timedelta(hours=rng.randint(3, 70))
    return _plan_again(row, min(row["created_at"], due - timedelta(hours=rng.randint(10, 60)))) | {"due_at": due}


def _active(rng: random.Random, row: Row, now: datetime) -> Row:
    started = now - timedelta(seconds=rng.randint(300, 2400))
    created = min(row["created_at"], started - _MINUTE * rng.randint(5, 200))
    return _plan_again(row, created) | {"state": State.ACTIVE.value, "started_at": started, "resumed_at": started}


def _paused(rng: random.Random, row: Row, now: datetime) -> Row:
    started = now - timedelta(seconds=rng.randint(6000, 14000))
    ran = timedelta(seconds=rng.randint(600, 2400))
    created = min(row["created_at"], started - _MINUTE * rng.randint(5, 200))
    return _plan_again(row, created) | {
        "state": State.PAUSED.value,
        "started_at": started,
        "paused_at": started + ran,
        "timed_minutes": ran / _MINUTE,
    }


_ROLES: dict[str, Callable[[random.Random, Row, datetime], Row]] = {
    "planned": _planned,
    "due": _due_soon,
    "overdue": _overdue,
    "active": _active,
    "paused": _paused,
}

_COLUMNS: Sequence[str] = [column.name for column in Instance.__table__.columns if column.name != "user_id"]
_BLANK: Row = dict.fromkeys(_COLUMNS) | {"state": State.PLANNED.value, "note": "", "timed_minutes": 0.0}
