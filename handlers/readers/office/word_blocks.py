"""The paragraphs and tables of a Word document in order, under its headings."""

from collections.abc import Iterator
from typing import Any

from handlers.readers.markup.outline import Outline
from handlers.readers.office.package import attribute, child, is_on, local, shown_children, value
from handlers.readers.office.word_numbers import WordNumbers
from handlers.readers.office.word_styles import WordStyles
from handlers.readers.office.word_text import WordText
from handlers.readers.section import Section
from handlers.readers.text.header import names_columns
from handlers.readers.text.tables import table_lines

REMOVED = ("del", "moveFrom")
MAX_COLUMNS = 1_000


class WordBlocks:
    """Adds each block to the outline as it comes."""

    def __init__(self, styles: WordStyles, numbers: WordNumbers, text: WordText, outline: Outline) -> None:
        self._styles = styles
        self._numbers = numbers
        self._text = text
        self._outline = outline
        self._carried = ""

    def read(self, block: Any) -> Iterator[Section | None]:
        """A paragraph, a table, or whatever holds some: a content control, a text box."""
        name = local(block)
        if name == "p":
            yield from self._paragraph(block)
        elif name == "tbl":
            yield from self._table(block)
        elif name not in (*REMOVED, "sectPr", "sdtPr", "sdtEndPr"):
            for one in shown_children(block):
                yield from self.read(one)

    def _paragraph(self, paragraph: Any) -> Iterator[Section | None]:
        boxes: list[Any] = []
        text = self._carried + self._text.read(paragraph, boxes)
        marks = child(paragraph, "pPr", "rPr")
        if marks is not None and any(child(marks, name) is not None for name in REMOVED):
            # Its end is deleted, so it goes on with the next paragraph.
            self._carried = text
        else:
            self._carried = ""
            yield from self._finished(paragraph, text)
        for box in boxes:
            yield from self.read(box)

    def _finished(self, paragraph: Any, text: str) -> Iterator[Section | None]:
        lines = [" ".join(line.split()) for line in text.split("\n")]
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        numbering = self._styles.numbering(paragraph)
        label = self._numbers.label(numbering) if numbering else ""
        level = self._styles.heading_level(paragraph)
        if level is not None:
            yield self._outline.heading(level, f"{label} {text}")
            return
        indent = "  " * (numbering.level or 0) if numbering else ""
        yield self._outline.block(f"{indent}{label} {text}" if label else text, is_list_item=numbering is not None)

    def _table(self, table: Any) -> Iterator[Section | None]:
        rows = list(self._rows(table))
        grid = [cells for _, cells in rows]
        heads = next((at for at, (is_head, _) in enumerate(rows) if not is_head), len(rows))
        heads = heads if heads < len(rows) else 0
        if not heads and grid and names_columns(grid):
            heads = 1
        header = [" ".join(dict.fromkeys(filter(None, names))) for names in zip(*grid[:heads], strict=False)] or None
        for number, line in enumerate(table_lines(header, grid[heads:])):
            yield self._outline.block(line, is_list_item=number > 0)

    def _rows(self, table: Any) -> Iterator[tuple[bool, list[str]]]:
        """Whether a row is marked as a header, and its cells, spans filled in."""
        above: dict[int, str] = {}
        for row in _inside(table, "tr"):
            properties = child(row, "trPr")
            if properties is not None and child(properties, "del") is not None:
                continue
            cells: list[str] = []
            for cell in _inside(row, "tc"):
                merge = child(cell, "tcPr", "vMerge")
                goes_on = merge is not None and attribute(merge, "val") != "restart"
                text = above.get(len(cells), "") if goes_on else self._cell(cell)
                above[len(cells)] = text
                span = value(cell, "tcPr", "gridSpan") or "1"
                extra = min(int(span), MAX_COLUMNS) - 1 if span.isdecimal() else 0
                cells += [text, *[""] * extra]
            yield is_on(properties, "tblHeader") if properties is not None else False, cells

    def _cell(self, cell: Any) -> str:
        pieces: list[str] = []
        for one in _blocks(cell):
            if local(one) == "tbl":
                pieces += ["; ".join(filter(None, cells)) for _, cells in self._rows(one)]
            else:
                boxes: list[Any] = []
                text = self._text.read(one, boxes)
                numbering = self._styles.numbering(one) if text.strip() else None
                label = self._numbers.label(numbering) if numbering else ""
                pieces += [f"{label} {text}", *(self._cell(box) for box in boxes)]
        return " ".join(" ".join(pieces).split())


def _inside(parent: Any, name: str) -> Iterator[Any]:
    """Rows or cells, also those in content controls and insertions, but not those of nested tables."""
    for one in shown_children(parent):
        if local(one) == name:
            yield one
        elif local(one) in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"):
            yield from _inside(one, name)


def _blocks(parent: Any) -> Iterator[Any]:
    for one in shown_children(parent):
        if local(one) in ("p", "tbl"):
            yield one
        elif local(one) not in (*REMOVED, "tcPr", "sdtPr"):
            yield from _blocks(one)
