"""Ten years of days in every zone: `python -m tests.scheduler.sweep`, or `make days`. Exits with 1 if any is wrong.

A clock is walked through each zone, with three day starts, through changes of clocks, sleep, and clocks that are set.
At each look the scheduler's decision is compared with the newest date that clocks on the wall have shown, which knows
nothing of our calendar. Beside it, what a job at the start of each day (APScheduler's CronTrigger) would have done.
Then all zones live in one database, which is looked at at irregular moments through the real command, also by a clock
that is days or a year wrong.

Zones whose clocks agree all the time are walked once. Looks are a quarter of an hour apart on the days around a change
of clocks and six hours apart elsewhere; `--every-look` makes all of them.
"""

import argparse
import itertools
import logging
import multiprocessing
import random
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from data import preferences
from data.database import Database
from data.days import ONE_DAY, calendar, due, start_due
from events.catalog import UserId
from tests.data.ledger import dates_started, newest
from tests.house import Clock

DAY_STARTS = ("00:00", "03:00", "23:30")
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
SET = [timedelta(days=days) for days in (-4, 4, -10, 10, -365, 365)]
SLEEPS = {"always on": timedelta(), "asleep 3 hours": timedelta(hours=3), "asleep 3 days": timedelta(days=3)}

Span = tuple[datetime, datetime]
Change = tuple[datetime, timedelta]


@dataclass
class Findings:
    """What one behaviour did. `wrong` says what must not be; the counters are of the cron job beside it."""

    zones: int
    looks: int = 0
    starts: int = 0
    wrong: tuple[str, ...] = ()
    cron: Counter[tuple[str, str, str]] | None = None
    """(day start, scenario, `missed` or `doubled`): dates, counted once for each zone of the behaviour."""
    cron_zones: Counter[tuple[str, str]] | None = None
    """(day start, scenario): zones with a date that was missed or doubled."""


# --- zones


def changes(zone: ZoneInfo, span: Span) -> tuple[Change, ...]:
    """Return the first offset from UTC in *span*, and each later one with the second from which it holds."""
    found = [(span[0], offset(zone, span[0]))]
    moment = span[0]
    while moment < span[1]:
        later = min(moment + 6 * HOUR, span[1])
        if offset(zone, later) != found[-1][1]:
            seconds = range(int((later - moment).total_seconds()) + 1)
            start = moment
            first = bisect_left(seconds, True, key=lambda s: offset(zone, start + s * SECOND) != found[-1][1])
            moment += first * SECOND
            found.append((moment, offset(zone, moment)))
        else:
            moment = later
    return tuple(found)


def offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def behaviours(names: Iterable[str], span: Span) -> dict[tuple[Change, ...], list[str]]:
    """Return the zones by how their clocks behave in *span*."""
    found: dict[tuple[Change, ...], list[str]] = {}
    for name in sorted(names):
        found.setdefault(changes(ZoneInfo(name), span), []).append(name)
    return found


# --- a clock that is walked through


def looks(span: Span, changed: Sequence[datetime], *, every: bool) -> Iterator[datetime]:
    """Yield the moments of looks: quarters of an hour around a change of clocks, else six hours apart."""
    near = {moment.date() + number * ONE_DAY for moment in changed for number in (-1, 0, 1)}
    moment = span[0]
    while moment < span[1]:
        yield moment
        moment += QUARTER if every or moment.date() in near else 6 * HOUR


def sleeps(span: Span, length: timedelta, rng: random.Random) -> Iterator[Span]:
    """Yield when the machine is off: for *length*, at a random moment of every second day that it is on."""
    moment = span[0] + ONE_DAY
    while length and moment < span[1]:
        begin = moment + rng.random() * ONE_DAY
        yield begin, begin + length
        moment = begin + length + ONE_DAY


def awake(moments: Iterable[datetime], off: Iterable[Span]) -> Iterator[datetime]:
    """Leave out what falls into a span of *off*; look once at its end, as a start does."""
    spans = iter(off)
    span = next(spans, None)
    for moment in moments:
        while span is not None and moment >= span[1]:
            yield span[1]
            span = next(spans, None)
        if span is None or moment < span[0]:
            yield moment


def set_clock(moments: Iterable[datetime], rng: random.Random) -> Iterator[datetime]:
    """Set the clock now and then: by up to a day and a half, forward or back, for some looks."""
    ahead, left = timedelta(), 0
    for moment in moments:
        if not left and rng.random() < 0.02:
            ahead = rng.choice((-600 * SECOND, -3 * HOUR, 3 * HOUR, 36 * HOUR, -36 * HOUR))
            left = rng.randrange(1, 40)
        yield moment + (ahead if left else timedelta())
        left -= left > 0


def restarts(moments: Iterable[datetime], zone: ZoneInfo, day_start: time) -> Iterator[datetime]:
    """Add a look one second before each day starts, and one second after: the app was started then."""
    last = date.min
    for moment in moments:
        day = moment.astimezone(zone).date()
        if day > last:
            last = day
            wall = datetime.combine(day, day_start, zone).astimezone(UTC)
            yield from (edge for edge in (wall - SECOND, wall + SECOND) if edge < moment)
        yield moment


