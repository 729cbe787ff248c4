"""The paragraphs and tables of a Word document in order, under its headings."""

from collections.abc import Callable, Iterator
from typing import Any

from handlers.readers.markup.outline import Outline
from handlers.readers.office.charts import graphic_text
from handlers.readers.office.grid import grid_lines
from handlers.readers.office.package import child, is_on, local, shown_children
from handlers.readers.office.word.numbering import WordNumbers
from handlers.readers.office.word.styles import WordStyles
from handlers.readers.office.word.tables import REMOVED, blocks, shown_rows, table_rows
from handlers.readers.office.word.text import GRAPHIC, WordText
from handlers.readers.section import Section

NO_BLOCKS = (*REMOVED, "sectPr", "sdtPr", "sdtEndPr")


class WordBlocks:
    """Adds each block to the outline as it comes. `part`: relation id → the root of the part that it leads to."""

    def __init__(
        self, styles: WordStyles, numbers: WordNumbers, text: WordText, outline: Outline, part: Callable[[str], Any]
    ) -> None:
        self._part = part
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
            yield from self.close()
            yield from self._table(block)
        elif name == GRAPHIC:
            for line in graphic_text(block, self._part):
                yield self._outline.block(line)
        elif name not in NO_BLOCKS:
            for one in shown_children(block):
                yield from self.read(one)

    def close(self) -> Iterator[Section | None]:
        """What was to go on with the next paragraph, where there is none."""
        text, self._carried = self._carried, ""
        yield self._outline.block(_trimmed(text))

    def _paragraph(self, paragraph: Any) -> Iterator[Section | None]:
        boxes: list[Any] = []
        text = self._carried + self._text.read(paragraph, boxes)
        if _is_end_removed(paragraph):
            self._carried = text
        else:
            self._carried = ""
            yield from self._finished(paragraph, _trimmed(text))
        for box in boxes:
            yield from self.read(box)

    def _finished(self, paragraph: Any, text: str) -> Iterator[Section | None]:
        label, depth = self._label(paragraph)
        if not text:
            return
        level = self._styles.heading_level(paragraph)
        if level is not None:
            yield self._outline.heading(level, f"{label} {text}")
            return
        is_item = self._styles.numbering(paragraph) is not None
        yield self._outline.block(f"{'  ' * depth}{label} {text}" if label else text, is_list_item=is_item)

    def _label(self, paragraph: Any) -> tuple[str, int]:
        """A paragraph without text has its number, too, but not one that is hidden."""
        numbering = self._styles.numbering(paragraph)
        if numbering is None or is_on(paragraph, "pPr", "rPr", "vanish"):
            return "", 0
        return self._numbers.next(numbering)

    def _table(self, table: Any) -> Iterator[Section | None]:
        rows = [cells for _, cells in shown_rows(table)]
        if all(len(cells) == 1 for cells in rows):
            # A frame around a part of the page.
            for cells in rows:
                yield from self.read(cells[0])
                yield from self.close()
            return
        for at, line in enumerate(grid_lines(list(table_rows(table, self._styles, self._cell)))):
            yield self._outline.block(line, is_list_item=at > 0)

    def _cell(self, cell: Any) -> str:
        if local(cell) == GRAPHIC:
            return " ".join(graphic_text(cell, self._part))
        pieces: list[str] = []
        carried = ""
        for one in blocks(cell):
            if local(one) == "tbl":
                lines = grid_lines(list(table_rows(one, self._styles, self._cell)))
                pieces.append(" / ".join(lines).replace(" | ", "; "))
                continue
            boxes: list[Any] = []
            carried += self._text.read(one, boxes)
            if not _is_end_removed(one):
                label, _ = self._label(one)
                pieces.append(f"{label} {carried}" if carried.strip() else "")
                carried = ""
            pieces += [self._cell(box) for box in boxes]
        return " ".join(" ".join((*pieces, carried)).split())


def _is_end_removed(paragraph: Any) -> bool:
    """Whether it goes on with the next paragraph once changes are accepted."""
    marks = child(paragraph, "pPr", "rPr")
    return marks is not None and any(child(marks, name) is not None for name in REMOVED)


def _trimmed(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
