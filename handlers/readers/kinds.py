"""Which reader a file needs: its first bytes decide for PDF, its extension for text."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Literal

from handlers.readers.section import Section, UnreadableError

Kind = Literal["pdf", "markdown", "text"]
Reader = Callable[[Path, Callable[[int, int], None]], Iterator[Section]]

SUPPORTED = "PDF (.pdf), Markdown (.md) and plain text (.txt)"
PDF_MAGIC = b"%PDF-"
MAGIC_BYTES = 1024
KIND_BY_SUFFIX: dict[str, Kind] = {
    ".pdf": "pdf",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".txt": "text",
    ".text": "text",
}
KIND_BY_MEDIA_TYPE: dict[str, Kind] = {
    "application/pdf": "pdf",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "text/plain": "text",
}


def kind_of(path: Path, filename: str, media_type: str) -> Kind:
    """The kind of a local file. Raises `UnreadableError` naming what is supported."""
    with path.open("rb") as file:
        head = file.read(MAGIC_BYTES)
    if not head:
        raise UnreadableError("The file is empty: upload one with content.", code="no_text")
    if PDF_MAGIC in head:
        return "pdf"
    suffix = PurePath(filename).suffix.lower()
    by_media_type = KIND_BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    kind = KIND_BY_SUFFIX.get(suffix) if suffix else by_media_type
    if kind == "pdf":
        raise UnreadableError("The file is named as a PDF but is none: export it as PDF again.", code="broken")
    if kind is None:
        raise UnreadableError(
            f"Files of type {suffix or media_type} cannot be read yet: upload {SUPPORTED}.", code="unsupported_type"
        )
    return kind


def reader_of(kind: Kind) -> Reader:
    """The function that reads this kind, in this process; imports its engine only."""
    if kind == "pdf":
        from handlers.readers.pdf import read_pdf

        return read_pdf
    if kind == "markdown":
        from handlers.readers.markdown import read_markdown

        return read_markdown
    from handlers.readers.text import read_text

    return read_text
