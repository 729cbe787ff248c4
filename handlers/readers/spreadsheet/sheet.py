"""The visible rows of a sheet, in one pass after one that looks for merged cells and hidden columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zipfile import ZipFile

from lxml import etree
from openpyxl.utils.cell import column_index_from_string

from handlers.readers.spreadsheet.number_formats import shown
from handlers.readers.spreadsheet.workbook import Sheet, Workbook, streamed, text_of
from handlers.readers.text.whole_number import number

REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
MAX_MERGED_CELLS = 100_000
MAX_COLUMNS = 16_384


@dataclass(slots=True)
class SheetFacts:
    """What was found beside the rows. `hidden_columns` and `hidden_rows` count; `merged`: row → column → row and column
    of the cell that is shown there; `uncalculated` are cells whose formula has no stored result.
    """

    hidden: set[int] = field(default_factory=set)
    merged: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    hidden_rows: int = 0
    uncalculated: list[str] = field(default_factory=list)


def read_facts(archive: ZipFile, sheet: Sheet) -> SheetFacts:
    """Hidden columns and merged cells, which stand before and behind the rows."""
    facts = SheetFacts()
    for element in streamed(archive, sheet.path, "col", "mergeCell", "row"):
        name = etree.QName(element).localname
        if name == "col" and element.get("hidden") in ("1", "true"):
            last = min(number(element.get("max")) or 0, MAX_COLUMNS)
            facts.hidden.update(range(number(element.get("min")) or 1, last + 1))
        elif name == "mergeCell":
            _merge(facts, element.get("ref", ""))
    return facts


def read_rows(
    archive: ZipFile, workbook: Workbook, sheet: Sheet, facts: SheetFacts
) -> Iterator[tuple[int, dict[int, str]]]:
    """Row number → column → text, for columns that are not hidden. A hidden row has no cells; a row without text is
    left out.
    """
    covering: dict[tuple[int, int], str] = {}
    anchors = {anchor for covered in facts.merged.values() for anchor in covered.values()}
    at = 0
    for row in streamed(archive, sheet.path, "row"):
        at = number(row.get("r")) or at + 1
        cells = _cells(row, at, workbook, facts)
        for column in [column for column in cells if (at, column) in anchors]:
            covering[at, column] = cells[column]
        if row.get("hidden") in ("1", "true"):
            facts.hidden_rows += any(cells.values())
            yield at, {}
            continue
        for column, anchor in facts.merged.get(at, {}).items():
            # A merged cell means each row and column that it covers.
            cells[column] = covering.get(anchor, "")
        visible = {column: text for column, text in sorted(cells.items()) if text and column not in facts.hidden}
        if visible:
            yield at, visible


def _cells(row: Any, row_number: int, workbook: Workbook, facts: SheetFacts) -> dict[int, str]:
    cells: dict[int, str] = {}
    column = 0
    for cell in row.iterchildren("{*}c"):
        found = REFERENCE.fullmatch(cell.get("r", ""))
        column = column_index_from_string(found[1]) if found else column + 1
        text = " ".join(_text(cell, workbook, facts, f"{cell.get('r', row_number)}").split())
        if text:
            cells[column] = text
    return cells


def _text(cell: Any, workbook: Workbook, facts: SheetFacts, reference: str) -> str:
    kind, value = cell.get("t", "n"), str(cell.findtext("{*}v") or "")
    inline = cell.find("{*}is")
    if inline is not None:
        return text_of(inline)
    if not value:
        formula = str(cell.findtext("{*}f") or "")
        if formula:
            facts.uncalculated.append(reference)
        return f"={formula} (not calculated)" if formula else ""
    if kind == "s":
        return workbook.texts[int(value)] if value.isdecimal() and int(value) < len(workbook.texts) else ""
    if kind != "n":
        return {"1": "TRUE", "0": "FALSE"}.get(value, value) if kind == "b" else value
    style = number(cell.get("s")) or 0
    code = workbook.formats[style] if style < len(workbook.formats) else "General"
    return shown(value, code, is_1904=workbook.is_1904)


def _merge(facts: SheetFacts, reference: str) -> None:
    first, _, last = reference.partition(":")
    begin, end = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last)
    if not begin or not end:
        return
    top, left = int(begin[2]), column_index_from_string(begin[1])
    bottom, right = int(end[2]), column_index_from_string(end[1])
    if (bottom - top + 1) * (right - left + 1) > MAX_MERGED_CELLS or len(facts.merged) > MAX_MERGED_CELLS:
        return
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            facts.merged.setdefault(row, {})[column] = top, left
