"""Rich Text Format, as WordPad and old word processors write it."""

from collections.abc import Iterator
from pathlib import Path

from handlers.readers.markup.outline import Outline
from handlers.readers.office.rich_text.sections import rich_text_sections
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError


def read_rtf(path: Path, report: Report) -> Iterator[Section]:
    """A section for each heading; reports bytes. Raises `UnreadableError`."""
    try:
        yield from rich_text_sections(path.read_bytes(), Outline(), report)
    except RecursionError as error:
        raise UnreadableError(
            "The file is damaged and cannot be read: save it again as .docx and upload that.", code="broken"
        ) from error
