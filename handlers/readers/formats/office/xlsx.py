"""Excel: what a person sees of each visible sheet, row by row under the names of its columns."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from lxml import etree

from handlers.readers.archive import open_archive
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean
from handlers.readers.spreadsheet.lines import sheet_lines
from handlers.readers.spreadsheet.sheet import SheetFacts, read_facts, read_rows
from handlers.readers.spreadsheet.workbook import Sheet, Workbook, read_workbook
from handlers.readers.text.records.row_groups import row_sections


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
    yield from row_sections(((number, clean(line)) for number, line in sheet_lines(rows)), clean(sheet.name))
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
