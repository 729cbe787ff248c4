"""What every reader yields, and the failures that end a document without a retry."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.failures import PermanentError


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


# Ligatures hide words from a search; NUL and lone surrogates are refused by Postgres and by UTF-8.
_FOLDED = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {"\r": "\n", "\f": "\n", "\x0b": "\n", "\u2028": "\n", "\u2029": "\n"}
    | dict.fromkeys([*map(chr, range(9)), *map(chr, range(0x0E, 0x20)), "\x7f", "\ufeff"], "")
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Text as every store and model takes it: line feeds only, no control characters, no lone surrogates."""
    return _SURROGATES.sub("", text.replace("\r\n", "\n").translate(_FOLDED))


def load_sections(path: Path) -> Iterator[Section]:
    """The sections of a file that a child process wrote, one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Section(**json.loads(line))
