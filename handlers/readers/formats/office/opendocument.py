"""OpenDocument (OASIS): text, spreadsheets and presentations of LibreOffice, as they show."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from handlers.readers.archive import open_archive
from handlers.readers.markup.outline import Outline
from handlers.readers.office.oasis.blocks import OpenBlocks
from handlers.readers.office.oasis.styles import OpenStyles
from handlers.readers.office.oasis.tables import OpenTable
from handlers.readers.office.package import LOCAL_ERRORS, attribute, broken, child, local, parse_part
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean
from handlers.readers.spreadsheet.lines import sheet_lines
from handlers.readers.text.records.row_groups import row_sections

CONTENT, STYLES, MANIFEST = "content.xml", "styles.xml", "META-INF/manifest.xml"
LEFT_OUT = ("footer", "header", "date-time", "page-number")
# LibreOffice names the slides that nobody has named.
AUTOMATIC_NAME = re.compile(r"page\d+")


def read_opendocument(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading, some rows of a sheet, or a slide. Hidden sheets, rows, columns and slides are left
    out and reported. Raises `UnreadableError`.
    """
    with open_archive(path) as archive:
        try:
            _refuse_encrypted(archive)
            content = parse_part(archive, CONTENT)
            styles = OpenStyles(parse_part(archive, STYLES), content)
            bodies = child(content, "body")
            for body in bodies if bodies is not None else ():
                yield from _body(body, styles, report)
        except LOCAL_ERRORS as error:
            raise broken(error) from error
    report.progress(1, 1)


def _refuse_encrypted(archive: ZipFile) -> None:
    manifest = parse_part(archive, MANIFEST)
    if manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None:
        raise UnreadableError(
            "The file is protected by a password: remove the protection and upload it again.", code="encrypted"
        )


def _body(body: Any, styles: OpenStyles, report: Report) -> Iterator[Section]:
    if local(body) == "spreadsheet":
        yield from _sheets(body, styles, report)
    elif local(body) in ("presentation", "drawing"):
        yield from _slides(body, styles, report)
    else:
        yield from _text(body, styles)


def _text(body: Any, styles: OpenStyles) -> Iterator[Section]:
    outline = Outline()
    for block in OpenBlocks(styles).read(body):
        if block.level is None:
            section = outline.block(block.text, is_list_item=block.is_item)
        else:
            section = outline.heading(block.level, block.text)
        if section:
            yield section
    if last := outline.close():
        yield last


def _sheets(body: Any, styles: OpenStyles, report: Report) -> Iterator[Section]:
    hidden: list[str] = []
    for sheet in body.iterfind("{*}table"):
        name = clean(attribute(sheet, "name") or "")
        if styles.is_hidden("table", attribute(sheet, "style-name")):
            hidden.append(name)
            continue
        table = OpenTable(sheet, OpenBlocks(styles).cell_text)
        lines = ((number, clean(line)) for number, line in sheet_lines(table.numbered_rows()))
        yield from row_sections(lines, name or None)
        if table.has_hidden:
            report.warn(f"Hidden rows or columns of the sheet {name} were left out.")
    if hidden:
        names = ", ".join(hidden)
        report.warn(f"Hidden sheets were left out: {names}. Show them and upload the file again to use them.")


def _slides(body: Any, styles: OpenStyles, report: Report) -> Iterator[Section]:
    hidden: list[int] = []
    for number, page in enumerate(body.iterfind("{*}page"), 1):
        if styles.is_hidden("drawing-page", attribute(page, "style-name")):
            hidden.append(number)
        elif section := _slide(page, styles, number):
            yield section
    if hidden:
        report.warn(f"Hidden slides were left out: {', '.join(map(str, hidden))}.")


def _slide(page: Any, styles: OpenStyles, number: int) -> Section | None:
    blocks, title, shown = OpenBlocks(styles), "", list[str]()
    for shape in sorted(page, key=lambda one: local(one) == "notes"):
        kind = attribute(shape, "class")
        if kind in LEFT_OUT or attribute(shape, "placeholder") == "true":
            continue
        text = "\n".join(block.text for block in blocks.read(shape))
        if kind == "title" and not title:
            title = " ".join(text.split())
        elif text:
            shown.append(text)
    name = attribute(page, "name") or ""
    title = title or ("" if AUTOMATIC_NAME.fullmatch(name) else name)
    text = clean("\n\n".join(shown) or title).strip()
    return Section(text + "\n", page=number, heading=clean(title) or None) if text else None
