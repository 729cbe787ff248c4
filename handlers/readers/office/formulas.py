"""Formulas (Office MathML) on one line: `(a+b)/c`, `m²`, `√(16)`."""

import re
from collections.abc import Callable
from typing import Any

from handlers.readers.office.package import child, local, value
from handlers.readers.text.raised import LOWERED, RAISED

Read = Callable[[Any], str]

ATOM = re.compile(r"\w+(?:[.,]\w+)*|\([^()]*\)")
RAISABLE, LOWERABLE = (frozenset(map(chr, letters)) for letters in (RAISED, LOWERED))


def formula(element: Any, read: Read) -> str | None:
    """The text of a structure of a formula, its parts by `read`; None for whatever is no such structure."""
    shape = SHAPES.get(local(element))
    if shape is None or "/math" not in element.tag:
        return None
    return shape(element, lambda name: _part(element, name, read), read)


def _part(element: Any, name: str, read: Read) -> str:
    found = child(element, name)
    return read(found).strip() if found is not None else ""


def _fraction(_: Any, part: Callable[[str], str], __: Read) -> str:
    return f"{_grouped(part('num'))}/{_grouped(part('den'))}"


def _scripts(_: Any, part: Callable[[str], str], __: Read) -> str:
    return f"{part('e')}{_lowered(part('sub'))}{_raised(part('sup'))}"


def _root(_: Any, part: Callable[[str], str], __: Read) -> str:
    return f"{_raised(part('deg')) if part('deg') else ''}√({part('e')})"


def _sum(element: Any, part: Callable[[str], str], _: Read) -> str:
    sign = value(element, "naryPr", "chr") or "∫"
    return f"{sign}{_lowered(part('sub'))}{_raised(part('sup'))} {part('e')}"


def _brackets(element: Any, _: Callable[[str], str], read: Read) -> str:
    properties = child(element, "dPr")
    begin, end, between = (value(properties, name) for name in ("begChr", "endChr", "sepChr"))
    inside = ("|" if between is None else between).join(read(one).strip() for one in element.iterfind("{*}e"))
    return f"{'(' if begin is None else begin}{inside}{')' if end is None else end}"


def _matrix(element: Any, _: Callable[[str], str], read: Read) -> str:
    rows = (" ".join(read(one).strip() for one in row.iterfind("{*}e")) for row in element.iterfind("{*}mr"))
    return "; ".join(rows)


def _lines(element: Any, _: Callable[[str], str], read: Read) -> str:
    return "; ".join(read(one).strip() for one in element.iterfind("{*}e"))


def _grouped(text: str) -> str:
    return text if ATOM.fullmatch(text) or not text else f"({text})"


def _raised(text: str) -> str:
    return text.translate(RAISED) if RAISABLE.issuperset(text) else f"^{_grouped(text)}"


def _lowered(text: str) -> str:
    return text.translate(LOWERED) if LOWERABLE.issuperset(text) else f"_{_grouped(text)}"


SHAPES = {
    "f": _fraction, "sSup": _scripts, "sSub": _scripts, "sSubSup": _scripts, "rad": _root, "nary": _sum,
    "d": _brackets, "m": _matrix, "eqArr": _lines,
}  # fmt: skip
