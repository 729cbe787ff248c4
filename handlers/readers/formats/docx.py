"""Word: what a person would read with all changes accepted and no comments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lxml import etree

from handlers.readers.archive import open_archive
from handlers.readers.markup.outline import Outline
from handlers.readers.office.package import LOCAL_ERRORS, attribute, broken, local, parse_part
from handlers.readers.office.word_blocks import WordBlocks
from handlers.readers.office.word_numbers import WordNumbers
from handlers.readers.office.word_styles import WordStyles
from handlers.readers.office.word_text import WordText
from handlers.readers.report import Report
from handlers.readers.section import Section, clean

DOCUMENT = "word/document.xml"
INSIDE = frozenset(("p", "tc", "txbxContent"))


def read_docx(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; reports bytes of the text's part. Raises `UnreadableError`."""
    with open_archive(path) as archive:
        try:
            outline = Outline()
            styles = WordStyles(parse_part(archive, "word/styles.xml"))
            text = WordText(styles, _notes(archive, styles))
            numbers = WordNumbers(parse_part(archive, "word/numbering.xml"))
            blocks = WordBlocks(styles, numbers, text, outline)
            for block in _blocks(archive, report):
                for section in blocks.read(block):
                    if section:
                        yield section
        except LOCAL_ERRORS as error:
            raise broken(error) from error
        if last := outline.close():
            yield last


def _blocks(archive: ZipFile, report: Report) -> Iterator[Any]:
    """The paragraphs and tables of the body, each emptied after use."""
    total = archive.getinfo(DOCUMENT).file_size
    with archive.open(DOCUMENT) as part:
        tags = ["{*}p", "{*}tbl"]
        for _, element in etree.iterparse(part, tag=tags, resolve_entities=False, no_network=True, huge_tree=True):
            if any(local(one) in INSIDE for one in element.iterancestors()):
                continue
            yield element
            report.progress(min(part.tell(), total), total)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    report.progress(total, total)


def _notes(archive: ZipFile, styles: WordStyles) -> dict[tuple[str, str], str]:
    """By kind ("foo", "end") and id. The separators that Word keeps among them have a type."""
    found: dict[tuple[str, str], str] = {}
    reader = WordText(styles, {})
    for name in ("footnote", "endnote"):
        root = parse_part(archive, f"word/{name}s.xml")
        for note in root if root is not None else ():
            if local(note) == name and attribute(note, "type") is None:
                paragraphs = (reader.read(one, []) for one in note.iter("{*}p"))
                found[name[:3], attribute(note, "id") or ""] = " ".join(clean(" ".join(paragraphs)).split())
    return found
