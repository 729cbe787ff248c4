"""Lists in a text, and the line that announces them: `Please bring:`."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.words.sentences import sentences_of

MAX_ANNOUNCEMENT_CHARACTERS = 200
MAX_PLAIN_ITEM_CHARACTERS = 120

_MARK = r"[ \t]*(?:[-*+•–—·◦▪‣●○■□✓✔➢]|\(?\d{1,3}[.)]|\(?[A-Za-z][.)]|\[[ xX]\])[ \t]+\S"
_ITEM = re.compile(_MARK)
_GAP = re.compile(rf"(?<=[:：])[ \t]*\n[ \t]*\n(?={_MARK})")
_ANNOUNCEMENT = re.compile(rf"^[^\n]{{1,{MAX_ANNOUNCEMENT_CHARACTERS}}}[:：][ \t]*\n(?=[^\n]*\S)", re.MULTILINE)
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class AnnouncedList:
    """Where a list stands in its text, from its announcement (`line`) to the end of its last item."""

    line: str
    start: int
    end: int


def without_gaps(text: str) -> str:
    """The text without a blank line between an announcement and its list."""
    return _GAP.sub("\n", text)


def announced_lists(text: str) -> list[AnnouncedList]:
    """The lists of a text, in order. Lines without a mark are items too while they are short and follow each other."""
    found, end = [], 0
    for announcement in _ANNOUNCEMENT.finditer(text):
        if announcement.start() >= end:
            end = _end_of_list(text, announcement.end())
            found.append(AnnouncedList(announcement[0].strip(), announcement.start(), end))
    return found


def units_of(text: str) -> list[str]:
    """Sentences that join to the text; the line before a list is in one unit with the first item."""
    units: list[str] = []
    is_announced = False
    for sentence in sentences_of(text):
        if is_announced and sentence.strip():
            units[-1] += sentence
        else:
            units.append(sentence)
        is_announced = sentence.endswith("\n") and sentence.rstrip().endswith((":", "："))
    return units


def _end_of_list(text: str, at: int) -> int:
    end, has_marks = at, _ITEM.match(text, at) is not None
    for line in _lines(text, at):
        at += len(line)
        if not line.strip():
            # A list with marks may have blank lines between its items.
            if not has_marks:
                break
            continue
        is_item = _ITEM.match(line) or line[0] in " \t" if has_marks else len(line) <= MAX_PLAIN_ITEM_CHARACTERS
        if not is_item:
            break
        end = at
    return end


def _lines(text: str, at: int) -> Iterator[str]:
    while at < len(text) and (found := _LINE.match(text, at)):
        yield found[0]
        at = found.end()


def announcement_at(lists: Sequence[AnnouncedList], start: int) -> str | None:
    """The announcement of the list that a part of the text, beginning at `start`, goes on with."""
    at = bisect_left(lists, start, key=lambda one: one.start) - 1
    return lists[at].line if at >= 0 and start < lists[at].end else None
