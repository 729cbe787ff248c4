"""HTML tables as rows of cells, spans filled in."""

from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from handlers.readers.markup.inline import inline_text
from handlers.readers.markup.visibility import Visibility
from handlers.readers.text.header import names_columns
from handlers.readers.text.tables import table_lines

MAX_SPAN = 1_000
MAX_CELLS = 2_000_000
LAYOUT_CELL_CHARACTERS = 1_500


def is_data_table(table: LexborNode) -> bool:
    """Whether its cells hold values; a table of whole paragraphs or other tables only arranges the page."""
    if any(one.mem_id != table.mem_id for one in table.css("table")):
        return False
    if (table.attributes.get("role") or "") in ("presentation", "none") or table.css_first(
        "h1, h2, h3, p + p, ul, ol, pre"
    ):
        return False
    rows = _rows(table)
    return (
        len(rows) > 0
        and max((len(cell.text()) for row in rows for cell in _cells(row)), default=0) < LAYOUT_CELL_CHARACTERS
    )


def read_table(table: LexborNode, visibility: Visibility) -> Iterator[str]:
    """A line for each row, under the names of its columns."""
    nodes = [row for row in _rows(table) if visibility.shows(row)]
    grid = list(_filled(nodes, visibility))
    heads = _header_rows(nodes, grid)
    header = None
    if heads:
        columns = max(len(row) for row in grid[:heads])
        header = [
            " ".join(dict.fromkeys(row[at] for row in grid[:heads] if at < len(row) and row[at]))
            for at in range(columns)
        ]
    caption = table.css_first("caption")
    if caption is not None and visibility.shows(caption) and (title := inline_text(caption, visibility)):
        yield title
    if heads == len(grid):
        header, heads = None, 0
    yield from table_lines(header, grid[heads:])


def _header_rows(nodes: list[LexborNode], grid: list[list[str]]) -> int:
    heads = 0
    for node in nodes:
        cells = _cells(node)
        in_head = node.parent is not None and node.parent.tag == "thead"
        if not in_head and not (len(cells) > 1 and all(cell.tag == "th" for cell in cells)):
            break
        heads += 1
    if heads or not nodes or any(cell.tag == "th" for node in nodes for cell in _cells(node)):
        return heads
    return 1 if names_columns(grid) else 0


def _filled(nodes: list[LexborNode], visibility: Visibility) -> Iterator[list[str]]:
    """Rows of cells; a cell that spans others stands in each row, and, if it is a name, in each column."""
    below: dict[int, tuple[int, str]] = {}
    count = 0
    for node in nodes:
        row: list[str] = []
        for cell in _cells(node):
            _take_from_above(row, below)
            text = inline_text(cell, visibility) if visibility.shows(cell) else ""
            rows = _span(cell, "rowspan")
            for at in range(_span(cell, "colspan")):
                if rows > 1:
                    below[len(row)] = rows - 1, text
                row.append(text if at == 0 or cell.tag == "th" else "")
        _take_from_above(row, below)
        count += len(row)
        if count > MAX_CELLS:
            return
        yield row


def _take_from_above(row: list[str], below: dict[int, tuple[int, str]]) -> None:
    """Fill the next cells of a row from the cells above that span it; `below`: column → rows left and text."""
    while (span := below.pop(len(row), None)) is not None:
        rows, text = span
        if rows > 1:
            below[len(row)] = rows - 1, text
        row.append(text)


def _span(cell: LexborNode, name: str) -> int:
    text = cell.attributes.get(name) or "1"
    return min(max(int(text), 1), MAX_SPAN) if text.isdecimal() else 1


def _rows(table: LexborNode) -> list[LexborNode]:
    groups = [one for one in table.iter() if one.tag in ("thead", "tbody", "tfoot")]
    return [row for group in [table, *groups] for row in group.iter() if row.tag == "tr"]


def _cells(row: LexborNode) -> list[LexborNode]:
    return [one for one in row.iter() if one.tag in ("td", "th")]
