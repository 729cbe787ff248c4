"""Shapes of a slide: their text, tables, charts and diagrams (DrawingML)."""

from collections.abc import Callable, Iterator
from typing import Any

from handlers.readers.office.package import OFF, attribute, child, local, shown_children
from handlers.readers.text.header import names_columns
from handlers.readers.text.tables import table_lines

TITLES = ("title", "ctrTitle")
LEFT_OUT = ("dt", "ftr", "sldNum", "hdr")
MAX_SERIES, MAX_POINTS = 50, 2_000
# Shapes within a fifth of an inch stand in one row (914,400 units are an inch).
ROW_UNITS = 182_880


def shapes(tree: Any) -> Iterator[Any]:
    """The shapes in the order of reading: from top to bottom where all say where they stand, else as in the file."""
    found = [
        one
        for one in shown_children(tree)
        if local(one) in ("sp", "grpSp", "graphicFrame", "pic", "cxnSp") and not _is_hidden(one)
    ]
    places = [_place(one) for one in found]
    if all(place is not None for place in places):
        found = [one for _, one in sorted(zip(places, found, strict=True), key=lambda pair: pair[0] or (0, 0))]
    for one in found:
        if local(one) == "grpSp":
            yield from shapes(one)
        else:
            yield one


def placeholder(shape: Any) -> str | None:
    """Which placeholder of the layout a shape fills; "" for a plain one, None for none."""
    for one in shape:
        if local(one).startswith("nv"):
            found = child(one, "nvPr", "ph")
            return None if found is None else attribute(found, "type") or ""
    return None


def paragraphs(body: Any) -> list[str]:
    """The paragraphs of a text body, line breaks kept."""
    found = []
    for paragraph in body.iter("{*}p") if body is not None else ():
        pieces = []
        for one in paragraph.iter():
            name = local(one)
            if name == "t" and not _is_slide_number(one):
                pieces.append(one.text or "")
            elif name in ("br", "tab"):
                pieces.append("\n" if name == "br" else " ")
        lines = [" ".join(line.split()) for line in "".join(pieces).split("\n")]
        found.append("\n".join(line for line in lines if line))
    return [text for text in found if text]


def table_text(table: Any) -> Iterator[str]:
    """A line for each row; a cell that covers others stands once in a row and in each row that it covers."""
    grid: list[list[str]] = []
    for row in table.iterfind("{*}tr"):
        cells: list[str] = []
        for cell in row.iterfind("{*}tc"):
            text = " ".join(paragraphs(cell))
            if attribute(cell, "vMerge") == "1" and grid and len(grid[-1]) > len(cells):
                text = grid[-1][len(cells)]
            cells.append("" if attribute(cell, "hMerge") == "1" else text)
        grid.append(cells)
    properties = child(table, "tblPr")
    is_marked = properties is not None and attribute(properties, "firstRow") == "1" and len(grid) > 1
    heads = 1 if grid and ((is_marked and len(grid[0]) > 2) or names_columns(grid)) else 0
    yield from table_lines(grid[0] if heads else None, grid[heads:])


def chart_text(root: Any) -> Iterator[str]:
    """The title, then each series by its categories: `Guests: May 40; June 52`."""
    title = root.find(".//{*}chart/{*}title")
    if title is not None and (text := " ".join(paragraphs(title))):
        yield text
    for series in root.findall(".//{*}ser")[:MAX_SERIES]:
        names = _points(child(series, "cat")) or _points(child(series, "xVal"))
        values = _points(child(series, "val")) or _points(child(series, "yVal"))
        name = " ".join(_points(child(series, "tx")).values())
        pairs = "; ".join(f"{names.get(at, '')} {value}".strip() for at, value in values.items())
        if pairs:
            yield f"{name}: {pairs}" if name else pairs


def diagram_text(root: Any) -> Iterator[str]:
    """The texts of a SmartArt's points, in their order."""
    for point in root.iter("{*}pt"):
        if attribute(point, "type") in (None, "node", "asst", "doc"):
            yield from paragraphs(child(point, "t"))


def shape_text(shape: Any, part: Callable[[str], Any]) -> list[str]:
    """The blocks of one shape. `part`: relation id → the root of the part that it leads to, or None."""
    if local(shape) != "graphicFrame":
        return paragraphs(child(shape, "txBody"))
    table = shape.find(".//{*}tbl")
    if table is not None:
        return list(table_text(table))
    for name, attribute_name, read in (("chart", "id", chart_text), ("relIds", "dm", diagram_text)):
        found = shape.find(f".//{{*}}graphicData/{{*}}{name}")
        root = part(attribute(found, attribute_name) or "") if found is not None else None
        if root is not None:
            return list(read(root))
    return []


def _is_hidden(shape: Any) -> bool:
    names = (child(one, "cNvPr") for one in shape if local(one).startswith("nv"))
    return any(one is not None and (attribute(one, "hidden") or "0") not in OFF for one in names)


def _place(shape: Any) -> tuple[int, int] | None:
    offset = shape.find(".//{*}xfrm/{*}off")
    if offset is None:
        return None
    try:
        x, y = int(attribute(offset, "x") or 0), int(attribute(offset, "y") or 0)
    except ValueError:
        return None
    return y // ROW_UNITS, x


def _points(reference: Any) -> dict[int, str]:
    found: dict[int, str] = {}
    for point in reference.iter("{*}pt") if reference is not None else ():
        number, text = attribute(point, "idx") or "", point.findtext("{*}v")
        if number.isdecimal() and text and len(found) < MAX_POINTS:
            found[int(number)] = text.strip()
    if not found and reference is not None and (direct := reference.findtext("{*}v")):
        found[0] = direct
    return found


def _is_slide_number(text: Any) -> bool:
    parent = text.getparent()
    return local(parent) == "fld" and (attribute(parent, "type") or "") == "slidenum"
