"""Characters of symbol fonts, which Office keeps as codes of that font: a box that is ticked, a sign of at least."""

import re

# Adobe's encoding of Symbol and Microsoft's of Wingdings, as far as their signs carry a meaning in a text.
SYMBOL = dict(
    zip(
        range(0x41, 0x5B),
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ",
        strict=True,
    )
)
SYMBOL |= dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True))
SYMBOL |= {code: chr(code) for code in (*range(0x20, 0x40), 0x5B, 0x5D, 0x5F, *range(0x7B, 0x7E))}
SYMBOL |= {
    0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0x5C: "∴", 0x5E: "⊥", 0x7E: "∼", 0xA0: "€",
    0xA2: "′", 0xA3: "≤", 0xA4: "⁄", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°",
    0xB1: "±", 0xB2: "″", 0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈",
    0xBC: "…", 0xBE: "—", 0xC4: "⊗", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xC9: "⊃", 0xCA: "⊇", 0xCB: "⊄",
    0xCC: "⊂", 0xCD: "⊆", 0xCE: "∈", 0xCF: "∉", 0xD0: "∠", 0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏",
    0xD6: "√", 0xD7: "⋅", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xDB: "⇔", 0xDC: "⇐", 0xDE: "⇒", 0xE2: "®", 0xE3: "©",
    0xE4: "™", 0xE5: "∑", 0xF2: "∫",
}  # fmt: skip
WINGDINGS = {
    0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6F: "☐", 0x71: "☐", 0xA8: "☐", 0xDF: "←", 0xE0: "→", 0xE8: "→",
    0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐"}
FONTS = {"symbol": SYMBOL, "wingdings": WINGDINGS, "wingdings 2": WINGDINGS_2}
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
FONT_BASE = 0xF000


def in_font(text: str, font: str | None) -> str:
    """The text with the private codes of a symbol font as characters. Those of other fonts mean nothing."""
    if PRIVATE_USE.search(text) is None:
        return text
    known = FONTS.get((font or "").lower(), {})
    return PRIVATE_USE.sub(lambda found: known.get(ord(found[0]) - FONT_BASE, ""), text)


def symbol(code: int, font: str | None) -> str:
    """The character that an inserted symbol shows; a symbol font's code may stand without its base."""
    known = FONTS.get((font or "").lower())
    if known is not None and code < 0x100:
        return known.get(code, "")
    return in_font(chr(code), font) if 0x20 <= code <= 0x10FFFF else ""
