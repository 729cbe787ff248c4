"""Lines to paragraphs: a sentence stays whole, a heading, an item and a new paragraph stand alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from handlers.readers.pdf.layout.bands import Row
from handlers.readers.pdf.layout.fragments import ENDS_UNSPACED
from handlers.readers.pdf.layout.grid import Table
from handlers.readers.pdf.layout.joining import GOES_ON, HOLDS_A_SENTENCE, begins_item, is_finished, joined

USUAL_PITCH_EMS = 1.25
MAX_USUAL_EMS = 2.3
LARGER_PITCH = 1.3
OTHER_SIZE = 1.15
INDENT_EMS = 0.8
PROSE_SHARE = 0.6
FULL_SHARE = 0.85
MIN_PROSE_WORDS = 4
FOOTNOTE = re.compile(r"(?:\d{1,2}|[*†‡]+)\s?[^\W\d]")
FIGURE_AT_END = re.compile(r"\d\S*(?: ?[€$£%]| [A-Za-z]{1,8})?$")


@dataclass(slots=True)
class Line:
    """A row of fragments as one. `first_width`: of its first word."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    is_bold: bool
    first_width: float


@dataclass(slots=True)
class Paragraph:
    """`is_full`: its last line reaches the margin. `is_apart`: more than the usual space stands before it.
    `table` in place of the text. `page_starts`: where text of later pages begins, and their numbers.
    """

    text: str
    size: float = 0.0
    lines: int = 1
    is_full: bool = False
    is_apart: bool = True
    is_bold: bool = False
    table: Table | None = None
    page_starts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_prose(self) -> bool:
        """Whether it can be a part of a sentence."""
        return self.table is None and (self.lines > 1 or len(self.text.split()) >= MIN_PROSE_WORDS or self._is_wide)

    @property
    def _is_wide(self) -> bool:
        return len(self.text) >= 2 * MIN_PROSE_WORDS and bool(ENDS_UNSPACED.search(self.text))


def line_of(row: Row) -> Line:
    """The row as a line of text."""
    main = max(row, key=lambda one: len(one.text))
    first = row[0].words[0]
    width = main.size if len(first.text) > 1 and ENDS_UNSPACED.search(first.text) else first.box.right - first.box.left
    return Line(
        " ".join(one.text for one in row),
        row[0].left,
        max(one.right for one in row),
        row[0].baseline,
        main.size,
        all(one.is_bold for one in row),
        width,
    )


def paragraphs_of_lines(lines: Sequence[Line]) -> list[Paragraph]:
    """The paragraphs of one column, in order."""
    usual = _usual_pitch(lines)
    runs: list[list[Line]] = []
    for line in lines:
        if runs and _is_same_run(runs[-1][-1], line, usual):
            runs[-1].append(line)
        else:
            runs.append([line])
    return [paragraph for run in runs for paragraph in _of_run(run)]


def goes_on(before: Paragraph, after: Paragraph) -> bool:
    """Whether the sentence at the end of one column or page goes on in the next."""
    if (
        not (before.is_prose and after.table is None)
        or is_finished(before.text)
        or begins_item(after.text, before.text)
    ):
        return False
    if max(before.size, after.size) > OTHER_SIZE * min(before.size, after.size):
        return False
    if before.is_bold != after.is_bold:
        return False
    if after.text[:1].islower() or before.text[-1:] in "-\u00ad" or GOES_ON.search(before.text):
        return True
    return before.is_full or (bool(HOLDS_A_SENTENCE.search(before.text)) and after.is_prose)


def _usual_pitch(lines: Sequence[Line]) -> float:
    """In ems, between the lines of a paragraph."""
    pitches = sorted(
        (above.baseline - line.baseline) / line.size
        for above, line in pairwise(lines)
        if _are_alike(above, line) and 0.8 * line.size < above.baseline - line.baseline <= MAX_USUAL_EMS * line.size
    )
    return pitches[len(pitches) // 3] if pitches else USUAL_PITCH_EMS


def _are_alike(one: Line, other: Line) -> bool:
    return max(one.size, other.size) <= OTHER_SIZE * min(one.size, other.size)


def _is_same_run(above: Line, line: Line, usual: float) -> bool:
    pitch = above.baseline - line.baseline
    is_open = above.text.endswith("-") or (line.text[:1].islower() and not is_finished(above.text))
    most = MAX_USUAL_EMS if is_open else usual * LARGER_PITCH
    return _are_alike(above, line) and 0 <= pitch <= most * line.size


def _of_run(run: list[Line]) -> list[Paragraph]:
    left, right = min(line.left for line in run), max(line.right for line in run)
    found: list[Paragraph] = []
    above: Line | None = None
    if _is_list(run):
        return [Paragraph(line.text, line.size, is_apart=at == 0, is_bold=line.is_bold) for at, line in enumerate(run)]
    for at, line in enumerate(run):
        is_full = line.right - left >= FULL_SHARE * (right - left)
        is_title = at + 1 == len(run) and _is_title(line, right - left)
        if above is not None and _wraps(found[-1], above, line, (left, right), may_end=not is_title):
            last = found[-1]
            last.text, last.lines, last.is_full = joined(last.text, line.text), last.lines + 1, is_full
        else:
            found.append(Paragraph(line.text, line.size, 1, is_full, above is None, line.is_bold))
        above = line
    return found


def _is_list(run: list[Line]) -> bool:
    """Whether each line stands for itself, as in an address: a few words, and no part of a sentence."""
    return len(run) > 1 and not any(
        len(line.text.split()) > MIN_PROSE_WORDS
        or line.text[:1].islower()
        or line.text[-1:] == "-"
        or is_finished(line.text)
        or GOES_ON.search(line.text)
        or ENDS_UNSPACED.search(line.text)
        for line in run
    )


def _is_title(line: Line, width: float) -> bool:
    """Whether the last line of a run can be a heading: a few words, no end, and begun with a capital."""
    is_short = line.right - line.left < PROSE_SHARE * width and len(line.text.split()) <= MIN_PROSE_WORDS
    return is_short and line.text[:1].isupper() and not is_finished(line.text)


def _wraps(paragraph: Paragraph, above: Line, line: Line, edges: tuple[float, float], *, may_end: bool) -> bool:
    """Whether the line belongs to the paragraph of the line above."""
    left, right = edges
    if begins_item(line.text, above.text):
        return False
    if above.is_bold != line.is_bold or (above.text.isupper() and not line.text.isupper()):
        return line.text[:1].islower()
    has_room = above.right + line.first_width + 0.8 * line.size <= right
    if is_finished(above.text):
        is_indented = line.left - left > INDENT_EMS * line.size and abs(above.left - left) < INDENT_EMS * line.size
        is_note = FOOTNOTE.match(line.text) and FOOTNOTE.match(paragraph.text)
        return not (has_room or is_indented or is_note) and may_end
    if line.text[:1].islower() or GOES_ON.search(above.text) or above.text[-1:] == "-":
        return True
    is_list = FIGURE_AT_END.search(above.text) and FIGURE_AT_END.search(line.text)
    if is_list and paragraph.lines == 1:
        return False
    return not has_room or bool(HOLDS_A_SENTENCE.search(paragraph.text)) or _is_begun(above, right - left)


def _is_begun(above: Line, width: float) -> bool:
    """Whether the only line of a paragraph, short as it is, looks like the begin of a sentence."""
    is_wide = bool(ENDS_UNSPACED.search(above.text))
    return above.right - above.left >= PROSE_SHARE * width and (is_wide or len(above.text.split()) > MIN_PROSE_WORDS)
