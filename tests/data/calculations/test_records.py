"""Reading tasks and attempts a page at a time finds what a slow look at every row would find, and nobody else's."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from data import instances, preferences, tasks
from data.calculations import records
from data.calculations.records import InstancePage, InstanceRecord, TaskPage, Wanted, load_instances, load_tasks
from data.database import Database
from data.models import State
from data.viewpoint import Viewpoint
from events.catalog import UserId
from tests.house import House, open_house

NAMES = ("Tax return", "Ärger mit dem Amt", "100% of it", "under_score", "Straße kehren", "Call the bank")
CATEGORIES = ((), ("Geld",), ("Geld", "Haus"), ('"quoted"',), ("Hau",))
KINDS = ("work", "play", "self_care")


def _fill(database: Database, user: UserId, seed: int) -> None:
    """Make tasks and attempts of all kinds, in all states, on some days."""
    chance = random.Random(seed)
    for number, name in enumerate(NAMES):
        task = tasks.create(
            database,
            user,
            name=name,
            kind=KINDS[number % 3],
            categories=CATEGORIES[number % 5],
            description="Über alles" if number == 2 else "",
        )
        for _ in range(chance.randrange(9)):
            one = instances.plan(database, user, task, note=chance.choice(("", "GROSSE Mühe", "so_so")))
            if chance.random() < 0.6:
                instances.start(database, user, one)
            end = chance.choice((instances.complete, instances.cancel, None))
            if end is not None:
                end(database, user, one)
            database.clock.advance(hours=chance.randrange(30))  # type: ignore[attr-defined]  # the tests' own clock
        if number == 4:
            tasks.archive(database, user, task)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_house(Path(tmp_path_factory.mktemp("records"))) as opened:
        _fill(opened.database, opened.user, 1)
        _fill(opened.database, opened.new_user("stranger"), 2)
        yield opened


def view_of(house: House) -> Viewpoint:
    with house.database.read() as read:
        return Viewpoint.at(house.user, preferences.load(read, house.user), house.clock())


def found(house: House, wanted: Wanted, page: int = 1) -> InstancePage:
    view = view_of(house)
    with house.database.read() as read:
        return load_instances(read, view, wanted, page)


def found_tasks(house: House, wanted: Wanted, page: int = 1) -> TaskPage:
    view = view_of(house)
    with house.database.read() as read:
        return load_tasks(read, view, wanted, page)


def everything(house: House) -> list[InstanceRecord]:
    pages = found(house, Wanted()).pages
    return [row for page in range(1, pages + 1) for row in found(house, Wanted(), page).rows]


def matches(row: InstanceRecord, wanted: Wanted, text_of: dict[str, str]) -> bool:
    text = f"{row.name} {' '.join(row.categories)} {text_of[row.task_id]} {row.note}".casefold()
    day = row.moment.date()
    return (
        all(word in text for word in wanted.text.casefold().split())
        and (not wanted.kind or row.kind == wanted.kind)
        and (not wanted.category or wanted.category in row.categories)
        and (not wanted.task or row.task_id == wanted.task)
        and (not wanted.states or row.state in wanted.states)
        and (wanted.first is None or day >= wanted.first)
        and (wanted.last is None or day <= wanted.last)
    )


WANTED = (
    Wanted(text="ärger"),
    Wanted(text="ÄRGER amt"),
    Wanted(text="strasse"),
    Wanted(text="%"),
    Wanted(text="_"),
    Wanted(text="grosse mühe"),
    Wanted(text="über"),
    Wanted(text="nowhere to be found"),
    Wanted(kind="play"),
    Wanted(category="Geld"),
    Wanted(category="Hau"),
    Wanted(category='"quoted"'),
    Wanted(category="geld"),
    Wanted(states=(State.COMPLETED,)),
    Wanted(states=(State.PLANNED, State.ACTIVE, State.PAUSED), kind="work"),
    Wanted(first=date(2026, 5, 15)),
    Wanted(first=date(2026, 5, 15), last=date(2026, 5, 20)),
    Wanted(last=date(2026, 5, 13)),
    Wanted(first=date(2026, 5, 20), last=date(2026, 5, 15)),
)


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_a_search_finds_what_a_look_at_every_row_finds(house: House, wanted: Wanted) -> None:
    text_of = {task.id: f"{task.description} {task.notes}" for task in found_tasks(house, Wanted()).rows}
    rows = everything(house)
    assert rows
    expected = [row.id for row in rows if matches(row, wanted, text_of)]
    page = found(house, wanted)
    assert [row.id for row in page.rows] == expected[: records.PAGE_ROWS]
    assert page.total == len(expected)


def test_the_newest_come_first_and_every_row_stands_on_one_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(house)
    assert [row.moment for row in whole] == sorted((row.moment for row in whole), reverse=True)
    monkeypatch.setattr(records, "PAGE_ROWS", 4)
    pages = found(house, Wanted()).pages
    assert pages == -(-len(whole) // 4) > 1
    assert [row.id for page in range(1, pages + 1) for row in found(house, Wanted(), page).rows] == [
        row.id for row in whole
    ]
    assert found(house, Wanted(), 10**9).page == pages


def test_tasks_are_counted_sorted_by_name_and_archived_ones_stay_apart(house: House) -> None:
    rows = everything(house)
    whole = found_tasks(house, Wanted())
    assert [task.name for task in whole.rows] == sorted(NAMES, key=str.casefold)
    for task in whole.rows:
        mine = [row for row in rows if row.task_id == task.id]
        completed = [row.completed_at for row in mine if row.completed_at is not None]
        assert (task.planned, task.completed) == (len(mine), len(completed))
        assert task.last_completed_at == max(completed, default=None)
    assert [task.name for task in found_tasks(house, Wanted(archived=True)).rows] == ["Straße kehren"]
    assert found_tasks(house, Wanted(archived=False)).total == len(NAMES) - 1
    assert whole.archived_total == 1
    assert whole.categories == ('"quoted"', "Geld", "Hau", "Haus")


def test_the_day_of_an_attempt_is_that_of_its_user(house: House) -> None:
    row = everything(house)[0]
    profile = preferences.Profile(time_zone="Pacific/Auckland", day_start="05:00")
    view = Viewpoint.at(house.user, profile, house.clock())
    day = profile.calendar.day_of(row.moment)
    with house.database.read() as read:
        assert row in load_instances(read, view, Wanted(first=day, last=day)).rows
        assert row not in load_instances(read, view, Wanted(first=day + timedelta(days=1))).rows


def test_another_users_task_or_attempt_is_not_found_by_its_id(house: House) -> None:
    stranger = preferences.names(house.database)["stranger"]
    with house.database.read() as read:
        theirs = Viewpoint.at(stranger, preferences.load(read, stranger), house.clock())
        row = load_instances(read, theirs, Wanted()).rows[0]
        mine = view_of(house)
        assert load_instances(read, mine, Wanted(instance=row.id)).rows == ()
        assert load_instances(read, mine, Wanted(task=row.task_id)).task_name is None
        assert load_tasks(read, mine, Wanted(task=row.task_id)).rows == ()
