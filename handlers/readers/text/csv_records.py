"""Lines to records: quoted line breaks belong to their cell, a stray quote does not swallow the file (RFC 4180)."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

DELIMITERS = "\t;|,"
SEPARATOR_LINE = "sep="
# A quote that is not closed within as many lines is a letter like any other.
MAX_QUOTED_LINES = 500
COMMON_SHARE = 0.5


class Record(NamedTuple):
    """The cells of a row, and the line of the file at which it begins, from 1."""

    line: int
    cells: list[str]


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter by which most lines have the same number of cells, at least two; else a comma."""
    if lines and lines[0].lower().startswith(SEPARATOR_LINE) and len(lines[0].strip()) == len(SEPARATOR_LINE) + 1:
        return lines[0].strip()[-1]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        score = _agreement(lines, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read_records(lines: Iterable[str], delimiter: str) -> Iterator[Record]:
    """The records in order; empty lines have none."""
    number, pending, first = 0, list[str](), 0
    for raw in lines:
        number += 1
        line = raw.replace("\0", "")
        if number == 1 and line.lower().startswith(SEPARATOR_LINE) and len(line.strip()) == len(SEPARATOR_LINE) + 1:
            continue
        if not pending:
            first = number
        pending.append(line)
        if _is_open(line, delimiter, is_inside=len(pending) > 1):
            if len(pending) < MAX_QUOTED_LINES:
                continue
            yield from _unquoted(pending, first, delimiter)
        else:
            yield from _parsed(pending, first, delimiter)
        pending = []
    if pending:
        yield from _unquoted(pending, first, delimiter)


def _agreement(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """The share of lines with the commonest number of cells, and that number; nothing below two cells."""
    widths = Counter(len(record.cells) for record in read_records(lines, delimiter))
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return 0.0, 0
    width = max(several, key=lambda one: (several[one], one))
    share = several[width] / widths.total()
    # Above this share all delimiters that fit are equal, and the one with more cells is right.
    return (1.0, width) if share > 1 - COMMON_SHARE / 5 else (share, width)


def _parsed(lines: Sequence[str], first: int, delimiter: str) -> Iterator[Record]:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t"))
    except csv.Error:
        yield from _unquoted(lines, first, delimiter)
        return
    for row in filter(None, rows):
        # Some programs quote each row as if it was one cell.
        is_wrapped = len(row) == 1 and len(rows) == 1 and delimiter in row[0] and lines[0].startswith('"')
        yield Record(first, next(csv.reader(row, delimiter=delimiter, skipinitialspace=True)) if is_wrapped else row)


def _unquoted(lines: Sequence[str], first: int, delimiter: str) -> Iterator[Record]:
    for number, line in enumerate(lines, first):
        if line.strip():
            yield Record(number, line.rstrip("\n").split(delimiter))


def _is_open(line: str, delimiter: str, *, is_inside: bool) -> bool:
    """Whether a quoted cell goes on behind this line. `is_inside`: one does already at its beginning."""
    at, end = 0, len(line)
    while at < end or is_inside:
        if is_inside:
            close = _closing_quote(line, at)
            if close < 0:
                return True
            at, is_inside = close + 1, False
        elif line.startswith('"', at) or (line[at] == " " and line[at:].lstrip(" ").startswith('"')):
            at, is_inside = line.index('"', at) + 1, True
            continue
        found = line.find(delimiter, at)
        if found < 0:
            return False
        at = found + 1
    return False


def _closing_quote(line: str, at: int) -> int:
    while (found := line.find('"', at)) >= 0:
        if line[found + 1 : found + 2] != '"':
            return found
        at = found + 2
    return -1
