"""PDF, page by page, by pdfium; pages in a right-to-left script by pypdf, which keeps their order."""

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
from pypdfium2 import PdfiumError

from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean

# pdfium swaps lam-alef and reverses some lines of Hebrew and Arabic.
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
HYPHEN_AT_LINE_END = re.compile("[\x02\ufffe](?:\r?\n)?")
WRAPPED_LINE = re.compile(r"(?<=[\w,;])\n(?=[^\W\d_A-Z])")


def read_pdf(path: Path, report: Report) -> Iterator[Section]:
    """The pages that hold text; reports pages.

    Raises `UnreadableError`: encrypted, broken, or no page that can be read.
    """
    document = _open(path)
    right_to_left = _RightToLeft(path)
    unread = 0
    try:
        total = len(document)
        for number in range(1, total + 1):
            try:
                text = _page_text(document, number - 1)
            except PdfiumError:
                unread += 1
                text = ""
            if RIGHT_TO_LEFT.search(text):
                text = right_to_left.page_text(number - 1) or text
            if text.strip():
                yield Section(text, page=number)
            report.progress(number, total)
    finally:
        document.close()
    if unread and unread == total:
        raise _broken()


def _open(path: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError(
                "The PDF is protected by a password: remove the protection and upload it again.", code="encrypted"
            ) from error
        raise _broken() from error


def _broken() -> UnreadableError:
    return UnreadableError(
        "The PDF is damaged and cannot be opened: export it again from its source and upload that.", code="broken"
    )


def _page_text(document: pypdfium2.PdfDocument, index: int) -> str:
    page = document[index]
    try:
        textpage = page.get_textpage()
        try:
            raw = str(textpage.get_text_bounded())
        finally:
            textpage.close()
    finally:
        page.close()
    return WRAPPED_LINE.sub(" ", clean(HYPHEN_AT_LINE_END.sub("", raw))).strip()


class _RightToLeft:
    """pypdf over the same file, opened at the first page that needs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: object | None = None

    def page_text(self, index: int) -> str | None:
        """None when pypdf cannot read what pdfium could."""
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError

        try:
            if not isinstance(self._reader, PdfReader):
                self._reader = PdfReader(self._path)
            return clean(self._reader.pages[index].extract_text()).strip()
        except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            return None
