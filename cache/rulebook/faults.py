"""What stops a start: all in which catalog, rules, values and sections do not fit together, at once."""

from collections.abc import Sequence

from cache import values as values_table
from cache.rulebook.emission import unemitted
from cache.rulebook.parts import Part
from cache.values import Row
from events import catalog as events_catalog
from events import ruleset
from events.catalog import Event
from events.findings import Finding, place_of
from events.ruleset import Rule


def find(
    rules: Sequence[Rule], catalog: Sequence[type[Event]], values: Sequence[Row], parts: Sequence[Part]
) -> list[Finding]:
    """Return everything that is wrong, by place; an empty list if nothing is.

    Without any rules, because their file cannot be read, the rest is judged by itself.
    """
    keys = {value.key: value.where for value in values if isinstance(value.key, str)}
    lagging = {value.key for value in values if value.may_lag}
    return sorted(
        {
            *values_table.check(values),
            *(ruleset.check(rules, catalog, keys, unreached=lagging) if rules else ()),
            *_forgotten(catalog),
            *unemitted(catalog),
            *_shown_but_unknown(parts, keys),
        },
        key=_by_place,
    )


def _forgotten(catalog: Sequence[type[Event]]) -> list[Finding]:
    """Return a finding for each class of events that the catalog's file makes and its list leaves out."""
    made = [thing for thing in vars(events_catalog).values() if isinstance(thing, type) and issubclass(thing, Event)]
    return [
        Finding(
            place_of(event_class),
            f"{event_class.__name__} is not in CATALOG: add its line there, or the log cannot be read back",
        )
        for event_class in made
        if event_class not in catalog and not any(event_class in other.__mro__[1:] for other in made)
    ]


def _shown_but_unknown(parts: Sequence[Part], keys: dict[str, str]) -> list[Finding]:
    return [
        Finding(part.where, f"{part.section} shows {key!r}, which is not in VALUES: add its line there")
        for part in parts
        for key in part.keys
        if key not in keys
    ]


def _by_place(finding: Finding) -> tuple[str, int, str]:
    file, _, line = finding.where.rpartition(":")
    return file, int(line) if line.isdigit() else 0, finding.sentence
