"""PowerPoint: what the slides show, and their notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from handlers.readers.archive import open_archive
from handlers.readers.office.drawing import LEFT_OUT, TITLES, paragraphs, placeholder, shape_text, shapes
from handlers.readers.office.package import LOCAL_ERRORS, OFF, attribute, broken, child, parse_part, relations
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
            hidden: list[int] = []
            for number, slide in enumerate(slides, 1):
                root = parse_part(archive, slide)
                if root is not None and (attribute(root, "show") or "1") in OFF:
                    hidden.append(number)
                elif root is not None and (section := _section(archive, slide, root, number)):
                    yield section
                report.progress(number, len(slides))
        except LOCAL_ERRORS as error:
            raise broken(error) from error
    if hidden:
        report.warn(f"Hidden slides were left out: {', '.join(map(str, hidden))}.")


def _slides(archive: ZipFile) -> Iterator[str]:
    """The paths of the slides in their order."""
    root, targets = parse_part(archive, PRESENTATION), relations(archive, PRESENTATION)
    for entry in root.iterfind("{*}sldIdLst/{*}sldId"):
        relation = next((value for name, value in entry.attrib.items() if name.endswith("}id")), "")
        if relation in targets:
            yield targets[relation][1]


def _section(archive: ZipFile, slide: str, root: Any, number: int) -> Section | None:
    links = relations(archive, slide)

    def part(relation: str) -> Any:
        return parse_part(archive, links[relation][1]) if relation in links else None

    title, blocks = "", list[str]()
    for shape in shapes(child(root, "cSld", "spTree")):
        kind = placeholder(shape)
        if kind in LEFT_OUT:
            continue
        if kind in TITLES and not title:
            title = " ".join(" ".join(paragraphs(child(shape, "txBody"))).split())
        elif found := shape_text(shape, part):
            blocks.append("\n".join(found))
    blocks += _notes(archive, links)
    text = clean("\n\n".join(blocks) or title).strip()
    return Section(text + "\n", page=number, heading=clean(title) or None) if text else None


def _notes(archive: ZipFile, links: dict[str, tuple[str, str]]) -> Iterator[str]:
    for kind, path in links.values():
        root = parse_part(archive, path) if kind == "notesSlide" else None
        tree = child(root, "cSld", "spTree") if root is not None else None
        for shape in shapes(tree) if tree is not None else ():
            if placeholder(shape) == "body" and (found := paragraphs(child(shape, "txBody"))):
                yield "\n".join(found)
