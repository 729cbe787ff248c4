"""The rows of OpenDocument tables and sheets, without those that are hidden."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handlers.readers.office.grid import Cell, Row
from handlers.readers.office.package import attribute, local
from handlers.readers.text.whole_number import number

GROUPS = ("table-header-rows", "table-row-group", "table-rows")
COLUMN_GROUPS = ("table-columns", "table-header-columns", "table-column-group")
CELL, COVERED_CELL = "table-cell", "covered-table-cell"
HIDDEN = ("collapse", "filter")
MAX_COLUMNS = 16_384


@dataclass(frozen=True, slots=True)
class _Cell:
    column: int
    text: str
    visible_columns: int


@dataclass(slots=True)
class OpenTable:
    """Reads one table. `text_of`: the text of a cell. `has_hidden`: whether a row or a column was left out."""

    element: Any
    text_of: Callable[[Any], str]
    has_hidden: bool = False
    _hidden_columns: set[int] = field(default_factory=set)
    _below: dict[int, tuple[int, str]] = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        """For a text: a cell spans the columns that it covers, and stands in each row."""
        for _, is_head, cells in self._read():
            yield Row([Cell(cell.text, cell.visible_columns) for cell in cells], is_head)

    def numbered_rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        """For a sheet: its number, and column → text; a cell stands in each column and row that it covers."""
        for row, _, cells in self._read():
            yield row, {c.column + at: c.text for c in cells for at in range(c.visible_columns) if c.text}

    def _read(self) -> Iterator[tuple[int, bool, list[_Cell]]]:
        self._hidden_columns = set(_hidden_columns(self.element))
        count = 1
        for row, is_head in _rows(self.element, is_head=False):
            cells = self._cells(row)
            if attribute(row, "visibility") in HIDDEN:
                self.has_hidden |= any(cell.text for cell in cells)
            else:
                yield count, is_head, cells
            count += number(attribute(row, "number-rows-repeated")) or 1

    def _cells(self, row: Any) -> list[_Cell]:
        cells: list[_Cell] = []
        at = covered = 0
        for one in _filled(row):
            repeated = min(number(attribute(one, "number-columns-repeated")) or 1, MAX_COLUMNS)
            columns = min(number(attribute(one, "number-columns-spanned")) or 1, MAX_COLUMNS)
            is_covered = local(one) == COVERED_CELL
            own = "" if is_covered else self.text_of(one)
            for column in range(max(at, covered), at + repeated):
                text = self._from_above(column) if is_covered else own
                self._add(cells, column, text, columns)
                if (rows := number(attribute(one, "number-rows-spanned")) or 1) > 1:
                    self._below[column] = rows - 1, text
                covered = column + columns
            at += repeated
        return cells

    def _add(self, cells: list[_Cell], column: int, text: str, columns: int) -> None:
        visible = sum(one not in self._hidden_columns for one in range(column, column + columns))
        if visible:
            cells.append(_Cell(column, text, visible))
        else:
            self.has_hidden |= bool(text)

    def _from_above(self, column: int) -> str:
        left, text = self._below.pop(column, (0, ""))
        if left > 1:
            self._below[column] = left - 1, text
        return text


def _filled(row: Any) -> list[Any]:
    """The cells up to the last one that holds anything; a sheet fills its rows with thousands of empty ones."""
    cells = [one for one in row if local(one) in (CELL, COVERED_CELL)]
    while cells and not len(cells[-1]) and local(cells[-1]) == CELL:
        cells.pop()
    return cells


def _rows(parent: Any, *, is_head: bool) -> Iterator[tuple[Any, bool]]:
    for one in parent:
        if local(one) == "table-row":
            yield one, is_head
        elif local(one) in GROUPS and attribute(one, "display") != "false":
            yield from _rows(one, is_head=is_head or local(one) == "table-header-rows")


def _hidden_columns(table: Any) -> Iterator[int]:
    at = 0
    for one in _columns(table):
        repeated = min(number(attribute(one, "number-columns-repeated")) or 1, MAX_COLUMNS)
        if attribute(one, "visibility") in HIDDEN:
            yield from range(at, at + repeated)
        at += repeated


def _columns(parent: Any) -> Iterator[Any]:
    for one in parent:
        if local(one) == "table-column":
            yield one
        elif local(one) in COLUMN_GROUPS:
            yield from _columns(one)
