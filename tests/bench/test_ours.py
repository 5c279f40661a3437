"""One round of each thing that the bench does to this cache: that it can be measured, not how fast it is."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from data.preferences import CacheBackend
from tests.bench.measure import late_store, stampede
from tests.bench.ours import SUBSYSTEM, Ours, file_alone, value_of

ROW = {"days": [{"day": "2026-05-13", "relief": 0.5, "count": 3}]}


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_each_way_to_read_can_be_timed(tmp_path: Path, backend: CacheBackend) -> None:
    values = [value_of(f"bench_{number}", lambda: ROW) for number in range(3)]
    with ExitStack() as opened:
        ours = Ours(opened, tmp_path, backend)
        ours.load_all(values)
        ways: list[Callable[..., float]] = [
            ours.timed_in_snapshot,
            ours.timed_first_in_snapshot,
            ours.timed_pages,
            ours.timed_get_or_load,
            ours.timed_after_restart,
        ]
        assert all(way(values, 5) > 0 for way in ways)


@pytest.mark.parametrize("backend", list(CacheBackend))
def test_names_can_be_timed(tmp_path: Path, backend: CacheBackend) -> None:
    with ExitStack() as opened:
        ours = Ours(opened, tmp_path, backend)
        ours.set(f"{SUBSYSTEM}.one", ROW)
        assert ours.get(f"{SUBSYSTEM}.one") == ROW
        assert (
            late_store(partial(ours.get_or_set, "late"), partial(ours.manager.invalidate, f"{SUBSYSTEM}.*")) == "fresh"
        )
        loads, _ = stampede(partial(ours.get_or_set, "stampede"), readers=3)
        assert loads >= 1


def test_invalidations_can_be_timed(tmp_path: Path) -> None:
    with ExitStack() as opened:
        ours = Ours(opened, tmp_path, CacheBackend.MEMORY)
        keys = [f"{SUBSYSTEM}.bench.k{number}" for number in range(10)]
        ours.fill(keys, 1)
        read = partial(ours.get_or_set, keys[0], lambda: 1)
        assert all(seconds > 0 for seconds in ours.timed_invalidation(f"{SUBSYSTEM}.bench.*", read))
        assert ours.timed_raises(2) > 0


def test_the_file_tier_alone_can_be_timed(tmp_path: Path) -> None:
    with file_alone(tmp_path / "cache") as alone:
        alone.set("a.b", alone.entry_of(ROW))
        assert alone.get("a.b").value == ROW
