"""PowerPoint: what the slides show, and their notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from handlers.readers.archive import open_archive
from handlers.readers.office.drawing import (
    LEFT_OUT,
    TITLES,
    Place,
    place_of,
    placeholder,
    placeholder_keys,
    shape_text,
    shapes,
)
from handlers.readers.office.drawn_text import paragraphs
from handlers.readers.office.package import (
    LOCAL_ERRORS,
    OFF,
    attribute,
    broken,
    child,
    linked_part,
    main_part,
    parse_part,
    relations,
)
from handlers.readers.report import Report
from handlers.readers.section import Section, clean

PRESENTATION = "ppt/presentation.xml"


def read_pptx(path: Path, report: Report) -> Iterator[Section]:
    """A section for each slide: its number as `page`, its title as heading, its notes last; reports slides.

    Hidden slides are left out and reported. Raises `UnreadableError`.
    """
    with open_archive(path) as archive:
        try:
            slides = list(_slides(archive))
            deck = _Deck(archive)
            hidden: list[int] = []
            for number, slide in enumerate(slides, 1):
                root = parse_part(archive, slide)
                if root is not None and (attribute(root, "show") or "1") in OFF:
                    hidden.append(number)
                elif root is not None and (section := deck.section(slide, root, number)):
                    yield section
                report.progress(number, len(slides))
        except LOCAL_ERRORS as error:
            raise broken(error) from error
    if hidden:
        report.warn(f"Hidden slides were left out: {', '.join(map(str, hidden))}.")


def _slides(archive: ZipFile) -> Iterator[str]:
    """The paths of the slides in their order."""
    main = main_part(archive, PRESENTATION)
    root, targets = parse_part(archive, main), relations(archive, main)
    for entry in root.iterfind("{*}sldIdLst/{*}sldId") if root is not None else ():
        relation = next((value for name, value in entry.attrib.items() if name.endswith("}id")), "")
        if relation in targets:
            yield targets[relation][1]


class _Deck:
    """Reads slides; remembers the places in the layouts that they share."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._layouts: dict[str, dict[str, Place]] = {}

    def section(self, slide: str, root: Any, number: int) -> Section | None:
        """None for a slide without text."""
        links = relations(self._archive, slide)

        title, blocks = "", list[str]()
        for shape in _shapes(root, self._places(links)):
            kind = placeholder(shape)
            if kind in LEFT_OUT:
                continue
            if kind in TITLES and not title:
                title = " ".join(" ".join(paragraphs(child(shape, "txBody"))).split())
            elif found := shape_text(shape, lambda link: linked_part(self._archive, links, link)):
                blocks.append("\n".join(found))
        blocks += self._notes(links)
        text = clean("\n\n".join(blocks) or title).strip()
        return Section(text + "\n", page=number, heading=clean(title) or None) if text else None

    def _notes(self, links: dict[str, tuple[str, str]]) -> Iterator[str]:
        for kind, path in links.values():
            root = parse_part(self._archive, path) if kind == "notesSlide" else None
            for shape in _shapes(root, {}):
                # People add boxes of their own to the page of notes.
                if placeholder(shape) in ("body", None) and (found := paragraphs(child(shape, "txBody"))):
                    yield "\n".join(found)

    def _places(self, links: dict[str, tuple[str, str]]) -> dict[str, Place]:
        """Where the placeholders of the slide's layout, and of its master, stand."""
        layout = next((path for kind, path in links.values() if kind == "slideLayout"), "")
        if layout not in self._layouts:
            masters = (path for kind, path in relations(self._archive, layout).values() if kind == "slideMaster")
            places: dict[str, Place] = {}
            for path in (next(masters, ""), layout):
                for shape in _shapes(parse_part(self._archive, path), places):
                    if (place := place_of(shape)) is not None:
                        places |= dict.fromkeys(placeholder_keys(shape), place)
            self._layouts[layout] = places
        return self._layouts[layout]


def _shapes(root: Any, places: dict[str, Place]) -> Iterator[Any]:
    tree = child(root, "cSld", "spTree")
    return shapes(tree, places) if tree is not None else iter(())
