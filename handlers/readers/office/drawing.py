"""Shapes of a slide in the order of reading: their text, tables, charts and diagrams (DrawingML)."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from handlers.readers.office.charts import graphic_text
from handlers.readers.office.drawn_text import paragraphs
from handlers.readers.office.grid import Cell, Row, grid_lines
from handlers.readers.office.package import OFF, attribute, child, local, shown_children
from handlers.readers.text.whole_number import number

TITLES = ("title", "ctrTitle")
LEFT_OUT = ("dt", "ftr", "sldNum", "hdr")
SHAPES = ("sp", "grpSp", "graphicFrame", "pic", "cxnSp")
MAX_COLUMNS = 1_000
# Shapes within a fifth of an inch stand in one row (914,400 units are an inch).
ROW_UNITS = 182_880

Place = tuple[int, int]


def shapes(tree: Any, inherited: Mapping[str, Place]) -> Iterator[Any]:
    """The shapes from top to bottom where all say where they stand, else as in the file. `inherited`: the places of
    the layout's placeholders, by `placeholder_keys`.
    """
    found = [one for one in shown_children(tree) if local(one) in SHAPES and not _is_hidden(one)]
    places = [(place_of(one) or _inherited(one, inherited), one) for one in found]
    for one in _by_place([(place, one) for place, one in places if place]) if all(p for p, _ in places) else found:
        if local(one) == "grpSp":
            yield from shapes(one, inherited)
        else:
            yield one


def placeholder(shape: Any) -> str | None:
    """Which placeholder of the layout a shape fills; "" for a plain one, None for none."""
    mark = _placeholder_mark(shape)
    return None if mark is None else attribute(mark, "type") or ""


def placeholder_keys(shape: Any) -> list[str]:
    """By which a placeholder of a slide is found in its layout: its number, or else its type."""
    mark = _placeholder_mark(shape)
    if mark is None:
        return []
    kind, index = attribute(mark, "type") or "", attribute(mark, "idx")
    return [f"idx {index}", f"type {kind}"] if index else [f"type {kind}"]


def place_of(shape: Any) -> Place | None:
    """From the top and from the left."""
    offset = shape.find(".//{*}xfrm/{*}off")
    try:
        return None if offset is None else (int(attribute(offset, "y") or 0), int(attribute(offset, "x") or 0))
    except ValueError:
        return None


def shape_text(shape: Any, part: Callable[[str], Any]) -> list[str]:
    """The lines of one shape. `part`: relation id → the root of the part that it leads to, or None."""
    if local(shape) != "graphicFrame":
        return paragraphs(child(shape, "txBody"))
    graphic = child(shape, "graphic", "graphicData")
    table = child(graphic, "tbl")
    if table is not None:
        return list(grid_lines(list(_rows(table))))
    return list(graphic_text(graphic, part)) if graphic is not None else []


def _by_place(placed: list[tuple[Place, Any]]) -> list[Any]:
    placed.sort(key=lambda pair: pair[0])
    row, top = 0, None
    rows: list[tuple[int, int, Any]] = []
    for (y, x), one in placed:
        if top is None or y - top > ROW_UNITS:
            row, top = row + 1, y
        rows.append((row, x, one))
    groups = groupby(rows, key=lambda entry: entry[0])
    return [one for _, group in groups for _, _, one in sorted(group, key=lambda entry: entry[1])]


def _inherited(shape: Any, places: Mapping[str, Place]) -> Place | None:
    return next((places[key] for key in placeholder_keys(shape) if key in places), None)


def _placeholder_mark(shape: Any) -> Any:
    names = (one for one in shape if local(one).startswith("nv"))
    return next((child(one, "nvPr", "ph") for one in names), None)


def _is_hidden(shape: Any) -> bool:
    names = (child(one, "cNvPr") for one in shape if local(one).startswith("nv"))
    return any(one is not None and (attribute(one, "hidden") or "0") not in OFF for one in names)


def _rows(table: Any) -> Iterator[Row]:
    """A cell that covers others stands in each row that it covers."""
    properties = child(table, "tblPr")
    is_apart = properties is not None and (attribute(properties, "firstRow") or "0") not in OFF
    above: dict[int, str] = {}
    for row in table.iterfind("{*}tr"):
        cells: list[Cell] = []
        for at, one in enumerate(row.iterfind("{*}tc")):
            if (attribute(one, "hMerge") or "0") not in OFF:
                continue
            goes_on = (attribute(one, "vMerge") or "0") not in OFF
            above[at] = above.get(at, "") if goes_on else " ".join(paragraphs(one))
            columns = number(attribute(one, "gridSpan")) or 1
            cells.append(Cell(above[at], min(columns, MAX_COLUMNS)))
        yield Row(cells, is_set_apart=is_apart)
        is_apart = False
