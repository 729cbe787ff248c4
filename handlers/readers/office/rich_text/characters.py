"""The bytes of RTF as characters: the code page is of the font."""

import codecs

DEFAULT = "cp1252"
BY_CHARSET = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
SYMBOLS = {
    "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•",
    "tab": " ", "emspace": " ", "enspace": " ", "qmspace": " ", "~": " ", "_": "-", "-": "", "{": "{", "}": "}",
    "\\": "\\", "line": "\n", "page": " ", "column": " ", "softline": " ", "nestcell": " ", "nestrow": " / ",
    "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip


def code_page(number: int) -> str | None:
    """The codec of a code page, None if Python has none."""
    name = {10_000: "mac_roman", 65_001: "utf-8", 936: "gb18030"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def joined(pieces: list[str]) -> str:
    """One text; characters that are written as two surrogates become whole."""
    text = "".join(pieces)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
