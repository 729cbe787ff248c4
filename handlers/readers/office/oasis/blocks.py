"""The blocks of an OpenDocument text in order: headings, paragraphs, items of lists, rows of tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.readers.office.grid import grid_lines
from handlers.readers.office.oasis.styles import LEVELS, OUTLINE, ListLevel, OpenStyles, label
from handlers.readers.office.oasis.tables import OpenTable
from handlers.readers.office.oasis.text import LEFT_OUT, OpenText
from handlers.readers.office.package import attribute, local
from handlers.readers.text.whole_number import number


@dataclass(frozen=True, slots=True)
class Block:
    """`level`: of a heading, from 1. An item follows the line before it without a gap."""

    text: str
    level: int | None = None
    is_item: bool = False


class OpenBlocks:
    """Counts on from list to list."""

    def __init__(self, styles: OpenStyles) -> None:
        self._styles = styles
        self._text = OpenText(styles)
        self._counts: dict[str, list[int | None]] = {}

    def read(self, parent: Any) -> Iterator[Block]:
        """The blocks below an element, hidden ones left out."""
        for one in parent:
            name = local(one)
            if not name or name in LEFT_OUT or self._text.is_hidden(one):
                continue
            if name in ("h", "p"):
                yield from self._paragraph(one)
            elif name == "list":
                yield from self._list(one, None, 1)
            elif name == "table":
                for at, line in enumerate(grid_lines(list(OpenTable(one, self.cell_text).rows()))):
                    yield Block(line, is_item=at > 0)
            else:
                yield from self.read(one)

    def cell_text(self, parent: Any) -> str:
        """Everything in a cell on one line."""
        return " ".join(" ".join(block.text for block in self.read(parent)).split())

    def _paragraph(self, paragraph: Any, mark: str = "", *, is_item: bool = False) -> Iterator[Block]:
        boxes: list[Any] = []
        lines = [" ".join(line.split()) for line in self._text.read(paragraph, boxes).split("\n")]
        text = "\n".join(line for line in lines if line)
        if local(paragraph) == "h" and text:
            level = min(number(attribute(paragraph, "outline-level")) or 1, LEVELS)
            if not mark and self._styles.list_level(OUTLINE, level) is not None:
                mark = self._next(OUTLINE, level, paragraph)
            yield Block(f"{mark.strip()} {text}".strip(), level)
        elif text:
            yield Block(mark + text, is_item=is_item)
        for box in boxes:
            yield from self.read(box)

    def _list(self, element: Any, style: str | None, level: int) -> Iterator[Block]:
        style = attribute(element, "style-name") or style or self._style_of_first(element) or ""
        goes_on = attribute(element, "continue-numbering") == "true" or attribute(element, "continue-list") is not None
        if not goes_on and level <= LEVELS:
            self._counts_of(style)[level - 1 :] = [None] * (LEVELS - level + 1)
        for item in element:
            if local(item) not in ("list-item", "list-header"):
                continue
            mark = self._mark(item, style, level)
            for one in item:
                if local(one) in ("p", "h"):
                    yield from self._paragraph(one, mark, is_item=True)
                    mark = "  " * level
                elif local(one) == "list":
                    yield from self._list(one, style, level + 1)
                else:
                    yield from self.read([one])

    def _mark(self, item: Any, style: str, level: int) -> str:
        own = self._next(style, min(level, LEVELS), item) if local(item) == "list-item" else ""
        return f"{'  ' * (level - 1)}{own} " if own else "  " * (level - 1)

    def _next(self, style: str, level: int, element: Any) -> str:
        counts = self._counts_of(style)
        levels = [self._styles.list_level(style, at) for at in range(1, level + 1)]
        given, current = number(attribute(element, "start-value")), counts[level - 1]
        if given is None:
            given = _start(levels[-1]) if current is None else current + 1
        counts[level - 1 :] = [given, *[None] * (LEVELS - level)]
        return label(levels, [_start(one) if n is None else n for one, n in zip(levels, counts, strict=False)])

    def _counts_of(self, style: str) -> list[int | None]:
        return self._counts.setdefault(style, [None] * LEVELS)

    def _style_of_first(self, element: Any) -> str | None:
        first = next(element.iter("{*}p", "{*}h"), None)
        return self._styles.list_of(attribute(first, "style-name")) if first is not None else None


def _start(level: ListLevel | None) -> int:
    return 1 if level is None else level.start
