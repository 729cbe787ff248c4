"""What every reader yields, and the failures that end a document without a retry."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from handlers.readers.characters import clean
from schemas.failures import PermanentError

__all__ = ["Section", "UnreadableError", "clean", "load_sections"]


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one anchor: `page` and `row` count from 1, `heading` is the path of headings, joined by " > "."""

    text: str
    page: int | None = None
    row: int | None = None
    heading: str | None = None

    def to_json(self) -> str:
        """One line, as the child process hands it over."""
        return json.dumps(asdict(self))


class UnreadableError(PermanentError):
    """The file cannot become text; the message says why and what to do. Codes: `unsupported_type`,
    `encrypted`, `broken`, `no_text`, `too_large`, `too_slow`.
    """


def load_sections(path: Path) -> Iterator[Section]:
    """The sections of a file that a child process wrote, one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Section(**json.loads(line))
