"""Random lives: people who move to other zones and day starts, with routines, beside each other in one database.

After each step, what is on record is compared with a slow and obvious model that reads clocks on the wall and knows
nothing of our calendar. In the first walk the clock is right, in the second it is wrong for a look now and then.
Who stays where they are is walked through ten years of every zone by `sweep`. `make lives` walks for longer.
"""

import contextlib
import functools
import itertools
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from data import preferences, tasks
from data.database import Database
from data.days import MOST_AHEAD, ONE_DAY
from data.models import EPOCH, WEEKDAYS
from events.catalog import TaskId, UserId
from scheduler.day import DayWatch
from tests.data.ledger import dates_started, lines
from tests.house import Clock
from tests.scheduler.sweep import DAY_STARTS, HOUR, QUARTER, SECOND, civil_dates

MINUTE = timedelta(minutes=1)
MOST_PEOPLE = 3
STEPS = [QUARTER, 3 * HOUR, *(HOUR * hours for hours in (24, 48, 72, 80, 96, 120, 144, 240, 720, 365 * 24))]
ZONES = (
    "Africa/Cairo", "America/Havana", "America/Sao_Paulo", "America/St_Johns", "Asia/Beirut", "Australia/Lord_Howe",
    "Etc/GMT+12", "Europe/Berlin", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC",
)  # fmt: skip
BEGINNINGS = (
    ("America/St_Johns", datetime(2006, 10, 27, 21, tzinfo=UTC)),  # is about to have a midnight twice
    ("Pacific/Apia", datetime(2011, 12, 29, 6, tzinfo=UTC)),  # to skip a date
    ("America/Sao_Paulo", datetime(2018, 11, 2, 0, tzinfo=UTC)),  # to have no midnight
    ("Asia/Beirut", datetime(2026, 3, 27, 18, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 22, 20, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 30, 9, tzinfo=UTC)),  # to have the hour after midnight twice
)

zones = st.sampled_from(ZONES)
day_starts = st.sampled_from(DAY_STARTS)
people = st.integers(0, MOST_PEOPLE - 1)
Turn = tuple[TaskId, date]


# --- the model


def furthest(zone: str, now: datetime) -> datetime:
    """Return the latest that clocks have shown up to *now*; they may have been set back since."""
    own = ZoneInfo(zone)
    return max((now - MINUTE * ago).astimezone(own).replace(tzinfo=None) for ago in range(240))


def date_of(zone: str, day_start: str, wall: datetime) -> date:
    """Return whose date it is when clocks show *wall*. One that the zone skipped is nobody's."""
    day = (wall - timedelta(hours=int(day_start[:2]), minutes=int(day_start[3:]))).date()
    return day if exists(zone, day) else day - ONE_DAY


@functools.cache
def exists(zone: str, day: date) -> bool:
    return civil_dates(ZoneInfo(zone), day, day) == [day]


@dataclass
class Habit:
    """A routine: at a local time, or when the day starts (None), from what clocks showed when it was made."""

    at: str | None
    weekdays: frozenset[int]
    made_on: date
    made_at: datetime
    excused: set[date] = field(default_factory=set)
    """Dates that had begun when its time came to lie on the other side of the day start, and with it in another date:
    of one of them it has had the turn by the clock on the wall."""

    def turn(self, day: date, day_start: str) -> datetime:
        """Return what clocks show when it has its turn on *day*."""
        at = self.at or day_start
        return datetime.combine(day if at >= day_start else day + ONE_DAY, time.fromisoformat(at))


