"""Which reader a file needs."""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError
from schemas import formats
from schemas.formats import Format

ROOMS = ("handlers.readers.formats", "handlers.readers.formats.office")
Reader = Callable[[Path, Report], Iterator[Section]]


def format_of(path: Path, filename: str, media_type: str) -> Format:
    """The format of a local file. Raises `UnreadableError` naming what is supported."""
    with path.open("rb") as file:
        try:
            return formats.format_of(file, filename, media_type)
        except formats.UnknownFormatError as error:
            raise UnreadableError(str(error), code=error.code) from error


def reader_of(name: str) -> Reader:
    """`read_<name>` of the format's module, in this process; imports that module's engine only."""
    module = next(f"{room}.{name}" for room in ROOMS if find_spec(f"{room}.{name}") is not None)
    return cast("Reader", getattr(import_module(module), f"read_{name}"))
