"""Every command, ready to be carried out once on a made-up past: what checks of the rules run.

A new command, or one that writes under a new condition, gets its line in `COMMANDS`; a new column that can be edited,
its line among the values that are written into it. Nothing here belongs to the running application.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from data import backup, demo, instances, preferences, restore, tasks, withdrawals
from data.database import Database
from data.days import start_due
from data.fields import Feelings
from data.models import FEELINGS, Instance, State
from data.preferences import AccountTier
from data.routines import plan_due
from data.transfer import export, imports
from events.catalog import InstanceId, RefreshRequested, TaskId, UserId

NOON = datetime(2026, 5, 13, 12, 0, tzinfo=UTC)
"""When the made-up past ends, but for the last minutes; users there live in UTC."""
START = NOON + timedelta(minutes=50)
"""When commands are carried out."""
LAST_YEAR = NOON - timedelta(days=180)
"""When something was done for the first time, long before everything else."""
FELT = Feelings(relief=99, mental_load=3, emotional_load=2, physical_load=1, aversion=97)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Move on by that many `days`, `hours`, `minutes`, ..."""
        self.now += timedelta(**amount)


@dataclass(kw_only=True)
class Stage:
    """Where a command is carried out. `look` is called where somebody looks at all values in the midst of it."""

    database: Database
    user: UserId
    clock: Clock
    look: Callable[[], object]

    def __post_init__(self) -> None:
        with self.database.read() as read:
            self._rows = read.connection.execute(
                select(Instance.id, Instance.task_id, Instance.state, Instance.created_at, Instance.completed_at)
                .where(Instance.user_id == self.user)
                .order_by(Instance.created_at.desc())
            ).all()

    def instance(self, state: State) -> InstanceId:
        """Return the latest instance in that state."""
        return InstanceId(next(row.id for row in self._rows if row.state == state))

    def finished(self, days_ago: int) -> InstanceId:
        """Return the latest instance completed on that day."""
        day = (NOON - timedelta(days=days_ago)).date()
        return InstanceId(next(row.id for row in self._rows if row.completed_at and row.completed_at.date() == day))

    def planned_at(self, instance: InstanceId) -> datetime:
        """Return when that instance was planned."""
        found: datetime = next(row.created_at for row in self._rows if row.id == instance)
        return found

    def first(self) -> InstanceId:
        """Return the very first that was completed, so its task's first as well."""
        return InstanceId(min((row.completed_at, row.id) for row in self._rows if row.completed_at)[1])

    def task(self) -> TaskId:
        """Return a task with a history."""
        return TaskId(next(row.task_id for row in self._rows if row.state == State.COMPLETED))

    def planned(self, ago: timedelta = timedelta()) -> InstanceId:
        """Plan an instance that long ago and return it."""
        task, now = self.task(), self.clock.now
        self.clock.now = now - ago
        try:
            return instances.plan(self.database, self.user, task, predicted=Feelings(relief=5))
        finally:
            self.clock.now = now


Command = Callable[[Stage], object]


def _prefer(**values: Any) -> Command:
    return lambda stage: preferences.change(stage.database, stage.user, **values)


def _edit_task(**values: Any) -> Command:
    return lambda stage: tasks.edit(stage.database, stage.user, stage.task(), **values)


def _edit(days_ago: int, **values: Any) -> Command:
    return lambda stage: instances.edit(stage.database, stage.user, stage.finished(days_ago), **values)


def _move(act: Callable[..., object], state: State, **values: Any) -> Command:
    return lambda stage: act(stage.database, stage.user, stage.instance(state), **values)


def _bring_back(stage: Stage) -> None:
    """Somebody looks while the task is in the archive."""
    tasks.archive(stage.database, stage.user, stage.task())
    stage.look()
    tasks.archive(stage.database, stage.user, stage.task(), archived=False)


