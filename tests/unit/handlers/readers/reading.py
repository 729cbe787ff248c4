"""Reads a file in this process, as tests of readers need it."""

from handlers.readers.detection import format_of, reader_of
from tests.conftest import SHARED_DATA

CASES = SHARED_DATA / "cases" / "documents"


class Warnings(list):
    """A report that keeps the warnings."""

    def progress(self, done, total):
        assert 0 <= done <= total

    def warn(self, warning):
        self.append(warning)


def read(path):
    """The sections and the warnings."""
    warnings = Warnings()
    return list(reader_of(format_of(path, path.name, "").name)(path, warnings)), warnings


def read_content(tmp_path, name, content):
    """The sections and the warnings of a file with this name and content."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


def text_of(path):
    """All text of a file."""
    return "".join(section.text for section in read(path)[0])
