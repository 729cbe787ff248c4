"""Automatic numbers of paragraphs, counted as Word does: `4.2`, `(b)`, `iv.`, and a dash for every bullet."""

import re
from dataclasses import dataclass
from typing import Any

from handlers.readers.office.numerals import numeral
from handlers.readers.office.package import attribute, child, is_on, value
from handlers.readers.office.word.styles import Numbering
from handlers.readers.text.whole_number import number

PLACEHOLDER = re.compile(r"%([1-9])")
PADDED = re.compile(r"0+\d")
LEVELS = 9


@dataclass(frozen=True, slots=True)
class _List:
    """One way of showing a list. `levels` and `starts`: of its nine levels; `restarts`: levels that begin anew where
    it is used for the first time; lists with the same `list_id` count together.
    """

    list_id: str
    levels: list[Any]
    starts: list[int]
    restarts: list[int]


class WordNumbers:
    """Counts on from paragraph to paragraph."""

    def __init__(self, root: Any) -> None:
        definitions = root.findall("{*}abstractNum") if root is not None else []
        self._definitions = {attribute(one, "abstractNumId") or "": one for one in definitions}
        self._linked = {value(one, "styleLink"): list_id for list_id, one in self._definitions.items()}
        numbers = root.findall("{*}num") if root is not None else []
        self._lists = {attribute(one, "numId") or "": self._list(one) for one in numbers}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()

    def next(self, numbering: Numbering) -> tuple[str, int]:
        """The number of the next paragraph with this numbering, "" if it shows none; and its level from 0."""
        shown = self._lists.get(numbering.number_id)
        if shown is None:
            return "", numbering.level or 0
        level = min(_level_of(numbering, shown), LEVELS - 1)
        counts = self._counts.setdefault(shown.list_id, [None] * LEVELS)
        if numbering.number_id not in self._begun:
            self._begun.add(numbering.number_id)
            for at in shown.restarts:
                counts[at:] = [None] * (LEVELS - at)
        current = counts[level]
        counts[level] = shown.starts[level] if current is None else current + 1
        for deeper in range(level + 1, LEVELS):
            restarts_after = number(value(shown.levels[deeper], "lvlRestart"))
            if restarts_after is None or level < restarts_after:
                counts[deeper] = None
        return _text(shown, level, counts), level

    def _list(self, num: Any) -> _List:
        list_id = value(num, "abstractNumId") or ""
        linked = value(self._definitions.get(list_id), "numStyleLink")
        list_id = self._linked.get(linked, list_id) if linked else list_id
        definition = self._definitions.get(list_id)
        levels: list[Any] = [None] * LEVELS
        starts, restarts = [1] * LEVELS, list[int]()
        found = definition.findall("{*}lvl") if definition is not None else []
        for one in [*found, *num.findall("{*}lvlOverride")]:
            at, start = number(attribute(one, "ilvl")), number(value(one, "startOverride"))
            if at is None or at >= LEVELS:
                continue
            level = child(one, "lvl") if one.tag.endswith("lvlOverride") else one
            if level is not None:
                own = number(value(level, "start"))
                levels[at], starts[at] = level, 1 if own is None else own
            if start is not None:
                starts[at] = start
                restarts.append(at)
        return _List(list_id, levels, starts, restarts)


def _level_of(numbering: Numbering, shown: _List) -> int:
    """A list may say which style has which of its levels, and then the style itself does not."""
    if not numbering.is_direct:
        for at, level in enumerate(shown.levels):
            if numbering.style is not None and value(level, "pStyle") == numbering.style:
                return at
    return numbering.level or 0


def _text(shown: _List, level: int, counts: list[int | None]) -> str:
    definition = shown.levels[level]
    if value(definition, "numFmt") == "bullet":
        return "-"
    is_legal = is_on(definition, "isLgl")

    def counted(found: re.Match[str]) -> str:
        at = int(found[1]) - 1
        count = counts[at]
        return _written(shown.starts[at] if count is None else count, shown.levels[at], is_legal=is_legal)

    pattern = value(definition, "lvlText")
    return PLACEHOLDER.sub(counted, f"%{level + 1}." if pattern is None else pattern).strip()


def _written(count: int, level: Any, *, is_legal: bool) -> str:
    kind = value(level, "numFmt")
    if kind == "none":
        return ""
    own = level.find(".//{*}numFmt") if kind is None and level is not None else None
    # Word writes formats of its own as examples: "001, 002, 003, …".
    if own is not None and (example := PADDED.match(attribute(own, "format") or "")):
        return f"{count:0{len(example[0])}}"
    return numeral(count, "decimal" if is_legal else kind or "decimal")
