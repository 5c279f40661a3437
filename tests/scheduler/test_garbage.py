"""The garbage collector: it looks at what is new, never twice, and through everything only when nobody is there."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from scheduler.garbage import BUSY_SECONDS, COLLECT_AFTER, QUIET_SECONDS, Sweeper, spared


class Circle:
    """An object that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The tests of this process spare the collector what they have imported: go on doing so."""
    yield
    gc.freeze()


def test_what_was_looked_through_once_is_left_alone() -> None:
    """As many pages' objects would be: the collector gets no slower by them."""
    looked_at: list[int] = []

    def note(phase: str, looked: dict[str, int]) -> None:
        if phase == "start":
            looked_at.append(sum(len(gc.get_objects(generation)) for generation in (1, 2)))

    with spared():
        gc.callbacks.append(note)
        try:
            kept = [[number] for number in range(100_000)]
        finally:
            gc.callbacks.remove(note)
    assert len(kept) == 100_000
    assert len(looked_at) > 10
    assert max(looked_at) < 4 * COLLECT_AFTER[0]


def test_young_circles_are_found_and_old_ones_wait_for_the_sweeper() -> None:
    now = [0.0]
    with spared():
        sweeper = Sweeper(lambda: False, lambda: now[0])
        old = Circle()
        young = weakref.ref(Circle())
        kept = [[number] for number in range(4 * COLLECT_AFTER[0])]
        assert young() is None
        was = weakref.ref(old)
        del old
        gc.collect()
        assert was() is not None, "it is looked through again"
        now[0] = QUIET_SECONDS
        assert sweeper.sweep()
        assert was() is None
        assert kept


def test_nobody_who_is_there_is_disturbed_more_than_once_an_hour() -> None:
    now, there = [0.0], [True]
    sweeper = Sweeper(lambda: there[0], lambda: now[0])
    assert sweeper.sweep() is None
    now[0] = QUIET_SECONDS
    assert sweeper.sweep() is None
    there[0] = False
    assert sweeper.sweep() is not None
    assert sweeper.sweep() is None, "it was done a moment ago"
    there[0] = True
    now[0] += BUSY_SECONDS
    assert sweeper.sweep() is not None


def test_outside_of_it_everything_is_as_it_was() -> None:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    with spared():
        assert gc.get_threshold() == COLLECT_AFTER
    assert gc.get_threshold() == thresholds
    assert gc.callbacks == callbacks
