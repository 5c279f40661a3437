"""Readings on their way to the event loop: none is lost, the newest counts, and patience ends once."""

import asyncio
from datetime import UTC, datetime

from data.preferences import LOCAL_USER, Profile
from data.viewpoint import Viewpoint
from pages.arrivals import Arrivals
from pages.section import Reading

NOW = datetime(2026, 5, 13, tzinfo=UTC)
VIEW = Viewpoint.at(LOCAL_USER, Profile(), NOW)


def reading(*keys: str) -> Reading:
    """A reading with these values."""
    return Reading(VIEW, {key: KeyError(key) for key in keys}, NOW, {})


async def collected(arrivals: Arrivals, patience: float = 5.0) -> list[int | None]:
    """How many values each reading had, None for the end of patience."""
    return [None if one is None else len(one.looks) async for one in arrivals.within(patience)]


async def test_what_came_before_anybody_listened_is_there_and_the_last_counts() -> None:
    arrivals = Arrivals(asyncio.get_running_loop())
    for keys in ("a", "ab", "abc"):
        arrivals.put(reading(*keys))
    arrivals.end()
    assert await collected(arrivals) == [3]


async def test_nothing_at_all_ends_too() -> None:
    arrivals = Arrivals(asyncio.get_running_loop())
    arrivals.end()
    assert await collected(arrivals) == []


async def test_the_last_reading_of_a_thread_is_never_lost() -> None:
    for _ in range(200):
        arrivals = Arrivals(asyncio.get_running_loop())

        def work(arrivals: Arrivals = arrivals) -> None:
            for count in range(1, 6):
                arrivals.put(reading(*"abcde"[:count]))

        task = asyncio.create_task(asyncio.to_thread(work))
        task.add_done_callback(arrivals.end)
        found = await asyncio.wait_for(collected(arrivals), 5)
        assert found[-1] == 5
        assert found == sorted(found)


async def test_patience_ends_once_and_what_is_late_still_comes() -> None:
    arrivals = Arrivals(asyncio.get_running_loop())
    listening = asyncio.create_task(collected(arrivals, patience=0.01))
    await asyncio.sleep(0.05)
    arrivals.put(reading("a"))
    await asyncio.sleep(0.05)
    arrivals.end()
    assert await listening == [None, 1]


async def test_who_waits_for_long_is_reminded_less_and_less_often() -> None:
    arrivals = Arrivals(asyncio.get_running_loop())
    began, times = asyncio.get_running_loop().time(), []
    async for one in arrivals.within(0.02, again=0.04, rarest=0.1):
        assert one is None
        times.append(asyncio.get_running_loop().time() - began)
        if len(times) == 5:
            arrivals.end()
    assert all(
        after - before >= gap for before, after, gap in zip(times, times[1:], (0.04, 0.08, 0.1, 0.1), strict=False)
    )


async def test_what_comes_shortly_after_something_was_drawn_comes_together() -> None:
    loop = asyncio.get_running_loop()
    arrivals = Arrivals(loop)
    arrivals.put(reading("a"))
    for delay, keys in ((0.01, "ab"), (0.02, "abc")):
        loop.call_later(delay, arrivals.put, reading(*keys))
    loop.call_later(0.3, arrivals.end)
    found = []
    async for one in arrivals.within(5.0):
        assert one is not None
        found.append(len(one.looks))
        await arrivals.gather(0.1)
    assert found == [1, 3]


async def test_nobody_waits_for_more_once_all_is_there() -> None:
    loop = asyncio.get_running_loop()
    arrivals = Arrivals(loop)
    loop.call_later(0.01, arrivals.end)
    await asyncio.wait_for(arrivals.gather(60.0), 5)
