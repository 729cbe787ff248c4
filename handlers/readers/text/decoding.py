"""Bytes of unknown encoding to text, in constant memory: byte order mark, then strict UTF-8, then a detector."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from handlers.readers.section import UnreadableError, clean

BLOCK_BYTES = 1024 * 1024
SAMPLE_BYTES = 64 * 1024
LINE_CHARACTERS = 100_000
MAX_CONTROL_SHARE = 0.02
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(map(chr, (*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F, 0xFFFD)))


def encoding_of(path: Path) -> str:
    """The name of the codec that reads this file. Raises `UnreadableError` when it is not text."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    encoding = marked or ("utf-8" if _is_utf8(path) else _detected(sample))
    shown = sample.decode(encoding, errors="replace")
    if sum(map(_CONTROLS.__contains__, shown)) > len(shown) * MAX_CONTROL_SHARE:
        raise _not_text()
    return encoding


def read_lines(path: Path, encoding: str) -> Iterator[str]:
    """Clean lines with their newlines, a line past 100,000 characters in pieces; unreadable bytes become U+FFFD."""
    with path.open(encoding=encoding, errors="replace", newline=None) as lines:
        while line := lines.readline(LINE_CHARACTERS):
            yield clean(line)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _detected(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        raise _not_text()
    return str(best.encoding)


def _not_text() -> UnreadableError:
    return UnreadableError(
        "The file is not readable text: save it as UTF-8 text, Markdown or PDF and upload that.", code="broken"
    )
