"""The styles of a Word document: which are headings, which are numbered, which are hidden or bold."""

import re
from dataclasses import dataclass
from typing import Any

from handlers.readers.office.package import OFF, attribute, child, value
from handlers.readers.text.whole_number import number

# Word writes the English name in every language; other programs write the name that they show.
HEADING_NAME = re.compile(
    r"(?:heading|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek|nadpis|címsor|naslov|"
    r"titlu|başlık|заголовок|επικεφαλίδα|标题|標題|見出し|제목|عنوان|כותרת)\s*([1-9])"
)
UNDEFINED_HEADING = re.compile(r"heading ?([1-9])")
MAX_PARENTS = 20
BODY_TEXT_LEVEL = 9


@dataclass(frozen=True, slots=True)
class Numbering:
    """A list and a level in it, None where it is left open. `style`: the style that says so, if one does;
    `is_direct`: whether the paragraph itself gives the level.
    """

    number_id: str
    level: int | None
    style: str | None
    is_direct: bool


class WordStyles:
    """Looks through the styles that a style is based on."""

    def __init__(self, root: Any) -> None:
        found = root.findall("{*}style") if root is not None else []
        self._styles = {attribute(one, "styleId") or "": one for one in found}
        self._inherited: dict[tuple[str, str], Any] = {}

    def heading_level(self, paragraph: Any) -> int | None:
        """From 1 for the top; a document's title is above them, 0. None: no heading."""
        properties = child(paragraph, "pPr")
        direct = value(properties, "outlineLvl")
        if direct is not None:
            return _outline_level(direct)
        style_id = value(properties, "pStyle") or ""
        if style_id not in self._styles:
            found = UNDEFINED_HEADING.fullmatch(style_id.lower())
            return int(found[1]) if found else None
        for style in self._chain(style_id):
            name = (value(style, "name") or "").lower()
            if found := HEADING_NAME.fullmatch(name):
                return int(found[1])
            if name == "title":
                return 0
            level = value(style, "pPr", "outlineLvl")
            if level is not None:
                return _outline_level(level)
        return None

    def numbering(self, paragraph: Any) -> Numbering | None:
        """The list that a paragraph belongs to, by itself or by its style."""
        properties = child(paragraph, "pPr")
        number_id, level = value(properties, "numPr", "numId"), number(value(properties, "numPr", "ilvl"))
        is_direct, by_style = level is not None, None
        for style in self._chain(value(properties, "pStyle")):
            if child(style, "pPr", "numPr") is None:
                continue
            by_style = by_style or attribute(style, "styleId")
            number_id = number_id or value(style, "pPr", "numPr", "numId")
            level = number(value(style, "pPr", "numPr", "ilvl")) if level is None else level
        return Numbering(number_id, level, by_style, is_direct) if number_id and number_id != "0" else None

    def is_hidden(self, run: Any, paragraph_style: str | None) -> bool:
        """Whether the run's text does not show."""
        return _is_on(self._property(run, paragraph_style, "vanish"))

    def is_bold(self, run: Any, paragraph_style: str | None) -> bool:
        """Whether the run's text is bold."""
        return _is_on(self._property(run, paragraph_style, "b"))

    def font(self, run: Any) -> str | None:
        """The font of the run's letters, None where the paragraph decides."""
        fonts = self._property(run, None, "rFonts")
        return None if fonts is None else attribute(fonts, "ascii") or attribute(fonts, "hAnsi")

    def script(self, run: Any) -> str:
        """Whether the run is raised or lowered: `superscript`, `subscript`, or another word for neither."""
        found, position = self._property(run, None, "vertAlign"), value(run, "rPr", "position")
        if found is None and position is not None:
            return "subscript" if position.startswith("-") else "superscript"
        return "" if found is None else attribute(found, "val") or ""

    def sets_first_row_apart(self, table: Any) -> bool:
        """Whether the style of a table gives its first row a look of its own."""
        look = child(table, "tblPr", "tblLook")
        flag = None if look is None else attribute(look, "firstRow")
        try:
            is_used = (
                flag not in (None, *OFF) if flag else bool(int(value(table, "tblPr", "tblLook") or "0", 16) & 0x20)
            )
        except ValueError:
            is_used = False
        chain = self._chain(value(table, "tblPr", "tblStyle")) if is_used else []
        return any(attribute(one, "type") == "firstRow" for style in chain for one in style.iterfind("{*}tblStylePr"))

    def _property(self, run: Any, paragraph_style: str | None, name: str) -> Any:
        """What the run says itself, or else its style, or else its paragraph's style."""
        properties = child(run, "rPr")
        found = child(properties, name)
        if found is None:
            found = self._of_style(value(properties, "rStyle"), name)
        return self._of_style(paragraph_style, name) if found is None else found

    def _of_style(self, style_id: str | None, name: str) -> Any:
        if not style_id:
            return None
        if (style_id, name) not in self._inherited:
            found = (child(style, "rPr", name) for style in self._chain(style_id))
            self._inherited[style_id, name] = next((one for one in found if one is not None), None)
        return self._inherited[style_id, name]

    def _chain(self, style_id: str | None) -> list[Any]:
        chain: list[Any] = []
        while style_id in self._styles and len(chain) < MAX_PARENTS:
            chain.append(self._styles[style_id])
            style_id = value(chain[-1], "basedOn")
        return chain


def _outline_level(text: str) -> int | None:
    level = number(text)
    return level + 1 if level is not None and level < BODY_TEXT_LEVEL else None


def _is_on(switch: Any) -> bool:
    return switch is not None and (attribute(switch, "val") or "1") not in OFF
