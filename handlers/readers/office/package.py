"""Parts of an Office file by their path, and the relations between them."""

import zlib
from collections.abc import Iterator
from posixpath import dirname, join, normpath, split
from typing import Any
from zipfile import BadZipFile, ZipFile

from lxml import etree

from handlers.readers.section import UnreadableError

# Of zip and XML; the depth of recursion is the depth of the file's elements.
LOCAL_ERRORS = (
    KeyError, BadZipFile, EOFError, NotImplementedError, RecursionError, etree.XMLSyntaxError, zlib.error,
)  # fmt: skip
OFF = ("0", "false", "off")


def broken(error: Exception) -> UnreadableError:
    """The failure of a file whose parts cannot be read."""
    return UnreadableError(
        f"The file is damaged ({type(error).__name__}): save it again in its program and upload that.", code="broken"
    )


def parse_part(archive: ZipFile, path: str) -> Any:
    """The root of a part, None if there is no such part. No entity is resolved and nothing is fetched."""
    if path not in archive.namelist():
        return None
    with archive.open(path) as part:
        return etree.fromstring(part.read(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def relations(archive: ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """Relation id → its type and the path that it leads to; outside links lead nowhere in here."""
    folder, name = split(path)
    root = parse_part(archive, join(folder, "_rels", f"{name}.rels"))
    found: dict[str, tuple[str, str]] = {}
    for one in root if root is not None else ():
        target = one.get("Target", "")
        inside = target[1:] if target.startswith("/") else normpath(join(dirname(path), target))
        found[one.get("Id", "")] = one.get("Type", "").rpartition("/")[2], inside
    return found


def main_part(archive: ZipFile, usual: str) -> str:
    """The path of the part that the package begins with; `usual`: where most programs put it."""
    if usual in archive.namelist():
        return usual
    found = (path for kind, path in relations(archive, "").values() if kind == "officeDocument")
    return next((path for path in found if path in archive.namelist()), usual)


def related_part(archive: ZipFile, main: str, kind: str) -> Any:
    """The root of the part that `main` names as its styles, its footnotes, …; None if there is none."""
    paths = [path for found, path in relations(archive, main).values() if found == kind]
    return parse_part(archive, next(iter(paths), join(dirname(main), f"{kind}.xml")))


def linked_part(archive: ZipFile, links: dict[str, tuple[str, str]], link: str) -> Any:
    """The root of the part that a relation of `relations` leads to, None if it leads nowhere."""
    return parse_part(archive, links[link][1]) if link in links else None


def local(element: Any) -> str:
    """The name without its namespace: strict and transitional files differ in that; "" for comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str) -> str | None:
    """An attribute in whatever namespace."""
    for key, value in element.attrib.items():
        if key == name or key.endswith(f"}}{name}"):
            return str(value)
    return None


def child(element: Any, *names: str) -> Any:
    """The descendant at this path of children, None if there is none."""
    for name in names:
        if element is None:
            return None
        element = element.find(f"{{*}}{name}")
    return element


def value(element: Any, *names: str) -> str | None:
    """The attribute `val` of the child at this path."""
    found = child(element, *names)
    return None if found is None else attribute(found, "val")


def is_on(element: Any, *names: str) -> bool:
    """Whether a switch is there and not turned off."""
    found = child(element, *names)
    return found is not None and (attribute(found, "val") or "1") not in OFF


def shown_children(element: Any) -> Iterator[Any]:
    """The children; of alternatives only the first choice, or the fallback where there is no choice."""
    for one in element:
        if local(one) == "AlternateContent":
            options = [option for option in one if local(option) in ("Choice", "Fallback")]
            if options:
                yield from shown_children(options[0])
        else:
            yield one
