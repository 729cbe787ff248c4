"""What a reader says while it reads: how far it is, and what its owner should know."""

from typing import Protocol

MAX_WARNINGS = 20
MAX_WARNING_CHARACTERS = 300


class Report(Protocol):
    """Given to every reader. Both methods return at once."""

    def progress(self, done: int, total: int) -> None:
        """`done` pages, rows or bytes of `total`."""
        ...

    def warn(self, warning: str) -> None:
        """A sentence for the owner about what was left out or guessed, with numbers or names:
        "Rows 7 and 12 were skipped: …". The text is read all the same. At most 20 are kept, each once.
        """
        ...


class NoReport:
    """For files that are read in this process by somebody who does not listen."""

    def progress(self, done: int, total: int) -> None:
        """Ignored."""

    def warn(self, warning: str) -> None:
        """Ignored."""
