"""The errors of this package. One root, and beside it the built-in that a caller would expect."""


class EventsError(Exception):
    """Root of everything this package raises on purpose."""


class UnknownSignalError(EventsError, LookupError):
    """A signal that the catalog does not list was connected or sent."""


class PatternError(EventsError, ValueError):
    """A pattern or key is not dotted lower-case segments."""


class RulesError(EventsError, ValueError):
    """The rules table is wrong. `findings` holds every reason, not just the first."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("events/rules.py:\n" + "\n".join(f"  - {finding}" for finding in findings))
        self.findings = findings
