"""Excel: what a person sees of each visible sheet, row by row under the names of its columns."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from lxml import etree

from handlers.readers.archive import open_archive
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean
from handlers.readers.spreadsheet.sheet import SheetFacts, read_facts, read_rows
from handlers.readers.spreadsheet.workbook import Sheet, Workbook, read_workbook
from handlers.readers.text.header import is_header
from handlers.readers.text.row_groups import row_sections
from handlers.readers.text.tables import table_lines

Row = tuple[int, dict[int, str]]
LOOKED_AHEAD_ROWS = 5
PROGRESS_ROWS = 1_000


def read_xlsx(path: Path, report: Report) -> Iterator[Section]:
    """The rows of each sheet, whose name is the heading; reports sheets.

    Hidden sheets, rows and columns are left out and reported; so are formulas without a stored result. Raises
    `UnreadableError`.
    """
    with open_archive(path) as archive:
        workbook = read_workbook(archive)
        hidden = [sheet.name for sheet in workbook.sheets if sheet.is_hidden]
        visible = [sheet for sheet in workbook.sheets if not sheet.is_hidden]
        if hidden:
            report.warn(
                f"Hidden sheets were left out: {', '.join(hidden)}. Show them and upload the file again to use them."
            )
        for done, sheet in enumerate(visible):
            report.progress(done, len(visible))
            try:
                yield from _sheet(archive, workbook, sheet, report)
            except (etree.XMLSyntaxError, BadZipFile, ValueError) as error:
                raise UnreadableError(
                    f"The sheet {sheet.name} is damaged: save the workbook again in Excel and upload that.",
                    code="broken",
                ) from error
        report.progress(len(visible), len(visible))


def _sheet(archive: ZipFile, workbook: Workbook, sheet: Sheet, report: Report) -> Iterator[Section]:
    facts = read_facts(archive, sheet)
    rows = read_rows(archive, workbook, sheet, facts)
    yield from row_sections(((number, clean(line)) for number, line in _lines(rows)), clean(sheet.name))
    _warn(sheet, facts, report)


def _warn(sheet: Sheet, facts: SheetFacts, report: Report) -> None:
    if facts.hidden_rows or facts.hidden:
        report.warn(f"Hidden rows or columns of the sheet {sheet.name} were left out.")
    if facts.uncalculated:
        cells = ", ".join(facts.uncalculated[:5])
        report.warn(
            f"The sheet {sheet.name} has {len(facts.uncalculated):,} formulas without a stored result ({cells}): open "
            "and save it in Excel, and upload that."
        )


def _lines(rows: Iterator[Row]) -> Iterator[tuple[int, str]]:
    """Tables one after the other: an empty row ends one, single cells above a table are its title."""
    last, header = 0, None
    while (row := next(rows, None)) is not None:
        ahead = list(islice(rows, LOOKED_AHEAD_ROWS))
        rows = chain(ahead, rows)
        number, cells = row
        if not cells:
            last = number
            continue
        if number > last + 1 or header is None:
            header = _header(row, ahead)
            last = number
            if header is not None:
                if second := _second_header(header, ahead):
                    header, last = second, next(rows)[0]
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
