"""A Jupyter notebook: its Markdown, its code, and what the code printed (nbformat 4)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError
from handlers.readers.text.encoding.decoding import encoding_of


def read_notebook(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; reports cells. Raises `UnreadableError`."""
    try:
        with path.open(encoding=encoding_of(path), errors="replace") as file:
            cells = json.load(file)["cells"]
        blocks = [(str(cell["cell_type"]), _joined(cell["source"]), list(_outputs(cell))) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError("The notebook is damaged: save it again and upload that.", code="broken") from error
    outline, parser = Outline(), MarkdownIt("commonmark", {"html": True}).enable("table")
    for done, (kind, source, outputs) in enumerate(blocks, 1):
        if kind == "markdown":
            yield from read_page(LexborHTMLParser(parser.render(source)), outline)
        else:
            yield from (section for one in (source, *outputs) if (section := outline.block(one)))
        report.progress(done, len(blocks))
    if last := outline.close():
        yield last


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        yield _joined(output.get("text") or output.get("data", {}).get("text/plain", ""))


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)
