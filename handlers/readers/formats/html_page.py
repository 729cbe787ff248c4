"""HTML pages: what is seen of the main part, under its headings."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.report import Report
from handlers.readers.section import Section
from handlers.readers.text.encoding.decoding import encoding_of

HEAD_BYTES = 4_096
CHARSET = re.compile(
    rb"<meta[^>]*charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]*encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE
)
# Browsers read these names as their Windows relatives (WHATWG Encoding Standard, §4.2).
WINDOWS = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}


def read_html_page(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; without one the page's title stands in. Reports bytes."""
    content = path.read_bytes()
    page = LexborHTMLParser(content.decode(_encoding(path, content), errors="replace"))
    title = page.css_first("title")
    outline = Outline(" ".join(title.text().split()) if title is not None else "")
    yield from read_page(page, outline)
    if section := outline.close():
        yield section
    report.progress(len(content), len(content))


def _encoding(path: Path, content: bytes) -> str:
    """The byte order mark, else what the page says of itself, else what its bytes show."""
    if not content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        found = CHARSET.search(content[:HEAD_BYTES])
        if found:
            try:
                name = codecs.lookup((found[1] or found[2]).decode("ascii", "replace")).name
            except LookupError:
                name = ""
            # A page that can be read as bytes is not UTF-16, whatever it says.
            if name and not name.startswith(("utf-16", "utf-32", "utf-8")):
                return WINDOWS.get(name, name)
    return encoding_of(path)
