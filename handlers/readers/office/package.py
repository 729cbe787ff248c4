"""Parts of an Office file by their path, and the relations between them."""

from collections.abc import Iterator
from posixpath import dirname, join, normpath, split
from typing import Any
from zipfile import BadZipFile, ZipFile

from lxml import etree

from handlers.readers.section import UnreadableError

LOCAL_ERRORS = (KeyError, BadZipFile, etree.XMLSyntaxError)
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
        return etree.parse(part, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)).getroot()


def relations(archive: ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """Relation id → its type and the path that it leads to; outside links lead nowhere in here."""
    folder, name = split(path)
    root = parse_part(archive, f"{folder}/_rels/{name}.rels")
    found: dict[str, tuple[str, str]] = {}
    for one in root if root is not None else ():
        target = one.get("Target", "")
        inside = target[1:] if target.startswith("/") else normpath(join(dirname(path), target))
        found[one.get("Id", "")] = one.get("Type", "").rpartition("/")[2], inside
    return found


def local(element: Any) -> str:
    """The name without its namespace: strict and transitional files differ in that; "" for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


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
