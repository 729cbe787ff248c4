"""The code page of bytes that are no Unicode, by chardet; what makes no words of the bytes is corrected."""

import re

import chardet
from chardet.enums import EncodingEra

MOST_COMMON = "cp1252"
# The page that programs write under the name of the smaller one.
LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "shift_jis_2004": "cp932", "euc_kr": "cp949", "tis-620": "cp874",
}  # fmt: skip
# Small confidences of chardet are near chance.
MOST_COMMON_BONUS = 0.08
ODDITY_WEIGHT = 2
MAX_CANDIDATES = 8
MAX_CHARACTER_BYTES = 4
ERAS = EncodingEra.ALL & ~EncodingEra.MAINFRAME

_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
# Greek, Cyrillic, Armenian, Hebrew, Arabic; Chinese and Japanese do stand beside Latin letters.
_OTHER_LETTER = "(?:(?=[\u0370-\u06ff\uff61-\uff9f])[^\\W\\d_])"
_SMALL = "[a-z\u00df-\u00ff]"
_NO_WORD = re.compile(
    # Two scripts in a word; a sign inside one; a capital after a small letter; a Latin word without a plain letter.
    f"[A-Za-z]{_OTHER_LETTER}|{_OTHER_LETTER}[A-Za-z]"
    f"|(?<={_SMALL})[^{_LATIN}\\w\\s\x00-\x7f\u2019\u2013\u2014\u00ad\u00b7](?={_SMALL})"
    "|(?<=[a-z])[\u00b2\u00b3\u00b9](?=[a-z])|(?<=[a-z])[\u00c0-\u00d6\u00d8-\u00de](?=[a-z])"
    "|[\u00c0-\u00ff]{4,}|(?<=[a-z])[\u3040-\u9fff\uac00-\ud7a3](?=[a-z])"
    # A letter of another script alone, unless Russian has it as a word; a sign that nobody types, a drawn line, or
    # what is not in the page.
    f"|(?<![^\\s\x00-\x7f])(?![авикосуя]){_OTHER_LETTER}(?![^\\s\x00-\x7f])|[\u00a4\u2500-\u259f\x80-\x9f\ufffd]"
)
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


def detected(sample: bytes) -> str | None:
    """The codec of the sample, or None: it is not text. The sample may end inside a character."""
    # Only programs for the classic Mac ended lines so; without that its code pages are a wrong guess.
    is_mac = b"\r" in sample and b"\n" not in sample
    likely = _likely(sample, ERAS if is_mac else ERAS & ~EncodingEra.LEGACY_MAC)
    if not likely:
        return None
    likely[MOST_COMMON] = likely.get(MOST_COMMON, 0.0) + MOST_COMMON_BONUS
    return max(likely, key=lambda encoding: likely[encoding] - ODDITY_WEIGHT * _oddity(sample, encoding))


def _likely(sample: bytes, eras: EncodingEra) -> dict[str, float]:
    """Codecs with their confidence."""
    likely: dict[str, float] = {}
    for left_out in range(min(MAX_CHARACTER_BYTES, len(sample))):
        whole = sample[: len(sample) - left_out]
        found = chardet.detect_all(
            whole, ignore_threshold=True, encoding_era=eras, compat_names=False, max_bytes=len(sample)
        )
        for one in found[:MAX_CANDIDATES]:
            if name := one["encoding"]:
                name = LARGER.get(name.lower(), name)
                likely[name] = max(likely.get(name, 0.0), one["confidence"])
        if sample[-1] < 0x80:
            break
    return likely


def _oddity(sample: bytes, encoding: str) -> float:
    """How many of the characters beyond ASCII make no word, 0 to 1."""
    text = sample.decode(encoding, errors="replace")
    return sum(1 for _ in _NO_WORD.finditer(text)) / max(1, sum(1 for _ in _BEYOND_ASCII.finditer(text)))
