"""How stalls of an event loop are counted."""

import asyncio
import time

from tests.lateness import Late, by_time, percentile, watch


def test_a_long_stall_counts_by_its_length() -> None:
    punctual = [0.0] * 900  # looked every 10 ms: nine seconds
    assert percentile(by_time(punctual, 0.01), 99) == 0.0
    stalled = [*punctual, 1.0]  # one look of 901, and a tenth of the time
    assert percentile(stalled, 99) == 0.0
    assert percentile(by_time(stalled, 0.01), 99) > 0.85
    assert len(by_time(stalled, 0.01)) == 1000


async def test_a_loop_that_stands_still_is_seen() -> None:
    seen: list[Late] = []
    looking = asyncio.create_task(watch(0.01, seen.append))
    await asyncio.sleep(0.03)
    time.sleep(0.3)  # noqa: ASYNC251  # as a slip in our code would
    await asyncio.sleep(0.03)
    looking.cancel()
    assert max(late.seconds for late in seen) >= 0.25
    assert all(late.own <= late.seconds for late in seen)
