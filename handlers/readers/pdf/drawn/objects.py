"""What a page draws: in which order, and which of it lies under or over the text."""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from handlers.readers.pdf.drawn.word import Box

MAX_DEPTH = 5
MAX_OBJECTS = 50_000
MAX_SURFACES = 400
MIN_SURFACE_POINTS = 3.0
MAX_MARKS = 20
LAYER = "OC"
MAX_RECTANGLE_SEGMENTS = 6
Colour = tuple[int, int, int]
Matrix = tuple[float, float, float, float, float, float]
UPRIGHT: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Surface:
    """An area that is painted. `colour` is None where it is not one colour; `image` is the handle of a picture."""

    box: Box
    place: int
    colour: Colour | None
    is_opaque: bool
    image: Any = None


@dataclass(slots=True)
class PageObjects:
    """`places`: the place of each text object in the order of drawing, without those of `layered`, which lie in a
    layer that is not shown. `rules`: lines and the edges of boxes.
    """

    places: dict[int, int] = field(default_factory=dict)
    layered: set[int] = field(default_factory=set)
    surfaces: list[Surface] = field(default_factory=list)
    rules: list[Box] = field(default_factory=list)
    images: list[Box] = field(default_factory=list)
    paths: int = 0


def objects_of(page: Any, hides_layer: Callable[[str], bool]) -> PageObjects:
    """All of a page, forms inside it included. `hides_layer` is asked for the name of each layer."""
    found = PageObjects()
    for place, (one, matrix, is_hidden) in enumerate(_walk(page, UPRIGHT, 0, hides_layer)):
        if place > MAX_OBJECTS:
            break
        kind = pdfium.FPDFPageObj_GetType(one)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT and is_hidden:
            found.layered.add(address(one))
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT:
            found.places[address(one)] = place
        elif not is_hidden:
            _take(found, kind, one, matrix, place)
    return found


def _take(found: PageObjects, kind: int, one: Any, matrix: Matrix, place: int) -> None:
    if kind == pdfium.FPDF_PAGEOBJ_PATH:
        found.paths += 1
        _take_path(found, one, matrix, place)
    elif kind in {pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING}:
        box = _bounds(one, matrix)
        is_image = kind == pdfium.FPDF_PAGEOBJ_IMAGE
        if is_image:
            found.images.append(box)
        if len(found.surfaces) < MAX_SURFACES:
            is_opaque = is_image and not pdfium.FPDFPageObj_HasTransparency(one)
            found.surfaces.append(Surface(box, place, None, is_opaque, one if is_image else None))


def address(handle: Any) -> int:
    """The same number for the same object, whichever call returned it."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def _walk(
    page: Any, matrix: Matrix, depth: int, hides_layer: Callable[[str], bool], *, is_hidden: bool = False
) -> Iterator[tuple[Any, Matrix, bool]]:
    """Each object with its place on the page, and whether it lies in a layer that is not shown."""
    if depth == 0:
        count, child = pdfium.FPDFPage_CountObjects, pdfium.FPDFPage_GetObject
    else:
        count, child = pdfium.FPDFFormObj_CountObjects, pdfium.FPDFFormObj_GetObject
    for at in range(count(page)):
        one = child(page, at)
        if not one:
            continue
        hidden = is_hidden or any(map(hides_layer, _layers(one)))
        if pdfium.FPDFPageObj_GetType(one) == pdfium.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
            own = pdfium.FS_MATRIX()
            pdfium.FPDFPageObj_GetMatrix(one, own)
            inner = _product((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
            yield from _walk(one, inner, depth + 1, hides_layer, is_hidden=hidden)
        else:
            yield one, matrix, hidden


def _layers(one: Any) -> Iterator[str]:
    """The names of the layers that an object is marked with."""
    for at in range(min(max(0, pdfium.FPDFPageObj_CountMarks(one)), MAX_MARKS)):
        mark = pdfium.FPDFPageObj_GetMark(one, at)
        if _mark_text(lambda *out, mark=mark: pdfium.FPDFPageObjMark_GetName(mark, *out)) == LAYER:
            yield _mark_text(lambda *out, mark=mark: pdfium.FPDFPageObjMark_GetParamStringValue(mark, b"Name", *out))


def _mark_text(read: Callable[..., int]) -> str:
    length = ctypes.c_ulong()
    if not read(None, 0, length) or length.value <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length.value)
    read(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length.value, length)
    return buffer.raw[: length.value - 2].decode("utf-16-le", "ignore")


def _product(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    ta, tb, tc, td, te, tf = then
    return (
        a * ta + b * tc,
        a * tb + b * td,
        c * ta + d * tc,
        c * tb + d * td,
        e * ta + f * tc + te,
        e * tb + f * td + tf,
    )


def _bounds(one: Any, matrix: Matrix) -> Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(one, left, bottom, right, top)
    box = Box(left.value, bottom.value, right.value, top.value)
    if matrix == UPRIGHT:
        return box
    a, b, c, d, e, f = matrix
    corners = [(x * a + y * c + e, x * b + y * d + f) for x in (box.left, box.right) for y in (box.bottom, box.top)]
    across, up = [x for x, _ in corners], [y for _, y in corners]
    return Box(min(across), min(up), max(across), max(up))


def _take_path(found: PageObjects, one: Any, matrix: Matrix, place: int) -> None:
    box = _bounds(one, matrix)
    width, height = box.right - box.left, box.top - box.bottom
    if min(width, height) < MIN_SURFACE_POINTS:
        if max(width, height) > MIN_SURFACE_POINTS:
            found.rules.append(box)
        return
    if len(found.surfaces) >= MAX_SURFACES:
        return
    mode, is_stroked = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(one, mode, is_stroked)
    is_rectangle = _is_rectangle(one)
    if is_rectangle:
        found.rules.extend((box._replace(top=box.bottom), box._replace(bottom=box.top)))
    if not mode.value:
        return
    colour, alpha = _fill(one)
    is_opaque = is_rectangle and alpha == 255 and not pdfium.FPDFPageObj_HasTransparency(one) and not _is_clipped(one)
    found.surfaces.append(Surface(box, place, colour if is_rectangle and alpha == 255 else None, is_opaque))


def _is_rectangle(one: Any) -> bool:
    count = pdfium.FPDFPath_CountSegments(one)
    return count <= MAX_RECTANGLE_SEGMENTS and all(
        pdfium.FPDFPathSegment_GetType(pdfium.FPDFPath_GetPathSegment(one, at)) != pdfium.FPDF_SEGMENT_BEZIERTO
        for at in range(count)
    )


def _fill(one: Any) -> tuple[Colour | None, int]:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(one, red, green, blue, alpha):
        return None, 0
    return (red.value, green.value, blue.value), alpha.value


def _is_clipped(one: Any) -> bool:
    clip = pdfium.FPDFPageObj_GetClipPath(one)
    return bool(clip) and pdfium.FPDFClipPath_CountPaths(clip) > 0
