"""Which rows at the top of a table name its columns."""

import re
from itertools import pairwise

from handlers.readers.pdf.layout.bands import Row

MAX_HEADER_ROWS = 3
NEAR_PITCH = 0.9
NUMBER = re.compile(r"\d")


def header_rows_of(rows: list[Row], grid: list[list[str]]) -> int:
    """How many rows at the top name the columns; 0 when none does."""
    numeric = [any(NUMBER.search(cell) for cell in cells) for cells in grid]
    is_bold = [all(one.is_bold for one in row) for row in rows]
    if is_bold[0] and not all(is_bold):
        return min(is_bold.index(False), MAX_HEADER_ROWS)
    columns = len(grid[0])
    if numeric[0] and not _are_years(grid):
        return 0
    leading = numeric.index(True) if True in numeric else 1
    if numeric[0]:
        leading = 1
    if columns == 2 and not _is_numeric_below(grid, max(leading, 1)):
        return 0
    if 1 < leading <= MAX_HEADER_ROWS and all(_completes(rows, grid, at) for at in range(1, leading)):
        return leading
    return 1 if sum(map(bool, grid[0])) >= max(2, columns - 1) and len(grid) > 1 else 0


def _are_years(grid: list[list[str]]) -> bool:
    """A header of years over figures: its first cell is a word or empty."""
    return not NUMBER.search(grid[0][0]) and all(re.fullmatch(r"(19|20)\d\d", cell) for cell in grid[0][1:])


def _is_numeric_below(grid: list[list[str]], header_rows: int) -> bool:
    below = [cells[-1] for cells in grid[header_rows:] if cells[-1]]
    return bool(below) and all(NUMBER.search(cell) for cell in below) and not NUMBER.search(grid[0][-1])


def _completes(rows: list[Row], grid: list[list[str]], at: int) -> bool:
    """Whether this row is the second line of the header: nearer to it than rows are, or not under its first cell."""
    if "" not in grid[at] and "" not in grid[at - 1]:
        return False
    pitches = [above[0].baseline - row[0].baseline for above, row in pairwise(rows)]
    is_near = at + 1 < len(rows) and pitches[at - 1] < NEAR_PITCH * max(pitches[at:])
    return is_near or not grid[at][0]
