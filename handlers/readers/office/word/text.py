"""The text of a Word paragraph as it would look with all changes accepted."""

from dataclasses import dataclass
from typing import Any

from handlers.readers.office.formulas import formula
from handlers.readers.office.package import OFF, attribute, child, local, shown_children, value
from handlers.readers.office.symbols import in_font, symbol
from handlers.readers.office.word.styles import WordStyles
from handlers.readers.text.raised import LOWERED, RAISED
from handlers.readers.text.whole_number import number

LEFT_OUT = frozenset((
    "del", "moveFrom", "delText", "instrText", "delInstrText", "pPr", "rPr", "sdtPr", "sdtEndPr", "commentReference",
    "annotationRef", "footnoteRef", "endnoteRef", "rt", "tblPr", "trPr", "tcPr", "fldData",
))  # fmt: skip
FIXED = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": " "}
SCRIPTS = {"superscript": RAISED, "subscript": LOWERED}
GRAPHIC = "graphicData"
GRAPHICS = ("chart", "relIds")
CHECKED, UNCHECKED = "☒", "☐"


@dataclass(slots=True)
class _Field:
    """An open field. `begin`: where its code, then its result begins among the pieces; `value`: of a form's field."""

    begin: int
    value: str
    is_result: bool = False


class WordText:
    """Reads paragraphs. `notes`: id → text of footnotes and endnotes, which stand at their place, in brackets.

    Text boxes, charts and diagrams that are anchored in a paragraph are blocks of their own: `boxes`.
    """

    def __init__(self, styles: WordStyles, notes: dict[tuple[str, str], str]) -> None:
        self._styles = styles
        self._notes = notes

    def read(self, element: Any, boxes: list[Any]) -> str:
        """The text of a paragraph. What is anchored in it is added to `boxes`."""
        style = value(element, "pPr", "pStyle") if local(element) == "p" else None
        return _Walk(self._styles, self._notes, boxes, style).text(element)


class _Walk:
    """One pass through a paragraph."""

    def __init__(
        self, styles: WordStyles, notes: dict[tuple[str, str], str], boxes: list[Any], style: str | None
    ) -> None:
        self._styles = styles
        self._notes = notes
        self._boxes = boxes
        self._style = style
        self._pieces: list[str] = []
        self._fields: list[_Field] = []
        self._run: Any = None

    def text(self, element: Any) -> str:
        """What the element shows; fields that are open there stay open."""
        outside, self._pieces = self._pieces, []
        fields, self._fields = self._fields, []
        self._walk(element)
        text = "".join(self._pieces)
        self._pieces, self._fields = outside, fields
        return text

    def _walk(self, element: Any) -> None:
        for one in shown_children(element):
            name = local(one)
            if name in LEFT_OUT or _is_hidden(one, name):
                continue
            if name == "r":
                self._read_run(one)
            elif name in ("txbxContent", GRAPHIC) and _is_block(one, name):
                self._boxes.append(one)
            elif name == "fldChar":
                self._mark(one)
            elif (text := self._inline(one, name)) is not None:
                self._pieces.append(text)
            else:
                self._walk(one)

    def _read_run(self, run: Any) -> None:
        if not self._styles.is_hidden(run, self._style):
            outside, self._run = self._run, run
            self._walk(run)
            self._run = outside

    def _inline(self, element: Any, name: str) -> str | None:
        """None for an element that may hold text of its own."""
        if name == "t":
            return self._letters(element.text or "")
        if name in ("footnoteReference", "endnoteReference"):
            text = self._notes.get((name[:3], attribute(element, "id") or ""), "")
            return f" ({text})" if text else ""
        if name in FIXED:
            # The break of a page or a column is no line break.
            return " " if name == "br" and attribute(element, "type") in ("page", "column") else FIXED[name]
        if name == "sym":
            code = attribute(element, "char") or ""
            return symbol(int(code, 16), attribute(element, "font")) if code.isalnum() and _is_hex(code) else ""
        if name == "textpath":
            return f" {attribute(element, 'string') or ''} "
        return formula(element, self.text)

    def _letters(self, text: str) -> str:
        if self._run is None:
            return text
        text = text if text.isascii() else in_font(text, self._styles.font(self._run))
        script = self._styles.script(self._run)
        return text.translate(SCRIPTS[script]) if script in SCRIPTS else text

    def _mark(self, mark: Any) -> None:
        """Of a field only its result is shown. A field without an end in its paragraph shows all that it holds."""
        kind = attribute(mark, "fldCharType")
        if kind == "begin":
            self._fields.append(_Field(len(self._pieces), _form_value(mark)))
        elif kind == "separate" and self._fields:
            field = self._fields[-1]
            del self._pieces[field.begin :]
            field.is_result = True
        elif kind == "end" and self._fields:
            field = self._fields.pop()
            if not field.is_result:
                del self._pieces[field.begin :]
            if field.value and not "".join(self._pieces[field.begin :]).strip():
                self._pieces.append(field.value)


def _form_value(mark: Any) -> str:
    """What a person chose in a field of a form, where it is not part of the text."""
    box, choices = child(mark, "ffData", "checkBox"), child(mark, "ffData", "ddList")
    if box is not None:
        state = next((one for name in ("checked", "default") if (one := child(box, name)) is not None), None)
        return CHECKED if state is not None and (attribute(state, "val") or "1") not in OFF else UNCHECKED
    if choices is not None:
        entries = [attribute(one, "val") or "" for one in choices.iterfind("{*}listEntry")]
        chosen = number(value(choices, "result") or value(choices, "default") or "0")
        return entries[chosen] if chosen is not None and chosen < len(entries) else ""
    return ""


def _is_block(element: Any, name: str) -> bool:
    return name != GRAPHIC or any(local(one) in GRAPHICS for one in element)


def _is_hidden(element: Any, name: str) -> bool:
    if name != "drawing":
        return False
    return any((attribute(one, "hidden") or "0") not in OFF for one in element.iterfind("*/{*}docPr"))


def _is_hex(code: str) -> bool:
    try:
        int(code, 16)
    except ValueError:
        return False
    return True
