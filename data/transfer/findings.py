"""What is wrong with the files of an import, collected until all of them are read."""

from data.errors import ImportRefusedError

MAX_PROBLEMS = 1000
"""How many problems a refusal lists; of the others it says how many there are."""


class Findings:
    """What is wrong with the files, in the words that the user gets."""

    def __init__(self) -> None:
        self.count = 0
        self._problems: list[str] = []

    def add(self, file: str, line: int | None, column: str | None, problem: str) -> None:
        """Note a problem and where it is."""
        self.count += 1
        if self.count <= MAX_PROBLEMS:
            where = file + (f" line {line}" if line else "") + (f", column {column}" if column else "")
            self._problems.append(f"{where}: {problem}")

    def refuse_if_any(self) -> None:
        """Raise the refusal, if there is anything to refuse.

        Raises:
            ImportRefusedError: there is.
        """
        if self.count > MAX_PROBLEMS:
            self._problems.append(f"and {self.count - MAX_PROBLEMS:,} more")
        if self.count:
            raise ImportRefusedError(tuple(self._problems))
