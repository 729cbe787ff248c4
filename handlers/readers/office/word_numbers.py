"""Automatic numbers of paragraphs, counted as Word does: `4.2`, `(b)`, `iv.`, and a dash for every bullet."""

import re
from typing import Any

from handlers.readers.office.package import attribute, child, is_on, value
from handlers.readers.office.word_styles import Numbering

PLACEHOLDER = re.compile(r"%([1-9])")
LEVELS = 9
ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
         (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


class WordNumbers:
    """Counts on from paragraph to paragraph."""

    def __init__(self, root: Any) -> None:
        lists = root.findall("{*}abstractNum") if root is not None else []
        self._lists = {attribute(one, "abstractNumId"): one for one in lists}
        self._by_style = {value(one, "styleLink"): one for one in lists if value(one, "styleLink")}
        self._numbers = {attribute(one, "numId"): one for one in (root.findall("{*}num") if root is not None else [])}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()

    def label(self, numbering: Numbering) -> str:
        """The number of the next paragraph with this numbering, "" if it shows none."""
        number = self._numbers.get(numbering.number_id)
        if number is None:
            return ""
        level = min(numbering.level or 0, LEVELS - 1)
        list_id = value(number, "abstractNumId") or ""
        counts = self._counts.setdefault(list_id, [None] * LEVELS)
        self._restart(number, numbering.number_id or "", counts)
        start = self._start(number, list_id, level)
        current = counts[level]
        counts[level] = start if current is None else current + 1
        counts[level + 1 :] = [None] * (LEVELS - level - 1)
        return self._text(number, list_id, level, counts)

    def _restart(self, number: Any, number_id: str, counts: list[int | None]) -> None:
        if number_id in self._begun:
            return
        self._begun.add(number_id)
        for override in number.findall("{*}lvlOverride"):
            level = int(attribute(override, "ilvl") or 0)
            if value(override, "startOverride") is not None and level < LEVELS:
                counts[level:] = [None] * (LEVELS - level)

    def _start(self, number: Any, list_id: str, level: int) -> int:
        for override in number.findall("{*}lvlOverride"):
            given = value(override, "startOverride")
            if attribute(override, "ilvl") == str(level) and given and given.lstrip("-").isdecimal():
                return int(given)
        given = value(self._level(number, list_id, level), "start")
        return int(given) if given and given.isdecimal() else 1

    def _level(self, number: Any, list_id: str, level: int) -> Any:
        for override in number.findall("{*}lvlOverride"):
            if attribute(override, "ilvl") == str(level) and child(override, "lvl") is not None:
                return child(override, "lvl")
        definition = self._lists.get(list_id)
        linked = value(definition, "numStyleLink")
        definition = self._by_style.get(linked, definition) if linked else definition
        levels = definition.findall("{*}lvl") if definition is not None else []
        return next((one for one in levels if attribute(one, "ilvl") == str(level)), None)

    def _text(self, number: Any, list_id: str, level: int, counts: list[int | None]) -> str:
        definition = self._level(number, list_id, level)
        kind = value(definition, "numFmt") or "decimal"
        if kind == "bullet":
            return "-"
        if kind == "none":
            return ""
        is_legal = is_on(definition, "isLgl")

        def counted(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            count = counts[at]
            if count is None:
                count = self._start(number, list_id, at)
            own = value(self._level(number, list_id, at), "numFmt") or "decimal"
            return numeral(count, "decimal" if is_legal else own)

        return PLACEHOLDER.sub(counted, value(definition, "lvlText") or f"%{level + 1}.").strip()


def numeral(count: int, kind: str) -> str:
    """A number in one of Word's ways of writing them; decimal for those of other scripts."""
    if kind in ("lowerLetter", "upperLetter") and count > 0:
        text = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
    elif kind in ("lowerRoman", "upperRoman") and 0 < count < 4_000:
        text, left = "", count
        for size, letters in ROMAN:
            text += letters * (left // size)
            left %= size
    else:
        return f"{count:02}" if kind == "decimalZero" else str(count)
    return text.upper() if kind.startswith("upper") else text
