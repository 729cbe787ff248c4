"""Word: what a person would read with all changes accepted and no comments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lxml import etree

from handlers.readers.archive import open_archive
from handlers.readers.markup.outline import Outline
from handlers.readers.office.package import (
    LOCAL_ERRORS,
    attribute,
    broken,
    linked_part,
    local,
    main_part,
    related_part,
    relations,
    shown_children,
)
from handlers.readers.office.word.blocks import WordBlocks
from handlers.readers.office.word.numbering import WordNumbers
from handlers.readers.office.word.styles import WordStyles
from handlers.readers.office.word.text import WordText
from handlers.readers.report import Report
from handlers.readers.section import Section, clean

DOCUMENT = "word/document.xml"
BLOCKS = ["{*}p", "{*}tbl", "{*}AlternateContent", "{*}altChunk"]
INSIDE = frozenset(("p", "tc", "txbxContent", "AlternateContent"))


def read_docx(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; reports bytes of the text's part, and documents that are embedded in the file.
    Raises `UnreadableError`.
    """
    with open_archive(path) as archive:
        outline = Outline()
        try:
            main = main_part(archive, DOCUMENT)
            styles = WordStyles(related_part(archive, main, "styles"))
            text = WordText(styles, _notes(archive, main, styles))
            numbers = WordNumbers(related_part(archive, main, "numbering"))
            links = relations(archive, main)
            blocks = WordBlocks(styles, numbers, text, outline, lambda link: linked_part(archive, links, link))
            for block in _blocks(archive, main, report):
                yield from filter(None, blocks.read(block))
            yield from filter(None, blocks.close())
        except LOCAL_ERRORS as error:
            raise broken(error) from error
        if last := outline.close():
            yield last


def _blocks(archive: ZipFile, main: str, report: Report) -> Iterator[Any]:
    """The paragraphs and tables of the body, each emptied after use."""
    total = archive.getinfo(main).file_size
    with archive.open(main) as part:
        for _, element in etree.iterparse(part, tag=BLOCKS, resolve_entities=False, no_network=True, huge_tree=True):
            if any(local(one) in INSIDE for one in element.iterancestors()):
                continue
            if local(element) == "altChunk":
                report.warn("A document that is embedded in the file was left out: upload it as a file of its own.")
            elif local(element) == "AlternateContent":
                yield from shown_children([element])
            else:
                yield element
            report.progress(min(part.tell(), total), total)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    report.progress(total, total)


def _notes(archive: ZipFile, main: str, styles: WordStyles) -> dict[tuple[str, str], str]:
    """By kind ("foo", "end") and id. The separators that Word keeps among them have a type."""
    found: dict[tuple[str, str], str] = {}
    reader = WordText(styles, {})
    for name in ("footnote", "endnote"):
        root = related_part(archive, main, f"{name}s")
        for note in root if root is not None else ():
            if local(note) == name and attribute(note, "type") in (None, "normal"):
                paragraphs = (reader.read(one, []) for one in note.iter("{*}p"))
                found[name[:3], attribute(note, "id") or ""] = " ".join(clean(" ".join(paragraphs)).split())
    return found
