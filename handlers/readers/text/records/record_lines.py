"""Which lines of a CSV file are one record: a quoted cell may hold lines, and a stray quote must not swallow rows."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# A cell of 20 MB is read; a quote that nothing closes is looked for this far, once in a file.
MAX_QUOTED_CHARACTERS = 32_000_000
MAX_LINES_AFTER_A_STRAY = 50
# Lines inside a quoted cell that look like rows of the table betray a stray quote.
ROW_SHARE = 0.9
MAX_LINES_PARSED_TWICE = 1_000
MIN_ROWS = 3
# Two columns: prose with a comma in each line looks like that, too.
MIN_ROWS_OF_TWO = 20
SPACES = re.compile(" *")


class RecordLines(NamedTuple):
    """`number`: of the first line, from 1. `is_stray`: its quote is text like any other letter."""

    number: int
    lines: list[str]
    is_stray: bool


class LineGroups:
    """Groups lines. Set `width` to the number of cells that a row has, as soon as it is known."""

    def __init__(self, lines: Iterable[str], delimiter: str) -> None:
        self._source = iter(lines)
        self._delimiter = delimiter
        self._read_ahead: deque[str] = deque()
        self._max_lines: int | None = None
        self._number = 1
        self.width = 0

    def __iter__(self) -> Iterator[RecordLines]:
        while (first := self._next()) is not None:
            lines = [first]
            is_stray = is_open(first, self._delimiter) and not self._close(lines)
            if is_stray:
                self._read_ahead.extendleft(reversed(lines[1:]))
                lines = [first]
            yield RecordLines(self._number, lines, is_stray)
            self._number += len(lines)

    def _next(self) -> str | None:
        return self._read_ahead.popleft() if self._read_ahead else next(self._source, None)

    def _close(self, lines: list[str]) -> bool:
        """Adds the lines up to the closing quote. False: there is none, or rows lie between."""
        characters = len(lines[0])
        rows = 0
        while characters < MAX_QUOTED_CHARACTERS and (self._max_lines is None or len(lines) < self._max_lines):
            line = self._next()
            if line is None:
                break
            lines.append(line)
            characters += len(line)
            if not is_open(line, self._delimiter, is_inside=True):
                return self._is_record(lines, rows)
            rows += line.count(self._delimiter) + 1 == self.width
            if self._are_rows(rows, len(lines) - 1, MIN_ROWS_OF_TWO):
                return False
        self._max_lines = MAX_LINES_AFTER_A_STRAY
        return False

    def _is_record(self, lines: list[str], rows: int) -> bool:
        """Whether lines with a closed quote belong together; `rows` of those between look like rows."""
        between = len(lines) - 2
        if self.width < 2 or not 0 < between < MAX_LINES_PARSED_TWICE:
            return True
        if len(next(csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True))) != self.width:
            return rows * 2 <= between
        return not self._are_rows(rows, between, MIN_ROWS if self.width > 2 else MIN_ROWS_OF_TWO)

    def _are_rows(self, rows: int, lines: int, least: int) -> bool:
        return self.width > 1 and lines >= least and rows >= ROW_SHARE * lines


def is_open(line: str, delimiter: str, *, is_inside: bool = False) -> bool:
    """Whether a quoted cell goes on behind this line. `is_inside`: one does already at its beginning."""
    at, end = 0, len(line)
    opened_before = is_inside
    while at < end or is_inside:
        if is_inside:
            close = _closing_quote(line, at, delimiter, is_strict=opened_before)
            if close < 0:
                return True
            at, is_inside, opened_before = close + 1, False, False
        elif _behind_spaces(line, at) == '"':
            at, is_inside = line.index('"', at) + 1, True
            continue
        found = line.find(delimiter, at)
        if found < 0:
            return False
        at = found + 1
    return False


def _behind_spaces(line: str, at: int) -> str:
    """The first letter from here on that is no space, "" at the end; without a copy of the line, which may be long."""
    found = SPACES.match(line, at)
    at = found.end() if found else at
    return line[at : at + 1]


def _closing_quote(line: str, at: int, delimiter: str, *, is_strict: bool) -> int:
    """The quote at the end of a cell, else the last one in the cell unless `is_strict`; -1 without one."""
    last = -1
    while (found := line.find('"', at)) >= 0:
        if line[found + 1 : found + 2] == '"':
            at = found + 2
            continue
        if _behind_spaces(line, found + 1) in ("", "\n", "\r", delimiter):
            return found
        last, at = found, found + 1
    return -1 if is_strict else last
