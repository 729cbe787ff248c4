"""What all sheets of a workbook share: names and visibility, number formats, texts, the date system."""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join, normpath
from typing import Any
from zipfile import ZipFile

from lxml import etree

from handlers.readers.section import UnreadableError
from handlers.readers.spreadsheet.number_formats import format_code
from handlers.readers.text.whole_number import number

WORKBOOK = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class Sheet:
    """`path`: its file in the archive."""

    name: str
    path: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """`formats`: the format code of each cell style."""

    sheets: list[Sheet]
    texts: list[str]
    formats: list[str]
    is_1904: bool


def read_workbook(archive: ZipFile) -> Workbook:
    """Raises `UnreadableError` for a damaged one."""
    try:
        root = parsed(archive, WORKBOOK)
        relations = {
            one.get("Id"): normpath(join("xl", one.get("Target", ""))) if not one.get("Target", "").startswith("/")
            else one.get("Target", "")[1:]
            for one in parsed(archive, "xl/_rels/workbook.xml.rels")
        }  # fmt: skip
        sheets = [
            Sheet(one.get("name", ""), relations.get(_relation_id(one), ""), one.get("state", "visible") != "visible")
            for one in elements(root, "sheet")
        ]
        properties = next(elements(root, "workbookPr"), None)
        is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        present = [one for one in sheets if one.path in archive.namelist()]
        return Workbook(present, list(_texts(archive)), list(_formats(archive)), is_1904)
    except (KeyError, etree.XMLSyntaxError) as error:
        raise UnreadableError(
            "The workbook is damaged: save it again in Excel and upload that.", code="broken"
        ) from error


def parsed(archive: ZipFile, path: str) -> Any:
    """The root of a part. No entity is resolved and nothing is fetched."""
    with archive.open(path) as part:
        return etree.fromstring(part.read(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def elements(root: Any, name: str) -> Iterator[Any]:
    """The descendants with this name in whatever namespace: strict and transitional files differ in it."""
    yield from root.iter(f"{{*}}{name}")


def streamed(archive: ZipFile, path: str, *names: str) -> Iterator[Any]:
    """The elements with these names, each emptied after use."""
    with archive.open(path) as part:
        tags = [f"{{*}}{name}" for name in names]
        for _, element in etree.iterparse(part, tag=tags, resolve_entities=False, no_network=True, huge_tree=True):
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def text_of(element: Any) -> str:
    """The text of a string item: its runs, without the phonetic guides."""
    runs = (one for one in element.iter("{*}t") if etree.QName(one.getparent()).localname != "rPh")
    return "".join(one.text or "" for one in runs)


def _relation_id(sheet: Any) -> str | None:
    return next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)


def _texts(archive: ZipFile) -> Iterator[str]:
    path = next((name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
    if path is not None:
        yield from map(text_of, streamed(archive, path, "si"))


def _formats(archive: ZipFile) -> Iterator[str]:
    if "xl/styles.xml" not in archive.namelist():
        return
    root = parsed(archive, "xl/styles.xml")
    codes = {number(one.get("numFmtId")) or 0: one.get("formatCode", "") for one in elements(root, "numFmt")}
    for styles in elements(root, "cellXfs"):
        for style in elements(styles, "xf"):
            yield format_code(number(style.get("numFmtId")) or 0, codes)
