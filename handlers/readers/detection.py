"""Which reader a file needs: by its magic bytes if the format has them, else by its suffix or its media type."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path, PurePath
from typing import cast

from handlers.readers.section import Section, UnreadableError
from schemas.formats import FORMATS, Format, described

Reader = Callable[[Path, Callable[[int, int], None]], Iterator[Section]]

HEAD_BYTES = 1024
BY_SUFFIX = {suffix: one for one in FORMATS for suffix in one.suffixes}
BY_MEDIA_TYPE = {media_type: one for one in FORMATS for media_type in one.media_types}


def format_of(path: Path, filename: str, media_type: str) -> Format:
    """The format of a local file. Raises `UnreadableError` naming what is supported."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnreadableError("The file is empty: upload one with content.", code="no_text")
    marked = next((one for one in FORMATS if one.magic is not None and one.magic in head), None)
    if marked is not None:
        return marked
    suffix, named = PurePath(filename).suffix.lower(), format_by_name(filename, media_type)
    if named is None:
        raise UnreadableError(
            f"Files of type {suffix or media_type} cannot be read yet: upload {described()}.", code="unsupported_type"
        )
    if named.magic is not None:
        raise UnreadableError(
            f"The file is named as a {named.label} but is none: export it as {named.label} again.", code="broken"
        )
    return named


def format_by_name(filename: str, media_type: str) -> Format | None:
    """The format of the suffix, or of the media type if there is no suffix; None if neither is known."""
    suffix = PurePath(filename).suffix.lower()
    return BY_SUFFIX.get(suffix) if suffix else BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())


def reader_of(name: str) -> Reader:
    """`read_<name>` of the format's module, in this process; imports that module's engine only."""
    return cast("Reader", getattr(import_module(f"handlers.readers.{name}"), f"read_{name}"))
