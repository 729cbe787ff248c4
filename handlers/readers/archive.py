"""Zip archives from strangers: their sizes are looked at before anything is unpacked."""

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from handlers.readers.section import UnreadableError

MAX_UNPACKED_BYTES = 400 * 1024**2
MAX_ENTRIES = 20_000


def open_archive(path: Path) -> ZipFile:
    """The archive, open. Raises `UnreadableError`: no archive, encrypted, or too large once unpacked."""
    try:
        archive = ZipFile(path)
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(
            "The file is damaged and cannot be opened: save it again in its program and upload that.", code="broken"
        ) from error
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        archive.close()
        raise UnreadableError("The file is too large once unpacked: split it into smaller ones.", code="too_large")
    if any(entry.flag_bits & 1 for entry in entries):
        archive.close()
        raise UnreadableError(
            "The file is protected by a password: remove the protection and upload it again.", code="encrypted"
        )
    return archive
