"""Bytes of unknown encoding to text, in constant memory: byte order mark, UTF-16 and UTF-32 by their zero bytes, UTF-8,
then a detector. What was guessed is told to the owner.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from handlers.readers.report import NoReport, Report
from handlers.readers.section import UnreadableError, clean
from handlers.readers.text.encoding.byte_samples import head_of, sample_beyond_ascii, utf8_counts
from handlers.readers.text.encoding.code_pages import detected
from handlers.readers.text.encoding.wide_encodings import control_share, wide_codec

LINE_CHARACTERS = 100_000
MAX_CONTROL_SHARE = 0.02
# A short text with a damaged letter is a text.
MAX_FEW_CONTROLS = 3
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# More control characters than this are no slip in a text of single bytes.
WIDE_CONTROL_SHARE = 0.2
SLIP_SHARE = 0.01
# ISO 2022 writes Japanese and Korean in bytes that are ASCII.
SHIFT_TO_KANJI = b"\x1b$"
_CONTROLS = frozenset(map(chr, (*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F, 0xFFFD)))


def encoding_of(path: Path, report: Report | None = None) -> str:
    """The name of the codec that reads this file; a guess is warned of. Raises `UnreadableError`: it is not text."""
    head = head_of(path)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), None)
    encoding = marked or _unmarked(path, head, report or NoReport())
    if not _is_text(head, encoding):
        raise _not_text()
    return encoding


def read_lines(path: Path, encoding: str) -> Iterator[str]:
    """Clean lines with their newlines, a line past 100,000 characters in pieces; unreadable bytes become U+FFFD.

    A line that ends with a soft hyphen has no newline: its word goes on in the next one.
    """
    return map(clean, read_raw_lines(path, encoding))


def read_raw_lines(path: Path, encoding: str) -> Iterator[str]:
    """The same with every character that is in the file, form feeds too."""
    with path.open(encoding=encoding, errors="replace", newline=None) as lines:
        while line := lines.readline(LINE_CHARACTERS):
            yield line


def _unmarked(path: Path, head: bytes, report: Report) -> str:
    controls = control_share(head)
    if controls >= WIDE_CONTROL_SHARE and (wide := wide_codec(head)):
        return _guessed(wide, report)
    valid, invalid, places = utf8_counts(path)
    if not invalid and (valid or SHIFT_TO_KANJI not in head):
        return "utf-8"
    # Text in another encoding forms such sequences by chance only, and then far fewer than others.
    if valid >= invalid > 0:
        report.warn(f"{_places(places)} in the file could not be read as UTF-8 and became \N{REPLACEMENT CHARACTER}.")
        return "utf-8"
    if controls >= SLIP_SHARE and (wide := wide_codec(head)):
        return _guessed(wide, report)
    sample = sample_beyond_ascii(path) or head
    found = detected(sample)
    if not found or not _is_text(sample, found):
        raise _not_text()
    return _guessed(found, report)


def _guessed(encoding: str, report: Report) -> str:
    name = encoding.replace("cp125", "Windows-125")
    report.warn(f"The encoding was guessed: the file was read as {name}. If letters are wrong, save it as UTF-8.")
    return encoding


def _is_text(sample: bytes, encoding: str) -> bool:
    shown = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    return sum(map(_CONTROLS.__contains__, shown)) <= max(MAX_FEW_CONTROLS, len(shown) * MAX_CONTROL_SHARE)


def _places(count: int) -> str:
    return "One place" if count == 1 else f"{count:,} places"


def _not_text() -> UnreadableError:
    return UnreadableError(
        "The file is not readable text: save it as UTF-8 text, Markdown or PDF and upload that.", code="broken"
    )
