"""Characters as every store, search and model takes them."""

import re
import unicodedata

from handlers.invisible import visible

# NUL is refused by Postgres; a file that was read in ISO 8859 has further controls at U+0080.
_CONTROLS = dict.fromkeys((*range(9), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)), "")
_LINE_BREAKS = dict.fromkeys(map(ord, "\r\f\x0b\x85\u2028\u2029"), "\n")
# A question is typed with a plain space and a plain hyphen.
_SPACES = dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x2800), " ")
_HYPHENS = dict.fromkeys((0x2010, 0x2011), "-")
# One character for several letters, or one for each place of a letter in its word, hides words from a search.
_LIGATURES = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (0x132, 0x133, *range(0xFB00, 0xFB50), *range(0xFB50, 0xFBB2), *range(0xFE80, 0xFEFD))
}
_ASCII = {code: shown for code, shown in (_CONTROLS | _LINE_BREAKS).items() if code < 0x80}
_ALL = _LIGATURES | _CONTROLS | _LINE_BREAKS | _SPACES | _HYPHENS
_SURROGATES = re.compile("[\ud800-\udfff]")
# A soft hyphen at the end of a line is where a word was divided; shown, a word ends with a hyphen.
_DIVIDED = re.compile("\u00ad[ \t]*(?:\r\n|[\n\r\u2028])[ \t]*(?=\\w|$)")


def clean(text: str) -> str:
    """Line feeds only, plain spaces and hyphens, whole letters; no control, invisible character or lone surrogate."""
    if text.isascii():
        return text.replace("\r\n", "\n").translate(_ASCII)
    joined = _DIVIDED.sub("", text).replace("\r\n", "\n")
    shown = visible(_SURROGATES.sub("", joined).translate(_ALL))
    return shown if unicodedata.is_normalized("NFC", shown) else unicodedata.normalize("NFC", shown)
