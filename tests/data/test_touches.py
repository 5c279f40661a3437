"""Which months an event names: all whose numbers a command changed, compared with the numbers themselves."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data import instances, preferences, tasks
from data.calculations.beginnings import load_beginnings
from data.calculations.months import load_months
from data.fields import Feelings
from data.viewpoint import Viewpoint
from events.catalog import InstanceId, TouchesDays
from tests.house import Clock, House, open_house

PARTS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05")


def numbers(house: House) -> dict[str, Any]:
    with house.database.read() as read:
        view = Viewpoint.at(house.user, preferences.load(read, house.user), house.clock.now)
        found: dict[str, Any] = dict(zip(PARTS, load_months(read, view, PARTS), strict=True))
        (found["beginnings"],) = load_beginnings(read, view, ["all"])
        return found


@pytest.mark.parametrize("seed", range(4))
def test_an_event_names_every_month_whose_numbers_it_changed_and_few_others(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with open_house(tmp_path, clock=Clock(datetime(2026, 1, 2, 12, tzinfo=UTC))) as house:
        preferences.change(house.database, house.user, time_zone="America/New_York", day_start="04:00")
        own = [tasks.create(house.database, house.user, name=name) for name in "ab"]
        done: list[InstanceId] = []
        for _ in range(36):
            house.clock.advance(hours=chance.choice([30, 90, 130]))
            one = instances.plan(house.database, house.user, chance.choice(own), predicted=Feelings(relief=50))
            instances.complete(
                house.database, house.user, one, actual=Feelings(relief=20, aversion=chance.randrange(99))
            )
            done.append(one)
        seen: list[TouchesDays] = []
        disconnect = house.bus.on_event(lambda logged: seen.append(logged.event))  # type: ignore[arg-type]
        named_in_vain = 0
        before = numbers(house)
        for step in range(24):
            one = chance.choice(done[:12] if step % 2 else done)
            seen.clear()
            act = chance.choice(["undo", "aversion", "relief", "move", "note"])
            if act == "undo":
                instances.undo(house.database, house.user, one)
                done.remove(one)
            elif act == "move":
                moment = house.clock.now - timedelta(hours=chance.randrange(1, 2500))
                instances.edit(house.database, house.user, one, created_at=moment, started_at=None, completed_at=moment)
            elif act == "note":
                instances.edit(house.database, house.user, one, note=str(step))
            else:
                instances.edit(house.database, house.user, one, **{f"actual_{act}": chance.randrange(101)})
            after = numbers(house)
            changed = {part for part in before if before[part] != after[part]}
            (event,) = seen or [None]
            if event is None:
                assert not changed
                continue
            assert event.months is not None
            assert changed - {"beginnings"} <= set(event.months), act
            assert "beginnings" not in changed or event.is_early, act
            named_in_vain += len(set(event.months) - changed)
            before = after
        disconnect()
    assert named_in_vain < 30, "months are named that did not change: who keeps them loses them for nothing"


def test_a_late_completion_touches_its_own_month_only(tmp_path: Path) -> None:
    seen: list[TouchesDays] = []
    with open_house(tmp_path, clock=Clock(datetime(2026, 1, 2, 12, tzinfo=UTC))) as house:
        disconnect = house.bus.on_event(lambda logged: seen.append(logged.event))  # type: ignore[arg-type]
        task = tasks.create(house.database, house.user, name="often")
        for place in range(14):
            house.clock.advance(days=7)
            one = instances.plan(house.database, house.user, task)
            instances.complete(house.database, house.user, one)
            assert seen[-1].is_early == (place < 10)
        disconnect()
    assert seen[-1].months == ("2026-04",)
