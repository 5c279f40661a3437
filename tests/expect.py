"""A rule's test in one line: `expect(TaskCompleted).drops("analytics.*").keeps("summary.*").redraws("/")`.

*drops* and *keeps* take patterns as the table does, *redraws* the addresses of pages. Each returns the expectation, so
that they can be strung together, and fails with the rows that are there and what would be right.
"""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from cache.pieces import ROWS
from cache.rulebook.chain import covered
from cache.rulebook.parts import Part
from cache.values import Row, Varies
from events.catalog import CATALOG, Event, UserId
from events.errors import PatternError
from events.patterns import covers, did_you_mean, parse
from events.rules import RULES
from events.ruleset import Rule, Ruleset
from pages import inventory

TODAY = date(2026, 5, 13)
SPECIMEN: dict[str, Any] = {
    "user": UserId(1),
    "at": datetime(2026, 5, 13, 10, 0, tzinfo=UTC),
    "today": TODAY,
    "earliest_day": TODAY,
    "day": TODAY,
    "days": (TODAY,),
    "changed": (),
    "prefix": "*",
    "archived": True,
    "tasks": 1,
    "instances": 1,
}
"""What an event's fields hold unless the test says otherwise; texts are the name of their field."""


def specimen(event_class: type[Event], **fields: Any) -> Event:
    """Return an event of that class: of today, changing nothing in particular, but for *fields*."""
    names = [field.name for field in dataclasses.fields(event_class)]
    optional = {field.name for field in dataclasses.fields(event_class) if field.default is not dataclasses.MISSING}
    unknown = sorted(set(fields) - set(names))
    if unknown:
        near = did_you_mean(unknown[0], names)
        raise TypeError(f"{event_class.name} has no field {unknown[0]!r}{near}; it has {', '.join(names)}")
    needed = {name: SPECIMEN.get(name, name) for name in names if name not in optional}
    return event_class(**{**needed, **fields})


def expect(
    event: Event | type[Event],
    *,
    rules: Sequence[Rule] = RULES,
    values: Sequence[Row] = ROWS,
    parts: Sequence[Part] | None = None,
    **fields: Any,
) -> "Expectation":
    """Return what one can expect of *event*: an event, or a class of the catalog with the *fields* that matter."""
    happened = event if isinstance(event, Event) else specimen(event, **fields)
    return Expectation(happened, rules, values, inventory.parts() if parts is None else parts)


class Expectation:
    """What the rules make of one event."""

    def __init__(self, event: Event, rules: Sequence[Rule], values: Sequence[Row], parts: Sequence[Part]) -> None:
        self._event = event
        self._rules = rules
        self._values = values
        self._parts = parts
        self._prefixes = Ruleset(rules).prefixes(event)

    @property
    def dropped(self) -> set[str]:
        """The keys of the values that go stale; of what is kept in parts, also where only some of them do.

        Of what varies by day, that of today is meant.
        """
        keys = {value.key: _key_today(value) for value in self._values}
        return {
            key
            for key, full in keys.items()
            if any(covers(prefix, full) or covers(full, prefix) for prefix in self._prefixes)
        }

    def drops(self, *patterns: str) -> "Expectation":
        """Fail unless all that these patterns cover goes stale."""
        for pattern in patterns:
            fresh = [key for key in self._keys(pattern) if key not in self.dropped]
            if fresh:
                self._fail(
                    f"{self._event.name} should make {', '.join(fresh)} stale, and no rule of it does.",
                    f"Add {pattern!r} to `invalidates` of one of its rows in events/rules.py, or a row of its own.",
                )
        return self

    def keeps(self, *patterns: str) -> "Expectation":
        """Fail if anything that these patterns cover goes stale."""
        for pattern in patterns:
            stale = [key for key in self._keys(pattern) if key in self.dropped]
            if stale:
                self._fail(
                    f"{self._event.name} should keep {', '.join(stale)}, and a rule makes that stale.",
                    "Take the pattern out of `invalidates`, narrow it, or give the row a condition.",
                )
        return self

    def drops_nothing(self) -> "Expectation":
        """Fail if anything goes stale."""
        return self.keeps("*")

    def redraws(self, *pages: str) -> "Expectation":
        """Fail unless each of these pages shows something that goes stale."""
        for page in pages:
            if page not in self._pages():
                self._fail(
                    f"{self._event.name} should redraw {page}, and nothing there shows what it makes stale.",
                    f"On {page} stand: {self._standing(page)}.",
                )
        return self

    def leaves(self, *pages: str) -> "Expectation":
        """Fail if one of these pages shows anything that goes stale."""
        for page in pages:
            if page in self._pages():
                self._fail(f"{self._event.name} should not redraw {page}.", f"There stand: {self._standing(page)}.")
        return self

    def _keys(self, pattern: str) -> tuple[str, ...]:
        try:
            keys = covered((pattern,), self._values)
        except PatternError as error:
            raise AssertionError(str(error)) from None
        if not keys:
            known = [value.key for value in self._values]
            near = did_you_mean(parse(pattern), [*known, *(key.partition(".")[0] for key in known)])
            raise AssertionError(f"{pattern!r} covers no value{near}")
        return keys

    def _pages(self) -> set[str]:
        known = {page for part in self._parts for page in part.pages}
        return {page for part in self._parts if self.dropped & set(part.keys) for page in part.pages} & known

    def _standing(self, page: str) -> str:
        standing = [f"{part.section} ({', '.join(part.keys)})" for part in self._parts if page in part.pages]
        pages = sorted({page for part in self._parts for page in part.pages})
        return "; ".join(standing) or f"nothing. Pages are {', '.join(pages)}"

    def _fail(self, what: str, remedy: str) -> None:
        lines = [what]
        for rule in self._rules:
            if type(self._event) in rule.on:
                holds = "" if rule.holds(self._event) else "  (its condition does not hold)"
                condition = f", if it {rule.when.__name__.replace('_', ' ')}" if rule.when else ""
                said = "the prefix that it carries" if rule.carried else ", ".join(rule.invalidates) or "nothing"
                lines.append(f"  {rule.where}{condition}: invalidates {said}{holds}")
                lines += [f"    keeps {pattern}: {reason}" for pattern, reason in rule.keeps.items()]
        if type(self._event) not in CATALOG:
            lines.append(f"  {type(self._event).__name__} is not in CATALOG")
        raise AssertionError("\n".join([*lines, remedy]))


def _key_today(value: Row) -> str:
    varies = getattr(value, "varies", Varies.NEVER)
    return f"{value.key}.{TODAY.isoformat()}" if varies is Varies.BY_DAY else value.key
