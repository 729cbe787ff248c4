"""PDF, page by page, by pdfium; pages in a right-to-left script by pypdf, which keeps their order."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from handlers.readers.pdf.content import PageContent, content_of
from handlers.readers.pdf.document import MAX_PLACEHOLDER_PAGES, broken, check_placeholder, open_document
from handlers.readers.pdf.drawn.legibility import is_legible
from handlers.readers.pdf.page_text import joined_pages, page_of
from handlers.readers.pdf.pypdf_document import RIGHT_TO_LEFT, PypdfDocument
from handlers.readers.pdf.recognition import MAX_PAGES, Recognition
from handlers.readers.pdf.running_titles import without_running_titles
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError

SECTION_CHARACTERS = 200_000
MAX_RANGES = 12
# A scan with a stamp, a page number or a line of the scanner's own.
MIN_SCAN_SHARE = 0.6
MIN_PAGE_CHARACTERS = 100

# What became of pages and their owner should know, with the verb for several pages and for one.
KINDS = {
    "recognized": ("have", "has", "text that was recognised in a picture: it may have mistakes"),
    "surplus": ("are", "is", f"scanned and left out: {MAX_PAGES} such pages of a file are read, split it"),
    "stamped": ("have", "has", "a picture and little text; if they are scanned, run text recognition (OCR)"),
    "without_text": ("have", "has", "no text; if they are scanned, run text recognition (OCR)"),
    "illegible": ("have", "has", "letters that cannot be read as text and were left out"),
    "broken": ("are", "is", "damaged and left out"),
    "hidden": ("have", "has", "text that nobody can see, which was left out"),
}


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
        self._pypdf = PypdfDocument(path)
        self._recognition = Recognition.of_environment()
        self.total = len(document)
        self._has_text = False
        self._pages: dict[str, list[int]] = {kind: [] for kind in KINDS}

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
        for kind, (many, one, what) in KINDS.items():
            if pages := self._pages[kind]:
                subject, verb = ("Pages", many) if len(pages) > 1 else ("Page", one)
                self._report.warn(f"{subject} {_ranges(pages)} {verb} {what}.")

    def _contents(self) -> Iterator[PageContent]:
        for number in range(1, self.total + 1):
            content = content_of(self._document, number, self._pypdf.hides_layer)
            self._look_at(content)
            yield content
            self._report.progress(number, self.total)

    def _look_at(self, content: PageContent) -> None:
        text = content.raw_text
        if content.is_broken:
            self._pages["broken"].append(content.number)
        elif not is_legible(text):
            content.fragments, content.aside = [], []
            self._recognize(content, "illegible")
        elif RIGHT_TO_LEFT.search(text):
            content.plain = self._pypdf.page_text(content.number) or ""
        elif not text.strip() and not content.notes and not content.values and content.is_drawn:
            self._recognize(content, "without_text")
        elif content.picture_share >= MIN_SCAN_SHARE and len(text) < MIN_PAGE_CHARACTERS:
            self._recognize(content, "stamped")
        if content.hidden:
            self._pages["hidden"].append(content.number)

    def _recognize(self, content: PageContent, otherwise: str) -> None:
        """Reads the picture of the page instead; `otherwise` is the kind of a page that gives nothing."""
        kind = otherwise
        if self._recognition is not None and self._recognition.is_exhausted:
            kind = "surplus"
        elif self._recognition is not None and self._recognition.read(self._document, content):
            kind = "recognized"
        self._pages[kind].append(content.number)

    def _failure(self) -> UnreadableError:
        if len(self._pages["broken"]) == self.total:
            return broken()
        if self._pages["illegible"]:
            return UnreadableError(
                "The letters of this PDF cannot be read as text, because its fonts do not say which characters they "
                "show: export it again from its source, or run text recognition (OCR) on it.", code="no_text"
            )  # fmt: skip
        if self._pages["without_text"]:
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
