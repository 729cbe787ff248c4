"""The file formats that ingestion reads: one table for the sniffing, the readers, the command line and the hints.

A new format is a row here and a module `handlers/readers/<name>.py` with a function `read_<name>`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """`magic` is looked for in the first kilobyte. `no_text_hint`: what to do with a file without text."""

    name: str
    label: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    magic: bytes | None = None
    no_text_hint: str = "Check that it has content"


FORMATS = (
    Format(
        "pdf",
        "PDF",
        (".pdf",),
        ("application/pdf",),
        magic=b"%PDF-",
        no_text_hint="The pages may be scanned images: run text recognition (OCR) on it",
    ),
    Format("markdown", "Markdown", (".md", ".markdown", ".mdown"), ("text/markdown", "text/x-markdown")),
    Format("text", "plain text", (".txt", ".text"), ("text/plain",)),
)

SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)


def described() -> str:
    """The formats in words: "PDF (.pdf), …"."""
    *first, last = (f"{one.label} ({one.suffixes[0]})" for one in FORMATS)
    return f"{', '.join(first)} and {last}"
