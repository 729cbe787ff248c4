"""Which words of a page a person can see.

Hidden text beside visible text is advice to search engines or an attack, and is no content; the hidden text of a page
without visible text is what text recognition found in the picture of that page.
"""

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

from handlers.readers.pdf.drawn.characters import PlacedWord, Style
from handlers.readers.pdf.drawn.objects import Colour, PageObjects, Surface
from handlers.readers.pdf.drawn.word import Box, Word

WHITE: Colour = (255, 255, 255)
MAX_EQUAL_DIFFERENCE = 16
MIN_ALPHA = 20
MIN_SIZE_POINTS = 1.5
INVISIBLE_MODES = frozenset({3, 7})
MIN_PICTURE_SHARE = 0.5
OPAQUE_ALPHA = 250
SAMPLES = 200


class Visibility:
    """Sorts the words of one page. `hidden` counts those that were left out."""

    def __init__(self, document: Any, page: Any, objects: PageObjects) -> None:
        self._document, self._page, self._objects = document, page, objects
        self._page_box = Box(*page.get_bbox())
        self._grounds = {WHITE, *(surface.colour for surface in objects.surfaces if surface.colour)}
        self._suspect: dict[Colour, bool] = {}
        self._covers = [one for one in objects.surfaces if one.is_opaque and one.image is None]
        self._pictures = [one for one in objects.surfaces if one.is_opaque and one.image is not None]
        self._solid: dict[int, bool] = {}
        self.hidden = 0

    def seen(self, words: list[PlacedWord]) -> list[Word]:
        """The words that can be seen; those behind a picture too, where they are its text."""
        in_place = [(placed, self._objects.places.get(placed.style.address, 0)) for placed in words]
        shown = [(placed, place) for placed, place in in_place if not self._is_gone(placed, place)]
        behind = {id(placed) for placed, place in shown if self._is_behind(placed, place)}
        if behind and self._is_recognised(shown, behind):
            behind = set()
        kept = [placed.word for placed, _ in shown if id(placed) not in behind]
        self.hidden = len(words) - len(kept)
        return kept

    def _is_recognised(self, shown: list[tuple[PlacedWord, int]], behind: set[int]) -> bool:
        letters = {True: 0, False: 0}
        for placed, _ in shown:
            letters[id(placed) in behind] += len(placed.word.text)
        pictures = sum(picture.common(self._page_box).area for picture in self._objects.images)
        has_picture = pictures >= MIN_PICTURE_SHARE * self._page_box.area
        return not letters[False] or (has_picture and letters[False] * 2 < letters[True])

    def _is_gone(self, placed: PlacedWord, place: int) -> bool:
        style, (left, bottom, right, top), page = placed.style, placed.box, self._page_box
        across, up = (left + right) / 2, (bottom + top) / 2
        if style.address in self._objects.layered:
            return True
        if style.size < MIN_SIZE_POINTS or not (page.left < across < page.right and page.bottom < up < page.top):
            return True
        if style.mode in INVISIBLE_MODES:
            return False
        if style.alpha < MIN_ALPHA or self._is_like_its_ground(style, placed.box, place):
            return True
        return bool(self._covers) and any(
            cover.place > place and _holds(cover.box, _core(placed.box)) for cover in self._covers
        )

    def _is_like_its_ground(self, style: Style, box: Box, place: int) -> bool:
        colour = style.colour
        if colour is None:
            return False
        if colour not in self._suspect:
            self._suspect[colour] = any(_are_alike(colour, ground) for ground in self._grounds)
        if not self._suspect[colour]:
            return False
        core = _core(box)
        under = [one for one in self._objects.surfaces if one.place < place and core.common(one.box).area]
        ground = under[-1].colour if under else WHITE
        return ground is not None and _are_alike(colour, ground)

    def _is_behind(self, placed: PlacedWord, place: int) -> bool:
        if placed.style.mode in INVISIBLE_MODES:
            return True
        later = [picture for picture in self._pictures if picture.place > place]
        return bool(later) and any(
            _holds(picture.box, _core(placed.box)) and self._is_solid(picture) for picture in later
        )

    def _is_solid(self, surface: Surface) -> bool:
        if surface.place not in self._solid:
            self._solid[surface.place] = _has_no_holes(self._document, self._page, surface.image)
        return self._solid[surface.place]


def _has_no_holes(document: Any, page: Any, image: Any) -> bool:
    """False also where the picture cannot be drawn: text that may be visible stays."""
    bitmap = pdfium.FPDFImageObj_GetRenderedBitmap(document, page, image)
    if not bitmap:
        return False
    try:
        if pdfium.FPDFBitmap_GetFormat(bitmap) != pdfium.FPDFBitmap_BGRA:
            return True
        size = pdfium.FPDFBitmap_GetStride(bitmap) * pdfium.FPDFBitmap_GetHeight(bitmap)
        pixels = pdfium.FPDFBitmap_GetBuffer(bitmap)
        step = max(1, size // 4 // SAMPLES) * 4
        buffer = (ctypes.c_ubyte * size).from_address(pixels) if isinstance(pixels, int) else None
        alphas = buffer[3::step] if buffer else []
        return bool(alphas) and min(alphas) >= OPAQUE_ALPHA
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)


def _core(box: Box) -> Box:
    """The middle of a word; its box is higher than the letters."""
    across, up = (box.right - box.left) * 0.1, (box.top - box.bottom) * 0.3
    return Box(box.left + across, box.bottom + up, box.right - across, box.top - up)


def _holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.bottom <= inner.bottom
        and outer.right >= inner.right
        and outer.top >= inner.top
    )


def _are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= MAX_EQUAL_DIFFERENCE for a, b in zip(one, other, strict=True))
