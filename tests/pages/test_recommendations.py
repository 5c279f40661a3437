"""What next: what is recommended, what the filters leave out, and that one click plans or starts it."""

from functools import partial

from nicegui.testing import User

from data import instances
from data.fields import Feelings
from pages.markup import Block
from tests.pages.hands import choose, in_markup, press, rows, texts
from tests.pages.stage import Stage, until


async def opened(user: User, stage: Stage, path: str = "/") -> None:
    """Open the dashboard and wait until it is filled."""
    client = await user.open(path)
    await until(lambda: all(section.redraws for section in stage.sections(client)))


def offered(user: User) -> list[str]:
    """Return the names of the recommended tasks."""
    found = []
    for row in rows(user, "What next"):
        assert isinstance(row, Block)
        found.append(in_markup(row)[0].name.partition(": ")[2])
    return found


async def test_what_brought_relief_is_recommended_first_with_its_sub_scores(user: User, stage: Stage) -> None:
    for name, relief in (("Call Mum", 95), ("Tax return", 20)):
        one = await stage.planned(name)
        felt = Feelings(relief=relief, mental_load=20, emotional_load=20, physical_load=20, aversion=50)
        await stage.do(partial(instances.complete, actual=felt, actual_minutes=30), one)
    await opened(user, stage)
    assert offered(user) == ["Call Mum", "Tax return"]
    for name in ("Gain", "Pace", "Ease", "Urgency"):
        assert f">{name}</a>" in texts(user)
    assert "Expected relief minus expected stress." in texts(user)
    assert "relief 67" in texts(user), "95, shrunk towards the mean of both"


async def test_the_filters_leave_out_and_say_when_nothing_is_left(user: User, stage: Stage) -> None:
    await stage.task("Tax return", kind="work", estimate_minutes=90, categories=("money",))
    await stage.task("Guitar", kind="play", estimate_minutes=20, categories=("music",))
    await opened(user, stage)
    assert set(offered(user)) == {"Tax return", "Guitar"}
    choose(user, "Minutes I have", "30")
    assert offered(user) == ["Guitar"]
    choose(user, "Kind", "work")
    assert offered(user) == []
    assert "Nothing fits." in texts(user)
    choose(user, "Minutes I have", "")
    assert offered(user) == ["Tax return"]
    choose(user, "Kind", "")
    choose(user, "Category", "music")
    assert offered(user) == ["Guitar"]


async def test_filters_stand_in_the_address(user: User, stage: Stage) -> None:
    await stage.task("Tax return", kind="work")
    await stage.task("Guitar", kind="play")
    await opened(user, stage, "/?kind=play&minutes=soon&category=")
    assert offered(user) == ["Guitar"]


async def test_a_task_is_started_and_planned_with_one_click(user: User, stage: Stage) -> None:
    await stage.task("Tax return")
    await opened(user, stage)
    press(user, "Plan as it is: Tax return")
    await until(lambda: len(rows(user, "Planned")) == 1)
    press(user, "Start now: Tax return")
    await until(lambda: len(rows(user, "Running and paused")) == 1)
    assert len(rows(user, "Planned")) == 1


async def test_what_is_planned_can_be_ranked_and_started_too(user: User, stage: Stage) -> None:
    await stage.planned("Tax return")
    await stage.task("Guitar")
    await opened(user, stage)
    press(user, "Planned")
    assert offered(user) == ["Tax return"]
    press(user, "Start: Tax return")
    await until(lambda: len(rows(user, "Running and paused")) == 1)
    await until(lambda: offered(user) == [])
    assert "Nothing is planned. Look among all tasks instead." in texts(user)
