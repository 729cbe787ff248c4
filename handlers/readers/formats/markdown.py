"""Markdown as it looks once it is rendered (CommonMark, with tables and footnotes)."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.report import Report
from handlers.readers.section import Section
from handlers.readers.text.encoding.decoding import encoding_of, read_lines
from handlers.readers.text.front_matter import MAX_LINES, front_matter
from handlers.readers.text.markdown_blocks import LESS_THAN, definitions, windows, with_footnotes


def read_markdown(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading, cut at about 200,000 characters; reports bytes, roughly.

    The source is parsed in windows, so that memory does not grow with the file.
    """
    total, done = path.stat().st_size, 0
    encoding = encoding_of(path)
    labels, notes = definitions(read_lines(path, encoding))
    references = {normalizeReference(label): {"href": "", "title": ""} for label in labels}
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    lines = read_lines(path, encoding)
    first = list(islice(lines, MAX_LINES))
    taken, title = front_matter(first)
    outline = Outline(title)
    for window in windows(_all(first[taken:], lines)):
        html = parser.render("".join(with_footnotes(window, notes)), {"references": dict(references)})
        for section in read_page(LexborHTMLParser(html), outline):
            yield _restored(section)
        done += sum(map(len, window))
        report.progress(min(done, total), total)
    if last := outline.close():
        yield _restored(last)
    report.progress(total, total)


def _all(first: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from rest


def _restored(section: Section) -> Section:
    heading = section.heading.replace(LESS_THAN, "<") if section.heading else None
    return Section(section.text.replace(LESS_THAN, "<"), heading=heading)
