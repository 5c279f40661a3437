"""What an event leads to: event -> rules -> prefixes -> values -> sections -> pages."""

from collections.abc import Iterable, Sequence

import msgspec

from cache.rulebook.parts import Part
from cache.values import Row
from events.catalog import Event
from events.findings import place_of
from events.patterns import covers, parse
from events.ruleset import Rule


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One row that names the event: when it holds, what it makes stale and what it keeps, with the reason."""

    where: str
    when: str | None
    invalidates: dict[str, tuple[str, ...]]
    """Pattern -> the keys of the values that it covers."""
    keeps: dict[str, str]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can follow from one event. `carries` means that the event itself names a prefix."""

    event: str
    what: str
    where: str
    carries: bool
    rules: tuple[Step, ...]
    values: tuple[str, ...]
    sections: tuple[Part, ...]
    pages: tuple[str, ...]


def chain(event: type[Event], rules: Sequence[Rule], values: Sequence[Row], parts: Sequence[Part]) -> Chain:
    """Return what *event* can lead to, all conditions taken to hold."""
    rows = [rule for rule in rules if event in rule.on]
    steps = tuple(
        Step(
            where=rule.where,
            when=condition(rule),
            invalidates={pattern: covered((pattern,), values) for pattern in rule.invalidates},
            keeps=dict(rule.keeps),
        )
        for rule in rows
    )
    carries = any(rule.carried for rule in rows)
    stale = covered(("*",) if carries else [pattern for step in steps for pattern in step.invalidates], values)
    sections = tuple(part for part in parts if set(part.keys) & set(stale))
    return Chain(
        event=event.name,
        what=" ".join((event.__doc__ or "").split("\n\n")[0].split()),
        where=place_of(event),
        carries=carries,
        rules=steps,
        values=stale,
        sections=sections,
        pages=tuple(dict.fromkeys(page for part in sections for page in part.pages)),
    )


def covered(patterns: Iterable[str], values: Sequence[Row]) -> tuple[str, ...]:
    """Return the keys of *values* below any of *patterns*, in the order of the values."""
    prefixes = [parse(pattern) for pattern in patterns]
    return tuple(value.key for value in values if any(covers(prefix, value.key) for prefix in prefixes))


def condition(rule: Rule) -> str | None:
    """Return when a row holds (`if it touches past`) or for what (`only the months touched`); None: always, for all."""
    if rule.when is not None:
        return f"if it {rule.when.__name__.replace('_', ' ')}"
    return None if rule.parts is None else f"only the {rule.parts.__name__.replace('_', ' ')}"


def told(found: Chain) -> list[str]:
    """Return a chain as lines of text for people."""
    lines = [f"{found.event}  {found.what}  ({found.where})"]
    for step in found.rules:
        lines.append(f"  rule {step.where}" + (f", {step.when}" if step.when else ""))
        if found.carries:
            lines.append("    makes stale the prefix that the event carries")
        elif not step.invalidates:
            lines.append("    makes nothing stale")
        for pattern, keys in step.invalidates.items():
            shown = "" if keys == (pattern,) else f": {', '.join(keys)}"
            lines.append(f"    makes stale {pattern}{shown}")
        lines += [f"    keeps {pattern}: {reason}" for pattern, reason in step.keeps.items()]
    for part in found.sections:
        pages = "every page" if part.pages == ("*",) else ", ".join(part.pages)
        lines.append(f"  redraws {part.section} on {pages} ({part.where})")
    return lines
