"""The file formats that ingestion reads: one table for the gateway's check, the readers, the command line, the hints.

Which format a file has: its content where that shows it, else the suffix of its name, else its media type. The gateway
refuses by this before it stores anything, and ingestion chooses the reader by it.

A new format is a row here and a module `<name>.py` in `handlers/readers/formats/`, or in its folder `office/`, with a
function `read_<name>`.
"""

import fnmatch
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile


@dataclass(frozen=True, slots=True)
class Format:
    """`magic`: the bytes that such a file begins with. `zip_entry`: a file inside, where it is a zip archive;
    `*` stands for any letters. `no_text_hint`: what to do with a file without text.
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


# Outlook's messages; Word, Excel and PowerPoint until 2003, and every Office file that has a password.
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The property names of a message, which stand in the directory of its compound file.
OUTLOOK_MARK = "__nameid_version1.0".encode("utf-16-le")
OPENDOCUMENT = "application/vnd.oasis.opendocument"
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
    Format("docx", "Word", (".docx",), (f"{OFFICE}.wordprocessingml.document",), zip_entry="word/document*.xml"),
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
        "xml_file",
        "XML",
        (".xml", ".rss", ".atom"),
        ("application/xml", "text/xml", "application/rss+xml", "application/atom+xml"),
    ),
    Format("rtf", "RTF", (".rtf",), ("application/rtf", "text/rtf"), magic=b"{\\rtf"),
    Format("epub", "EPUB", (".epub",), ("application/epub+zip",), zip_entry="META-INF/container.xml"),
    Format(
        "opendocument",
        "OpenDocument",
        (".odt", ".ods", ".odp"),
        (f"{OPENDOCUMENT}.text", f"{OPENDOCUMENT}.spreadsheet", f"{OPENDOCUMENT}.presentation"),
        zip_entry="content.xml",
    ),
    Format("email_message", "e-mail", (".eml",), ("message/rfc822",)),
    Format("outlook_message", "Outlook", (".msg",), ("application/vnd.ms-outlook",), magic=OLE_MAGIC),
    Format("notebook", "Jupyter", (".ipynb",), ("application/x-ipynb+json",)),
    Format(
        "json_file",
        "JSON",
        (".json", ".jsonl", ".ndjson"),
        ("application/json", "application/jsonl", "application/x-ndjson"),
    ),
)

HEAD_BYTES = 1024
DIRECTORY_BYTES = 64 * 1024
MAX_SECTOR_SHIFT = 12
ZIP_MAGIC = b"PK\x03\x04"
SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
BY_MEDIA_TYPE = {media_type: one for one in FORMATS for media_type in one.media_types}


def described() -> str:
    """The formats in words: "PDF (.pdf), …"."""
    *first, last = (f"{one.label} ({one.suffixes[0]})" for one in FORMATS)
    return f"{', '.join(first)} and {last}"


class UnknownFormatError(Exception):
    """The file is of no format that is read. The message is a sentence for the owner; `code` is `unsupported_type`,
    `broken` (not what its name says), `encrypted` or `no_text` (empty).
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def format_of(file: BinaryIO, filename: str, media_type: str) -> Format:
    """The format of an open file, which is then at its beginning again. Raises `UnknownFormatError`."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    try:
        found = _shown_by_content(file, head, filename, media_type) if head else None
    finally:
        file.seek(0)
    if not head:
        raise UnknownFormatError("The file is empty: upload one with content.", "no_text")
    if found is not None:
        return found
    if head.startswith(OLE_MAGIC):
        raise UnknownFormatError(
            "The file has a password or is of Office 2003 or older: remove the password, save it as .docx, .xlsx or "
            ".pptx, and upload that.",
            "encrypted",
        )
    return _by_name_alone(filename, media_type)


def format_by_name(filename: str, media_type: str) -> Format | None:
    """The format of the suffix, or of the media type if there is no suffix; None if neither is known."""
    suffix = _suffix(filename)
    return BY_SUFFIX.get(suffix) if suffix else BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())


def _by_name_alone(filename: str, media_type: str) -> Format:
    named = format_by_name(filename, media_type)
    if named is None:
        raise UnknownFormatError(
            f"Files of type {_suffix(filename) or media_type} cannot be read: upload {described()}.",
            "unsupported_type",
        )
    if named.is_binary:
        raise UnknownFormatError(
            f"The file is named as {named.label} but its content is not: export it as {named.label} again.", "broken"
        )
    return named


def _shown_by_content(file: BinaryIO, head: bytes, filename: str, media_type: str) -> Format | None:
    if head.startswith(ZIP_MAGIC):
        return _in_zip(file)
    if head.startswith(OLE_MAGIC):
        return _in_compound_file(file, head, filename)
    at_start = next((one for one in FORMATS if one.magic and head.startswith(one.magic)), None)
    if at_start is not None:
        return at_start
    named = format_by_name(filename, media_type)
    # Some writers put bytes before the mark; a text may quote it, so there the name decides.
    if named is None or named.magic:
        return next((one for one in FORMATS if one.magic and one.magic in head), None)
    return None


def _in_zip(file: BinaryIO) -> Format | None:
    try:
        with ZipFile(file) as archive:
            entries = archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return next((one for one in FORMATS if one.zip_entry and fnmatch.filter(entries, one.zip_entry)), None)


def _in_compound_file(file: BinaryIO, head: bytes, filename: str) -> Format | None:
    """A message of Outlook by its name, or by the directory of the file, [MS-CFB] 2.2."""
    message = next(one for one in FORMATS if one.magic == OLE_MAGIC)
    if _suffix(filename) in message.suffixes:
        return message
    sector_bytes = 1 << min(int.from_bytes(head[30:32], "little"), MAX_SECTOR_SHIFT)
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector_bytes)
    return message if OUTLOOK_MARK in file.read(DIRECTORY_BYTES) else None


def _suffix(filename: str) -> str:
    name = PurePath(filename)
    return (name.suffix or (name.name if name.name.startswith(".") else "")).lower()
