"""The oracle: after any sequence of commands, on each backend, every cached read equals a fresh load.

Nothing here says which rule should exist. A rule that is missing or too narrow shows up as a value that differs. No
value is meant to lag, so there are no exceptions. Two users act on one house; restarts and midnights are steps as well.
"""

import contextlib
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from cache.pieces import BEGINNINGS, COUNTS, MONTHS, PAST, YEARS
from cache.values import PREFERENCES, VALUES
from data import backup, instances, preferences, restore, tasks
from data.days import start_due
from data.errors import DataError, UnknownRecordError
from data.fields import Feelings
from data.models import CancelReason, Kind, Routine
from data.preferences import CacheBackend
from data.routines import plan_due
from events.catalog import InstanceId, RefreshRequested, TaskId, UserId
from tests.house import Clock, House, open_house

feelings = st.none() | st.integers(0, 100)
minutes = st.none() | st.integers(0, 600).map(float)
all_feelings = st.builds(
    Feelings, relief=feelings, mental_load=feelings, emotional_load=feelings, physical_load=feelings, aversion=feelings
)
users = st.sampled_from([UserId(1), UserId(2)])


class Oracle(RuleBasedStateMachine):
    """Random lives of two users."""

    backend = CacheBackend.HYBRID

    planned = Bundle("planned")
    templates = Bundle("templates")
    backups = Bundle("backups")

    @initialize(target=planned)
    def open(self) -> Any:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.opened = contextlib.ExitStack()
        self.house: House = self._open()
        other = self.house.new_user("other")
        preferences.change(self.house.database, other, time_zone="Asia/Tokyo", day_start="03:00")
        # A past, without which most changes would change no number: something finished on each of four days.
        past = []
        for day in range(4):
            for user in (self.house.user, other):
                task = tasks.create(self.house.database, user, name=f"Task {day % 2}", kind=list(Kind)[day])
                instance = instances.plan(self.house.database, user, task, predicted=Feelings(relief=50))
                instances.start(self.house.database, user, instance)
                self.clock.advance(minutes=25 + day)
                feelings = Feelings(relief=60 + day, aversion=40, mental_load=20, emotional_load=30, physical_load=5)
                instances.complete(self.house.database, user, instance, actual=feelings)
                past.append((user, instance))
            if day < 3:
                self.clock.advance(days=1)
        for user in (self.house.user, other):
            task = tasks.create(self.house.database, user, name="Open")
            past += [(user, instances.plan(self.house.database, user, task)) for _ in range(3)]
        return multiple(*past)

    def _open(self) -> House:
        return self.opened.enter_context(open_house(Path(self.folder.name), clock=self.clock, backend=self.backend))

    def teardown(self) -> None:
        self.opened.close()
        self.folder.cleanup()

    # --- commands

    @rule(target=templates, user=users, kind=st.sampled_from(list(Kind)), name=st.sampled_from("ABC"))
    def create(self, user: UserId, kind: Kind, name: str) -> tuple[UserId, TaskId]:
        return user, tasks.create(self.house.database, user, name=name, kind=kind, categories=("x",))

    @rule(
        template=templates,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from("DEF"),
                "kind": st.sampled_from(list(Kind)),
                "categories": st.sampled_from([(), ("y",)]),
                "estimate_minutes": minutes,
                "default_aversion": feelings,
                "routine": st.sampled_from(list(Routine)),
                "routine_at": st.sampled_from([None, "12:00"]),
                "notes": st.sampled_from(["", "note"]),
                "due_at": st.none() | st.just(Clock().now),
            },
        ),
    )
    def edit_task(self, template: tuple[UserId, TaskId], changes: dict[str, Any]) -> None:
        with contextlib.suppress(UnknownRecordError):  # a backup was restored
            tasks.edit(self.house.database, *template, **changes)

    @rule(template=templates, archived=st.booleans())
    def archive(self, template: tuple[UserId, TaskId], archived: bool) -> None:
        with contextlib.suppress(UnknownRecordError):
            tasks.archive(self.house.database, *template, archived=archived)

    @rule(target=planned, template=templates, predicted=all_feelings, estimate=minutes)
    def plan(self, template: tuple[UserId, TaskId], predicted: Feelings, estimate: float | None) -> Any:
        with contextlib.suppress(DataError):
            user, task = template
            instance = instances.plan(self.house.database, user, task, predicted=predicted, estimate_minutes=estimate)
            return user, instance
        return multiple()

    @rule(instance=planned, act=st.sampled_from([instances.start, instances.pause, instances.resume, instances.undo]))
    def move(self, instance: tuple[UserId, InstanceId], act: Any) -> None:
        with contextlib.suppress(DataError):
            act(self.house.database, *instance)

    @rule(
        instance=planned, actual=all_feelings, spent=minutes, percent=st.sampled_from([None, 0.0, 50.0, 100.0, 200.0])
    )
    def complete(
        self, instance: tuple[UserId, InstanceId], actual: Feelings, spent: float | None, percent: float | None
    ) -> None:
        with contextlib.suppress(DataError):
            instances.complete(
                self.house.database, *instance, actual=actual, actual_minutes=spent, completion_percent=percent
            )

    @rule(instance=planned, ago=st.integers(0, 60))
    def complete_afterwards(self, instance: tuple[UserId, InstanceId], ago: int) -> None:
        with contextlib.suppress(DataError):
            instances.complete(
                self.house.database,
                *instance,
                actual=Feelings(relief=70, aversion=60),
                at=self.clock.now - timedelta(hours=ago),
            )

    @rule(instance=planned, reason=st.sampled_from(list(CancelReason)))
    def cancel(self, instance: tuple[UserId, InstanceId], reason: CancelReason) -> None:
        with contextlib.suppress(DataError):
            instances.cancel(self.house.database, *instance, reason=reason)

    @rule(
        instance=planned,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "actual_relief": feelings,
                "actual_aversion": feelings,
                "actual_minutes": minutes,
                "predicted_relief": feelings,
                "completion_percent": st.sampled_from([0.0, 80.0]),
                "note": st.sampled_from(["", "note"]),
                "due_at": st.none() | st.just(Clock().now),
            },
        ),
    )
    def edit(self, instance: tuple[UserId, InstanceId], changes: dict[str, Any]) -> None:
        with contextlib.suppress(DataError):
            instances.edit(self.house.database, *instance, **changes)

    @rule(instance=planned, ago=st.integers(0, 60), what=st.sampled_from(["completed_at", "created_at", "started_at"]))
    def move_in_time(self, instance: tuple[UserId, InstanceId], ago: int, what: str) -> None:
        with contextlib.suppress(DataError):
            instances.edit(self.house.database, *instance, **{what: self.clock.now - timedelta(hours=ago)})

    @rule(
        user=users,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "time_zone": st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland"]),
                "day_start": st.sampled_from(["00:00", "03:00", "23:30"]),
                "target_minutes_per_day": st.sampled_from([60.0, 360.0]),
                "composite_weights": st.sampled_from([{}, {"avg_relief": 5.0}, {"low_stress": 0.0}]),
                "recommendation_weights": st.sampled_from([{}, {"gain": 5.0}]),
                "monitored_metrics": st.sampled_from([(), ("completed",), ("avg_relief", "streak_days")]),
                "baseline": st.sampled_from(["week", "month", "quarter", "all"]),
                "theme": st.sampled_from(["dark", "light"]),
                "goal_hours_per_week": st.sampled_from([0.0, 30.0]),
                "cache_mode": st.sampled_from([None, "disabled", "selective"]),
                "cache_backend": st.sampled_from([None, *(backend.value for backend in CacheBackend)]),
            },
        ),
    )
    def prefer(self, user: UserId, changes: dict[str, Any]) -> None:
        preferences.change(self.house.database, user, **changes)

    @rule(user=users, prefix=st.sampled_from(["analytics", "dashboard.metrics", "*"]))
    def refresh(self, user: UserId, prefix: str) -> None:
        self.house.database.write(
            lambda transaction: transaction.record(RefreshRequested(user=user, at=transaction.now, prefix=prefix))
        )

    # --- time and accidents

    @rule(hours=st.sampled_from([0.2, 1, 9, 24, 49]))
    def time_passes(self, hours: float) -> None:
        self.clock.advance(hours=hours)

    @rule()
    def look_at_the_clock(self) -> None:
        start_due(self.house.database)
        plan_due(self.house.database)

    @rule()
    def restart(self) -> None:
        self.opened.close()
        self.house = self._open()

    @rule(target=backups)
    def back_up(self) -> Path:
        folder = Path(self.folder.name)
        return backup.backup(self.house.database, folder / f"{len(list(folder.glob('*.db')))}.db")

    @rule(path=backups)
    def restore(self, path: Path) -> None:
        restore.restore(self.house.database, path)

    # --- what must hold

    @invariant()
    def every_cached_read_equals_a_fresh_load(self) -> None:
        if not hasattr(self, "house"):
            return
        for user in (UserId(1), UserId(2)):
            with self.house.manager.snapshot(user) as snapshot:
                cached = {value: snapshot.get(value) for value in self._parts(user) + list(VALUES)}
                view = snapshot.view
            with self.house.database.read() as read:
                assert view.profile == PREFERENCES.loader(read, view)
                for value, found in cached.items():
                    assert found == value.loader(read, view), f"{value.key_for(view)} of user {user} is stale"

    def _parts(self, user: UserId) -> list[Any]:
        """All parts that may be kept of what is kept in parts."""
        days = [self.clock.now + timedelta(days=ago) for ago in (-62, -31, 0, 31)]
        months = dict.fromkeys(f"{day:%Y-%m}" for day in days)
        return [
            *(row.of(month) for row in (MONTHS, COUNTS) for month in months),
            *(YEARS.of(year) for year in dict.fromkeys(month[:4] for month in months)),
            *(row.of("all") for row in (PAST, BEGINNINGS)),
        ]


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_every_cached_read_equals_a_fresh_load(backend: CacheBackend) -> None:
    machine: Any = type(f"Oracle_{backend}", (Oracle,), {"backend": backend})
    test = machine.TestCase("runTest")
    test.settings = settings(
        max_examples=int(os.environ.get("ORACLE_EXAMPLES", "3")),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    test.runTest()
