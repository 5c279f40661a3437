"""Every event there is: immutable facts in the past tense, each with the dotted name under which it is stored.

What an event makes stale is in `rules`; who writes it to the log is `data`. A name is never changed or reused once it
has been released: it is what the log rows say. Field types are what JSON can carry without loss.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, NewType

UserId = NewType("UserId", int)
TaskId = NewType("TaskId", str)
InstanceId = NewType("InstanceId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one user's data.

    `at` is aware UTC and for people only: order is the log's `seq`, no clock is ever compared.
    """

    name: ClassVar[str] = ""
    """What the log calls it, for ever: dotted words. Each class has its own."""
    is_global: ClassVar[bool] = False
    """Whether it touches everybody's values instead of its user's only."""

    user: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchesDays(Event):
    """An event that changes what counts on some local days of the user, as they are at that moment.

    `earliest_day` is the first day concerned, None if no day's numbers change; `today` is the user's local date, or
    the newest day that has started, if the clock was set back since. `months` names, as `2026-05`, all months in which
    a completed instance has other numbers than before, None if nobody looked. Later ones of the same task can be among
    them, where those before them are counted; `is_early` tells that the event changed how the task began.
    `newest_month` is that of the user's newest completion since then, None if there is none, or nobody looked.
    """

    earliest_day: date | None
    today: date
    months: tuple[str, ...] | None = None
    is_early: bool = True
    newest_month: str | None = None

    def later_days(self) -> tuple[str, ...] | None:
        """The days whose look back concerns it: any, if a finished day is concerned; else the week after it, which a
        clock that was ahead has seen, or one that passed midnight before the commit."""
        if self.earliest_day is None or self.earliest_day < self.today:
            return () if self.earliest_day is None else None
        return tuple((self.earliest_day + timedelta(days=number)).isoformat() for number in range(1, 8))

    def months_touched(self) -> tuple[str, ...] | None:
        """The months in which a completed instance has other numbers; None for any."""
        return self.months

    def years_touched(self) -> tuple[str, ...] | None:
        """The years of these months."""
        return None if self.months is None else tuple(dict.fromkeys(month[:4] for month in self.months))

    def first_month_touched(self) -> tuple[str, ...] | None:
        """The month of `earliest_day`, the only one where one moment counted; None if there is none."""
        return None if self.earliest_day is None else (f"{self.earliest_day:%Y-%m}",)

    def touches_past(self) -> bool:
        """Whether any completed instance has other numbers."""
        return self.months != ()

    def touches_earlier(self) -> bool:
        """Whether a completed instance before the month of the newest one has other numbers, or that month moved back:
        what was added up before a later one would not hear of what comes in between."""
        return self.months is None or any(month != self.newest_month for month in self.months)

    def changes_a_beginning(self) -> bool:
        """Whether a task's first completions, or what the very first felt like, are others than before."""
        return self.is_early


def months_around(at: datetime) -> tuple[str, ...]:
    """Return the months that some local day may belong to at *at*: zones reach 14 hours ahead of UTC, and 12 behind
    it with days that start up to 24 hours late."""
    days = (at - timedelta(hours=36), at + timedelta(hours=14))
    return tuple(dict.fromkeys(f"{day:%Y-%m}" for day in days))


# --- people and their settings


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """A user exists from now on."""

    name: ClassVar[str] = "user.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(Event):
    """A user's account has another tier."""

    name: ClassVar[str] = "account.changed"
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesChanged(Event):
    """Some preferences have other values than before; `changed` names the columns."""

    name: ClassVar[str] = "preferences.changed"
    changed: tuple[str, ...]

    def moves_days(self) -> bool:
        """Whether it decides anew which day every instance belongs to."""
        return "time_zone" in self.changed or "day_start" in self.changed

    def changes_monitoring(self) -> bool:
        """Whether the dashboard's choice of metrics, its baseline or the target they are held against changed."""
        return bool({"monitored_metrics", "baseline", "target_minutes_per_day"} & set(self.changed))

    def changes_composite(self) -> bool:
        """Whether the composite score is weighted anew, or its work volume is held against another target."""
        return bool({"composite_weights", "target_minutes_per_day"} & set(self.changed))

    def changes_ranking(self) -> bool:
        """Whether recommendations are weighted anew."""
        return "recommendation_weights" in self.changed


# --- tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(Event):
    """A task can be planned from now on."""

    name: ClassVar[str] = "task.created"
    task: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEdited(Event):
    """A task reads differently; `changed` names the columns."""

    name: ClassVar[str] = "task.edited"
    task: TaskId
    changed: tuple[str, ...]

    def changes_label(self) -> bool:
        """Whether numbers of past instances are now shown under another name, kind or category."""
        return bool({"name", "kind", "categories"} & set(self.changed))

    def changes_kind(self) -> bool:
        """Whether minutes of past instances now count for another kind."""
        return "kind" in self.changed


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskArchived(Event):
    """A task left the lists (or came back, if `archived` is False). Its history stays."""

    name: ClassVar[str] = "task.archived"
    task: TaskId
    archived: bool


