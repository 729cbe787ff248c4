"""EPUB: the chapters in the order of the book, each read as a page."""

from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from zipfile import ZipFile

from selectolax.lexbor import LexborHTMLParser

from handlers.readers.archive import open_archive
from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.office.package import LOCAL_ERRORS, attribute, broken, parse_part
from handlers.readers.report import Report
from handlers.readers.section import Section

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"


def read_epub(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; reports chapters. Raises `UnreadableError`."""
    with open_archive(path) as archive:
        try:
            chapters = list(_chapters(archive))
            outline = Outline()
            for done, chapter in enumerate(chapters, 1):
                html = archive.read(chapter).decode("utf-8", errors="replace")
                yield from read_page(LexborHTMLParser(html), outline)
                report.progress(done, len(chapters))
            if last := outline.close():
                yield last
        except LOCAL_ERRORS as error:
            raise broken(error) from error


def _chapters(archive: ZipFile) -> Iterator[str]:
    container = parse_part(archive, CONTAINER)
    package = next((attribute(one, "full-path") or "" for one in container.iter("{*}rootfile")), "")
    root = parse_part(archive, package)
    if root is None:
        raise KeyError(package)
    items = {attribute(one, "id"): attribute(one, "href") or "" for one in root.iter("{*}item")}
    for entry in root.iter("{*}itemref"):
        path = normpath(join(dirname(package), unquote(items.get(attribute(entry, "idref"), ""))))
        if path in archive.namelist() and (attribute(entry, "linear") or "yes") != "no":
            yield path
