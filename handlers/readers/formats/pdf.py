"""PDF, page by page, by pdfium; pages in a right-to-left script by pypdf, which keeps their order."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from handlers.readers.pdf.content import PageContent, content_of
from handlers.readers.pdf.document import MAX_PLACEHOLDER_PAGES, broken, check_placeholder, open_document
from handlers.readers.pdf.drawn.legibility import is_legible
from handlers.readers.pdf.page_text import joined_pages, page_of
from handlers.readers.pdf.right_to_left import RIGHT_TO_LEFT, RightToLeft
from handlers.readers.pdf.running_titles import without_running_titles
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError

SECTION_CHARACTERS = 200_000
MAX_RANGES = 12


def read_pdf(path: Path, report: Report) -> Iterator[Section]:
    """The pages that hold text; reports pages, and warns of pages and words that were left out.

    Raises `UnreadableError`: encrypted, broken, or no page that can be read.
    """
    document = open_document(path)
    try:
        reading = _Reading(document, path, report)
        sections = reading.sections()
        if reading.total <= MAX_PLACEHOLDER_PAGES:
            read = list(sections)
            check_placeholder(document, " ".join(section.text for section in read))
            sections = iter(read)
        yield from sections
        reading.conclude()
    finally:
        document.close()


class _Reading:
    """One file. Collects what its owner should know of the pages."""

    def __init__(self, document: Any, path: Path, report: Report) -> None:
        self._document, self._report = document, report
        self._right_to_left = RightToLeft(path)
        self.total = len(document)
        self._has_text = False
        self._broken: list[int] = []
        self._without_text: list[int] = []
        self._illegible: list[int] = []
        self._hidden: list[int] = []

    def sections(self) -> Iterator[Section]:
        """A section for each page with text; a very long page is several."""
        contents = without_running_titles(self._contents(), self.total)
        for page in joined_pages(page_of(content) for content in contents):
            for section in _pieces(Section(page.text, page=page.number, page_starts=page.page_starts)):
                self._has_text = True
                yield section

    def conclude(self) -> None:
        """Warn of what was left out. Raises `UnreadableError` when that is everything."""
        if not self._has_text:
            raise self._failure()
        if self._without_text:
            self._warn(self._without_text, "no text; if they are scanned, run text recognition (OCR)", "have", "has")
        if self._illegible:
            self._warn(self._illegible, "letters that cannot be read as text and were left out", "have", "has")
        if self._broken:
            self._warn(self._broken, "damaged and left out", "are", "is")
        if self._hidden:
            self._warn(self._hidden, "text that nobody can see, which was left out", "have", "has")

    def _contents(self) -> Iterator[PageContent]:
        for number in range(1, self.total + 1):
            content = content_of(self._document, number)
            self._look_at(content)
            yield content
            self._report.progress(number, self.total)

    def _look_at(self, content: PageContent) -> None:
        text = content.raw_text
        if content.is_broken:
            self._broken.append(content.number)
        elif not is_legible(text):
            self._illegible.append(content.number)
            content.fragments, content.aside = [], []
        elif RIGHT_TO_LEFT.search(text):
            content.plain = self._right_to_left.page_text(content.number) or ""
        elif not text.strip() and not content.notes and not content.values and content.is_drawn:
            self._without_text.append(content.number)
        if content.hidden:
            self._hidden.append(content.number)

    def _warn(self, pages: list[int], what: str, many: str, one: str) -> None:
        subject, verb = ("Pages", many) if len(pages) > 1 else ("Page", one)
        self._report.warn(f"{subject} {_ranges(pages)} {verb} {what}.")

    def _failure(self) -> UnreadableError:
        if len(self._broken) == self.total:
            return broken()
        if self._illegible:
            return UnreadableError(
                "The letters of this PDF cannot be read as text, because its fonts do not say which characters they "
                "show: export it again from its source, or run text recognition (OCR) on it.", code="no_text"
            )  # fmt: skip
        if self._without_text:
            return UnreadableError(
                "There is no text in the PDF, its pages are scanned images or drawings: run text recognition (OCR) on "
                "it and upload it again.", code="no_text"
            )  # fmt: skip
        return UnreadableError(
            "There is no text in the PDF, its pages are empty: check it, and if they are scanned images run text "
            "recognition (OCR) on it.", code="no_text"
        )  # fmt: skip


def _pieces(page: Section) -> Iterator[Section]:
    """The page in parts that end with a line."""
    start = 0
    while start < len(page.text):
        limit = start + SECTION_CHARACTERS
        end = page.text.rfind("\n", start, limit) + 1 if limit < len(page.text) else 0
        yield page.part(start, end or limit)
        start = end or limit


def _ranges(pages: list[int]) -> str:
    """`1, 4–6`: neighbours as one."""
    ranges = []
    for _, run in groupby(enumerate(pages), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        ranges.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}")
    return ", ".join(ranges[:MAX_RANGES]) + (" and others" if len(ranges) > MAX_RANGES else "")
