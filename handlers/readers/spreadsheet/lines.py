"""Rows of a sheet as lines, under the names of their columns."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from handlers.readers.text.header import is_header
from handlers.readers.text.tables import table_lines

# Its number, and column → text.
Row = tuple[int, dict[int, str]]
LOOKED_AHEAD_ROWS = 5


def sheet_lines(rows: Iterator[Row]) -> Iterator[tuple[int, str]]:
    """Tables one after the other: an empty row ends one, single cells above a table are its title."""
    last, header = 0, None
    # A chain of iterators would grow by one with each row.
    window = deque(islice(rows, LOOKED_AHEAD_ROWS + 1))
    while window:
        number, cells = window.popleft()
        window.extend(islice(rows, 1))
        if not cells:
            last = number
            continue
        if number > last + 1 or header is None:
            header = _header((number, cells), list(window))
            last = number
            if header is not None:
                if second := _second_header(header, list(window)):
                    header, last = second, window.popleft()[0]
                    window.extend(islice(rows, 1))
                continue
        last = number
        yield number, _line(cells, header)


def _header(row: Row, ahead: list[Row]) -> dict[int, str] | None:
    """The names of the columns if this row holds them."""
    number, cells = row
    following = [one for at, (below, one) in enumerate(ahead, 1) if below == number + at and one]
    if len(cells) < 2 or not following or max(map(len, following)) < 2:
        return None
    names, first = list(cells.values()), [following[0].get(column, "") for column in cells]
    return cells if len(set(names)) > 1 and is_header(names, [first]) else None


def _second_header(header: dict[int, str], ahead: list[Row]) -> dict[int, str] | None:
    """Both rows of names in one, where a name spans columns that the next row tells apart: `2026 Guests`."""
    if len(set(header.values())) == len(header) or len(ahead) < 2:
        return None
    second, third = ahead[0][1], ahead[1][1]
    names = [second.get(column, "") for column in header]
    if not second or not is_header(names, [[third.get(column, "") for column in header]]):
        return None
    columns = sorted({*header, *second})
    return {one: " ".join(dict.fromkeys(filter(None, (header.get(one), second.get(one))))) for one in columns}


def _line(cells: dict[int, str], header: dict[int, str] | None) -> str:
    if header is None:
        return next(table_lines(None, [list(cells.values())]), "")
    columns = sorted({*header, *cells})
    names, values = [header.get(column, "") for column in columns], [cells.get(column, "") for column in columns]
    return next(table_lines(names, [values]), "")