# --- judging


def walk(
    name: str, day_start: str, moments: Iterable[datetime], changed: Sequence[datetime]
) -> tuple[list[date], int, list[str]]:
    """Look at each of *moments*; return what was started, how many looks that took, and what was wrong."""
    own = calendar(name, day_start)
    zone, back = own.zone, timedelta(hours=int(day_start[:2]), minutes=int(day_start[3:]))
    last: date | None = None
    newest = date.min
    started: list[date] = []
    wrong: list[str] = []
    count = 0
    # What clocks showed last before they were set back counts, whether or not anybody looked.
    edges = iter([*(moment - timedelta(microseconds=1) for moment in changed), datetime.max.replace(tzinfo=UTC)])
    edge = next(edges)
    for moment in moments:
        count += 1
        while edge < moment:
            if last is not None:
                newest = max(newest, (edge.astimezone(zone).replace(tzinfo=None) - back).date())
            edge = next(edges)
        newest = max(newest, (moment.astimezone(zone).replace(tzinfo=None) - back).date())
        found = due(own, last, own.day_of(moment))
        if found:
            started += found
            last = found[-1]
        if last != newest and len(wrong) < 5:
            wrong.append(f"{name} {day_start} at {moment.isoformat()}: {last} is the newest, expected {newest}")
    return started, count, wrong


