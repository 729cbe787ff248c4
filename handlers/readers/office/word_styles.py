"""The styles of a Word document: which are headings, which are numbered, which are hidden."""

import re
from dataclasses import dataclass
from typing import Any

from handlers.readers.office.package import attribute, child, is_on, value

HEADING_NAME = re.compile(r"heading (\d)")
MAX_PARENTS = 20
BODY_TEXT_LEVEL = 9


@dataclass(frozen=True, slots=True)
class Numbering:
    """A list and a level in it; None where a style leaves it open."""

    number_id: str | None
    level: int | None


class WordStyles:
    """Looks through the styles that a style is based on."""

    def __init__(self, root: Any) -> None:
        found = root.findall("{*}style") if root is not None else []
        self._styles = {attribute(one, "styleId") or "": one for one in found}

    def heading_level(self, paragraph: Any) -> int | None:
        """From 1 for the top; a document's title is above them, 0. None: no heading."""
        properties = child(paragraph, "pPr")
        direct = value(properties, "outlineLvl")
        if direct is not None:
            return int(direct) + 1 if direct.isdecimal() and int(direct) < BODY_TEXT_LEVEL else None
        for style in self._chain(value(properties, "pStyle")):
            name = (value(style, "name") or "").lower()
            if found := HEADING_NAME.fullmatch(name):
                return int(found[1])
            if name == "title":
                return 0
            level = value(style, "pPr", "outlineLvl")
            if level is not None:
                return int(level) + 1 if level.isdecimal() and int(level) < BODY_TEXT_LEVEL else None
        return None

    def numbering(self, paragraph: Any) -> Numbering | None:
        """The list that a paragraph belongs to, by itself or by its style."""
        properties = child(paragraph, "pPr")
        chain = [properties, *(child(style, "pPr") for style in self._chain(value(properties, "pStyle")))]
        number_id, level = None, None
        for one in chain:
            if child(one, "numPr") is None:
                continue
            number_id = number_id or value(one, "numPr", "numId")
            given = value(one, "numPr", "ilvl")
            level = int(given) if level is None and given and given.isdecimal() else level
        return Numbering(number_id, level) if number_id and number_id != "0" else None

    def is_hidden(self, run: Any) -> bool:
        """Whether the run's text does not show."""
        properties = child(run, "rPr")
        if properties is None:
            return False
        if child(properties, "vanish") is not None:
            return is_on(properties, "vanish")
        return any(is_on(style, "rPr", "vanish") for style in self._chain(value(properties, "rStyle")))

    def _chain(self, style_id: str | None) -> list[Any]:
        chain: list[Any] = []
        while style_id in self._styles and len(chain) < MAX_PARENTS:
            chain.append(self._styles[style_id])
            style_id = value(chain[-1], "basedOn")
        return chain
