"""What holds for every loader: it is a pure function of one user's rows, and what it returns can be kept."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from data.calculations.analytics import load_distribution
from data.database import ReadTransaction
from data.fields import FIRST_YEAR, LAST_YEAR
from data.viewpoint import Viewpoint

MakeView = Callable[..., Viewpoint]
Loader = Callable[[ReadTransaction, Viewpoint], Any]
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
KINDS = ("work", "play", "self_care", "sleep", "other")


def some_rows(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Two months of instances in every state, some of them half rated, several at one instant."""
    chance = random.Random(seed)
    rows = []
    for place in range(120):
        moment = NOON - timedelta(hours=chance.randrange(-20, 1500))
        felt = [f"actual_{name}" for name in ("relief", "mental_load", "emotional_load", "physical_load", "aversion")]
        columns: dict[str, Any] = {name: chance.choice([None, chance.randrange(101)]) for name in felt}
        columns |= {"predicted_relief": chance.randrange(101), "estimate_minutes": chance.choice([None, 30.0])}
        columns |= {"created_at": moment - timedelta(hours=chance.randrange(50)), "id": f"{place:03}"}
        state = chance.choice(["completed"] * 6 + ["cancelled", "planned", "active"])
        if state == "completed":
            columns |= {"completed_at": moment, "actual_minutes": chance.random() * 100, "completion_percent": 100.0}
        elif state == "cancelled":
            columns["cancelled_at"] = moment
        rows.append((f"t{chance.randrange(7)}", columns | {"state": state}))
    return rows


def fill(records: Any, rows: list[tuple[str, dict[str, Any]]]) -> None:
    for place, kind in enumerate((*KINDS, "work", "play")):
        records.task(f"t{place}", kind=kind, categories=("x", "y")[: place % 3], default_aversion=10 * place)
    for task, columns in rows:
        records.instance(task, **columns)


@pytest.fixture(params=[{}, {"time_zone": "Pacific/Auckland", "day_start": "03:00", "baseline": "all"}])
def seen(request: pytest.FixtureRequest, view: MakeView) -> Viewpoint:
    return view(**request.param)


def test_an_empty_database_is_no_trouble(records: Any, seen: Viewpoint, loader: Loader) -> None:
    assert loader(records.read, seen) is not None


def test_another_users_rows_change_nothing(records: Any, seen: Viewpoint, loader: Loader) -> None:
    fill(records, some_rows(1))
    alone = loader(records.read, seen)
    fill(records.of_user(2), some_rows(2))  # the same ids, on purpose
    assert loader(records.read, seen) == alone
    assert loader(records.read, msgspec.structs.replace(seen, user=2)) != alone


def test_the_order_of_the_rows_in_the_tables_changes_nothing(
    new_records: Callable[[], Any], seen: Viewpoint, loader: Loader
) -> None:
    rows = some_rows(3)
    with new_records() as records:
        fill(records, rows)
        one = loader(records.read, seen)
    random.Random(4).shuffle(rows)
    with new_records() as records:
        fill(records, rows)
        assert loader(records.read, seen) == one


def test_what_it_returns_comes_back_from_disk_the_same(records: Any, seen: Viewpoint, loader: Loader) -> None:
    fill(records, some_rows(5))
    result = loader(records.read, seen)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(result), type=type(result))
    assert again == result
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(result)


def test_what_it_returns_is_immutable_through_and_through(records: Any, seen: Viewpoint, loader: Loader) -> None:
    fill(records, some_rows(6))
    for part in parts_of(loader(records.read, seen)):
        assert isinstance(part, tuple | str | float | int | date | None) or part.__struct_config__.frozen


def parts_of(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, msgspec.Struct):
        children = [getattr(value, name) for name in value.__struct_fields__]
    else:
        children = list(value) if isinstance(value, tuple) else []
    for child in children:
        yield from parts_of(child)


AT_THE_CAPS = (
    datetime(FIRST_YEAR, 1, 1, tzinfo=UTC),
    datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
)
BEYOND_THEM = (
    datetime(9998, 12, 31, 23, tzinfo=UTC),
    datetime(9999, 6, 1, tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
)
FARTHEST = [("Pacific/Kiritimati", "00:00"), ("Etc/GMT+12", "23:59"), ("UTC", "00:00")]


@pytest.mark.parametrize(("zone", "day_start"), FARTHEST)
@pytest.mark.parametrize("moments", [AT_THE_CAPS, BEYOND_THEM], ids=["at the caps", "beyond them"])
def test_the_first_and_last_moments_there_can_be_are_no_trouble(
    records: Any, view: MakeView, loader: Loader, moments: tuple[datetime, ...], zone: str, day_start: str
) -> None:
    """What lies beyond the caps may stand in tables that an older program filled."""
    for moment in (*moments, NOON):
        records.completed(moment, "a", created_at=moments[0])
        records.cancelled(moment, "b", created_at=moments[0])
        records.instance("c", state="planned", created_at=moment, due_at=moment)
    for baseline in ("all", "week"):
        loader(records.read, view(time_zone=zone, day_start=day_start, baseline=baseline))


@pytest.mark.parametrize(("zone", "day_start"), FARTHEST)
def test_what_was_completed_at_the_first_and_last_moments_counts(
    records: Any, view: MakeView, zone: str, day_start: str
) -> None:
    for moment in AT_THE_CAPS:
        records.completed(moment)
    assert load_distribution(records.read, view(time_zone=zone, day_start=day_start)).completed == len(AT_THE_CAPS)
