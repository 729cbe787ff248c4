"""The rows of a Word table, as they look with all changes accepted."""

from collections.abc import Callable, Iterator
from typing import Any

from handlers.readers.office.grid import Cell, Row
from handlers.readers.office.package import attribute, child, is_on, local, shown_children, value
from handlers.readers.office.word.styles import WordStyles
from handlers.readers.text.whole_number import number

REMOVED = ("del", "moveFrom")
WRAPPERS = ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag")
MAX_COLUMNS = 1_000


def table_rows(table: Any, styles: WordStyles, text_of: Callable[[Any], str]) -> Iterator[Row]:
    """Rows that show; a cell that covers others below stands in each row. `text_of`: the text of a cell."""
    above: dict[int, str] = {}
    is_first_apart = styles.sets_first_row_apart(table)
    for properties, found in shown_rows(table):
        at = _count(value(properties, "gridBefore"), 0)
        cells = [Cell("", at)] if at else []
        for one in found:
            merge = child(one, "tcPr", "vMerge")
            goes_on = merge is not None and attribute(merge, "val") != "restart"
            above[at] = above.get(at, "") if goes_on else text_of(one)
            columns = _count(value(one, "tcPr", "gridSpan"), 1)
            cells.append(Cell(above[at], columns))
            at += columns
        yield Row(cells, is_on(properties, "tblHeader"), is_first_apart or _is_bold(found, styles))
        is_first_apart = False


def shown_rows(table: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The properties and the cells of each row that is neither deleted nor hidden."""
    for row in inside(table, "tr"):
        properties = child(row, "trPr")
        if child(properties, "del") is None and not is_on(properties, "hidden"):
            yield properties, [one for one in inside(row, "tc") if child(one, "tcPr", "cellDel") is None]


def inside(parent: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also those in content controls and insertions, but not those of nested tables."""
    for one in shown_children(parent):
        if local(one) == name:
            yield one
        elif local(one) in WRAPPERS:
            yield from inside(one, name)


def blocks(parent: Any) -> Iterator[Any]:
    """The paragraphs and tables in a cell or a text box."""
    for one in shown_children(parent):
        if local(one) in ("p", "tbl"):
            yield one
        elif local(one) not in (*REMOVED, "tcPr", "sdtPr"):
            yield from blocks(one)


def _count(text: str | None, least: int) -> int:
    found = number(text)
    return min(max(found, least), MAX_COLUMNS) if found is not None else least


def _is_bold(cells: list[Any], styles: WordStyles) -> bool:
    """Whether all letters are."""
    runs = (
        (run, value(paragraph, "pPr", "pStyle"))
        for cell in cells
        for paragraph in cell.iter("{*}p")
        for run in paragraph.iter("{*}r")
        if any((text.text or "").strip() for text in run.iterfind("{*}t"))
    )
    return all(styles.is_bold(run, style) for run, style in runs)
