"""Pages in a right-to-left script, by pypdf: pdfium swaps lam-alef and reverses some lines of Hebrew and Arabic."""

import re
from pathlib import Path

from handlers.readers.section import clean

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


class RightToLeft:
    """pypdf over the same file, opened at the first page that needs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: object | None = None

    def page_text(self, number: int) -> str | None:
        """None when pypdf cannot read what pdfium could."""
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, PyPdfError

        try:
            if not isinstance(self._reader, PdfReader):
                self._reader = PdfReader(self._path)
            return clean(self._reader.pages[number - 1].extract_text()).strip()
        except (
            PyPdfError,
            DependencyError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            RecursionError,
        ):
            return None
