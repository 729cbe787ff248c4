"""Scans of our own making: pages as pictures of what they show."""

import ctypes
import io

import pypdfium2
import pypdfium2.raw as pdfium

DOTS_PER_INCH = 200


def scanned(content: bytes, *, degrees: int = 0) -> bytes:
    """The PDF with a picture in place of each page, as if it had lain on the scanner turned by `degrees`."""
    source, target = pypdfium2.PdfDocument(content), pypdfium2.PdfDocument.new()
    for page in source:
        bitmap = page.render(scale=DOTS_PER_INCH / 72, rotation=degrees, grayscale=True)
        width, height = bitmap.width * 72 / DOTS_PER_INCH, bitmap.height * 72 / DOTS_PER_INCH
        picture = pypdfium2.PdfImage.new(target)
        picture.set_bitmap(bitmap)
        picture.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
        made = target.new_page(width, height)
        made.insert_obj(picture)
        pdfium.FPDFPage_GenerateContent(made)
        made.close()
    return _saved(target)


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


def _saved(document: pypdfium2.PdfDocument) -> bytes:
    saved = io.BytesIO()
    document.save(saved)
    return saved.getvalue()
