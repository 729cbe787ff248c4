"""The characters of a page as words with boxes, with few calls of pdfium: one or two a letter, a few more a word."""

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from handlers.readers.pdf.objects import Colour
from handlers.readers.pdf.word import Box, Word

HYPHEN = 0x02  # pdfium's mark for a hyphen at the end of a line
SPACES = frozenset({0, 9, 10, 13, 32, 0xA0, 0x3000, 0xFFFE, 0xFFFF, *range(0x2000, 0x200B)})
LINE_BREAK = 10
MAX_PAGE_CHARACTERS = 400_000
MAX_TILT_DEGREES = 8
BOLD_WEIGHT = 600


def _direct(function: Any, result: Any, *arguments: Any) -> Any:
    """The same C function without the wrapper's pointer objects, which cost more than the call."""
    return ctypes.CFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_unicode = _direct(pdfium.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_void_p, ctypes.c_int)
_text_object = _direct(pdfium.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_loose_box = _direct(
    pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(pdfium.FS_RECTF)
)
_origin = _direct(
    pdfium.FPDFText_GetCharOrigin,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_double),
)


@dataclass(frozen=True, slots=True)
class Style:
    """What all letters of a text object have in common. `colour` is what paints it, `mode` how."""

    address: int
    size: float
    quarters: int | None
    colour: Colour | None
    alpha: int
    mode: int
    is_bold: bool


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word, with what is needed to tell whether it can be seen: `box` as it lies on the page, and its style."""

    word: Word
    box: Box
    style: Style


class Characters:
    """Reads a text page. One instance a page."""

    def __init__(self, textpage: Any) -> None:
        self._page = textpage
        self._handle = ctypes.cast(textpage.raw, ctypes.c_void_p).value
        self._styles: dict[int, Style] = {}
        self._rectangle = pdfium.FS_RECTF()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self.words: list[PlacedWord] = []

    def read(self) -> list[PlacedWord]:
        """The words in the order of the file."""
        handle, letters, start, current = self._handle, [], 0, 0
        is_glued = False
        count = min(self._page.count_chars(), MAX_PAGE_CHARACTERS)
        for at in range(count):
            code = _unicode(handle, at)
            if code in SPACES:
                self._close(letters, start, at - 1, current, is_glued=is_glued)
                letters, is_glued = [], False
                continue
            found = _text_object(handle, at) or 0
            if letters and found != current:
                self._close(letters, start, at - 1, current, is_glued=is_glued)
                letters, is_glued = [], True
            if not letters:
                start, current = at, found
            letters.append("-" if code == HYPHEN else chr(code))
        self._close(letters, start, count - 1, current, is_glued=is_glued)
        return self.words

    def _close(self, letters: list[str], start: int, end: int, current: int, *, is_glued: bool) -> None:
        if not letters:
            return
        style = self._styles.get(current) or self._style(start, current)
        first = self._box(start)
        x, y = self._x, self._y
        _origin(self._handle, start, ctypes.byref(x), ctypes.byref(y))
        last = self._box(end) if end > start else first
        box = Box(
            min(first.left, last.left),
            min(first.bottom, last.bottom),
            max(first.right, last.right),
            max(first.top, last.top),
        )
        quarters = style.quarters or 0
        baseline = (y.value, -x.value, -y.value, x.value)[quarters]
        text = "".join(letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        word = Word(text, box.turned(quarters), baseline, style.size, is_glued, style.is_bold, style.quarters)
        self.words.append(PlacedWord(word, box, style))

    def _box(self, at: int) -> Box:
        found = self._rectangle
        _loose_box(self._handle, at, ctypes.byref(found))
        return Box(found.left, found.bottom, found.right, found.top)

    def _style(self, at: int, current: int) -> Style:
        matrix = pdfium.FS_MATRIX()
        pdfium.FPDFText_GetMatrix(self._page, at, matrix)
        size = pdfium.FPDFText_GetFontSize(self._page, at)
        scale = math.hypot(matrix.c, matrix.d)
        sign = -1 if size < 0 else 1
        angle = math.degrees(math.atan2(matrix.b * sign, matrix.a * sign))
        quarters = round(angle / 90) % 4 if abs(angle - 90 * round(angle / 90)) <= MAX_TILT_DEGREES else None
        handle = ctypes.cast(current, pdfium.FPDF_PAGEOBJECT) if current else None
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle) if handle else 0
        colour, alpha = self._colour(at, is_stroked=mode in {1, 5})
        is_bold = pdfium.FPDFText_GetFontWeight(self._page, at) >= BOLD_WEIGHT or _has_bold_name(handle)
        style = Style(current, abs(size) * scale or 1.0, quarters, colour, alpha, mode, is_bold)
        self._styles[current] = style
        return style

    def _colour(self, at: int, *, is_stroked: bool) -> tuple[Colour | None, int]:
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        read = pdfium.FPDFText_GetStrokeColor if is_stroked else pdfium.FPDFText_GetFillColor
        if not read(self._page, at, red, green, blue, alpha):
            return None, 255
        return (red.value, green.value, blue.value), alpha.value


def _has_bold_name(handle: Any) -> bool:
    if not handle:
        return False
    font = pdfium.FPDFTextObj_GetFont(handle)
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFFont_GetBaseFontName(font, name, 128)
    return b"bold" in name.value.lower() or b"black" in name.value.lower()
