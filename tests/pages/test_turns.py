"""Turns: of what is ready at once, one piece in each round of the event loop, so that others come in between."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from pages.turns import Turns


async def test_others_come_in_between_however_many_are_ready() -> None:
    turns, longest, ended = Turns(0.008), 0.0, False

    async def look() -> None:
        nonlocal longest
        while not ended:
            began = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - began)

    async def make() -> None:
        async with turns.one():
            time.sleep(0.02)  # noqa: ASYNC251  # what keeps the event loop

    looking = asyncio.create_task(look())
    await asyncio.gather(*(make() for _ in range(12)))
    ended = True
    await looking
    assert longest < 0.02 * 12 / 2, "they ran one after the other, and nobody else did"


async def test_each_is_done_once_and_in_order_and_what_fails_fails_for_itself() -> None:
    turns, done = Turns(0.0), list[int]()

    def fail(_: int) -> None:
        raise ValueError("no")

    first = asyncio.create_task(turns.each(done.append, range(4)))
    second = asyncio.create_task(turns.each(fail, range(4)))
    third = asyncio.create_task(turns.each(done.append, range(4, 8)))
    await asyncio.gather(first, third)
    with pytest.raises(ValueError, match="no"):
        await second
    assert sorted(done) == list(range(8))
    assert [one for one in done if one < 4] == list(range(4))
    assert done != sorted(done), "they take turns"
    await turns.each(done.append, [])


async def test_steps_are_gone_through_once_and_others_come_in_between() -> None:
    turns, done = Turns(0.0), list[str]()

    def steps(name: str) -> Iterator[None]:
        for number in range(3):
            done.append(f"{name}{number}")
            yield
        done.append(f"{name} ends")

    await asyncio.gather(turns.through(steps("a")), turns.through(steps("b")))
    for name in "ab":
        assert [one for one in done if one[0] == name] == [f"{name}{number}" for number in range(3)] + [f"{name} ends"]
    assert done[:2] == ["a0", "b0"], "they take turns"
    await turns.through(iter(()))
