"""Rows of a table as sections: as many as a passage holds, so that the anchor of a citation is near."""

from collections.abc import Iterable, Iterator

from handlers.readers.section import Section

PASSAGE_CHARACTERS = 600


def row_sections(rows: Iterable[tuple[int, str]], heading: str | None = None) -> Iterator[Section]:
    """Sections of whole rows. `rows`: the number of each in its file or sheet, and its line (`table_lines`)."""
    lines: list[str] = []
    first = held = 0
    for number, line in rows:
        if lines and held + len(line) > PASSAGE_CHARACTERS:
            yield Section("\n".join(lines) + "\n", row=first, heading=heading)
            lines, held = [], 0
        if not lines:
            first = number
        lines.append(line)
        held += len(line)
    if lines:
        yield Section("\n".join(lines) + "\n", row=first, heading=heading)


def listed(numbers: Iterable[int]) -> str:
    """Row numbers for a sentence: "7, 12 and 15", or the first ten "and 90 more"."""
    found = list(numbers)
    if len(found) > MAX_LISTED:
        return f"{', '.join(map(str, found[:MAX_LISTED]))} and {len(found) - MAX_LISTED:,} more"
    *first, last = map(str, found)
    return f"{', '.join(first)} and {last}" if first else last


MAX_LISTED = 10