def _start_earlier(stage: Stage) -> None:
    instance = stage.finished(2)
    instances.edit(stage.database, stage.user, instance, started_at=stage.planned_at(instance))


def _complete_afterwards(at: datetime) -> Command:
    def act(stage: Stage) -> None:
        planned = stage.planned(ago=stage.clock.now - at + timedelta(days=1))
        instances.complete(stage.database, stage.user, planned, actual=FELT, actual_minutes=600.0, at=at)

    return act


def _cancel_after_the_clock_was_set_back(days: int) -> Command:
    """Today began, its summary was made, and then it is so many days earlier again."""

    def act(stage: Stage) -> None:
        now = stage.clock.now
        planned = stage.planned(ago=timedelta(days=2))
        start_due(stage.database)
        stage.look()
        stage.clock.advance(days=-days)
        instances.cancel(stage.database, stage.user, planned)
        stage.clock.now = now

    return act


def _refresh(stage: Stage) -> None:
    stage.database.write(
        lambda transaction: transaction.record(
            RefreshRequested(user=stage.user, at=transaction.now, prefix="analytics.trends")
        )
    )


def _next_day(stage: Stage) -> None:
    stage.clock.advance(days=1)
    start_due(stage.database)


def _complete_new(stage: Stage) -> None:
    task = tasks.create(stage.database, stage.user, name="New")
    planned = instances.plan(stage.database, stage.user, task)
    instances.complete(stage.database, stage.user, planned, actual=Feelings(aversion=50))


def _unplan(stage: Stage, instance: InstanceId, *, with_task: bool = False) -> None:
    """Take it back after somebody has seen it."""
    stage.look()
    withdrawals.unplan(stage.database, stage.user, instance, with_task=with_task)


def _routine(stage: Stage, routine: str, weekdays: tuple[str, ...] = ()) -> None:
    """A routine's turn comes on the next day, Thursday, and the look is two days late."""
    task = stage.task()
    tasks.edit(stage.database, stage.user, task, routine=routine, routine_weekdays=weekdays, routine_at="08:00")
    start_due(stage.database)
    stage.clock.advance(days=3)
    start_due(stage.database)
    stage.look()
    plan_due(stage.database)


def _correct_the_clock(stage: Stage) -> None:
    """Days have been started, and routines missed, by a clock that was a month ahead; the next day begins."""
    _routine(stage, "weekly", ("thu",))
    stage.clock.advance(days=30)
    start_due(stage.database)
    plan_due(stage.database)
    stage.clock.advance(days=-29)
    stage.look()
    start_due(stage.database)


def _import(stage: Stage) -> None:
    """What was written into files comes back; somebody has looked at what it was meanwhile."""
    folder = stage.database.file.with_name("files")
    export.export_to(stage.database, stage.user, folder)
    tasks.edit(stage.database, stage.user, stage.task(), name="Renamed", kind="other")
    instances.complete(stage.database, stage.user, stage.instance(State.PLANNED), actual=FELT)
    preferences.change(stage.database, stage.user, day_start="06:00")
    stage.look()
    imports.import_from(stage.database, stage.user, folder)


def _restore(stage: Stage) -> None:
    file = Path(stage.database.url.partition(":///")[2])
    restore.restore(stage.database, backup.backup(stage.database, file.with_name("backup.db")))


OF_A_TASK: dict[str, Any] = {
    "name": "Renamed",
    "description": "Not as bad as it looks",
    "kind": "other",
    "categories": ("elsewhere",),
    "estimate_minutes": 7.0,
    "default_aversion": 77,
    "routine": "daily",
    "routine_weekdays": ("thu",),
    "routine_at": "08:00",
    "due_at": NOON,
    "notes": "Look here first",
}
"""Every column that `tasks.edit` can set, with what no task of the past has there."""

