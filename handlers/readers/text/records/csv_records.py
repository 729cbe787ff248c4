"""Lines to records: quoted line breaks belong to their cell, a stray quote does not swallow the file (RFC 4180)."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from handlers.readers.text.records.record_lines import LineGroups

DELIMITERS = "\t;|,"
SEPARATOR_LINE = "sep="
COMMON_SHARE = 0.5
# No line has it: a table of one column, which needs no delimiter.
ONE_COLUMN = "\x1f"
MIN_TABLE_SHARE = 0.7


class Record(NamedTuple):
    """The cells of a row, and the line of the file at which it begins, from 1."""

    line: int
    cells: list[str]


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter by which most lines have the same number of cells, at least two; else a comma.

    `ONE_COLUMN` where the commas belong to the text: the first line has none, and lines with and without alternate.
    """
    if lines and _is_separator(lines[0]):
        return lines[0].strip()[-1]
    widths = {delimiter: _widths(lines, delimiter) for delimiter in DELIMITERS}
    # Of equal ones the first.
    best = max(DELIMITERS, key=lambda delimiter: _agreement(widths[delimiter]))
    _, width = _agreement(widths[best])
    if not width:
        return ","
    table = widths[best][widths[best].index(width) :]
    is_text = len(table) < len(widths[best]) and table.count(width) < MIN_TABLE_SHARE * len(table)
    return ONE_COLUMN if is_text else best


def read_records(lines: Iterable[str], delimiter: str, stray: list[int] | None = None) -> Iterator[Record]:
    """The records in order; empty lines have none. Lines whose quote is a letter are added to `stray`."""
    groups = LineGroups(_without_nul(lines), delimiter)
    for number, own, is_stray in groups:
        if number == 1 and _is_separator(own[0]):
            continue
        if is_stray and stray is not None:
            stray.append(number)
        for record in _unquoted(own, number, delimiter) if is_stray else _parsed(own, number, delimiter):
            yield record
            groups.width = len(record.cells)


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace("\0", "") for line in lines)


def _is_separator(line: str) -> bool:
    """Whether it is the line with which Excel is told the delimiter."""
    return line.lower().startswith(SEPARATOR_LINE) and len(line.strip()) == len(SEPARATOR_LINE) + 1


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    """How many cells each record has. A quoted cell that is still open at the end of the sample says nothing."""
    stray: list[int] = []
    records = list(read_records(lines, delimiter, stray))
    whole = [record for record in records if not stray or record.line < stray[0]]
    return [len(record.cells) for record in whole or records]


def _agreement(found: Sequence[int]) -> tuple[float, int]:
    """The share of records with the commonest number of cells, and that number; nothing below two cells."""
    widths = Counter(found)
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
        is_one_cell = len(row) == len(rows) == len(lines) == 1
        is_wrapped = is_one_cell and delimiter in row[0] and lines[0].startswith('"')
        yield Record(first, next(csv.reader(row, delimiter=delimiter, skipinitialspace=True)) if is_wrapped else row)


def _unquoted(lines: Sequence[str], first: int, delimiter: str) -> Iterator[Record]:
    for number, line in enumerate(lines, first):
        if line.strip():
            yield Record(number, line.rstrip("\n").split(delimiter))
