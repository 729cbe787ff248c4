"""UTF-16 and UTF-32 without a byte order mark, by what their bytes would mean."""

import codecs
import unicodedata

MIN_BYTES = 8
MIN_READABLE_SHARE = 0.95
# A text has no control characters but these; in UTF-16 they are halves of letters.
_CONTROL_BYTES = bytes({*range(0x20), 0x7F} - set(b"\t\n\f\r\x1b"))
_CODECS = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")


def control_share(sample: bytes) -> float:
    """The share of bytes that are control characters in ASCII."""
    return (len(sample) - len(sample.translate(None, _CONTROL_BYTES))) / max(len(sample), 1)


def wide_codec(sample: bytes) -> str | None:
    """The codec that makes a text of the sample, or None; of both byte orders the one with fewer different rows."""
    if len(sample) < MIN_BYTES:
        return None
    texts = {name: _decoded(sample, name) for name in _CODECS}
    likely = {name: text for name, text in texts.items() if text and _readable_share(text) >= MIN_READABLE_SHARE}
    return min(likely, key=lambda name: len({ord(letter) >> 8 for letter in likely[name]}), default=None)


def _decoded(sample: bytes, name: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(sample)
    except UnicodeDecodeError:
        return None


def _readable_share(text: str) -> float:
    readable = sum(letter in "\t\n\r\f" or unicodedata.category(letter)[0] != "C" for letter in text)
    return readable / len(text)
