"""A small database in memory, rows for it with as little typing as possible, and points of view on them."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, insert

from data.calculations import analytics, dashboard, recommendations, relief, summary
from data.connections import Share
from data.database import ReadTransaction
from data.models import Base, Instance, State, Task, User
from data.preferences import Profile
from data.sqlite import sqlite
from data.viewpoint import Viewpoint
from events.catalog import UserId
from tests.data.calculations.reference.attempts import Attempt
from tests.data.calculations.reference.measures import Measures

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = NOON.date()
ALL_FELT = {
    "actual_relief": 60,
    "actual_mental_load": 30,
    "actual_emotional_load": 60,
    "actual_physical_load": 0,
    "actual_aversion": 45,
}


class Records:
    """Writes rows of one user into an empty database; `read` is what loaders get."""

    def __init__(self, connection: Connection, user: int = 1, ids: Iterator[int] | None = None) -> None:
        self.connection = connection
        self.user = user
        self._ids = ids or itertools.count(1)
        self._tasks: set[str] = set()
        connection.execute(insert(User).values(id=user, name=f"user {user}", created_at=NOON))

    @property
    def read(self) -> ReadTransaction:
        return ReadTransaction(connection=self.connection, seq=0, token=0, share=Share(self.connection))

    def of_user(self, user: int) -> "Records":
        return Records(self.connection, user, self._ids)

    def task(self, id: str = "t", **columns: Any) -> str:
        self._tasks.add(id)
        values = {"name": f"Task {id}", "kind": "work", "created_at": NOON, "updated_at": NOON} | columns
        self.connection.execute(insert(Task).values(user_id=self.user, id=id, **values))
        return id

    def instance(self, task: str = "t", **columns: Any) -> str:
        if task not in self._tasks:
            self.task(task)
        values = {"id": f"i{next(self._ids):04}", "created_at": NOON} | columns
        self.connection.execute(insert(Instance).values(user_id=self.user, task_id=task, **values))
        return str(values["id"])

    def completed(self, at: datetime, task: str = "t", **columns: Any) -> str:
        values = {"created_at": at, "completion_percent": 100.0, "actual_minutes": 60.0} | ALL_FELT | columns
        return self.instance(task, state=State.COMPLETED.value, completed_at=at, **values)

    def cancelled(self, at: datetime, task: str = "t", **columns: Any) -> str:
        return self.instance(task, state=State.CANCELLED.value, cancelled_at=at, **({"created_at": at} | columns))


@contextmanager
def _new_records() -> Iterator[Records]:
    engine = create_engine("sqlite://", module=sqlite)
    try:
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            yield Records(connection)
    finally:
        engine.dispose()


@pytest.fixture
def records() -> Iterator[Records]:
    with _new_records() as new:
        yield new


@pytest.fixture(scope="session")
def new_records() -> Callable[[], Any]:
    """For tests that need several databases."""
    return _new_records


@pytest.fixture(scope="session")
def view() -> Callable[..., Viewpoint]:
    """Makes points of view: `view(today=..., hour=..., user=..., **preferences)`."""

    def make(today: date = DAY, hour: datetime = NOON, user: int = 1, **preferences: Any) -> Viewpoint:
        profile = msgspec.convert(preferences, Profile)
        return Viewpoint(user=UserId(user), profile=profile, today=today, hour=hour)

    return make


@pytest.fixture(scope="session")
def attempt() -> Callable[..., Attempt]:
    """Makes attempts that say nothing but what is given."""

    def make(**fields: Any) -> Attempt:
        defaults: dict[str, Any] = dict.fromkeys(Attempt.__struct_fields__)
        defaults |= {
            "day": DAY,
            "earlier_completions": 0,
            "id": "i",
            "task_id": "t",
            "kind": "work",
            "created_at": NOON,
            "completed_at": NOON,
        }
        return Attempt(**(defaults | fields))

    return make


LOADERS = {
    "metrics": dashboard.load_metrics,
    "tasks": dashboard.load_tasks,
    "daily": summary.load_daily,
    "composite": analytics.load_composite_scores,
    "trends": analytics.load_trends,
    "correlations": analytics.load_correlations,
    "distribution": analytics.load_distribution,
    "relief": relief.load_relief_summary,
    "recommendations": recommendations.load_recommendations,
}


@pytest.fixture(params=LOADERS, scope="session")
def loader(request: pytest.FixtureRequest) -> Callable[[ReadTransaction, Viewpoint], Any]:
    """Each loader in turn."""
    return LOADERS[request.param]


@pytest.fixture(scope="session")
def nothing() -> Measures:
    """The measures of an instance about which nothing is known."""
    return Measures(**(dict.fromkeys(Measures.__struct_fields__) | {"delay_minutes": 0.0}))
