"""The errors of this package. One root, and beside it the built-in that a caller would expect.

Messages are sentences for the person at the page: they say what was given and what would be right.
"""

from datetime import datetime


def shown(value: object) -> str:
    """Return *value* as a refusal shows it: its literal, cut where that is long; a time as ISO 8601 has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    try:
        literal = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a huge number"
    return literal if len(literal) <= 60 else literal[:57] + "..."


class DataError(Exception):
    """Root of everything this package raises on purpose."""


class UnknownRecordError(DataError, LookupError):
    """There is no such record for this user."""


class InvalidInputError(DataError, ValueError):
    """A value is outside of what its field may hold. Nothing was written."""


class IllegalTransitionError(DataError, ValueError):
    """The instance's state does not allow this command. Nothing was written."""


class DatabaseBusyError(DataError, TimeoutError):
    """The write lock, or all readers, were taken for longer than we wait. Nothing was written; try again."""


class DatabaseUnusableError(DataError, OSError):
    """The database cannot be opened or is of another version."""


class DatabaseDamagedError(DatabaseUnusableError):
    """The file of the database, or of a backup, is not what was written to it."""


class BackupRefusedError(DataError, ValueError):
    """A file cannot be written as a backup, or restored from. Nothing was changed."""


class UnrecordedChangeError(DataError, RuntimeError):
    """A command changed tables without writing an event: a mistake in our code. Nothing was written."""


class ImportRefusedError(DataError, ValueError):
    """Files hold rows that cannot be taken. `problems` lists each; nothing was written."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("nothing was imported:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems
