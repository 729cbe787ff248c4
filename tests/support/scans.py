"""Scans of our own making: pages as pictures of what they show."""

import ctypes
import io
import random

import pypdfium2
import pypdfium2.raw as pdfium

DOTS_PER_INCH = 200
NOISE_PIXELS = 1_000


def scanned(content: bytes, *, degrees: int = 0) -> bytes:
    """The PDF with a picture in place of each page, as if it had lain on the scanner turned by `degrees`."""
    source, target = pypdfium2.PdfDocument(content), pypdfium2.PdfDocument.new()
    for page in source:
        bitmap = page.render(scale=DOTS_PER_INCH / 72, rotation=degrees, grayscale=True)
        _add_picture(target, bitmap, bitmap.width * 72 / DOTS_PER_INCH, bitmap.height * 72 / DOTS_PER_INCH)
    return _saved(target)


def noise(width: float, height: float) -> bytes:
    """A page of this size in points that is nothing but stains."""
    document = pypdfium2.PdfDocument.new()
    bitmap = pypdfium2.PdfBitmap.new_native(NOISE_PIXELS, NOISE_PIXELS, pdfium.FPDFBitmap_Gray)
    stains = random.Random(7).randbytes(bitmap.stride * bitmap.height)
    ctypes.memmove(bitmap.buffer, stains, len(stains))
    _add_picture(document, bitmap, width, height)
    return _saved(document)


def with_text(content: bytes, words: str) -> bytes:
    """The PDF with a line of text at the foot of its first page."""
    document = pypdfium2.PdfDocument(content)
    page = document[0]
    line = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", ctypes.c_float(10))
    letters = (words + "\0").encode("utf-16-le")
    pdfium.FPDFText_SetText(line, ctypes.cast(letters, pdfium.FPDF_WIDESTRING))
    pdfium.FPDFPageObj_Transform(line, 1, 0, 0, 1, 72, 40)
    pdfium.FPDFPage_InsertObject(page, line)
    pdfium.FPDFPage_GenerateContent(page)
    page.close()
    return _saved(document)


def _add_picture(document: pypdfium2.PdfDocument, bitmap: pypdfium2.PdfBitmap, width: float, height: float) -> None:
    picture = pypdfium2.PdfImage.new(document)
    picture.set_bitmap(bitmap)
    picture.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
    page = document.new_page(width, height)
    page.insert_obj(picture)
    pdfium.FPDFPage_GenerateContent(page)
    page.close()


def _saved(document: pypdfium2.PdfDocument) -> bytes:
    saved = io.BytesIO()
    document.save(saved)
    return saved.getvalue()
