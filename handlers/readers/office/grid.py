"""Tables of documents and slides: titles above them, rows of names, then rows of values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.readers.text.header import is_header, names_columns
from handlers.readers.text.tables import table_lines

MAX_HEADS = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """`columns`: how many it spans."""

    text: str
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """`is_head`: marked as a row of names; `is_set_apart`: bold, or another look of its own."""

    cells: Sequence[Cell]
    is_head: bool = False
    is_set_apart: bool = False

    @property
    def texts(self) -> list[str]:
        """A text for each column; a cell that spans several stands in the first one."""
        return [text for cell in self.cells for text in (cell.text, *[""] * (cell.columns - 1))]

    @property
    def names(self) -> list[str]:
        """A text for each column; a name stands above every column that it spans."""
        return [cell.text for cell in self.cells for _ in range(cell.columns)]

    @property
    def is_title(self) -> bool:
        """Whether one cell with text spans the row."""
        return len(self.cells) == 1 and self.cells[0].columns > 1 and bool(self.cells[0].text)


def grid_lines(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each row, under the names of its columns; a title stands alone."""
    rows = [row for row in rows if any(cell.text for cell in row.cells)]
    while rows and rows[0].is_title and len(rows) > 1:
        yield rows[0].cells[0].text
        rows = rows[1:]
    heads = _heads(rows)
    header = None
    if heads:
        columns = max(len(row.names) for row in rows[:heads])
        stacks = ([row.names[at] for row in rows[:heads] if at < len(row.names)] for at in range(columns))
        header = [" ".join(dict.fromkeys(filter(None, stack))) for stack in stacks]
    for row in rows[heads:]:
        yield from table_lines(None if row.is_title else header, [row.texts])


def _heads(rows: Sequence[Row]) -> int:
    marked = next((at for at, row in enumerate(rows) if not row.is_head), len(rows))
    if len(rows) < 2:
        return 0
    if 0 < marked < len(rows):
        return marked
    grid = [row.texts for row in rows]
    first, second = rows[0], rows[1]
    has_groups = any(cell.columns > 1 for cell in first.cells)
    if has_groups and len(rows) > MAX_HEADS and not any(cell.columns > 1 for cell in second.cells):
        return MAX_HEADS if names_columns(grid[1:]) and is_header(grid[0], grid[1:]) else 0
    if names_columns(grid):
        return 1
    is_apart = first.is_set_apart and not second.is_set_apart and len(first.cells) > 1
    return 1 if is_apart and is_header(grid[0], grid[1:4]) else 0
