"""Threads that loads run in, kept for a while for the next load.

A new one would cost the load its connection to the cache folder as well, which each thread has of its own: for small
values that is more than to compute them.
"""

import contextvars
import queue
import threading
from collections.abc import Callable
from functools import partial

IDLE_SECONDS = 10.0
"""So long a thread waits for its next job, before it ends: the values of a page follow each other sooner."""

Job = Callable[[], object]


class Crew:
    """As many threads as there are jobs at a time. Safe from any thread; none of them keeps the process alive."""

    def __init__(self, name: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._name = name
        self._idle_seconds = idle_seconds
        self._idle: list[queue.SimpleQueue[Job | None]] = []
        self._lock = threading.Lock()

    def start(self, job: Job) -> None:
        """Run *job*, which raises nothing, in another thread at once, but in the context of this one.

        Raises:
            RuntimeError: there are no more threads.
        """
        job = partial(contextvars.copy_context().run, job)
        with self._lock:
            inbox = self._idle.pop() if self._idle else None  # the one that worked last
        if inbox is not None:
            inbox.put(job)
        else:
            inbox = queue.SimpleQueue()
            inbox.put(job)
            threading.Thread(target=self._work, args=(inbox,), name=self._name, daemon=True).start()

    def close(self) -> None:
        """Let those that wait for a job end. Others end some time after theirs."""
        with self._lock:
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _work(self, inbox: "queue.SimpleQueue[Job | None]") -> None:
        while True:
            try:
                job = inbox.get(timeout=self._idle_seconds)
            except queue.Empty:
                with self._lock:
                    if inbox not in self._idle:  # a job is on its way
                        continue
                    self._idle.remove(inbox)
                return
            if job is None:
                return
            job()
            del job  # and what it holds
            with self._lock:
                self._idle.append(inbox)