# --- instances


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePlanned(Event):
    """An instance of a task waits to be started."""

    name: ClassVar[str] = "instance.planned"
    task: TaskId
    instance: InstanceId

    def months_around(self) -> tuple[str, ...]:
        """The month of the user's day, or two where one begins."""
        return months_around(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUndone(Event):
    """A planned instance is gone as if it had not been, maybe with its task. `months` may have counted it."""

    name: ClassVar[str] = "plan.undone"
    task: TaskId
    instance: InstanceId
    months: tuple[str, ...] | None = None

    def months_counted(self) -> tuple[str, ...] | None:
        """The month of the user's day on which it was planned, or two where one begins; None for any."""
        return self.months


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStarted(Event):
    """The timer of an instance began to run."""

    name: ClassVar[str] = "instance.started"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUndone(Event):
    """An instance that had been started is planned again."""

    name: ClassVar[str] = "start.undone"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePaused(Event):
    """The timer of an instance stands still."""

    name: ClassVar[str] = "instance.paused"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceResumed(Event):
    """The timer of a paused instance runs again."""

    name: ClassVar[str] = "instance.resumed"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(TouchesDays):
    """An instance of a task was finished. `earliest_day` lies before `today` when it was logged afterwards."""

    name: ClassVar[str] = "task.completed"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionUndone(TouchesDays):
    """A completion was taken back; `earliest_day` is the day it had counted for."""

    name: ClassVar[str] = "completion.undone"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceCancelled(TouchesDays):
    """An instance was given up, for one of the listed reasons."""

    name: ClassVar[str] = "instance.cancelled"
    task: TaskId
    instance: InstanceId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationUndone(TouchesDays):
    """A cancellation was taken back; `earliest_day` is the day it had counted for."""

    name: ClassVar[str] = "cancellation.undone"
    task: TaskId
    instance: InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceEdited(TouchesDays):
    """An instance's record was corrected; `changed` names the columns, `earliest_day` spans old and new values."""

    name: ClassVar[str] = "instance.edited"
    task: TaskId
    instance: InstanceId
    changed: tuple[str, ...]

    def moves_planning(self) -> bool:
        """Whether it was planned on another day than it was said."""
        return "created_at" in self.changed


# --- the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStarted(Event):
    """The user's local date advanced to `day`. Recorded once per user and date."""

    name: ClassVar[str] = "day.started"
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCorrected(Event):
    """Days after `today` that a wrong clock had started are forgotten: they start when they begin."""

    name: ClassVar[str] = "clock.corrected"
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineMissed(Event):
    """A task's routine had its turn on `days` while nothing ran: they are listed, not planned."""

    name: ClassVar[str] = "routine.missed"
    task: TaskId
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequested(Event):
    """Somebody asked for newer numbers under `prefix`."""

    name: ClassVar[str] = "refresh.requested"
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataImported(Event):
    """Many rows were written at once, from files or by the demo; `source` says which."""

    name: ClassVar[str] = "data.imported"
    source: str
    tasks: int
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRemoved(Event):
    """Many rows were removed at once (the demo data)."""

    name: ClassVar[str] = "data.removed"
    source: str
    tasks: int
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRestored(Event):
    """Everything is as in a backup again, whose log ended with row `of_seq`; what was recorded after it is gone."""

    name: ClassVar[str] = "data.restored"
    of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventUnreadable(Event):
    """Stands in for a log row that this version cannot read, for instance one of a newer version."""

    name: ClassVar[str] = "event.unreadable"
    stored_name: str


CATALOG: tuple[type[Event], ...] = (
    UserCreated,
    AccountChanged,
    PreferencesChanged,
    TaskCreated,
    TaskEdited,
    TaskArchived,
    InstancePlanned,
    PlanUndone,
    InstanceStarted,
    StartUndone,
    InstancePaused,
    InstanceResumed,
    TaskCompleted,
    CompletionUndone,
    InstanceCancelled,
    CancellationUndone,
    InstanceEdited,
    DayStarted,
    ClockCorrected,
    RoutineMissed,
    RefreshRequested,
    DataImported,
    DataRemoved,
    DataRestored,
    EventUnreadable,
)
# NOTE: a literal list, because @dataclass(slots=True) builds each class twice and would register it twice.


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An event with its place in the log. This is what receivers of the bus are given."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidated:
    """A notification, never logged: the generations of `prefixes` have risen to `seq` because of `cause`.

    `user` is None when it concerns everybody. Sent after the fact: who reads now, reads no older value.
    """

    name: ClassVar[str] = "cache.invalidated"
    user: UserId | None
    prefixes: tuple[str, ...]
    cause: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """A notification, never logged: what is kept under `prefixes` (one key) is newer than what was shown meanwhile."""

    name: ClassVar[str] = "cache.reloaded"
    user: UserId
    prefixes: tuple[str, ...]
    seq: int


Notification = Invalidated | Reloaded
NOTIFICATIONS: tuple[type[Notification], ...] = (Invalidated, Reloaded)
