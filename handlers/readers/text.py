"""Plain text in windows that end between paragraphs where they can."""

from collections.abc import Callable, Iterator
from pathlib import Path

from handlers.readers.decoding import encoding_of, read_lines
from handlers.readers.section import Section

WINDOW_CHARACTERS = 200_000


def read_text(path: Path, progress: Callable[[int, int], None]) -> Iterator[Section]:
    """Sections of at most about 200,000 characters; `progress(bytes read, bytes in all)`, roughly."""
    total = path.stat().st_size
    window: list[str] = []
    held = done = 0
    for line in read_lines(path, encoding_of(path)):
        is_gap = not line.strip()
        if window and (held + len(line) > WINDOW_CHARACTERS or (is_gap and held > WINDOW_CHARACTERS // 2)):
            yield Section("".join(window))
            done += held
            progress(min(done, total), total)
            window, held = [], 0
        window.append(line)
        held += len(line)
    if window:
        yield Section("".join(window))
    progress(total, total)
