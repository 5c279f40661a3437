"""What is missed and not answered: the oldest counts, and it is forgotten once it was answered, or in time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cache import misses
from cache.misses import KEPT_SECONDS, Misses
from events.catalog import UserId
from tests.cache.probes import Task

ME, OTHER = UserId(1), UserId(2)


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def missed(seconds: Seconds) -> Misses:
    return Misses(seconds)


def test_the_oldest_counts_until_it_is_answered(missed: Misses) -> None:
    assert missed.oldest(ME, "a.b") is None
    for seq in (5, 7):
        Task(lambda seq=seq: missed.missed(ME, "a.b", seq)).join()
    missed.missed(ME, "a.b", 3)
    assert [missed.oldest(ME, "a.c"), missed.oldest(OTHER, "a.b")] == [None, None]
    assert missed.oldest(ME, "a.b") == 3
    missed.answered(ME, "a.b", True)
    assert missed.oldest(ME, "a.b") == 5, "of somebody else, who may bring it still"
    missed.answered(ME, "a.b", True)
    assert missed.oldest(ME, "a.b") == 5


def test_one_that_was_refused_counts_where_it_was_missed_until_it_is_missed_anew(missed: Misses) -> None:
    missed.missed(ME, "a.b", 5)
    missed.answered(ME, "a.b", False)
    assert missed.oldest(ME, "a.b") == 5
    assert Task(lambda: missed.oldest(ME, "a.b")).join() is None
    missed.missed(ME, "a.b", 7)
    assert missed.oldest(ME, "a.b") == 7


def test_what_one_caller_left_in_a_pools_thread_is_not_the_next_ones(missed: Misses) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(missed.missed, ME, "a.b", 5).result()
        pool.submit(missed.missed, ME, "a.b", 7).result()
        pool.submit(missed.answered, ME, "a.b", True).result()
        assert pool.submit(missed.oldest, ME, "a.b").result() == 5


def test_what_nobody_answers_is_forgotten_in_time(missed: Misses, seconds: Seconds) -> None:
    Task(lambda: missed.missed(ME, "a.b", 5)).join()
    seconds.now = KEPT_SECONDS
    Task(lambda: missed.missed(ME, "a.b", 7)).join()
    assert missed.oldest(ME, "a.b") == 5
    seconds.now += 1
    assert missed.oldest(ME, "a.b") == 7


def test_more_misses_than_are_kept_count_as_older_ones(missed: Misses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misses, "KEPT_PER_KEY", 2)
    Task(lambda: missed.missed(ME, "a.b", 5)).join()
    missed.missed(ME, "a.b", 6)
    Task(lambda: missed.missed(ME, "a.b", 7)).join()
    missed.answered(ME, "a.b", True)
    assert missed.oldest(ME, "a.b") == 5
    assert [miss.seq for miss in missed._keys[ME, "a.b"]] == [5, 6], "the second of these stands for two"


def test_keys_without_room_make_the_others_older_for_a_while(
    missed: Misses, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misses, "KEPT_KEYS", 2)

    def miss_many() -> None:
        for seq, key in ((5, "a.b"), (6, "a.c"), (7, "a.d"), (8, "a.e")):
            missed.missed(ME, key, seq)

    Task(miss_many).join()
    assert [missed.oldest(ME, key) for key in ("a.b", "a.c", "a.d", "a.e")] == [5, 5, 7, 8]
    seconds.now = KEPT_SECONDS + 1
    assert missed.oldest(ME, "a.c") is None
