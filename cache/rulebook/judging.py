"""Holds what commands were seen to do against a table of rules: which rules are missing, and which never mattered.

Pure, and quick enough to be asked about every row of the table taken away in turn.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from cache.rulebook import emission
from cache.rulebook.observing import Change, Observation, Observed
from cache.values import Row
from data import access
from data.rehearsal import NOT_CARRIED_OUT
from events.catalog import Event, EventUnreadable, Logged
from events.findings import ROOT, Finding, place, place_of
from events.patterns import covers, parse
from events.ruleset import Rule, Ruleset

_REHEARSAL = ROOT / "data" / "rehearsal.py"
_SHOWN_COLUMNS = 3


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix in a row without which no command made a difference: for open pages, or for nothing."""

    where: str
    event: str
    pattern: str


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `findings` are mistakes; `idle` is for information."""

    findings: list[Finding]
    idle: list[Idle]
    commands: int
    compared: int
    """How many pairs of a command and a value."""


def judge(
    rules: Sequence[Rule], catalog: Sequence[type[Event]], values: Sequence[Row], observed: Observed
) -> Judgement:
    """Return everything in which *rules* and what was *observed* do not agree."""
    findings = [
        *misses(rules, values, observed),
        *_undecided(rules, values, observed),
        *_of_values(values, observed),
        *_of_commands(catalog, observed),
        *_unwritten(observed),
        *_unrehearsed(observed),
    ]
    return Judgement(
        findings=list(dict.fromkeys(findings)),
        idle=list(_idle(rules, values, observed)),
        commands=len(observed.observations),
        compared=len(observed.observations) * len(values),
    )


def misses(rules: Sequence[Rule], values: Sequence[Row], observed: Observed) -> list[Finding]:
    """Return a finding with an example for each value that was seen to change and that no rule makes stale."""
    ruleset = Ruleset(rules)
    by_key = {value.key: value for value in values}
    found: dict[tuple[str, str], Finding] = {}
    for seen in observed.observations:
        for change in seen.changes:
            value = by_key.get(change.key)
            if value is None or value.may_lag or seen.went_back or change.key in observed.fickle:
                continue
            happened = [logged for logged in seen.events if change.since < logged.seq <= change.until]
            own = [logged for logged in happened if logged.event.is_global or logged.event.user == change.user]
            if not _is_dropped(change.full_key, own, ruleset):
                names = " and ".join(dict.fromkeys(logged.event.name for logged in happened))
                finding = _miss(value, change, seen, happened, own, ruleset, observed.reads)
                found.setdefault((names or seen.command, change.key), finding)
    return list(found.values())


def _miss(
    value: Row,
    change: Change,
    seen: Observation,
    happened: Sequence[Logged],
    own: Sequence[Logged],
    ruleset: Ruleset,
    reads: Mapping[str, frozenset[str]],
) -> Finding:
    example = f"“{seen.command}” changed {change.example}"
    columns = _columns(seen.writes & reads.get(change.key, frozenset()))
    names = " and ".join(dict.fromkeys(logged.event.name for logged in happened))
    if not happened and not seen.writes:
        return Finding(
            value.where,
            f"{change.key} depends on the time, and its key does not: let it vary by day or by hour. {example}",
        )
    if not happened:
        return Finding(
            _line_of(seen.command), f"{columns} is written without any event, and {change.key} reads it. {example}"
        )
    if not own:
        of_whom = ", ".join(sorted({str(logged.event.user) for logged in happened}))
        return Finding(
            place_of(type(happened[-1].event)),
            f"{names} is recorded for user {of_whom}, but {change.key} of user {change.user} differs. {example}",
        )
    keeping = _keeping(change.key, own, ruleset)
    if keeping is not None:
        rule, pattern = keeping
        return Finding(
            rule.where,
            f"{names} is said to keep {pattern!r} ({rule.keeps[pattern]}), but {change.key} differs: {example}",
        )
    plural = "" if " and " in names else "s"
    said = f"write{plural} {columns}, which {change.key} reads" if columns else f"change{plural} {change.key}"
    return Finding(_row_of(own[-1].event, ruleset), f"{names} {said}, and no rule says so. {example}")


def _undecided(rules: Sequence[Rule], values: Sequence[Row], observed: Observed) -> Iterator[Finding]:
    """Yield a finding for what is written and read, made stale by no rule and kept by none; nothing proved it wrong."""
    ruleset = Ruleset(rules)
    for seen in observed.observations:
        own = [logged for logged in seen.events if logged.event.is_global or logged.event.user == seen.user]
        if not own or seen.went_back:  # whose rows were written, columns do not say: that is for the proof
            continue
        changed = {change.key for change in seen.changes}
        for value in values:
            common = seen.writes & observed.reads.get(value.key, frozenset())  # parts are read as what they add up to
            if not common or value.may_lag or value.key in changed or _is_dropped(value.key, own, ruleset):
                continue
            if _keeping(value.key, own, ruleset) is None:
                event = own[-1].event
                yield Finding(
                    _row_of(event, ruleset),
                    f"{event.name} writes {_columns(common)}, which {value.key} reads, and its rules do not say what "
                    f"becomes of it. “{seen.command}” did not change it: if nothing can, `keeps` says why",
                )


def _of_values(values: Sequence[Row], observed: Observed) -> Iterator[Finding]:
    for value in values:
        if value.key in observed.failures:
            yield Finding(value.where, f"{value.key} cannot be computed: {observed.failures[value.key]}")
        if value.key in observed.fickle:
            yield Finding(value.where, f"{value.key} differs when it is computed twice from the same state")
        if value.key in observed.clocked:
            yield Finding(
                value.where,
                f"{value.key} asks the system's clock: let it take `today` or `hour` of its viewpoint, and vary by it",
            )
        for opened in sorted(observed.opened.get(value.key, ())):
            yield Finding(
                value.where,
                f"{value.key} opens {opened}, and no event says when that changes: a loader reads its transaction only",
            )


def _of_commands(catalog: Sequence[type[Event]], observed: Observed) -> Iterator[Finding]:
    for seen in observed.observations:
        if seen.failure is not None:
            yield Finding(_line_of(seen.command), f"“{seen.command}” cannot be carried out: {seen.failure}")
    recorded = {type(logged.event) for seen in observed.observations for logged in seen.events}
    for event_class in catalog:
        # What stands in for rows that cannot be read is written by no command.
        if event_class not in recorded and event_class is not EventUnreadable:
            sentence = f"no command in data/rehearsal.py records {event_class.name}, so nothing shows what it changes"
            yield Finding(place_of(event_class), sentence)
        seen_with = [
            seen for seen in observed.observations if any(type(one.event) is event_class for one in seen.events)
        ]
        touches_others = any(change.user != seen.user for seen in seen_with for change in seen.changes)
        if seen_with and event_class.is_global and not touches_others:
            sentence = f"{event_class.name} is global, and no command that records it changes a value of another user"
            yield Finding(place_of(event_class), sentence)


def _unwritten(observed: Observed) -> Iterator[Finding]:
    """Yield a finding for each column that a value reads and that no command changed: what depends on it, none saw."""
    changed = frozenset[str]().union(*(seen.updates for seen in observed.observations if seen.events))
    renewed = {column.partition(".")[0] for column in changed}  # the others' rows come and go, and stay as they came
    changed |= {
        column for seen in observed.observations for column in seen.writes if column.partition(".")[0] not in renewed
    }
    for key, columns in observed.reads.items():
        for column in sorted(columns - changed):
            if access.can_change(column):
                yield Finding(
                    _line_of("COMMANDS"),
                    f"no command of an event changes {column}, which {key} reads, so nothing shows what depends on it",
                )


def _unrehearsed(observed: Observed) -> Iterator[Finding]:
    for writer in emission.writers():
        if (writer.file, writer.name) not in observed.writers and writer.name not in NOT_CARRIED_OUT:
            yield Finding(
                place(writer.file, writer.line),
                f"no command in data/rehearsal.py carries out {writer.name}, so nothing shows what it writes",
            )


def _idle(rules: Sequence[Rule], values: Sequence[Row], observed: Observed) -> Iterator[Idle]:
    known = set(misses(rules, values, observed))
    for rule in rules:
        for event_class in rule.on:
            for pattern in rule.invalidates:
                if set(misses(without(rules, rule, event_class, pattern), values, observed)) == known:
                    yield Idle(where=rule.where, event=event_class.name, pattern=pattern)


def without(rules: Iterable[Rule], row: Rule, event: type[Event], pattern: str) -> tuple[Rule, ...]:
    """Return the table in which *row* does not let *event* invalidate *pattern*."""
    table: list[Rule] = []
    for rule in rules:
        if rule is row:
            others = tuple(other for other in rule.on if other is not event)
            table += [replace(rule, on=others)] if others else []
            rule = replace(rule, on=(event,), invalidates=tuple(kept for kept in rule.invalidates if kept != pattern))
        table.append(rule)
    return tuple(table)


def _is_dropped(key: str, happened: Iterable[Logged], ruleset: Ruleset) -> bool:
    return any(covers(prefix, key) for logged in happened for prefix in ruleset.prefixes(logged.event))


def _keeping(key: str, happened: Iterable[Logged], ruleset: Ruleset) -> tuple[Rule, str] | None:
    """Return the row and the pattern by which *key* is deliberately kept."""
    for logged in happened:
        for rule in ruleset.rows(type(logged.event)):
            if rule.holds(logged.event):
                for pattern in rule.keeps:
                    if covers(parse(pattern), key):
                        return rule, pattern
    return None


def _columns(columns: Iterable[str]) -> str:
    named = sorted(column for column in columns if not column.endswith(("_id", ".id", ".*"))) or sorted(columns)
    more = len(named) - _SHOWN_COLUMNS
    return ", ".join(named[:_SHOWN_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _row_of(event: Event, ruleset: Ruleset) -> str:
    rows = ruleset.rows(type(event))
    return rows[0].where if rows else place_of(type(event))


def _line_of(command: str) -> str:
    """Return where *command* stands, or the table, if its line is made for each column or state."""
    lines = _REHEARSAL.read_text(encoding="utf-8").splitlines()
    starts = (f'"{command}":', "COMMANDS:")
    found = [[n for n, line in enumerate(lines, start=1) if line.strip().startswith(start)] for start in starts]
    return place(_REHEARSAL, next((numbers[0] for numbers in found if numbers), 1))