@dataclass
class Person:
    """Somebody, and which dates must have started for them."""

    user: UserId
    zone: str
    day_start: str = "00:00"
    started: list[date] = field(default_factory=list)
    habits: dict[TaskId, Habit] = field(default_factory=dict)
    lived: set[date] = field(default_factory=set)
    """Every date that was theirs at some moment, whether or not anybody looked then."""
    unseen: set[date] = field(default_factory=set)
    """Those since the last look or move."""

    def today(self, now: datetime) -> date:
        return date_of(self.zone, self.day_start, furthest(self.zone, now))

    def live(self, since: datetime, now: datetime) -> None:
        """Read the clock on the wall every six hours."""
        own, steps = ZoneInfo(self.zone), (now - since) // (6 * HOUR)
        walls = [(since + 6 * HOUR * step).astimezone(own).replace(tzinfo=None) for step in range(steps + 1)]
        self.unseen |= {date_of(self.zone, self.day_start, wall) for wall in walls} | {self.today(now)}
        self.lived |= self.unseen

    def look(self, now: datetime) -> None:
        """Start what they have lived since the newest that has started; of somebody new, today."""
        new = [day for day in self.unseen if day > self.started[-1]] if self.started else [self.today(now)]
        self.started += sorted(new)
        self.unseen = set()

    def move(self, now: datetime, zone: str, day_start: str) -> None:
        """What was due by the old calendar starts, and the new date. Of somebody new, none before a look."""
        if self.started:
            self.look(now)
        for habit in self.habits.values():
            if habit.at is not None and (habit.at >= self.day_start) != (habit.at >= day_start):
                habit.excused |= {*self.started}
        self.zone, self.day_start, self.unseen = zone, day_start, set()
        self.live(now, now)
        if self.started:
            self.look(now)


# --- what is on record


