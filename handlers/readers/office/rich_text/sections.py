"""RTF as sections: a table as rows under their header."""

from collections.abc import Iterator

from handlers.readers.markup.outline import Outline
from handlers.readers.office.grid import Row, grid_lines
from handlers.readers.office.rich_text.document import Block, RichText
from handlers.readers.office.rich_text.tokens import tokens
from handlers.readers.report import Report
from handlers.readers.section import Section


def rich_text_sections(content: bytes, outline: Outline, report: Report) -> Iterator[Section]:
    """A section for each heading, after what the outline holds already; reports bytes. Raises `RecursionError`."""
    rows: list[Row] = []
    for block in _blocks(content, report):
        if block.row is not None:
            rows.append(block.row)
            continue
        yield from _table(rows, outline)
        rows = []
        if section := _added(block, outline):
            yield section
    yield from _table(rows, outline)
    if last := outline.close():
        yield last


def _blocks(content: bytes, report: Report) -> Iterator[Block]:
    document = RichText()
    for at, token in tokens(content):
        for block in document.feed(token):
            yield block
            report.progress(min(at, len(content)), len(content))
    yield from document.close()
    report.progress(len(content), len(content))


def _added(block: Block, outline: Outline) -> Section | None:
    if block.level is None:
        return outline.block(block.text)
    return outline.heading(block.level, block.text)


def _table(rows: list[Row], outline: Outline) -> Iterator[Section]:
    for at, line in enumerate(grid_lines(rows)):
        if section := outline.block(line, is_list_item=at > 0):
            yield section
