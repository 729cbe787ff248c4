"""What the form of a line says: an item of a list, cells of a table, a label, a verse, an open sentence."""

import re
from collections.abc import Sequence

MIN_VERSE_LINES = 3
# "1984. The next year" is no item; "24. Dezember" is one only after the 23rd.
_ITEM = re.compile(r"\s*(?:[-*+•–—·◦▪‣●○■□✓✔➢]|\(?(\d{1,2}|[A-Za-z])[.)]|\[[ xX]\])\s+\S")
_COLUMNS = re.compile(r"\t|\||\S {3,}\S|^ {4,}\S|^\s*[=\-_*~#+.]{3,}\s*$|[{};]\s*$")
_QUOTED = re.compile(r"(?:>[ \t]?)+(?=\S)")
_LABEL = re.compile(r"\s*[^\W_][^:.!?,]{0,30}:\s+\S")
SENTENCE_END = re.compile(r"[.!?:。！？：؟۔।…][\"'”’»)\]」』）]*\s*$")
SENTENCE_INSIDE = re.compile(r"\w\w[.!?][\"'”’»)]*\s+[\"“„«(]?[^\W\d_a-z]|[。！？؟।]\s*\w")
OPEN_END = re.compile(r"[,、，]$|\b(?:[a-zß-ÿ]{1,3}|from|with|into|than|that|including|because|nach|oder|durch)$")
LEADS_ON = re.compile(
    r"\b(?:a|an|the|of|in|at|for|to|by|is|are|and|or|with|from|per|our|your|der|die|das|den|dem|ein|eine|im|am|und|oder|"
    r"von|mit|zu|ist|le|la|les|de|du|des|et|est|un|une|el|los|del|y|en|es|di|il|e|het|een|van)$"
)
ABBREVIATION_END = re.compile(
    r"\b(?:Dr|Prof|Mr|Mrs|Ms|Hr|Fr|St|Str|Ave|No|Nr|Tel|approx|ca|inkl|e\.g|i\.e|z\. ?B|bzw|[ap]\.m|vs)\.$"
)
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff65]")
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)


def columns(line: str) -> int:
    """How many places of a fixed-width font the line takes."""
    if line.isascii():
        return len(line)
    return len(line) + len(_WIDE.findall(line))


def is_item(line: str, before: str | None = None) -> bool:
    """Whether the line is an item of a list; a number counts after `before` only as the first or the next one."""
    found = _ITEM.match(line)
    if not found or not found[1] or before is None:
        return found is not None
    if found[1] in {"1", "a", "A", "i", "I"}:
        return True
    last = _ITEM.match(before)
    return last is not None and last[1] is not None and _place(found[1]) == _place(last[1]) + 1


def is_of_columns(line: str) -> bool:
    """Whether the line is a row of a table, a rule, or code."""
    return _COLUMNS.search(line.rstrip()) is not None


def is_labelled(line: str) -> bool:
    """`Phone: 0800 555`."""
    return _LABEL.match(line) is not None


def is_verse(lines: Sequence[str]) -> bool:
    """Whether each of several lines begins with a capital or a number, and none has a sentence that ends inside it."""
    if len(lines) < MIN_VERSE_LINES or any(map(SENTENCE_INSIDE.search, lines)):
        return False
    starts = [line.lstrip("\"'“„«( \t")[:1] for line in lines]
    return all(start.isupper() or start.isdigit() for start in starts)


def begins_small(line: str) -> bool:
    """Whether the first letter is a small one."""
    return line.lstrip("\"'“„«( \t")[:1].islower()


def without_indent(lines: Sequence[str]) -> Sequence[str]:
    """A block without the marks of a quoted mail and what all its lines are indented by, and without the indent of a
    paragraph's first line.
    """
    if all(map(_QUOTED.match, lines)):
        lines = [_QUOTED.sub("", line) for line in lines]
    indents = [len(line) - len(line.lstrip(" ")) for line in lines]
    rest = min(indents[1:])
    common = min(rest, indents[0])
    first = lines[0].lstrip(" ") if indents[0] > rest and not is_item(lines[0]) else lines[0][common:]
    return [first, *(line[common:] for line in lines[1:])] if common or first != lines[0] else lines


def _place(mark: str) -> int:
    return int(mark) if mark.isdigit() else ord(mark.lower())
