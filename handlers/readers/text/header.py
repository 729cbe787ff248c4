"""Whether the first row of a table names its columns."""

import re
from collections.abc import Sequence

NUMBER = re.compile(r"[-+(]?\W{0,3}\d[\d\s.,'/:%-]*\W{0,4}\)?")
YEAR = re.compile(r"(19|20)\d\d")


def is_header(first: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Names are text and differ; years may be names, too. A row of a table without text has no names."""
    cells = [cell.strip() for cell in first if cell.strip()]
    if not cells or not following:
        return bool(cells) and not any(map(_is_number, cells))
    if any(_is_number(cell) and not YEAR.fullmatch(cell) for cell in cells):
        return False
    if all(YEAR.fullmatch(cell) for cell in cells):
        return not all(YEAR.fullmatch(cell.strip()) for cell in following[0] if cell.strip())
    return True


def _is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None


def names_columns(grid: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table without any mark names its columns. Two columns are mostly names and values."""
    first, following = grid[0], grid[1:4]
    # The corner above the names of rows is often empty.
    names = first[1:] if len(first) > 2 else first
    if not following or not all(cell.strip() for cell in names) or not is_header(first, following):
        return False
    if len(first) > 2:
        return True
    values = [row[-1].strip() for row in following if row]
    return len(first) == 2 and sum(map(_is_number, values)) * 2 > len(values)
