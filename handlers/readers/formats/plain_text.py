"""Plain text in windows that end between paragraphs where they can; a form feed begins a page."""

from collections.abc import Iterator
from pathlib import Path

from handlers.readers.report import Report
from handlers.readers.section import Section, clean
from handlers.readers.text.encoding.decoding import encoding_of, read_raw_lines
from handlers.readers.text.wrapped_lines import unwrapped

WINDOW_CHARACTERS = 200_000
FORM_FEED = "\f"


def read_plain_text(path: Path, report: Report) -> Iterator[Section]:
    """Sections of at most about 200,000 characters, none over two pages; reports bytes, roughly."""
    total = path.stat().st_size
    window: list[str] = []
    held = done = 0
    page: int | None = None
    for number, line in _numbered_lines(path, encoding_of(path, report)):
        is_gap = not line.strip()
        is_long = held + len(line) > WINDOW_CHARACTERS or (is_gap and held > WINDOW_CHARACTERS // 2)
        if window and (is_long or number != page):
            yield from _sections(window, page)
            done += held
            report.progress(min(done, total), total)
            window, held = [], 0
        page = number
        window.append(line)
        held += len(line)
    yield from _sections(window, page)
    report.progress(total, total)


def _sections(window: list[str], page: int | None) -> Iterator[Section]:
    text = unwrapped(clean("".join(window)))
    if text.strip():
        yield Section(text, page=page)


def _numbered_lines(path: Path, encoding: str) -> Iterator[tuple[int | None, str]]:
    """Each line with its page; without one if the file has no form feed."""
    has_pages = any(FORM_FEED in line for line in read_raw_lines(path, encoding))
    page, has_text = 1, False
    for line in read_raw_lines(path, encoding):
        for at, part in enumerate(line.split(FORM_FEED)):
            # A form feed before any text opens the first page.
            page += bool(at and has_text)
            has_text = has_text or bool(part.strip())
            if part:
                yield (page if has_pages else None), part
