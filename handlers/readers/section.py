"""What every reader yields, and the failures that end a document without a retry."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from handlers.readers.characters import clean
from schemas.failures import PermanentError

__all__ = ["Section", "UnreadableError", "clean", "load_sections"]


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one anchor: `page` and `row` count from 1, `heading` is the path of headings, joined by " > ".

    Text on several pages has its last one in `page_end`, and in `page_starts` where each page begins: offset, page.
    """

    text: str
    page: int | None = None
    row: int | None = None
    heading: str | None = None
    page_end: int | None = None
    page_starts: Sequence[tuple[int, int]] = ()

    def part(self, start: int, end: int) -> "Section":
        """The text from `start` to `end`, with the pages of that text alone."""
        text = self.text[start:end]
        if not self.page_starts:
            return replace(self, text=text)
        begun = [(0, page) for at, page in self.page_starts if at <= start][-1:]
        starts = (*begun, *((at - start, page) for at, page in self.page_starts if start < at < end))
        first, last = min(page for _, page in starts), max(page for _, page in starts)
        return replace(self, text=text, page=first, page_end=last if last > first else None, page_starts=starts)

    def changed(self, change: Callable[[str], str]) -> "Section":
        """With the text as `change` makes it; pages move with the text before them."""
        starts = tuple((len(change(self.text[:at])), page) for at, page in self.page_starts)
        return replace(self, text=change(self.text), page_starts=starts)

    def to_json(self) -> str:
        """One line, as the child process hands it over."""
        return json.dumps({name: value for name, value in asdict(self).items() if value not in (None, ())})


class UnreadableError(PermanentError):
    """The file cannot become text; the message says why and what to do. Codes: `unsupported_type`,
    `encrypted`, `broken`, `no_text`, `too_large`, `too_slow`.
    """


def load_sections(path: Path) -> Iterator[Section]:
    """The sections of a file that a child process wrote, one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Section(**json.loads(line))
