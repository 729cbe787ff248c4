"""Samples of the bytes of a file that show its encoding, and how much of the file is valid UTF-8."""

import codecs
import re
from pathlib import Path

BLOCK_BYTES = 1024 * 1024
SAMPLE_BYTES = 64 * 1024
LINE_BYTES = 4 * 1024
# The decision is clear by then: a file of random bytes has as many as it has bytes.
ENOUGH_INVALID_BYTES = 10_000

_ESCAPED = re.compile("[\udc80-\udcff]+")
# After such a byte a character begins, in every encoding whose characters may have several bytes.
_BOUNDARY = re.compile(rb"[\x00-\x2f]")


def utf8_counts(path: Path) -> tuple[int, int, int]:
    """Characters beyond ASCII that are valid UTF-8, bytes that are not, and in how many places these are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    valid = invalid = places = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            text = decoder.decode(block, final=len(block) < BLOCK_BYTES)
            if text.isascii():
                continue
            escaped = _ESCAPED.findall(text)
            places += len(escaped)
            bad = sum(map(len, escaped))
            invalid += bad
            valid += len(text) - len(text.encode("ascii", "ignore")) - bad
            if invalid > ENOUGH_INVALID_BYTES and valid < invalid:
                break
    return valid, invalid, places


def head_of(path: Path) -> bytes:
    """The first 64 kB."""
    with path.open("rb") as file:
        return file.read(SAMPLE_BYTES)


def sample_beyond_ascii(path: Path) -> bytes:
    """Up to 64 kB of the lines that are not ASCII, wherever they are; each part begins and ends at a character, except
    at the end of a single line without ASCII.
    """
    parts: list[bytes] = []
    size, begins_line = 0, True
    with path.open("rb") as file:
        while size < SAMPLE_BYTES and (line := file.readline(LINE_BYTES)):
            part = b"" if line.isascii() else _between_characters(line, begins_line=begins_line)
            begins_line = line.endswith(b"\n")
            parts.append(part)
            size += len(part)
    return b"".join(parts)


def _between_characters(piece: bytes, *, begins_line: bool) -> bytes:
    if not begins_line:
        found = _BOUNDARY.search(piece)
        piece = piece[found.end() :] if found else b""
    if piece.endswith(b"\n") or len(piece) < LINE_BYTES // 2:
        return piece
    end = max((found.end() for found in _BOUNDARY.finditer(piece)), default=0)
    return piece[:end] or (piece if begins_line else b"")
