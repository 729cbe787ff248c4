"""Which reader a file needs: by its content where that shows its format, else by its suffix or its media type."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path, PurePath
from typing import cast
from zipfile import BadZipFile, ZipFile

from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError
from schemas.formats import FORMATS, Format, described, format_by_name

Reader = Callable[[Path, Report], Iterator[Section]]

HEAD_BYTES = 1024
ZIP_MAGIC = b"PK\x03\x04"
# Word, Excel and PowerPoint until 2003, and every Office file that has a password.
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def format_of(path: Path, filename: str, media_type: str) -> Format:
    """The format of a local file. Raises `UnreadableError` naming what is supported."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnreadableError("The file is empty: upload one with content.", code="no_text")
    named = format_by_name(filename, media_type)
    shown = _shown_by_content(path, head, named)
    if shown is not None:
        return shown
    if head.startswith(OLE_MAGIC):
        raise UnreadableError(
            "The file has a password or is of Office 2003 or older: remove the password, save it as .docx, .xlsx or "
            ".pptx, and upload that.", code="encrypted"
        )  # fmt: skip
    if named is None:
        raise UnreadableError(unsupported(filename, media_type), code="unsupported_type")
    if named.is_binary:
        raise UnreadableError(
            f"The file is named as {named.label} but its content is not: export it as {named.label} again.",
            code="broken",
        )
    return named


def unsupported(filename: str, media_type: str) -> str:
    """The sentence for a file that no reader reads."""
    suffix = PurePath(filename).suffix.lower()
    return f"Files of type {suffix or media_type} cannot be read: upload {described()}."


def reader_of(name: str) -> Reader:
    """`read_<name>` of the format's module, in this process; imports that module's engine only."""
    return cast("Reader", getattr(import_module(f"handlers.readers.formats.{name}"), f"read_{name}"))


def _shown_by_content(path: Path, head: bytes, named: Format | None) -> Format | None:
    if head.startswith(ZIP_MAGIC):
        return _in_zip(path)
    at_start = next((one for one in FORMATS if one.magic and head.startswith(one.magic)), None)
    if at_start is not None:
        return at_start
    # Some writers put bytes before the mark; a text may quote it, so there the name decides.
    if named is None or named.magic:
        return next((one for one in FORMATS if one.magic and one.magic in head), None)
    return None


def _in_zip(path: Path) -> Format | None:
    try:
        with ZipFile(path) as archive:
            entries = set(archive.namelist())
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return next((one for one in FORMATS if one.zip_entry in entries), None)
