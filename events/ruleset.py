"""Reads the rules table: what a `Rule` may say, which prefixes an event invalidates, and what is wrong with a table.

The table itself is `rules`. Knows keys only as strings: who calls `check` says which values exist.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.catalog import Event, RefreshRequested
from events.errors import PatternError
from events.patterns import covers, did_you_mean, parse


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
    keys: Iterable[str],
    *,
    unreached: Iterable[str] = (),
) -> list[str]:
    """Return every fault of the table, each as one sentence; an empty list if there is none.

    *keys* are the keys of all cached values; *unreached* those that may do without a rule because something else (a
    bound on their age, say) keeps them right.
    """
    keys = list(keys)
    findings: list[str] = []
    by_event: dict[type[Event], list[Rule]] = {}
    reached: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        for event_class in rule.on:
            by_event.setdefault(event_class, []).append(rule)
            if event_class not in catalog:
                findings.append(
                    f"row {number}: {event_class.__name__} is not in the catalog"
                    + did_you_mean(event_class.__name__, (known.__name__ for known in catalog))
                )
            for field_name, method in (("when", rule.when), ("parts", rule.parts)):
                name = getattr(method, "__qualname__", repr(method))
                if method is not None and getattr(event_class, name.rpartition(".")[2], None) is not method:
                    what = f"{event_class.name} has no condition {name}; `{field_name}` is a method of the event"
                    findings.append(f"row {number}: {what}")
        dropped = {pattern: _covered(pattern, keys, number, findings) for pattern in rule.invalidates}
        kept = {pattern: _covered(pattern, keys, number, findings) for pattern in rule.keeps}
        # `*` reaches every value there will ever be: it must not hide that nobody thought of one
        reached.update(key for pattern, covered in dropped.items() if pattern != "*" for key in covered)
        findings.extend(
            f"row {number}: invalidates {wrong!r} and keeps {pattern!r}, which are both {key!r}; decide"
            for pattern, covered in kept.items()
            for wrong, also_covered in dropped.items()
            for key in covered
            if key in also_covered
        )
        findings.extend(
            f"row {number}: keeps {pattern!r} without a reason; say why it stays right"
            for pattern, reason in rule.keeps.items()
            if not reason.strip()
        )
        if rule.carried and set(rule.on) != {RefreshRequested}:
            findings.append(f"row {number}: only refresh.requested carries a prefix")
    for event_class in catalog:
        rows = by_event.get(event_class, [])
        if not rows:
            findings.append(f"{event_class.name} has no rule; write `()` if nothing goes stale")
        conditions = [(rule.when, rule.parts) for rule in rows]
        findings.extend(
            f"{event_class.name} stands in two rows with the same condition; join them"
            for index, condition in enumerate(conditions)
            if condition in conditions[:index]
        )
    findings.extend(
        f"value {key!r} is reached by no rule and nothing else bounds its age"
        for key in keys
        if key not in reached and key not in set(unreached)
    )
    return findings


def _covered(pattern: str, keys: Sequence[str], number: int, findings: list[str]) -> list[str]:
    try:
        prefix = parse(pattern)
    except PatternError as error:
        findings.append(f"row {number}: {error}")
        return []
    covered = [key for key in keys if covers(prefix, key)]
    if not covered:
        subsystems = {key.split(".", 1)[0] for key in keys}
        findings.append(f"row {number}: {pattern!r} covers no value" + did_you_mean(prefix, [*keys, *subsystems]))
    return covered