OF_WHAT_IS_OPEN: dict[str, Any] = {
    **{f"predicted_{feeling}": 77 for feeling in (*FEELINGS, "motivation")},
    "estimate_minutes": 3.0,
    "note": "Look here first",
    "created_at": NOON - timedelta(days=55),
    "due_at": NOON,
}
"""The columns that `instances.edit` can set whatever the state, with what no instance of the past has there."""

OF_WHAT_IS_COMPLETED: dict[str, Any] = {
    **OF_WHAT_IS_OPEN,
    **{f"actual_{feeling}": 77 for feeling in FEELINGS},
    "actual_minutes": 333.0,
    "completion_percent": 133.0,
    "completed_at": NOON,
}
"""Every column that `instances.edit` can set besides `started_at`, likewise."""

ACTS: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
    "started": (instances.start, {}),
    "paused": (instances.pause, {}),
    "resumed": (instances.resume, {}),
    "completed": (instances.complete, {"actual": FELT, "actual_minutes": 50.0}),
    "cancelled": (instances.cancel, {"reason": "no_time"}),
    "undone": (instances.undo, {}),
    "taken back": (withdrawals.unplan, {}),
    "put back": (withdrawals.unstart, {}),
}
"""How each act of `instances.ALLOWED` is carried out."""

COMMANDS: dict[str, Command] = {
    "create a user": lambda stage: preferences.create_user(stage.database, "somebody new"),
    "create a task": lambda stage: tasks.create(stage.database, stage.user, name="New", default_aversion=1),
    **{f"edit {column} of a task": _edit_task(**{column: value}) for column, value in OF_A_TASK.items()},
    "archive a task": lambda stage: tasks.archive(stage.database, stage.user, stage.task()),
    "bring a task back": _bring_back,
    "plan": lambda stage: stage.planned(),
    "plan and start": lambda stage: instances.plan(stage.database, stage.user, stage.task(), start=True),
    "create a task and plan it": lambda stage: instances.plan_new(stage.database, stage.user, name="New"),
    **{
        f"{act.__name__} what is {state}": _move(act, state, **values)
        for name, (act, values) in ACTS.items()
        for state in sorted(instances.ALLOWED[name])
    },
    "take a plan back": lambda stage: _unplan(stage, stage.planned()),
    "take a plan back that was made in another month": lambda stage: _unplan(
        stage, stage.planned(ago=timedelta(days=14))
    ),
    "take a plan and its task back": lambda stage: _unplan(
        stage, instances.plan_new(stage.database, stage.user, name="New", estimate_minutes=5.0), with_task=True
    ),
    "complete afterwards": _complete_afterwards(NOON - timedelta(days=1)),
    "complete long afterwards": _complete_afterwards(LAST_YEAR),
    "complete a task for the first time": _complete_new,
    "cancel after the clock was set back": _cancel_after_the_clock_was_set_back(days=1),
    "cancel after the clock was set back to another month": _cancel_after_the_clock_was_set_back(days=14),
    "undo a completion of today": lambda stage: instances.undo(stage.database, stage.user, stage.finished(0)),
    "undo a completion of yesterday": lambda stage: instances.undo(stage.database, stage.user, stage.finished(1)),
    "undo the first completion": lambda stage: instances.undo(stage.database, stage.user, stage.first()),
    "edit an instance of today": _edit(0, actual_relief=1, actual_minutes=333.0),
    "edit an instance of yesterday": _edit(1, actual_relief=1, actual_minutes=333.0),
    "edit an old instance": _edit(40, actual_relief=1, actual_aversion=100, actual_minutes=333.0),
    "edit the first instance of a task": lambda stage: instances.edit(
        stage.database, stage.user, stage.first(), actual_aversion=99
    ),
    "move the first instance of a task": lambda stage: instances.edit(
        stage.database, stage.user, stage.first(), completed_at=NOON
    ),
    "edit when it was planned": _edit(40, created_at=NOON - timedelta(days=55)),
    "move an instance to another day": _edit(1, completed_at=NOON),
    **{
        f"edit {column} of what is planned": _move(instances.edit, State.PLANNED, **{column: value})
        for column, value in OF_WHAT_IS_OPEN.items()
    },
    "edit what is active": _move(instances.edit, State.ACTIVE, **OF_WHAT_IS_OPEN),
    "edit what is paused": _move(instances.edit, State.PAUSED, **OF_WHAT_IS_OPEN),
    "edit what is cancelled": _move(instances.edit, State.CANCELLED, **OF_WHAT_IS_OPEN),
    **{
        f"edit {column} of what is completed": _edit(2, **{column: value})
        for column, value in OF_WHAT_IS_COMPLETED.items()
    },
    "edit started_at of what is completed": _start_earlier,
    "another time zone": _prefer(time_zone="Pacific/Auckland"),
    "another day start": _prefer(day_start="06:00"),
    "another target": _prefer(target_minutes_per_day=20.0),
    "other weights of the composite": _prefer(composite_weights={"avg_relief": 9.0}),
    "other weights of recommendations": _prefer(recommendation_weights={"ease": 9.0}),
    "other metrics monitored": _prefer(monitored_metrics=("cancelled",)),
    "another baseline": _prefer(baseline="all"),
    "another theme": _prefer(theme="dark"),
    "another first weekday": _prefer(first_weekday="sun"),
    "other clock hours": _prefer(clock_hours=12),
    "another mode": _prefer(cache_mode="disabled"),
    "analytics by hand": _prefer(analytics_refresh="manual"),
    "another goal": _prefer(goal_hours_per_week=12.5),
    "another backend": _prefer(cache_backend="file"),
    "another account tier": lambda stage: preferences.set_account_tier(stage.database, stage.user, AccountTier.PREMIUM),
    "refresh": _refresh,
    "the next day": _next_day,
    "a routine has its turn": lambda stage: _routine(stage, "daily"),
    "a routine has missed its turn": lambda stage: _routine(stage, "weekly", ("thu",)),
    "the clock is corrected": _correct_the_clock,
    "an hour passes": lambda stage: stage.clock.advance(hours=1),
    "a day passes, and nobody has said so yet": lambda stage: stage.clock.advance(days=1),
    "add other demo data": lambda stage: demo.add(stage.database, stage.user, days=9, per_day=3, seed=2),
    "remove the demo data": lambda stage: demo.remove(stage.database, stage.user),
    "import files": _import,
    "restore a backup": _restore,
}
"""What it is called -> how it is carried out."""

