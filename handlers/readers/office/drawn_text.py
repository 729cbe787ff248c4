"""Paragraphs of shapes and of cells on slides (DrawingML), with their automatic numbers."""

import re
from typing import Any

from handlers.readers.office.formulas import formula
from handlers.readers.office.numerals import numeral
from handlers.readers.office.package import attribute, child, local, shown_children
from handlers.readers.office.symbols import in_font
from handlers.readers.text.raised import LOWERED, RAISED
from handlers.readers.text.whole_number import number

SCHEME = re.compile(
    r"(arabic|alphaLc|alphaUc|romanLc|romanUc|circleNum|ea1Ch[st]|ea1Jpn)\w*?(Period|ParenR|ParenBoth|Plain)"
)
KINDS = {
    "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman",
    "circleNum": "decimalEnclosedCircle", "ea1Chs": "chineseCounting", "ea1Cht": "chineseCounting",
    "ea1Jpn": "japaneseCounting",
}  # fmt: skip
FORMS = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})"}
PROPERTIES = ("pPr", "rPr", "endParaRPr", "ctrlPr")


def paragraphs(body: Any) -> list[str]:
    """The paragraphs of a text body, line breaks kept."""
    found: list[str] = []
    counts: dict[int, int] = {}
    for paragraph in body.iter("{*}p") if body is not None else ():
        lines = [" ".join(line.split()) for line in _text(paragraph).split("\n")]
        text = "\n".join(line for line in lines if line)
        if text:
            label = _label(paragraph, body, counts)
            found.append(f"{label} {text}" if label else text)
    return found


def _label(paragraph: Any, body: Any, counts: dict[int, int]) -> str:
    """The next automatic number; a paragraph without one, or of an outer level, ends the count of its level."""
    properties = child(paragraph, "pPr")
    level = number(attribute(properties, "lvl")) or 0 if properties is not None else 0
    counter = _counter(properties, child(body, "lstStyle", f"lvl{level + 1}pPr"))
    for deeper in [one for one in counts if one > level or (one == level and counter is None)]:
        del counts[deeper]
    if counter is None:
        return ""
    start = number(attribute(counter, "startAt"))
    counts[level] = counts[level] + 1 if level in counts else 1 if start is None else start
    scheme = SCHEME.fullmatch(attribute(counter, "type") or "")
    if scheme is None:
        return f"{counts[level]}."
    return FORMS.get(scheme[2], "{}").format(numeral(counts[level], KINDS.get(scheme[1], "decimal")))


def _counter(own: Any, inherited: Any) -> Any:
    for properties in (own, inherited):
        for name in ("buNone", "buChar", "buBlip", "buAutoNum"):
            found = child(properties, name)
            if found is not None:
                return found if name == "buAutoNum" else None
    return None


def _text(element: Any) -> str:
    pieces = []
    for one in shown_children(element):
        name = local(one)
        if name == "t":
            pieces.append(_letters(one))
        elif name in ("br", "tab"):
            pieces.append("\n" if name == "br" else " ")
        elif name not in PROPERTIES and not _is_slide_number(one):
            text = formula(one, _text)
            pieces.append(_text(one) if text is None else text)
    return "".join(pieces)


def _letters(text: Any) -> str:
    letters = text.text or ""
    properties = child(text.getparent(), "rPr")
    if properties is None:
        return letters
    if not letters.isascii():
        fonts = (child(properties, name) for name in ("sym", "latin"))
        font = next((attribute(one, "typeface") for one in fonts if one is not None), None)
        letters = in_font(letters, font)
    baseline = attribute(properties, "baseline") or "0"
    if baseline.strip("-0%") == "":
        return letters
    return letters.translate(LOWERED if baseline.startswith("-") else RAISED)


def _is_slide_number(field: Any) -> bool:
    return local(field) == "fld" and attribute(field, "type") == "slidenum"
