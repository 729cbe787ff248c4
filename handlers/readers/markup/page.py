"""A page's blocks in the order of reading."""

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from handlers.readers.markup.inline import BLOCKS, shown_text, walk
from handlers.readers.markup.outline import Outline
from handlers.readers.markup.tables import is_data_table, read_table
from handlers.readers.markup.visibility import Visibility
from handlers.readers.section import Section

TERM_END = ": "
HEADINGS = {f"h{level}": level for level in range(1, 7)}
# A page whose main part holds less than this share of its text has it elsewhere.
MAIN_SHARE = 0.3


def read_page(page: LexborHTMLParser, outline: Outline) -> Iterator[Section]:
    """The sections of a parsed page, but for the last one, which the outline still holds."""
    body = page.body
    if body is None:
        return
    visibility = Visibility(page)
    yield from _Blocks(outline, visibility).read(_main_part(body))


def _main_part(body: LexborNode) -> LexborNode:
    found = body.css("main, [role=main]") or body.css("article")
    if len(found) == 1 and len(found[0].text()) > MAIN_SHARE * len(body.text()):
        return found[0]
    return body


class _Blocks:
    """The block that is being read, and the lists around it."""

    def __init__(self, outline: Outline, visibility: Visibility) -> None:
        self._outline = outline
        self._visibility = visibility
        self._pieces: list[str] = []
        self._lists: list[int | None] = []
        self._mark = ""
        self._preformatted = 0
        self._is_item = False

    def read(self, root: LexborNode) -> Iterator[Section]:
        for node, begins in walk(root, self._enters):
            if node.is_text_node:
                if begins:
                    self._add(shown_text(node))
                continue
            found = self._begin(node) if begins else self._end(node)
            yield from (one for one in found if one)
        yield from (one for one in self._flush() if one)

    def _enters(self, node: LexborNode) -> bool:
        return self._visibility.shows(node)

    def _begin(self, node: LexborNode) -> Iterator[Section | None]:
        tag = node.tag or ""
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "img":
            self._add(f" {node.attributes.get('alt') or ''} ")
        elif tag == "table" and is_data_table(node):
            yield from self._table(node)
        elif tag in BLOCKS:
            # A description goes on behind its term.
            if tag != "dd" or not self._pieces or self._pieces[-1] != TERM_END:
                yield from self._flush()
            self._open(tag, node)

    def _table(self, node: LexborNode) -> Iterator[Section | None]:
        yield from self._flush()
        for number, line in enumerate(read_table(node, self._visibility)):
            yield self._outline.block(line, is_list_item=number > 0)
        # Its rows are read: what is walked through next has no text left.
        for child in list(node.iter(include_text=True)):
            child.decompose()

    def _open(self, tag: str, node: LexborNode) -> None:
        if tag in ("ul", "ol", "menu"):
            start = node.attributes.get("start") or "1"
            self._lists.append((int(start) if start.isdecimal() else 1) if tag == "ol" else None)
        elif tag == "li":
            number = self._lists[-1] if self._lists else None
            self._mark = "  " * (len(self._lists) - 1) + ("- " if number is None else f"{number}. ")
            if number is not None:
                self._lists[-1] = number + 1
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "dt":
            self._mark = ""

    def _end(self, node: LexborNode) -> Iterator[Section | None]:
        tag = node.tag or ""
        if tag in HEADINGS:
            title = " ".join("".join(self._pieces).split())
            self._pieces = []
            if title:
                yield self._outline.heading(HEADINGS[tag], title)
        elif tag == "dt" and self._pieces:
            self._pieces.append(TERM_END)
        elif tag in BLOCKS:
            yield from self._flush()
            if tag in ("ul", "ol", "menu") and self._lists:
                self._lists.pop()
            elif tag == "li":
                self._mark = ""
            elif tag == "pre":
                self._preformatted -= 1

    def _add(self, text: str) -> None:
        if self._preformatted:
            self._pieces.append(text)
        elif text.strip():
            self._pieces.append(" ".join(f" {text} ".split()) if text == text.strip() else _folded(text))
        elif text and self._pieces:
            self._pieces.append(" ")

    def _flush(self) -> Iterator[Section | None]:
        pieces, self._pieces = "".join(self._pieces), []
        if self._preformatted:
            text = pieces.strip("\n")
        else:
            text = "\n".join(line for line in (" ".join(one.split()) for one in pieces.split("\n")) if line)
        if text:
            mark, self._mark = self._mark, ""
            yield self._outline.block(mark + text, is_list_item=bool(mark) or bool(self._lists))


def _folded(text: str) -> str:
    before, after = " " * text[0].isspace(), " " * text[-1].isspace()
    return before + " ".join(text.split()) + after
