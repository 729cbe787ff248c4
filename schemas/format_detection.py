"""Which format a file has: its content where that shows it, else the suffix of its name, else its media type.

The gateway refuses by this before it stores anything, and ingestion chooses the reader by it.
"""

from pathlib import PurePath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from schemas.formats import BY_MEDIA_TYPE, BY_SUFFIX, FORMATS, Format, described

HEAD_BYTES = 1024
ZIP_MAGIC = b"PK\x03\x04"
# Word, Excel and PowerPoint until 2003, and every Office file that has a password.
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


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
            entries = set(archive.namelist())
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    return next((one for one in FORMATS if one.zip_entry in entries), None)


def _suffix(filename: str) -> str:
    name = PurePath(filename)
    return (name.suffix or (name.name if name.name.startswith(".") else "")).lower()
