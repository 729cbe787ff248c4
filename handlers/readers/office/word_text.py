"""The text of a Word paragraph as it would look with all changes accepted."""

from collections.abc import Callable
from typing import Any

from handlers.readers.markup.inline import LOWERED, RAISED
from handlers.readers.office.package import OFF, attribute, child, local, shown_children, value
from handlers.readers.office.word_styles import WordStyles

LEFT_OUT = frozenset((
    "del", "moveFrom", "delText", "instrText", "delInstrText", "pPr", "rPr", "sdtPr", "sdtEndPr", "commentReference",
    "annotationRef", "footnoteRef", "endnoteRef", "rt", "tblPr", "trPr", "tcPr", "fldData",
))  # fmt: skip
FIXED = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": " "}
INLINE = frozenset(("t", "sym", "f", "footnoteReference", "endnoteReference", *FIXED))
PRIVATE_USE = range(0xE000, 0xF900)


class WordText:
    """Reads paragraphs. `notes`: id → text of footnotes and endnotes, which stand at their place, in brackets."""

    def __init__(self, styles: WordStyles, notes: dict[tuple[str, str], str]) -> None:
        self._styles = styles
        self._notes = notes

    def read(self, element: Any, boxes: list[Any]) -> str:
        """The text of a paragraph. Text boxes that are anchored in it are added to `boxes`."""
        pieces: list[str] = []
        self._walk(element, pieces.append, boxes)
        return "".join(pieces)

    def _walk(self, element: Any, add: Callable[[str], None], boxes: list[Any]) -> None:
        for one in shown_children(element):
            name = local(one)
            if name == "r":
                if not self._styles.is_hidden(one):
                    self._run(one, add, boxes)
            elif name == "txbxContent":
                boxes.append(one)
            elif name in INLINE:
                add(self._inline(one, name, boxes))
            elif name not in LEFT_OUT and not _is_hidden(one, name):
                self._walk(one, add, boxes)

    def _inline(self, element: Any, name: str, boxes: list[Any]) -> str:
        if name == "t":
            return element.text or ""
        if name in ("footnoteReference", "endnoteReference"):
            text = self._notes.get((name[:3], attribute(element, "id") or ""), "")
            return f" ({text})" if text else ""
        if name in FIXED:
            # A page break is no line break.
            return "" if name == "br" and attribute(element, "type") == "page" else FIXED[name]
        return _symbol(element) if name == "sym" else self._fraction(element, boxes)

    def _run(self, run: Any, add: Callable[[str], None], boxes: list[Any]) -> None:
        position = value(run, "rPr", "vertAlign")
        letters = {"superscript": RAISED, "subscript": LOWERED}.get(position or "")
        if letters is None:
            self._walk(run, add, boxes)
        else:
            self._walk(run, lambda text: add(text.translate(letters)), boxes)

    def _fraction(self, fraction: Any, boxes: list[Any]) -> str:
        over, under = child(fraction, "num"), child(fraction, "den")
        if over is None or under is None:
            return ""
        return f"{self.read(over, boxes)}/{self.read(under, boxes)}"


def _is_hidden(element: Any, name: str) -> bool:
    if name != "drawing":
        return False
    return any((attribute(one, "hidden") or "0") not in OFF for one in element.iterfind("*/{*}docPr"))


def _symbol(element: Any) -> str:
    try:
        code = int(attribute(element, "char") or "0", 16)
    except ValueError:
        return ""
    # Letters of a symbol font mean nothing without it.
    return "" if code in PRIVATE_USE or code < 0x20 else chr(code)
