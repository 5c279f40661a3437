"""Reads the rules table: what a `Rule` may say, which prefixes an event invalidates, and what is wrong with a table.

The table itself is `rules`. Knows keys only as strings: who calls `check` says which values exist.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from events.catalog import Event, InstanceId, RefreshRequested, TaskId
from events.errors import PatternError
from events.findings import Finding, place_of, place_of_row
from events.patterns import covers, did_you_mean, parse

_WORD = re.compile(r"[^\W\d_]{2,}")
_STORED_NAME = re.compile(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: when one of `on` happens (and `when` holds), `invalidates` go stale and `keeps` deliberately do not.

    `keeps` gives a reason in words for each pattern. `when` is a pure method of the event class; several rows may name
    one event, and the prefixes of all that hold are joined. `carried` means: the prefix that the event itself names.
    `parts`, another pure method, narrows `invalidates` to some parts of what is kept in parts; None is all of them.
    """

    on: tuple[type[Event], ...]
    invalidates: tuple[str, ...] = ()
    keeps: Mapping[str, str] = field(default_factory=dict)
    when: Callable[[Any], bool] | None = None
    parts: Callable[[Any], tuple[str, ...] | None] | None = None
    carried: bool = False
    where: str = field(default_factory=place_of_row, compare=False, repr=False)
    """The file and line of the row."""

    def prefixes(self, event: Event) -> tuple[str, ...]:
        """Return the prefixes that *event* invalidates by this row; none if the condition does not hold."""
        if self.when is not None and not self.when(event):
            return ()
        if self.carried and isinstance(event, RefreshRequested):
            return (parse(event.prefix),)
        parts = None if self.parts is None else self.parts(event)
        if parts is None:
            return tuple(map(parse, self.invalidates))
        return tuple(parse(f"{pattern}.{part}") for pattern in self.invalidates for part in parts)

    def holds(self, event: Event) -> bool:
        """Whether this row is about *event*."""
        return isinstance(event, self.on) and (self.when is None or self.when(event))

    @property
    def depends_on_event(self) -> bool:
        """Whether the class of the event alone does not decide what this row invalidates."""
        return self.when is not None or self.names_parts

    @property
    def names_parts(self) -> bool:
        """Whether two events for which it holds may invalidate different prefixes."""
        return self.carried or self.parts is not None


