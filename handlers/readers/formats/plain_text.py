"""Plain text in windows that end between paragraphs where they can."""

from collections.abc import Iterator
from pathlib import Path

from handlers.readers.report import Report
from handlers.readers.section import Section
from handlers.readers.text.decoding import encoding_of, read_lines

WINDOW_CHARACTERS = 200_000


def read_plain_text(path: Path, report: Report) -> Iterator[Section]:
    """Sections of at most about 200,000 characters; reports bytes, roughly."""
    total = path.stat().st_size
    window: list[str] = []
    held = done = 0
    for line in read_lines(path, encoding_of(path)):
        is_gap = not line.strip()
        if window and (held + len(line) > WINDOW_CHARACTERS or (is_gap and held > WINDOW_CHARACTERS // 2)):
            yield Section("".join(window))
            done += held
            report.progress(min(done, total), total)
            window, held = [], 0
        window.append(line)
        held += len(line)
    if window:
        yield Section("".join(window))
    report.progress(total, total)
