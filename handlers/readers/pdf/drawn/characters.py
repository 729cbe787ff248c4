"""The characters of a page as words with boxes, with few calls of pdfium: one or two a letter, a few more a word."""

import ctypes
import math
import re
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from handlers.readers.pdf.drawn.legibility import READABLE_PRIVATE
from handlers.readers.pdf.drawn.objects import Colour
from handlers.readers.pdf.drawn.tex_symbols import symbols_of
from handlers.readers.pdf.drawn.word import Box, Space, Word

# pdfium's mark for a hyphen at the end of a line, and for a soft one anywhere.
HYPHEN = "\x02"
HYPHENS = re.compile("[\x02\ufffe]")
WORD = re.compile("[^\\s\x00\u2000-\u200a\uffff]+")
# A code of Windows that was taken for a character; alone it is a bullet of a symbol font.
CONTROL = re.compile("[\x80-\x9f]")
LINE_BREAKS = "\r\n"
MAX_PAGE_CHARACTERS = 2_000_000
MAX_TILT_DEGREES = 8
BOLD_WEIGHT = 600
BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)


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
_matrix = _direct(
    pdfium.FPDFText_GetMatrix, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(pdfium.FS_MATRIX)
)
_font_size = _direct(pdfium.FPDFText_GetFontSize, ctypes.c_double, ctypes.c_void_p, ctypes.c_int)
_render_mode = _direct(pdfium.FPDFTextObj_GetTextRenderMode, ctypes.c_int, ctypes.c_void_p)
_font = _direct(pdfium.FPDFTextObj_GetFont, ctypes.c_void_p, ctypes.c_void_p)
_CHANNELS = (ctypes.POINTER(ctypes.c_uint),) * 4
_fill_colour = _direct(pdfium.FPDFText_GetFillColor, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *_CHANNELS)
_stroke_colour = _direct(pdfium.FPDFText_GetStrokeColor, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *_CHANNELS)


@dataclass(frozen=True, slots=True)
class Font:
    """`symbols`: what its letters stand for, where they are codes."""

    is_bold: bool = False
    symbols: dict[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """What all letters of a text object have in common. `colour` is what paints it, `mode` how."""

    address: int
    size: float
    quarters: int | None
    colour: Colour | None
    alpha: int
    mode: int
    font: "Font"


def _shown(text: str, font: Font) -> str:
    """The letters that a reader sees."""
    text = HYPHENS.sub("", text[:-1]) + HYPHENS.sub("-", text[-1])
    text = "•" if CONTROL.fullmatch(text) else text.translate(READABLE_PRIVATE)
    text = CONTROL.sub(lambda found: found[0].encode("latin-1").decode("cp1252", "ignore"), text)
    if font.symbols:
        text = text.translate(font.symbols)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


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
        self._fonts: dict[int, Font] = {}
        self._rectangle, self._matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
        self._channels = tuple(ctypes.c_uint() for _ in range(4))
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self.words: list[PlacedWord] = []

    def read(self) -> list[PlacedWord]:
        """The words in the order of the file."""
        handle = self._handle
        text = self._text(min(self._page.count_chars(), MAX_PAGE_CHARACTERS))
        for found in WORD.finditer(text):
            start, end = found.span()
            is_written = start and text[start - 1] not in LINE_BREAKS and _text_object(handle, start - 1)
            space = Space.WRITTEN if is_written else Space.MADE
            current = _text_object(handle, start) or 0
            if current != (_text_object(handle, end - 1) or 0):
                for at in range(start + 1, end):
                    following = _text_object(handle, at) or 0
                    if following != current:
                        self._take(text[start:at], start, current, space)
                        start, current, space = at, following, Space.NONE
            self._take(text[start:end], start, current, space)
        return self.words

    def _text(self, count: int) -> str:
        """One character for each index of pdfium."""
        buffer = (ctypes.c_ushort * (count + 1))()
        if count and pdfium.FPDFText_GetText(self._page, 0, count, buffer) == count + 1:
            return "".join(map(chr, buffer[:count]))
        return "".join(chr(_unicode(self._handle, at)) for at in range(count))

    def _take(self, text: str, start: int, current: int, space: Space) -> None:
        style = self._styles.get(current) or self._style(start, current)
        rectangle, x, y = self._rectangle, self._x, self._y
        _loose_box(self._handle, start, rectangle)
        left, bottom, right, top = rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
        _origin(self._handle, start, x, y)
        if len(text) > 1:
            _loose_box(self._handle, start + len(text) - 1, rectangle)
            left, bottom = min(left, rectangle.left), min(bottom, rectangle.bottom)
            right, top = max(right, rectangle.right), max(top, rectangle.top)
        box, quarters = Box(left, bottom, right, top), style.quarters or 0
        baseline = (y.value, -x.value, -y.value, x.value)[quarters]
        if not text.isascii() or HYPHEN in text or style.font.symbols:
            text = _shown(text, style.font)
        level = box.turned(quarters)
        word = Word(text, level, baseline, style.size, space, style.font.is_bold, style.quarters)
        self.words.append(PlacedWord(word, box, style))

    def _style(self, at: int, current: int) -> Style:
        matrix = self._matrix
        _matrix(self._handle, at, ctypes.byref(matrix))
        size = _font_size(self._handle, at)
        scale = math.hypot(matrix.c, matrix.d)
        sign = -1 if size < 0 else 1
        angle = math.degrees(math.atan2(matrix.b * sign, matrix.a * sign))
        quarters = round(angle / 90) % 4 if abs(angle - 90 * round(angle / 90)) <= MAX_TILT_DEGREES else None
        mode = _render_mode(current) if current else 0
        colour, alpha = self._colour(at, is_stroked=mode in {1, 5})
        style = Style(current, abs(size) * scale or 1.0, quarters, colour, alpha, mode, self._font(current))
        self._styles[current] = style
        return style

    def _colour(self, at: int, *, is_stroked: bool) -> tuple[Colour | None, int]:
        red, green, blue, alpha = self._channels
        read = _stroke_colour if is_stroked else _fill_colour
        if not read(self._handle, at, *map(ctypes.byref, self._channels)):
            return None, 255
        return (red.value, green.value, blue.value), alpha.value

    def _font(self, current: int) -> Font:
        found = _font(current) if current else None
        if found is None:
            return Font()
        if found not in self._fonts:
            handle = ctypes.cast(found, pdfium.FPDF_FONT)
            buffer = ctypes.create_string_buffer(128)
            pdfium.FPDFFont_GetBaseFontName(handle, buffer, 128)
            name = buffer.value.decode("utf-8", "replace")
            is_bold = bool(BOLD.search(name)) or pdfium.FPDFFont_GetWeight(handle) >= BOLD_WEIGHT
            self._fonts[found] = Font(is_bold, symbols_of(name))
        return self._fonts[found]
