"""Judges a recorded history: every read must be explained by the order of the log.

Knows nothing of caches and runs nothing (`clients` does). Each task carries a number that only its edits raise, by one
each, so the log alone says which numbers there were after which event.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BEFORE_ALL = -1
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """An edit that raised the number of *task* to *number*. `end` is None if nobody was told that it was done."""

    user: int
    task: str
    number: int
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What somebody was shown, and between which moments.

    `numbers` are those of all tasks of the user, `as_of` is what the value says of itself, `seq` the state that the
    reader asked for. What was labelled as old is not `is_fresh`.
    """

    user: int
    how: str
    numbers: dict[str, int]
    begin: int
    end: int
    is_fresh: bool = True
    as_of: int | None = None
    seq: int | None = None


@dataclass
class Log:
    """The log of one user: after which seq each task had which number."""

    seqs: dict[str, list[int]] = field(default_factory=dict)
    """Task -> the seq of its creation, of its first edit, of its second, ..."""

    def seq_of(self, task: str, number: int) -> int | None:
        seqs = self.seqs.get(task, [])
        return seqs[number] if 0 <= number < len(seqs) else None

    def span(self, numbers: dict[str, int]) -> tuple[int, int] | None:
        """Return from which seq to before which all tasks had these *numbers* at once; None if they never had."""
        first, beyond = BEFORE_ALL, NEVER
        for task, seqs in self.seqs.items():
            number = numbers.get(task, -1)
            if number >= len(seqs):
                return None
            first = max(first, seqs[number] if number >= 0 else BEFORE_ALL)
            beyond = min(beyond, seqs[number + 1] if number + 1 < len(seqs) else NEVER)
        return (first, beyond) if first < beyond else None


def explain(logs: dict[int, Log], writes: Iterable[Write], reads: Sequence[Read]) -> list[str]:
    """Return what cannot be explained: each begins with `lost`, `torn`, `stale`, `early` or `mislabelled`."""
    wrong = []
    known: dict[int, list[tuple[int, int]]] = {user: [] for user in logs}
    begun: dict[tuple[int, int], int] = {}
    for write in writes:
        seq = logs[write.user].seq_of(write.task, write.number)
        if seq is None:
            if write.end is not None:
                wrong.append(f"lost: {write}")
            continue
        begun[write.user, seq] = min(write.begin, begun.get((write.user, seq), write.begin))
        if write.end is not None:
            known[write.user].append((write.end, seq))
    spans = [logs[read.user].span(read.numbers) for read in reads]
    for read, span in zip(reads, spans, strict=True):
        if span is not None and read.is_fresh and span[0] >= 0:
            known[read.user].append((read.end, span[0]))  # what somebody has seen is known from then on
    newest = {user: _rising(sorted(seen)) for user, seen in known.items()}
    for read, span in zip(reads, spans, strict=True):
        wrong += [f"{problem}: {read}" for problem in _problems(read, span, newest[read.user], begun)]
    return wrong


def _problems(
    read: Read, span: tuple[int, int] | None, newest: list[tuple[int, int]], begun: dict[tuple[int, int], int]
) -> list[str]:
    if span is None:
        return ["torn, these numbers were never there at once"]
    first, beyond = span
    problems = []
    if begun.get((read.user, first), read.end) > read.end:
        problems.append(f"early, event {first} had not begun")
    if read.as_of is not None and not first <= read.as_of < beyond:
        problems.append(f"mislabelled, it is of events {first} to {beyond - 1}")
    if read.is_fresh:
        at = bisect_left(newest, (read.begin, BEFORE_ALL)) - 1
        least = newest[at][1] if at >= 0 else BEFORE_ALL
        if beyond <= least:
            problems.append(f"stale, event {least} was known before and event {beyond} touched it")
        if read.seq is not None and not first <= read.seq < beyond:
            problems.append(f"torn, the reader's state is another than that of events {first} to {beyond - 1}")
    return problems


def _rising(seen: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (moment, newest seq known by then), in the order of moments."""
    highest, found = BEFORE_ALL, []
    for moment, seq in seen:
        highest = max(highest, seq)
        found.append((moment, highest))
    return found
