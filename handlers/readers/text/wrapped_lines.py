"""Text that was wrapped at a width gets its paragraphs back on one line each; what is made of lines keeps them.

The evidence: lines that end where the next word would have passed the common width, or a block whose lines break
within sentences. Addresses, poems and labelled lines show neither; lists, tables and code are known by their form.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby, islice, pairwise

from handlers.readers.text.line_forms import (
    ABBREVIATION_END,
    LEADS_ON,
    OPEN_END,
    SENTENCE_END,
    SENTENCE_INSIDE,
    UNSPACED,
    begins_small,
    columns,
    is_item,
    is_labelled,
    is_of_columns,
    is_verse,
    without_indent,
)

MIN_WIDTH = 25
MAX_WIDTH = 200
MAX_SEEN_LINES = 2_000
MIN_FULL_SHARE = 0.7
MIN_FULL_LINES = 3
MIN_PROSE_WIDTH = 30
MIN_UNSPACED_WIDTH = 20
MIN_OPEN_SHARE = 0.3
# A line so much shorter than the others is a title when a capital follows.
TITLE_SHARE = 0.6

_DIVIDED_WORD = re.compile(r"[^\W\d_]-$")
_DIVIDED_CODE = re.compile(r"\w-$")
_JOINS_PARTS = re.compile(r"(?:and|or|und|oder|bis|et|ou|y|o|e|en|of)\b")


def unwrapped(text: str) -> str:
    """Each wrapped paragraph on one line; blank lines stay."""
    groups = (list(lines) for _, lines in groupby(text.split("\n"), lambda line: not line.strip()))
    blocks = [without_indent(block) if _may_be_wrapped(block) else block for block in groups]
    width = _common_width(block for block in blocks if _may_be_wrapped(block) and not is_verse(block))
    return "\n".join(line for block in blocks for line in (_joined(block, width) if _may_be_wrapped(block) else block))


def _may_be_wrapped(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and MIN_UNSPACED_WIDTH // 2 <= max(map(len, lines)) <= MAX_WIDTH and bool(lines[0].strip())


def _joined(lines: Sequence[str], common_width: int) -> Iterator[str]:
    block = _Block(lines, common_width)
    whole, begins = lines[0], True
    for before, line in pairwise(lines):
        if block.goes_on(whole, before, line, begins=begins):
            whole, begins = _join(whole, line), SENTENCE_END.search(before) is not None
        else:
            yield whole
            whole, begins = line, True
    yield whole


class _Block:
    """Lines without a blank one between them."""

    def __init__(self, lines: Sequence[str], common_width: int) -> None:
        self._lines = lines
        self._width = common_width or (0 if is_verse(lines) else _common_width([lines]))

    def goes_on(self, whole: str, before: str, line: str, *, begins: bool) -> bool:
        """Whether `line` belongs to the paragraph `whole`, whose last line is `before`; `begins`: a sentence begins
        with `before`.
        """
        if is_item(line, whole) or is_of_columns(line) or is_of_columns(before) or is_labelled(line):
            return False
        is_indented = is_item(whole) and _indent(line) > _indent(whole)
        if is_indented or (self._width and _is_full(before, line, self._width)):
            return True
        if columns(before) >= MIN_UNSPACED_WIDTH and (LEADS_ON.search(before) or line.lstrip().startswith("(")):
            return _is_open(before, line)
        is_small = begins_small(line)
        if is_small and not begins_small(whole) and columns(before) >= MIN_PROSE_WIDTH:
            return _is_open(before, line)
        is_title = begins and not is_small and columns(before) < TITLE_SHARE * (self._width or self._longest)
        if is_title and not (OPEN_END.search(before) or ABBREVIATION_END.search(before)):
            return False
        return (self._is_prose or (bool(self._width) and is_small)) and _is_open(before, line)

    @cached_property
    def _longest(self) -> int:
        return max(map(columns, self._lines))

    @cached_property
    def _is_prose(self) -> bool:
        lines = self._lines
        if is_verse(lines) or self._longest < (MIN_UNSPACED_WIDTH if UNSPACED.match(lines[0]) else MIN_PROSE_WIDTH):
            return False
        if not (SENTENCE_END.search(lines[-1]) or any(map(SENTENCE_INSIDE.search, lines))):
            return False
        if sum(map(is_labelled, lines)) * 2 >= len(lines):
            return False
        pairs = list(pairwise(lines))
        return sum(_is_open(*pair, strictly=True) for pair in pairs) >= MIN_OPEN_SHARE * len(pairs)


def _common_width(blocks: Iterable[Sequence[str]]) -> int:
    """The width at which most lines that have a successor in their block end; 0 if there is none."""
    pairs = (pair for lines in blocks for pair in pairwise(lines))
    wrapped = [
        (columns(line), columns(following.split(maxsplit=1)[0]))
        for line, following in islice(pairs, MAX_SEEN_LINES)
        if not (is_item(following) or is_of_columns(line) or is_of_columns(following) or is_labelled(following))
    ]
    if len(wrapped) < MIN_FULL_LINES:
        return 0
    longest = sorted(length for length, _ in wrapped)
    width = longest[int(0.95 * (len(longest) - 1))]
    full = sum(length + 1 + word > width for length, word in wrapped)
    return width if width >= MIN_WIDTH and full >= MIN_FULL_SHARE * len(wrapped) else 0


def _is_full(line: str, following: str, width: int) -> bool:
    word = following.split(maxsplit=1)[0]
    # Chinese and Japanese may break within a word, but not before a closing mark.
    needed = 3 if UNSPACED.match(word) else columns(word) + 1
    return columns(line.rstrip()) + needed > width and not line.isupper()


def _is_open(line: str, following: str, *, strictly: bool = False) -> bool:
    """Whether the sentence of a line goes on; `strictly`: by a sign of it, not by the lack of an ending."""
    bare, start = line.rstrip(), following.lstrip()[:1]
    if OPEN_END.search(bare) or (begins_small(following) and not bare.endswith(":")):
        return True
    if SENTENCE_END.search(bare):
        # After an abbreviation a number may follow: "Canal St." and "14".
        return (start.isdigit() or ABBREVIATION_END.search(bare) is not None) and not strictly
    if not strictly or SENTENCE_INSIDE.search(bare):
        return True
    # A script without capitals gives no other sign.
    return start.isalpha() and not (start.isupper() or start.islower())


def _join(before: str, line: str) -> str:
    start, rest = before.rstrip(), line.strip()
    if UNSPACED.match(start[-1:]) and UNSPACED.match(rest[:1]):
        return start + rest
    if _DIVIDED_WORD.search(start[-2:]) and rest[:1].islower() and not _JOINS_PARTS.match(rest):
        return start[:-1] + rest
    if _DIVIDED_CODE.search(start[-2:]) and not _JOINS_PARTS.match(rest):
        return start + rest
    return f"{start} {rest}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
