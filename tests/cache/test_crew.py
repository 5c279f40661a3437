"""The threads that loads run in: enough of them, kept for the next load, and gone when nobody needs them."""

import threading
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from queue import SimpleQueue
from threading import Thread

import pytest

from cache.crew import Crew

SECONDS = 10.0
said: ContextVar[str] = ContextVar("said")


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew("of-test")
    yield crew
    crew.close()


def done_in(crew: Crew) -> Thread:
    """Return the thread that did a job, which is idle again."""
    workers: SimpleQueue[Thread] = SimpleQueue()
    crew.start(lambda: workers.put(threading.current_thread()))
    worker = workers.get(timeout=SECONDS)
    until_idle = threading.Event()
    while not crew._idle:
        assert not until_idle.wait(0.001)
    return worker


def test_the_next_job_is_done_by_the_same_thread(crew: Crew) -> None:
    assert done_in(crew) is done_in(crew)


def test_no_job_waits_for_another(crew: Crew) -> None:
    all_are_here = threading.Barrier(9)
    for _ in range(8):
        crew.start(lambda: all_are_here.wait(SECONDS))
    all_are_here.wait(SECONDS)


def test_a_job_sees_the_context_of_who_began_it(crew: Crew) -> None:
    heard: SimpleQueue[str] = SimpleQueue()
    for word in ("one", "two"):
        said.set(word)
        crew.start(lambda: heard.put(said.get()))
        assert heard.get(timeout=SECONDS) == word


def test_nothing_of_a_job_is_held_after_it(crew: Crew) -> None:
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    is_done = threading.Event()

    def job(_held: Held = held) -> None:
        is_done.set()

    crew.start(job)
    del held, job
    assert is_done.wait(SECONDS)
    done_in(crew)  # by the same thread
    assert gone() is None


def test_idle_threads_end_when_it_is_closed_and_later_jobs_find_new_ones(crew: Crew) -> None:
    before = done_in(crew)
    crew.close()
    before.join(SECONDS)
    assert not before.is_alive()
    assert done_in(crew) is not before


def test_idle_threads_end_by_themselves_after_some_time() -> None:
    crew = Crew("of-test", idle_seconds=0.01)
    workers: SimpleQueue[Thread] = SimpleQueue()
    for _ in range(20):  # some of them at the moment at which a thread is about to end
        crew.start(lambda: workers.put(threading.current_thread()))
        workers.get(timeout=SECONDS).join(0.01)
    done = []
    crew.start(lambda: done.append(threading.current_thread()))
    until_all_ended = threading.Event()
    while crew._idle or not done or done[0].is_alive():
        assert not until_all_ended.wait(0.001)
