"""Charts and diagrams as lines: `Guests: May 40; June 52`."""

from collections.abc import Callable, Iterator
from typing import Any

from handlers.readers.office.drawn_text import paragraphs
from handlers.readers.office.package import attribute, child, local
from handlers.readers.text.whole_number import number

MAX_SERIES, MAX_POINTS = 50, 2_000
DIAGRAM_POINTS = (None, "node", "asst", "doc")
AXES = ("catAx", "dateAx", "valAx", "serAx")


def graphic_text(graphic: Any, part: Callable[[str], Any]) -> Iterator[str]:
    """The lines of a chart or a SmartArt diagram. `graphic`: its `graphicData`; `part`: relation id → the root of its
    part, or None.
    """
    for name, relation, read in (("chart", "id", chart_text), ("relIds", "dm", diagram_text)):
        found = graphic.find(f"{{*}}{name}")
        root = part(attribute(found, relation) or "") if found is not None else None
        if root is not None:
            yield from read(root)


def chart_text(root: Any) -> Iterator[str]:
    """The titles of the chart and its axes, then each series by its categories."""
    for title in root.iterfind(".//{*}title"):
        if local(title.getparent()) in ("chart", *AXES) and (text := " ".join(paragraphs(title))):
            yield text
    for series in root.findall(".//{*}ser")[:MAX_SERIES]:
        names = _points(child(series, "cat")) or _points(child(series, "xVal"))
        values = _points(child(series, "val")) or _points(child(series, "yVal"))
        yield from _pairs(" ".join(_points(child(series, "tx")).values()), names, values)
    for data in root.findall("{*}chartData/{*}data")[:MAX_SERIES]:
        yield from _pairs("", _points(child(data, "strDim")), _points(child(data, "numDim")))


def diagram_text(root: Any) -> Iterator[str]:
    """The texts of a SmartArt's points, in their order."""
    for point in root.iter("{*}pt"):
        is_prompt = attribute(child(point, "prSet"), "phldr") == "1" if child(point, "prSet") is not None else False
        if attribute(point, "type") in DIAGRAM_POINTS and not is_prompt:
            yield from paragraphs(child(point, "t"))


def _pairs(series: str, names: dict[int, str], values: dict[int, str]) -> Iterator[str]:
    pairs = "; ".join(f"{names.get(at, '')} {value}".strip() for at, value in values.items())
    if pairs:
        yield f"{series}: {pairs}" if series else pairs


def _points(reference: Any) -> dict[int, str]:
    """Number of the point → its text. Of categories in several levels the outer one stands before each inner one."""
    if reference is None:
        return {}
    levels = [_level(one) for one in reference.iter("{*}lvl")] or [_level(reference)]
    found = levels[0]
    for outer in levels[1:]:
        name = ""
        for at in sorted(found):
            name = outer.get(at, name)
            found[at] = f"{name} {found[at]}".strip()
    if not found and (direct := reference.findtext("{*}v")):
        found[0] = direct.strip()
    return found


def _level(parent: Any) -> dict[int, str]:
    code = parent.findtext(".//{*}formatCode") or "General"
    is_number = parent.find(".//{*}numCache") is not None
    found: dict[int, str] = {}
    for point in parent.iter("{*}pt"):
        at, text = number(attribute(point, "idx")), (point.findtext("{*}v") or point.text or "").strip()
        if at is not None and text and len(found) < MAX_POINTS:
            found[at] = _shown(text, attribute(point, "formatCode") or code) if is_number else text
    return found


def _shown(number_text: str, code: str) -> str:
    # Few documents have charts, and these formats bring a library.
    from handlers.readers.spreadsheet.number_formats import shown

    return shown(number_text, code, is_1904=False)