def civil_dates(zone: ZoneInfo, first: date, last: date) -> list[date]:
    """Return the dates from *first* to *last* that clocks of *zone* show at some time, by reading them often."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (first - ONE_DAY, last + 2 * ONE_DAY))
    steps = range(0, int((end - begin) / HOUR), 6)
    seen = {(begin + step * HOUR).astimezone(zone).date() for step in steps}
    return sorted(day for day in seen if first <= day <= last)


def cron_dates(zone: ZoneInfo, day_start: str, span: Span) -> Iterator[tuple[datetime, date]]:
    """Yield when a job at the start of each day runs, and for which date."""
    hour, minute = map(int, day_start.split(":"))
    trigger = CronTrigger(hour=hour, minute=minute, timezone=zone)
    fired = trigger.get_next_fire_time(None, span[0])
    while fired is not None and fired < span[1]:
        yield fired.astimezone(UTC), fired.astimezone(zone).date()
        fired = trigger.get_next_fire_time(fired, fired)


def judge(names: Sequence[str], shifts: Sequence[Change], span: Span, *, every: bool, cron: bool) -> Findings:
    """Walk one behaviour through all scenarios, and a cron job beside it."""
    name, zone = names[0], ZoneInfo(names[0])
    changed = [moment for moment, _ in shifts[1:]]
    found = Findings(zones=len(names), cron=Counter(), cron_zones=Counter())
    wrong: list[str] = []
    assert found.cron is not None
    assert found.cron_zones is not None
    for day_start in DAY_STARTS:
        plain = list(looks(span, changed, every=every))
        at = time(int(day_start[:2]), int(day_start[3:]))
        offs = {what: list(sleeps(span, length, random.Random(name))) for what, length in SLEEPS.items()}
        walks = {what: list(awake(plain, off)) for what, off in offs.items()}
        walks["restarted at 23:59:59"] = list(restarts(plain, zone, at))
        walks["clock set"] = list(set_clock(plain, random.Random(name)))
        for what, moments in walks.items():
            started, count, problems = walk(name, day_start, moments, changed)
            found.looks += count
            found.starts += len(started)
            wrong += [f"{what}: {problem}" for problem in problems]
            if started != (expected := civil_dates(zone, started[0], started[-1])):
                odd = sorted(set(started) ^ set(expected)) or "their order"
                wrong.append(f"{what}: {name} {day_start}: {odd} is not as it should be")
        if not cron:
            continue
        fired = list(cron_dates(zone, day_start, span))
        dates = civil_dates(zone, span[0].date() + 2 * ONE_DAY, span[1].date() - 2 * ONE_DAY)
        for what, off in offs.items():
            times = Counter(day for moment, day in fired if not any(begin <= moment < end for begin, end in off))
            missed, doubled = sum(not times[day] for day in dates), sum(times[day] > 1 for day in dates)
            found.cron[day_start, what, "missed"] += missed * len(names)
            found.cron[day_start, what, "doubled"] += doubled * len(names)
            found.cron_zones[day_start, what] += len(names) * bool(missed or doubled)
    found.wrong = tuple(wrong)
    return found


def _judge(task: tuple[Sequence[str], Sequence[Change], Span, bool, bool]) -> Findings:
    names, shifts, span, every, cron = task
    return judge(names, shifts, span, every=every, cron=cron)


# --- the real command


def through_database(names: Sequence[str], span: Span, rng: random.Random, told: "Progress") -> tuple[int, list[str]]:
    """Let a user per zone and day start live in one database; return how many dates started, and what was wrong."""
    clock = Clock(span[0])
    wrong = []
    wrong_at = [
        (span[0] + (span[1] - span[0]) * (number + 1) / (len(SET) + 1), step) for number, step in enumerate(SET)
    ]
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/reprieve.db", clock=clock)
        database.open()
        users = {}
        for name, day_start in itertools.product(names, DAY_STARTS):
            user = preferences.create_user(database, f"{name} {day_start}", time_zone=name)
            preferences.change(database, user, day_start=day_start)
            users[user] = name, day_start
        while clock.now < span[1]:
            start_due(database)
            if wrong_at and clock.now >= wrong_at[0][0]:
                _, step = wrong_at.pop(0)
                before = newest(database)
                clock.now += step
                start_due(database)
                clock.now -= step
                if step < timedelta() and newest(database) != before:
                    wrong.append(f"in one database: a clock that is behind by {-step} wrote events")
            clock.now += rng.choice((QUARTER, HOUR, 3 * HOUR, 26 * HOUR, 72 * HOUR))
            told.show("in one database", (clock.now - span[0]) / (span[1] - span[0]))
        with database.read() as read:
            rows = read.connection.exec_driver_sql("SELECT user_id, day FROM days ORDER BY user_id, day").all()
        started = {user: dates_started(database, user) for user in users}
        database.close()
    recorded: dict[UserId, list[date]] = {}
    for user, day in rows:
        recorded.setdefault(UserId(user), []).append(date.fromisoformat(day))
    for user, (name, day_start) in users.items():
        expected = civil_dates(ZoneInfo(name), started[user][0], started[user][-1])
        if not started[user] == recorded[user] == expected:
            wrong.append(f"in one database: {name} {day_start}: started {len(started[user])} of {len(expected)} dates")
    return len(rows), wrong


# --- the command line


class Progress:
    """One line on a terminal that says how far it is."""

    def show(self, what: str, share: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{what}: {100 * min(share, 1.0):3.0f} % ")
            sys.stderr.flush()

    def end(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r" + 40 * " " + "\r")


def say_cron(all_found: Sequence[Findings]) -> None:
    """Say what a cron job would have done, as the table in `docs/days.md`."""
    cron = sum((found.cron or Counter() for found in all_found), Counter[tuple[str, str, str]]())
    zones = sum((found.cron_zones or Counter() for found in all_found), Counter[tuple[str, str]]())
    say("\nA cron job at the start of each day instead:\n")
    say("| day start | scenario | zones with a fault | dates missed | dates doubled |\n| --- | --- | --- | --- | --- |")
    for day_start, what in itertools.product(DAY_STARTS, SLEEPS):
        missed, doubled = cron[day_start, what, "missed"], cron[day_start, what, "doubled"]
        say(f"| {day_start} | {what} | {zones[day_start, what]} | {missed:,} | {doubled:,} |")


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scheduler.sweep", description=__doc__.partition("\n")[0])
    parser.add_argument("--first-year", type=int, default=2020)
    parser.add_argument("--last-year", type=int, default=2029)
    parser.add_argument("--zone", action="append", help="only this one; may be given again")
    parser.add_argument("--every-look", action="store_true", help="a quarter of an hour apart all year round")
    parser.add_argument("--no-cron", action="store_true", help="without the cron job beside it")
    parser.add_argument("--database-years", type=int, default=2, help="the last ones; default: %(default)s")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    given = parser.parse_args()
    span = datetime(given.first_year, 1, 1, tzinfo=UTC), datetime(given.last_year + 1, 1, 1, tzinfo=UTC)
    logging.getLogger("data.days").setLevel(logging.ERROR)  # clocks are wrong on purpose
    told = Progress()
    kinds = behaviours(given.zone or available_timezones(), span)
    say(f"{sum(map(len, kinds.values()))} zones, {len(kinds)} of them different from {given.first_year} on")
    tasks = [(names, shifts, span, given.every_look, not given.no_cron) for shifts, names in kinds.items()]
    all_found: list[Findings] = []
    with ProcessPoolExecutor(given.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(_judge, tasks):
            all_found.append(found)
            told.show("zones", len(all_found) / len(tasks))
    told.end()
    wrong = [problem for found in all_found for problem in found.wrong]
    looked, dates = sum(found.looks for found in all_found), sum(found.starts for found in all_found)
    say(f"The look: {looked:,} looks, {dates:,} dates started, {len(wrong)} wrong", *wrong)
    if not given.no_cron:
        say_cron(all_found)
    lived = datetime(given.last_year + 1 - given.database_years, 1, 1, tzinfo=UTC), span[1]
    count, problems = through_database([names[0] for names in kinds.values()], lived, random.Random(1), told)
    told.end()
    say(f"\nIn one database: {count:,} dates started by the real command, {len(problems)} wrong", *problems)
    return 1 if wrong or problems else 0


if __name__ == "__main__":
    sys.exit(main())
