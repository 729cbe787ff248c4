"""Words to fragments: what stands side by side on one line without a wide gap, as the file draws it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from handlers.readers.pdf.drawn.word import Box, Space, Word

WIDE_GAP_EMS = 1.0
SPACE_EMS = 0.15
MAX_MARK_GAP_EMS = 0.45
MAX_GLUED_EMS = 0.6
THIN_SPACE_EMS = 0.19
CHINESE_SPACE_EMS = 0.8
LEVEL_EMS = 0.3
MAX_MARK_CHARACTERS = 8
MIN_CAPITAL = 1.8
MAX_MARK_PAIRS = 4_000_000
SMALL = 0.82
RAISED_EMS = (0.12, 0.8)
LOWERED_EMS = 0.45
BACK_EMS = 0.6
# Han, kana, and the punctuation between them: written without spaces.
UNSPACED = (
    "\u2e80-\u2fdf\u3001-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uffef\U00020000-\U0003ffff"
)
STARTS_UNSPACED = re.compile(f"[{UNSPACED}]")
ENDS_UNSPACED = re.compile(f"[{UNSPACED}]$")
SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
MARK = re.compile(r"[\d*†‡§¶⁎,;()\[\]]{1,6}|[a-z]\)?")
FORMULA = re.compile(r"[=×·∙^≤≥<>∈→√∑∫]")
NOT_EQUAL = re.compile("\u0338\\s?=")
MARKED = re.compile(r"[\w.,)”\"€$£%!?]$")
LAST_PART = re.compile(r"[^\W\d_]+$|\d[\d.,]*$")
BEFORE_ORDINAL = re.compile(r"\d$|\b[nN]$")
ORDINALS = frozenset({"e", "o", "a"})
CENTS = re.compile(r"00|[2-9]\d")


@dataclass(slots=True)
class Fragment:
    """Words in one line. `size` and `baseline` are those of its largest words, `place` counts in the
    order of the file.
    """

    words: list[Word] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0
    baseline: float = 0.0
    size: float = 0.0
    text: str = ""
    place: float = 0

    @property
    def box(self) -> Box:
        """Around the letters, not their descenders."""
        return Box(self.left, self.baseline, self.right, self.baseline + self.size * 0.7)

    @property
    def is_bold(self) -> bool:
        """Whether all of it is."""
        return all(word.is_bold for word in self.words)

    def close(self) -> None:
        """Make the text, once all words are there."""
        self.text = _joined(self.words)

    def part(self, start: int, end: int) -> "Fragment":
        """Some of its words as a fragment of their own."""
        words = self.words[start:end]
        left, right = words[0].box.left, max(word.box.right for word in words)
        return Fragment(words, left, right, self.baseline, self.size, _joined(words), self.place)


def fragments_of(words: Iterable[Word]) -> list[Fragment]:
    """The fragments, in the order of the file; marks that were drawn apart are at their place."""
    found = list(_built(words))
    marks = [one for one in found if len(one.words) == 1 and MARK.fullmatch(one.words[0].text)]
    if marks and len(marks) * len(found) <= MAX_MARK_PAIRS:
        found = _with_marks(found, marks)
    found = _with_capitals(found)
    for place, one in enumerate(found):
        one.place = place
        one.close()
    return [one for one in found if one.text]


def _built(words: Iterable[Word]) -> Iterator[Fragment]:
    current: Fragment | None = None
    for word in words:
        if current is not None and _goes_on(current, word):
            _append(current, word)
            continue
        if current is not None:
            yield current
        current = Fragment([word], word.box.left, word.box.right, word.baseline, word.size)
    if current is not None:
        yield current


def _goes_on(line: Fragment, word: Word) -> bool:
    size = max(line.size, word.size)
    gap = word.box.left - line.right
    if not -BACK_EMS * size <= gap <= WIDE_GAP_EMS * size:
        return False
    rise = word.baseline - line.baseline
    if abs(rise) <= LEVEL_EMS * min(line.size, word.size):
        return True
    if word.size <= line.size * SMALL and len(word.text) <= MAX_MARK_CHARACTERS and gap <= MAX_MARK_GAP_EMS * size:
        return -LOWERED_EMS * size <= rise <= RAISED_EMS[1] * size
    # A line that begins with a mark, as the text of a footnote does.
    return line.size <= word.size * SMALL and 0 < -rise <= RAISED_EMS[1] * word.size and gap <= SPACE_EMS * 2 * size


def _append(line: Fragment, word: Word) -> None:
    if word.size > line.size / SMALL:
        for one in line.words:
            one.is_raised = one.baseline - word.baseline >= RAISED_EMS[0] * word.size
        line.baseline, line.size = word.baseline, word.size
    elif word.size <= line.size * SMALL and not any(letter.isalnum() for one in line.words for letter in one.text):
        line.baseline, line.size = word.baseline, word.size  # a bullet is of any size
    elif word.size <= line.size * SMALL:
        word.is_raised = word.baseline - line.baseline >= RAISED_EMS[0] * line.size
    line.words.append(word)
    line.right = max(line.right, word.box.right)
    line.left = min(line.left, word.box.left)


def _with_marks(found: list[Fragment], marks: list[Fragment]) -> list[Fragment]:
    taken: set[int] = set()
    for mark in marks:
        word = mark.words[0]
        host = next((one for one in found if one is not mark and _bears(one, word)), None)
        if host is None:
            continue
        after = max(at for at, one in enumerate(host.words) if one.box.left <= word.box.left)
        word.is_raised = True
        host.words.insert(after + 1, word)
        host.right = max(host.right, word.box.right)
        taken.add(id(mark))
    return [one for one in found if id(one) not in taken]


def _with_capitals(found: list[Fragment]) -> list[Fragment]:
    """A large first letter that reaches over several lines is the begin of the word beside it."""
    kept = []
    for one, after in pairwise([*found, Fragment()]):
        letter = one.words[0]
        is_capital = len(one.words) == 1 and len(letter.text) == 1 and letter.text.isupper()
        is_beside = after.words and abs(after.left - one.right) <= after.size and after.baseline > one.baseline
        if is_capital and is_beside and one.size >= MIN_CAPITAL * after.size:
            letter.size, letter.baseline, letter.is_bold = after.size, after.baseline, after.words[0].is_bold
            after.words[0].space = Space.NONE
            after.words.insert(0, letter)
            after.left = one.left
        else:
            kept.append(one)
    return kept


def _bears(line: Fragment, word: Word) -> bool:
    if word.size > line.size * SMALL or word.box.left < line.left or word.box.left > line.right + 0.3 * line.size:
        return False
    if not RAISED_EMS[0] * line.size <= word.baseline - line.baseline <= RAISED_EMS[1] * line.size:
        return False
    return any(abs(word.box.left - one.box.right) <= 0.3 * line.size for one in line.words)


def _joined(words: list[Word]) -> str:
    text, before = "", None
    for is_raised, group in groupby(words, key=lambda word: word.is_raised):
        for at, word in enumerate(part := list(group)):
            if is_raised and text and at == 0:
                text += raised(text, _spaced(part))
            elif not is_raised or not text:
                text += (" " if before and _is_apart(before, word) else "") + word.text
            before = word
    return NOT_EQUAL.sub("≠", text).strip()


def _spaced(words: list[Word]) -> str:
    return words[0].text + "".join(
        (" " if _is_apart(before, word) else "") + word.text for before, word in pairwise(words)
    )


def _is_apart(before: Word, word: Word) -> bool:
    size = max(before.size, word.size)
    gap = word.box.left - before.box.right
    if ENDS_UNSPACED.search(before.text) and STARTS_UNSPACED.match(word.text):
        return gap > CHINESE_SPACE_EMS * size
    if word.space is Space.NONE:
        return gap > (SPACE_EMS / 2 if before.is_raised else MAX_GLUED_EMS) * size
    if word.space is Space.WRITTEN:
        return gap > -BACK_EMS * size
    is_word = (word.text[:1].isalnum() and before.text[-1:].isalnum()) or before.text[-1:] in ",;:."
    return gap > (SPACE_EMS / 2 if is_word or before.is_raised else THIN_SPACE_EMS) * size


def raised(before: str, mark: str) -> str:
    """How raised letters are written: an exponent or an ordinal stays, the mark of a footnote is no text."""
    if CENTS.fullmatch(mark) and before[-1:].isdigit():
        return f".{mark}"
    if not MARK.fullmatch(mark) or (mark in ORDINALS and BEFORE_ORDINAL.search(before)):
        return mark
    if FORMULA.search(before) or (
        not before[-1:].isalnum() and not before.endswith((".", ",", ")", "”", '"', "€", "$"))
    ):
        return mark.translate(SUPERSCRIPTS)
    last = LAST_PART.search(before)
    if last and (last[0] == "10" or (last[0].isalpha() and len(last[0]) <= 2)):
        return mark.translate(SUPERSCRIPTS)
    return ""
