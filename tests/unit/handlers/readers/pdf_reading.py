"""Reads a PDF that a test has written."""

from pathlib import Path

from handlers.readers.formats.pdf import read_pdf
from handlers.readers.section import Section


class Warnings:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def progress(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def warn(self, warning: str) -> None:
        self.all.append(warning)


def read(folder: Path, content: bytes, report: Warnings | None = None) -> list[Section]:
    path = folder / "a.pdf"
    path.write_bytes(content)
    return list(read_pdf(path, report or Warnings()))


def read_page(folder: Path, content: bytes) -> str:
    """The text of the only page that has any."""
    (section,) = read(folder, content)
    return section.text