def table(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.read() as read:
        return [tuple(row) for row in read.connection.exec_driver_sql(sql, values)]


def days_of(database: Database, user: UserId) -> dict[date, datetime]:
    """Date -> what the clock showed when it started, by date."""
    rows = table(database, "SELECT day, started_at FROM days WHERE user_id = ? ORDER BY day", user)
    return {date.fromisoformat(day): EPOCH + timedelta(microseconds=at) for day, at in rows}


def turns_of(database: Database, user: UserId) -> dict[Turn, str | None]:
    """Task and date -> the attempt that was planned for that turn; None if the turn was missed."""
    rows = table(database, "SELECT task_id, day, instance_id FROM routine_days WHERE user_id = ?", user)
    return {(TaskId(task), date.fromisoformat(day)): instance for task, day, instance in rows}


def everything_of(database: Database, user: UserId) -> list[list[tuple[Any, ...]]]:
    names = ("preferences", "days", "tasks", "instances", "routine_days", "routine_marks", "events")
    return [sorted(table(database, f"SELECT * FROM {name} WHERE user_id = ?", user), key=repr) for name in names]


# --- the walks


class Walk(RuleBasedStateMachine):
    """Up to three people in one database that two processes have open. Each step is one thing that may happen."""

    @initialize(beginning=st.sampled_from(BEGINNINGS), quarters=st.integers(0, 96), day_start=day_starts)
    def begin(self, beginning: tuple[str, datetime], quarters: int, day_start: str) -> None:
        zone, start = beginning
        self.opened = contextlib.ExitStack()
        folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        self.clock = Clock(start + QUARTER * quarters)
        self.processes = [Database(f"sqlite:///{folder}/state/reprieve.db", clock=self.clock) for _ in range(2)]
        for process in self.processes:
            self.opened.enter_context(process.opened())
        self.watches = [DayWatch(process) for process in self.processes]
        self.pool = self.opened.enter_context(ThreadPoolExecutor(len(self.watches)))
        self.people: list[Person] = []
        self.turns: dict[UserId, dict[Turn, str | None]] = {}
        self.arrive(zone)
        self.move(0, zone, day_start)
        self.look()
        self.settle()

    def settle(self) -> None:
        """Do what comes first."""

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.close()

    def arrive(self, zone: str) -> None:
        user = preferences.create_user(self.processes[0], f"user {len(self.people)}", time_zone=zone)
        self.people.append(Person(user, zone))
        self.people[-1].live(self.clock.now, self.clock.now)
        self.turns[user] = {}

    def person(self, number: int) -> Person:
        return self.people[number % len(self.people)]

    def go_on(self, length: timedelta) -> None:
        before = self.clock.now
        self.clock.now += length
        for person in self.people:
            person.live(before, self.clock.now)

    def look(self, process: int = 0) -> None:
        """Look as the scheduler does every quarter of an hour, and when it starts."""
        self.watches[process].look()
        self.looked()

    def looked(self) -> None:
        for person in self.people:
            person.look(self.clock.now)

    def move(self, number: int, zone: str | None = None, day_start: str | None = None) -> None:
        person = self.person(number)
        zone, day_start = zone or person.zone, day_start or person.day_start
        with self.nobody_else(person):
            changed = preferences.change(self.processes[-1], person.user, time_zone=zone, day_start=day_start)
        if changed:
            person.move(self.clock.now, zone, day_start)

    @contextlib.contextmanager
    def nobody_else(self, person: Person) -> Iterator[None]:
        """What happens in it touches no row of anybody else."""
        others = [other.user for other in self.people if other is not person]
        before = [everything_of(self.processes[0], other) for other in others]
        yield
        assert [everything_of(self.processes[0], other) for other in others] == before

    # --- what may happen whatever the clock shows

    @rule(hours=st.sampled_from([3, 7, 26]), looks=st.integers(2, 6))
    def everything_runs(self, hours: int, looks: int) -> None:
        for _ in range(looks):
            self.go_on(HOUR * hours)
            self.look()

    @rule(number=people, zone=st.none() | zones, day_start=st.none() | day_starts)
    def somebody_moves(self, number: int, zone: str | None, day_start: str | None) -> None:
        self.move(number, zone, day_start)

    @rule(number=people)
    def somebody_flies_over_a_date(self, number: int) -> None:
        """At half past ten in UTC it is 23:30 where they leave, and 00:30 of the day after tomorrow where they land."""
        self.move(number, "Pacific/Pago_Pago", "00:00")
        leave = self.clock.now.replace(hour=10, minute=30, second=0)
        self.go_on((leave - self.clock.now) % ONE_DAY)
        self.look()
        self.move(number, "Pacific/Kiritimati")

    @rule(number=people, there=zones, day_start=day_starts, quarters=st.integers(0, 40))
    def somebody_goes_there_and_back(self, number: int, there: str, day_start: str, quarters: int) -> None:
        person = self.person(number)
        home = person.zone, person.day_start
        self.move(number, there, day_start)
        self.go_on(QUARTER * quarters)
        self.move(number, *home)

    @rule(
        number=people,
        at=st.none() | st.sampled_from(["00:00", "01:30", "08:00", "23:45"]),
        weekdays=st.sets(st.integers(0, 6), min_size=1) | st.just({*range(7)}),
    )
    def somebody_makes_a_routine(self, number: int, at: str | None, weekdays: set[int]) -> None:
        person, now = self.person(number), self.clock.now
        daily = len(weekdays) == 7
        columns: dict[str, Any] = {
            "routine": "daily" if daily else "weekly",
            "routine_weekdays": () if daily else tuple(WEEKDAYS[day] for day in sorted(weekdays)),
        }
        with self.nobody_else(person):
            task = tasks.create(self.processes[-1], person.user, name="Plants", routine_at=at, **columns)
        person.habits[task] = Habit(at, frozenset(weekdays), person.today(now), furthest(person.zone, now))


class Lives(Walk):
    """The clock is right."""

    # --- time

    @rule(quarters=st.sampled_from([1, 2, 4, 6, 12, 24, 30, 60, 96]))
    def time_passes(self, quarters: int) -> None:
        self.go_on(QUARTER * quarters)

    @rule(number=people, off=st.sampled_from([-SECOND, timedelta(), SECOND]))
    def a_date_begins(self, number: int, off: timedelta) -> None:
        """Go on to the next quarter of an hour in which somebody's date is another one, or to a second beside it."""
        person, now = self.person(number), self.clock.now
        edge = now.replace(minute=now.minute // 15 * 15, second=0) + QUARTER
        while person.today(edge) <= person.today(now):
            edge += QUARTER
        self.go_on(edge + off - now)

    @rule(days=st.integers(1, 21))
    def nothing_runs(self, days: int) -> None:
        self.go_on(ONE_DAY * days)

    # --- looks

    @rule(process=st.sampled_from([0, 1]))
    def a_process_looks(self, process: int) -> None:
        self.look(process)

    @rule()
    def both_processes_look_at_once(self) -> None:
        together = threading.Barrier(len(self.watches))

        def look(watch: DayWatch) -> list[tuple[UserId, date]]:
            together.wait()
            return watch.look()

        told = [started for of_one in self.pool.map(look, self.watches) for started in of_one]
        assert len(set(told)) == len(told), "both say that they have started the same date"
        self.looked()

    @rule(process=st.sampled_from([0, 1]), quarters=st.sampled_from([0, 1, 30, 96]))
    def a_process_plans(self, process: int, quarters: int) -> None:
        """The look of each minute: nobody's day starts by it but that of somebody whose routine has its turn."""
        self.go_on(QUARTER * quarters)
        self.watches[process].plan()
        for person in self.people:
            found = list(days_of(self.processes[0], person.user))
            has_turn = turns_of(self.processes[0], person.user) != self.turns[person.user]
            if found != person.started or (has_turn and person.started):
                person.look(self.clock.now)
        self.check_turns()

    @rule(process=st.sampled_from([0, 1]))
    def a_process_starts_anew(self, process: int) -> None:
        self.watches[process] = DayWatch(self.processes[process])

    # --- people

    @rule(zone=zones)
    def somebody_arrives(self, zone: str) -> None:
        if len(self.people) < MOST_PEOPLE:
            self.arrive(zone)

    # --- what must hold

    def looked(self) -> None:
        super().looked()
        self.check_turns(all_of_them=True)

    def check_turns(self, *, all_of_them: bool = False) -> None:
        """Compare with what there was before this look: who has got which turns. After a look nobody lacks one."""
        now = self.clock.now
        for person in self.people:
            before, found = self.turns[person.user], turns_of(self.processes[0], person.user)
            assert before.items() <= found.items(), "what was planned or listed stays"
            today, wall = person.today(now), furthest(person.zone, now)
            for (task, day), instance in found.items() - before.items():
                habit = person.habits[task]
                turn = habit.turn(day, person.day_start)
                assert day.weekday() in habit.weekdays
                assert turn > habit.made_at or day > habit.made_on, f"{day} had had its turn when the routine was made"
                assert turn <= wall, f"{day} has its turn at {turn}, and clocks show {wall}"
                assert day == today if instance else day < today, "today is planned, and what is over is listed"
                # Before somebody's first look nobody knows which dates were theirs.
                assert day in person.started or day < min(person.started, default=date.max), f"{day} never began"
            for task, habit in person.habits.items() if all_of_them else ():
                for day in {*person.started} - habit.excused:
                    has_come = day < today or (day == today and habit.turn(day, person.day_start) <= wall)
                    if day > habit.made_on and has_come and day.weekday() in habit.weekdays:
                        assert (task, day) in found, f"{day} is neither planned nor listed"
            self.turns[person.user] = found

    @invariant()
    def what_is_on_record_is_what_was_lived(self) -> None:
        if not hasattr(self, "people"):
            return
        log = lines(self.processes[0])
        assert "clock.corrected" not in {name for name, _, _ in log}
        for person in self.people:
            own = [(name, body) for name, whose, body in log if whose == person.user]
            started = [date.fromisoformat(body["day"]) for name, body in own if name == "day.started"]
            assert started == sorted(set(started)), "dates go forward, and none starts again"
            assert started == list(days_of(self.processes[0], person.user)), "one event for each row"
            assert set(started) <= person.lived, "no date is invented"
            assert started == person.started
            missed = Counter(
                (body["task"], day) for name, body in own if name == "routine.missed" for day in body["days"]
            )
            turns = self.turns[person.user]
            assert missed == Counter((task, str(day)) for (task, day), instance in turns.items() if instance is None)
            planned = table(self.processes[0], "SELECT id FROM instances WHERE user_id = ?", person.user)
            assert Counter(id for (id,) in planned) == Counter(instance for instance in turns.values() if instance)


class WrongClocks(Walk):
    """The clock is wrong for a look now and then. While it is right, looks are not more than a day or so apart."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: set[datetime] = set()
        self.furthest_ahead = timedelta()
        self.went_back = False

    def settle(self) -> None:
        """Let two live through the first day, on which a clock that is behind is taken to be right."""
        self.arrive("Europe/Berlin")
        self.look()
        for _ in range(2):
            self.go_on(ONE_DAY)
            self.look()

    @rule(process=st.sampled_from([0, 1]), step=st.sampled_from(STEPS))
    def the_clock_is_ahead_for_a_look(self, process: int, step: timedelta) -> None:
        self.furthest_ahead = max(self.furthest_ahead, step)
        self.clock.now += step
        self.wrong.add(self.clock.now)
        self.watches[process].look()
        self.clock.now -= step

    @rule(process=st.sampled_from([0, 1]), step=st.sampled_from(STEPS))
    def the_clock_is_behind_for_a_look(self, process: int, step: timedelta) -> None:
        """It starts nothing and takes nothing back, but where it is taken to be right."""
        self.look()
        before = [everything_of(self.processes[0], person.user) for person in self.people]
        in_a_pause = [self.is_in_a_pause(person, self.clock.now - step) for person in self.people]
        self.clock.now -= step
        self.watches[process].look()
        self.clock.now += step
        for person, rows, may_be_right in zip(self.people, before, in_a_pause, strict=True):
            if everything_of(self.processes[0], person.user) != rows:
                assert step > MOST_AHEAD
                assert may_be_right
                self.watches[process].look()
                person.started = list(days_of(self.processes[0], person.user))
                person.lived |= {*person.started}
                self.wrong.add(self.clock.now - step)
                self.went_back = True

    def is_in_a_pause(self, person: Person, now: datetime) -> bool:
        """Whether *now* is in more than three days in which nothing started. It was off, or days had started early."""
        starts = sorted({*days_of(self.processes[0], person.user).values()})
        return any(before < now < after and after - before > MOST_AHEAD for before, after in itertools.pairwise(starts))

    def look(self, process: int = 0) -> None:
        with self.compared():
            super().look(process)

    def move(self, number: int, zone: str | None = None, day_start: str | None = None) -> None:
        with self.compared():
            super().move(number, zone, day_start)

    @contextlib.contextmanager
    def compared(self) -> Iterator[None]:
        """What happens in it, by the right clock, takes back what a clock that was ahead had started, and no more."""
        database, latest = self.processes[0], self.clock.now + MOST_AHEAD
        before = [days_of(database, person.user) for person in self.people]
        yield
        for person, stood in zip(self.people, before, strict=True):
            stand, turns = days_of(database, person.user), turns_of(database, person.user)
            assert dates_started(database, person.user) == list(stand), "the log without what was taken back"
            assert {*person.started} <= stand.keys(), "nothing is lost"
            assert all(day in person.lived or at in self.wrong for day, at in stand.items()), "nothing is invented"
            if stood and person.started[-1] > max(day for day, at in stood.items() if at <= latest):
                assert max(stand.values()) <= latest, "what is left starts when it begins"
                missed = {day for (_, day), instance in turns.items() if instance is None}
                assert missed <= stand.keys() | person.lived, "what has not begun is not missed"
            planned = table(database, "SELECT id FROM instances WHERE user_id = ?", person.user)
            assert Counter(id for (id,) in planned) == Counter(filter(None, turns.values())), "no turn is planned twice"
            kept = {turn: instance for turn, instance in self.turns[person.user].items() if instance}
            assert kept.items() <= turns.items(), "what was planned stays"
            self.turns[person.user] = turns
        if self.furthest_ahead <= MOST_AHEAD and not self.went_back:
            assert "clock.corrected" not in {name for name, _, _ in lines(database)}


def walk(kind: type[Walk], *, examples: int, steps: int) -> None:
    test: Any = kind.TestCase("runTest")
    test.settings = settings(
        max_examples=int(os.environ.get("LIVES_EXAMPLES", examples)),
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    test.runTest()


def test_whatever_people_do_each_date_of_theirs_starts_once_and_has_its_turns() -> None:
    walk(Lives, examples=6, steps=20)


def test_after_a_clock_that_was_wrong_each_date_stands_once_and_no_turn_is_planned_twice() -> None:
    walk(WrongClocks, examples=4, steps=15)
