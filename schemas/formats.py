"""The file formats that ingestion reads: one table for the gateway's check, the readers, the command line, the hints.

A new format is a row here and a module `handlers/readers/formats/<name>.py` with a function `read_<name>`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """`magic`: the bytes that such a file begins with. `zip_entry`: a file inside, where it is a zip archive.
    `no_text_hint`: what to do with a file without text.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    magic: bytes | None = None
    zip_entry: str | None = None
    no_text_hint: str = "Check that it has content"

    @property
    def is_binary(self) -> bool:
        """Whether its content shows what it is; the others are text, and only their name tells them apart."""
        return self.magic is not None or self.zip_entry is not None


OFFICE = "application/vnd.openxmlformats-officedocument"

FORMATS = (
    Format(
        "pdf",
        "PDF",
        (".pdf",),
        ("application/pdf",),
        magic=b"%PDF-",
        no_text_hint="The pages may be scanned images: run text recognition (OCR) on it",
    ),
    Format("docx", "Word", (".docx",), (f"{OFFICE}.wordprocessingml.document",), zip_entry="word/document.xml"),
    Format("xlsx", "Excel", (".xlsx",), (f"{OFFICE}.spreadsheetml.sheet",), zip_entry="xl/workbook.xml"),
    Format(
        "pptx",
        "PowerPoint",
        (".pptx",),
        (f"{OFFICE}.presentationml.presentation",),
        zip_entry="ppt/presentation.xml",
        no_text_hint="The slides may be pictures: type their text into the notes",
    ),
    Format("markdown", "Markdown", (".md", ".markdown", ".mdown"), ("text/markdown", "text/x-markdown")),
    Format("plain_text", "plain text", (".txt", ".text"), ("text/plain",)),
    Format("csv_file", "CSV", (".csv", ".tsv"), ("text/csv", "text/tab-separated-values")),
    Format("html_page", "HTML", (".html", ".htm", ".xhtml"), ("text/html", "application/xhtml+xml")),
    Format(
        "json_file",
        "JSON",
        (".json", ".jsonl", ".ndjson"),
        ("application/json", "application/jsonl", "application/x-ndjson"),
    ),
)

SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
BY_MEDIA_TYPE = {media_type: one for one in FORMATS for media_type in one.media_types}


def described() -> str:
    """The formats in words: "PDF (.pdf), …"."""
    *first, last = (f"{one.label} ({one.suffixes[0]})" for one in FORMATS)
    return f"{', '.join(first)} and {last}"