class Ruleset:
    """The rules table, ready to be asked. Pure and immutable; safe from any thread."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rows: dict[type[Event], list[Rule]] = {}
        for rule in rules:
            for event_class in rule.on:
                self._rows.setdefault(event_class, []).append(rule)

    def rows(self, event_class: type[Event]) -> Sequence[Rule]:
        """Return the rows that name *event_class*, in table order."""
        return self._rows.get(event_class, ())

    def prefixes(self, event: Event) -> tuple[str, ...]:
        """Return the prefixes that *event* makes stale, without repeats, in table order."""
        found: dict[str, None] = {}
        for rule in self.rows(type(event)):
            found.update(dict.fromkeys(rule.prefixes(event)))
        return tuple(found)


def check(
    rules: Sequence[Rule],
    catalog: Sequence[type[Event]],
    keys: Mapping[str, str],
    *,
    unreached: Collection[str] = (),
) -> list[Finding]:
    """Return every fault of the table; an empty list if there is none.

    *keys* are the keys of all cached values, with the place where each is written; *unreached* those that may do
    without a rule because something else (a bound on their age, say) keeps them right.
    """
    findings = [Finding(place_of(event_class), fault) for event_class, fault in _faults_of_catalog(catalog)]
    by_event: dict[type[Event], list[Rule]] = {}
    reached: set[str] = set()
    for given in rules:
        rule = _put_right(given, findings)
        for event_class in rule.on:
            by_event.setdefault(event_class, []).append(rule)
        findings += [Finding(rule.where, fault) for fault in _faults_of_names(rule, catalog)]
        dropped = {pattern: _covered(pattern, keys, rule, findings) for pattern in rule.invalidates}
        kept = {pattern: _covered(pattern, keys, rule, findings) for pattern in rule.keeps}
        # `*` reaches every value there will ever be: it must not hide that nobody thought of one
        reached.update(key for pattern, covered in dropped.items() if pattern != "*" for key in covered)
        findings += [
            Finding(rule.where, f"invalidates {wrong!r} and keeps {pattern!r}, which are both {key!r}; decide")
            for pattern, covered in kept.items()
            for wrong, also_covered in dropped.items()
            for key in covered
            if key in also_covered
        ]
    for event_class in catalog:
        rows = by_event.get(event_class, [])
        if not rows:
            sentence = f"{called(event_class)} has no rule; write `()` if nothing goes stale"
            findings.append(Finding(place_of(event_class), sentence))
        conditions = [(rule.when, rule.parts) for rule in rows]
        findings += [
            Finding(rule.where, f"{called(event_class)} stands in two rows with the same condition; join them")
            for index, rule in enumerate(rows)
            if conditions[index] in conditions[:index]
        ]
    findings += [
        Finding(where, f"value {key!r} is reached by no rule and nothing else bounds its age")
        for key, where in keys.items()
        if key not in reached and key not in unreached
    ]
    return findings


def called(event_class: type[Event]) -> str:
    """Return the name of an event, or that of its class where it has none."""
    return event_class.name if isinstance(event_class.name, str) and event_class.name else event_class.__name__


def _faults_of_catalog(catalog: Sequence[type[Event]]) -> Iterator[tuple[type[Event], str]]:
    first: dict[str, type[Event]] = {}
    for event_class, times in Counter(catalog).items():
        name, its_class = event_class.name, event_class.__name__
        if times > 1:
            yield event_class, f"{its_class} stands {times} times in CATALOG"
        if not isinstance(name, str):
            yield event_class, f"the name of {its_class} is a field of each event: write name: ClassVar[str] = ..."
        elif not _STORED_NAME.fullmatch(name):
            yield event_class, f"{its_class} has the name {name!r}: expected dotted words as in 'task.completed'"
        elif first.setdefault(name, event_class) is not event_class:
            yield (
                event_class,
                f"{its_class} and {first[name].__name__} are both called {name!r}: the log cannot tell them apart",
            )
        if "__dataclass_fields__" not in vars(event_class):
            yield event_class, f"{its_class} is no dataclass: decorate it like the others, or its fields are none"
        elif event_class.is_global and (own := _rows_named(event_class)):
            yield (
                event_class,
                f"{called(event_class)} is global, and its {own[0]} is one user's: what is everybody's would go stale",
            )


def _rows_named(event_class: type[Event]) -> list[str]:
    return [field.name for field in fields(event_class) if field.type in (TaskId, InstanceId)]


def _put_right(rule: Rule, findings: list[Finding]) -> Rule:
    """Return *rule* with what can be worked with, and say what had to be left out."""

    def find(sentence: str) -> None:
        findings.append(Finding(rule.where, sentence))

    said: dict[str, list[Any]] = {}
    for name, given in (("on", rule.on), ("invalidates", rule.invalidates)):
        if not isinstance(given, tuple):
            find(f"`{name}` is no tuple, but {given!r}: write (...,), with a comma")
        said[name] = list(given) if isinstance(given, tuple | list | set | frozenset) else [given]
    events = [event for event in said["on"] if isinstance(event, type) and issubclass(event, Event)]
    for strange in (event for event in said["on"] if event not in events):
        find(f"{strange!r} is no event: expected a class of events/catalog.py")
    keeps: Mapping[Any, Any] = rule.keeps
    if not isinstance(keeps, Mapping):
        find(f"`keeps` has no reasons: {keeps!r} is not {{'pattern.*': 'why it stays right'}}")
        keeps = {}
    for strange in (pattern for pattern in (*said["invalidates"], *keeps) if not isinstance(pattern, str)):
        find(f"{strange!r} is no pattern: expected text such as 'analytics.*'")
    for pattern, reason in keeps.items():
        if not isinstance(reason, str) or (reason.strip() and not _WORD.search(reason)):
            find(f"keeps {pattern!r} with {reason!r} for a reason; say in words why it stays right")
        elif not reason.strip():
            find(f"keeps {pattern!r} without a reason; say why it stays right")
    return replace(
        rule,
        on=tuple(events),
        invalidates=tuple(pattern for pattern in said["invalidates"] if isinstance(pattern, str)),
        keeps={pattern: reason for pattern, reason in keeps.items() if isinstance(pattern, str)},
    )


def _faults_of_names(rule: Rule, catalog: Sequence[type[Event]]) -> list[str]:
    faults = []
    for event_class in rule.on:
        if event_class not in catalog:
            faults.append(f"{event_class.__name__} is not in the catalog: add its line to CATALOG")
        for field_name, method in (("when", rule.when), ("parts", rule.parts)):
            name = getattr(method, "__qualname__", repr(method))
            if method is not None and getattr(event_class, name.rpartition(".")[2], None) is not method:
                faults.append(f"{called(event_class)} has no condition {name}; `{field_name}` is a method of the event")
    faults += [f"invalidates {pattern!r} twice" for pattern, times in Counter(rule.invalidates).items() if times > 1]
    faults += [
        f"invalidates {narrow!r}, which {wide!r} covers already; leave one out"
        for narrow in dict.fromkeys(rule.invalidates)
        for wide in dict.fromkeys(rule.invalidates)
        if narrow != wide and _is_within(narrow, wide)
    ]
    if not rule.on:
        faults.append("names no event")
    if rule.carried and set(rule.on) != {RefreshRequested}:
        faults.append("only refresh.requested carries a prefix")
    return faults


def _is_within(narrow: str, wide: str) -> bool:
    try:
        return covers(parse(wide), parse(narrow))
    except PatternError:  # said elsewhere
        return False


def _covered(pattern: str, keys: Collection[str], rule: Rule, findings: list[Finding]) -> list[str]:
    try:
        prefix = parse(pattern)
    except PatternError as error:
        findings.append(Finding(rule.where, str(error)))
        return []
    covered = [key for key in keys if covers(prefix, key)]
    if not covered:
        subsystems = {key.split(".", 1)[0] for key in keys}
        near = did_you_mean(prefix, [*keys, *subsystems])
        findings.append(Finding(rule.where, f"{pattern!r} covers no value{near}"))
    return covered
