"""The errors of this package. One root, and beside it the built-in that a caller would expect."""

from collections.abc import Sequence

from events.findings import Finding


class EventsError(Exception):
    """Root of everything this package raises on purpose."""


class UnknownSignalError(EventsError, LookupError):
    """A signal that the catalog does not list was connected or sent."""


class PatternError(EventsError, ValueError):
    """A pattern or key is not dotted lower-case segments."""


class RulesError(EventsError, ValueError):
    """The tables do not fit together. `findings` holds every reason with its place, not just the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("the tables do not fit together:\n" + "\n".join(f"  {finding}" for finding in findings))
        self.findings = tuple(findings)