NOT_CARRIED_OUT = {
    "_put_in_place": "the whole file becomes another one, and nobody has it open meanwhile",
}
"""Functions that write and that no command here carries out, each with the reason."""


def live(database: Database, clock: Clock, user: UserId, *, days: int = 60) -> None:
    """Give *user* that many days of a past, with something open in every state, something finished today and last year,
    and something cancelled yesterday. *clock* stands at `START` afterwards.
    """
    clock.now = NOON - timedelta(days=1)
    demo.add(database, user, days=days, per_day=4, seed=1)
    task = Stage(database=database, user=user, clock=clock, look=lambda: None).task()
    clock.now = LAST_YEAR
    for _ in range(2):
        instances.complete(database, user, instances.plan(database, user, task), actual=FELT, actual_minutes=30.0)
    clock.now = NOON - timedelta(days=1)
    for finish in (instances.complete, instances.cancel):
        finish(database, user, instances.plan(database, user, task))
    clock.advance(days=1)
    for _ in range(2):
        one = instances.plan(database, user, task)
        instances.start(database, user, one)
        clock.advance(minutes=20)
        instances.complete(database, user, one, actual=Feelings(relief=40, aversion=20))
    active, paused, _ = (instances.plan(database, user, task) for _ in range(3))
    for one in (active, paused):
        instances.start(database, user, one)
    clock.advance(minutes=5)
    instances.pause(database, user, paused)
    clock.now = START
