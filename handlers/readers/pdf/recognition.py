"""Pictures of pages, read by Tesseract where the extra `ocr` is installed.

Of what can be installed by pip, RapidOCR needs 570 to 690 MB and has no umlauts in the models that it brings;
Tesseract needs 150 MB, has a hundred languages, and their data are packages as well.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from handlers.readers.pdf.content import PageContent
from handlers.readers.pdf.drawn.word import Box, Word
from handlers.readers.pdf.languages import check_languages, data_folder
from handlers.readers.pdf.layout.fragments import fragments_of
from handlers.readers.pdf.pypdf_document import RIGHT_TO_LEFT
from handlers.readers.section import clean

POINTS_PER_INCH = 72
DOTS_PER_INCH = 300
MAX_PIXELS = 16_000_000
# Tesseract counts pixels in 16 bits, and takes less than 70 dots for an unknown resolution.
MAX_SIDE_PIXELS = 30_000
MIN_DOTS_PER_INCH = 70
MAX_PAGES = 500
PAGE_SECONDS = 60
# Below this, of 100, Tesseract mostly reads letters into stains and drawings.
MIN_WORD_CONFIDENCE = 40
MIN_PAGE_CONFIDENCE = 50
# Above it the page lies as it is read.
CLEAR_CONFIDENCE = 75
MIN_LONG_WORD = 3
# The lines of a table, taken for letters.
RULE = re.compile(r"[|¦_—-]*")


class Recognition:
    """Tesseract over the pages of one file. It is loaded for the first of them."""

    def __init__(self, languages: str) -> None:
        self._languages = languages
        self._engine: Any = None
        self.pages = 0

    @classmethod
    def of_environment(cls) -> "Recognition | None":
        """None where `OCR_LANGUAGES` names no language. Raises `CannotRecognizeError`."""
        languages = os.environ.get("OCR_LANGUAGES", "")
        check_languages(languages)
        return cls(languages) if languages else None

    @property
    def is_exhausted(self) -> bool:
        """Whether the file had as many pages as are read of one."""
        return self.pages >= MAX_PAGES

    def read(self, document: Any, content: PageContent) -> bool:
        """Puts what the picture of the page shows in place of its text. False, and nothing changed, where too little
        of it looks like text.
        """
        self.pages += 1
        page = document[content.number - 1]
        try:
            best = max(self._attempts(page), key=lambda one: one.confidence)
        finally:
            page.close()
        if best.confidence < MIN_PAGE_CONFIDENCE:
            return False
        content.box, content.aside, content.rules = best.box, [], []
        content.fragments = fragments_of(best.words)
        if RIGHT_TO_LEFT.search(best.text):
            content.plain = clean(best.text).strip()
        return True

    def _attempts(self, page: Any) -> Iterator["_Attempt"]:
        """The page as it lies, then turned until its text is upright: a scanner may take it any way."""
        first = self._attempt(page, 0)
        if first.confidence < CLEAR_CONFIDENCE:
            first = max(first, self._attempt(page, 180), key=lambda one: one.confidence)
        if first.is_vertical:
            # Both ways: whether letters run up or down the page, their boxes do not tell.
            yield from (self._attempt(page, quarter) for quarter in (90, 270))
        else:
            yield first

    def _attempt(self, page: Any, degrees: int) -> "_Attempt":
        width, height = page.get_size() if degrees in {0, 180} else reversed(page.get_size())
        scale = _scale(width, height)
        bitmap = page.render(scale=scale, rotation=degrees, grayscale=True)
        engine = self._started()
        try:
            engine.SetImageBytes(bytes(bitmap.buffer), bitmap.width, bitmap.height, 1, bitmap.stride)
            engine.SetSourceResolution(max(MIN_DOTS_PER_INCH, round(scale * POINTS_PER_INCH)))
            if not engine.Recognize(timeout=PAGE_SECONDS * 1000):
                return _Attempt(0, Box(0, 0, width, height), [], "")
            words = list(_words(engine, scale, height))
            confidence = engine.MeanTextConf() if words else 0
            return _Attempt(confidence, Box(0, 0, width, height), words, engine.GetUTF8Text())
        finally:
            engine.Clear()
            bitmap.close()

    def _started(self) -> Any:
        if self._engine is None:
            from tesserocr import OEM, PSM, PyTessBaseAPI

            folder = data_folder(self._languages)
            self._engine = PyTessBaseAPI(path=f"{folder}/", lang=self._languages, psm=PSM.AUTO, oem=OEM.LSTM_ONLY)
        return self._engine


@dataclass(frozen=True, slots=True)
class _Attempt:
    """`confidence`: 0 to 100. `text`: all of it in the order of reading, which boxes do not tell in Arabic."""

    confidence: int
    box: Box
    words: list[Word]
    text: str

    @property
    def is_vertical(self) -> bool:
        """Whether most words are taller than wide."""
        long = [word.box for word in self.words if len(word.text) >= MIN_LONG_WORD]
        return sum(box.top - box.bottom > box.right - box.left for box in long) > len(long) / 2


def _scale(width: float, height: float) -> float:
    """Pixels a point, for a page of this size in points: as sharp as a bounded picture can be."""
    by_area = math.sqrt(MAX_PIXELS / max(1.0, width * height))
    return min(DOTS_PER_INCH / POINTS_PER_INCH, by_area, MAX_SIDE_PIXELS / max(1.0, width, height))


def _words(engine: Any, scale: float, height: float) -> Iterator[Word]:
    """The words of a page of this height in points, line by line. All words of a block have one size."""
    from tesserocr import RIL, iterate_level

    block: list[Word] = []
    for one in iterate_level(engine.GetIterator(), RIL.WORD):
        if one.Empty(RIL.WORD):
            continue
        if one.IsAtBeginningOf(RIL.BLOCK):
            yield from _of_one_size(block)
            block = []
        text = one.GetUTF8Text(RIL.WORD).strip()
        if one.Confidence(RIL.WORD) >= MIN_WORD_CONFIDENCE and not RULE.fullmatch(text):
            left, top, right, bottom = (value / scale for value in one.BoundingBox(RIL.WORD))
            baseline, size = _line(one, scale)
            block.append(Word(text, Box(left, height - bottom, right, height - top), height - baseline, size))
    yield from _of_one_size(block)


def _of_one_size(block: list[Word]) -> list[Word]:
    """A line without descenders looks smaller than it is."""
    size = median(word.size for word in block) if block else 0.0
    return [replace(word, size=size) for word in block]


def _line(one: Any, scale: float) -> tuple[float, float]:
    """Where the line of a word stands, from the top, and the height of its letters, in points."""
    from tesserocr import RIL

    (_, first), (_, second) = one.Baseline(RIL.TEXTLINE)
    _, top, _, bottom = one.BoundingBox(RIL.TEXTLINE)
    return (first + second) / 2 / scale, (bottom - top) / scale
