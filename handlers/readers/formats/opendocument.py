"""OpenDocument (OASIS): text, spreadsheets and presentations of LibreOffice, as they show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handlers.readers.archive import open_archive
from handlers.readers.markup.outline import Outline
from handlers.readers.office.package import LOCAL_ERRORS, attribute, broken, local, parse_part
from handlers.readers.report import Report
from handlers.readers.section import Section
from handlers.readers.text.header import names_columns
from handlers.readers.text.tables import table_lines

CONTENT = "content.xml"
LEFT_OUT = frozenset(("annotation", "tracked-changes", "note-citation", "sequence-decls", "forms", "date-time-decl"))
MAX_REPEATED = 1_000


def read_opendocument(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading, sheet or slide. Raises `UnreadableError`."""
    with open_archive(path) as archive:
        try:
            root = parse_part(archive, CONTENT)
        except LOCAL_ERRORS as error:
            raise broken(error) from error
    outline = Outline()
    body = root.find("{*}body")
    for section in _blocks(body, outline, 0) if body is not None else ():
        if section:
            yield section
    if last := outline.close():
        yield last
    report.progress(1, 1)


def _blocks(parent: Any, outline: Outline, depth: int) -> Iterator[Section | None]:
    for one in parent:
        name = local(one)
        if name == "h":
            level = attribute(one, "outline-level") or "1"
            yield outline.heading(int(level) if level.isdecimal() else 1, _text(one))
        elif name == "p":
            yield outline.block(_text(one), is_list_item=depth > 0)
        elif name == "list-item":
            yield from _item(one, outline, depth)
        elif name == "table":
            yield from _table(one, outline)
        elif name == "page":
            yield outline.heading(1, attribute(one, "name") or "")
            yield from _blocks(one, outline, depth)
        elif name not in LEFT_OUT:
            yield from _blocks(one, outline, depth + (name == "list"))


def _item(item: Any, outline: Outline, depth: int) -> Iterator[Section | None]:
    mark = "  " * (depth - 1) + "- "
    for one in item:
        if local(one) in ("p", "h"):
            yield outline.block(mark + _text(one), is_list_item=True)
            mark = "  " * depth
        else:
            yield from _blocks(one, outline, depth + (local(one) == "list"))


def _table(table: Any, outline: Outline) -> Iterator[Section | None]:
    rows = [cells for row in table.iter("{*}table-row") if any(cells := list(_cells(row)))]
    is_sheet = local(table.getparent()) == "spreadsheet"
    if is_sheet:
        yield outline.heading(1, attribute(table, "name") or "")
    heads = 1 if rows and names_columns(rows) else 0
    for number, line in enumerate(table_lines(rows[0] if heads else None, rows[heads:])):
        yield outline.block(line, is_list_item=number > 0)


def _cells(row: Any) -> Iterator[str]:
    if attribute(row, "visibility") in ("collapse", "filter"):
        return
    for cell in row:
        if local(cell) in ("table-cell", "covered-table-cell"):
            text = " ".join(" ".join(_text(one) for one in cell if local(one) in ("p", "list")).split())
            repeated = attribute(cell, "number-columns-repeated") or "1"
            yield from [text] * (min(int(repeated), MAX_REPEATED) if text and repeated.isdecimal() else 1)


def _text(element: Any) -> str:
    pieces = [element.text or ""]
    for one in element:
        name = local(one)
        if name == "note":
            pieces.append(f" ({' '.join(_text(one).split())})")
        elif name in ("s", "tab"):
            pieces.append(" ")
        elif name == "line-break":
            pieces.append("\n")
        elif name and name not in LEFT_OUT:
            pieces.append(_text(one))
        pieces.append(one.tail or "")
    return "".join(pieces)
