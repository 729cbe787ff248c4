"""An XML document as JSON text: elements that repeat are a list, attributes are members, mixed content is its text."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, BinaryIO

from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page

MAX_DEPTH = 200
# Feeds hold pages as text.
MARKUP = re.compile(r"</\w+>|<(?:br|p|img)\b")


@dataclass(slots=True)
class _Element:
    """What is known of an element that is open. `pieces`: its text and that of all inside, in order."""

    members: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    has_own_text: bool = False

    @property
    def text(self) -> str:
        """Elements beside text are parts of its words and sentences, others stand alone."""
        return ("" if self.has_own_text else " ").join(self.pieces)


def json_of_xml(file: BinaryIO, progress: Callable[[], None]) -> str:
    """The root as an object with one member. No entity is resolved, nothing is fetched.

    Raises `etree.XMLSyntaxError`, and `RecursionError` for elements nested too deeply.
    """
    open_elements = [_Element()]
    events = etree.iterparse(
        file, events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    for event, element in events:
        if event == "start":
            if len(open_elements) > MAX_DEPTH:
                raise RecursionError
            open_elements.append(_Element())
            continue
        own, parent = open_elements.pop(), open_elements[-1]
        _take_tail(element.getprevious(), parent)
        _take_tail(next(iter(element), None), own)
        own.pieces.insert(0, element.text or "")
        own.has_own_text |= bool((element.text or "").strip())
        parent.pieces.append(own.text)
        parent.members.append((_local(element.tag), _value(element, own)))
        element.clear(keep_tail=True)
        progress()
    return _object(open_elements[0].members)


def _take_tail(element: Any, parent: _Element) -> None:
    """The text behind an element whose value is known. The element itself is needed no more."""
    if element is None:
        return
    parent.pieces.append(element.tail or "")
    parent.has_own_text |= bool((element.tail or "").strip())
    element.getparent().remove(element)


def _value(element: Any, own: _Element) -> str:
    attributes = [
        (_local(name), json.dumps(value, ensure_ascii=False))
        for name, value in element.attrib.items()
        if not name.startswith("{http://www.w3.org/XML/1998/")
    ]
    if own.members and not own.has_own_text:
        return _object([*attributes, *own.members])
    text = json.dumps(_plain(own.text), ensure_ascii=False)
    if not attributes:
        return text
    return _object([*attributes, (_local(element.tag), text)])


def _plain(text: str) -> str:
    if MARKUP.search(text):
        outline = Outline()
        sections = [*read_page(LexborHTMLParser(text), outline), outline.close()]
        text = " ".join(section.text for section in sections if section)
    return " ".join(text.split())


def _object(members: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    for name, run in groupby(members, key=lambda member: member[0]):
        values = [value for _, value in run]
        value = values[0] if len(values) == 1 else f"[{','.join(values)}]"
        shown.append(f"{json.dumps(name, ensure_ascii=False)}:{value}")
    return f"{{{','.join(shown)}}}"


def _local(name: str) -> str:
    return name.rpartition("}")[2]
