"""What pypdf tells and pdfium does not: the order of right-to-left scripts, and which layers are hidden.

pdfium swaps lam-alef and reverses some lines of Hebrew and Arabic.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handlers.readers.section import clean

if TYPE_CHECKING:
    from pypdf import PdfReader

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
DAMAGES = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OSError)


class PypdfDocument:
    """The same file, opened by pypdf at the first page that needs it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: PdfReader | None = None
        self._hidden: frozenset[str] | None = None

    def page_text(self, number: int) -> str | None:
        """None when pypdf cannot read what pdfium could."""
        from pypdf.errors import DependencyError, PyPdfError

        try:
            return clean(self._reader().pages[number - 1].extract_text()).strip()
        except (PyPdfError, DependencyError, *DAMAGES):
            return None

    def hides_layer(self, name: str) -> bool:
        """Whether a viewer does not show the layers with this name (ISO 32000-2, 8.11.4)."""
        from pypdf.errors import DependencyError, PyPdfError

        if self._hidden is None:
            try:
                self._hidden = frozenset(_hidden_layers(self._reader().trailer["/Root"]))
            except (PyPdfError, DependencyError, *DAMAGES):
                self._hidden = frozenset()
        return name in self._hidden

    def _reader(self) -> "PdfReader":
        from pypdf import PdfReader

        if self._opened is None:
            self._opened = PdfReader(self._path)
        return self._opened


def _hidden_layers(root: Any) -> set[str]:
    properties = root["/OCProperties"].get_object()
    default = properties["/D"].get_object()
    switched = {state: {one.idnum for one in default.get(state, [])} for state in ("/OFF", "/ON")}
    is_off = default.get("/BaseState") == "/OFF"
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for one in properties["/OCGs"]:
        hidden = one.idnum in switched["/OFF"] or (is_off and one.idnum not in switched["/ON"])
        names[hidden].add(str(one.get_object()["/Name"]))
    return names[True] - names[False]
