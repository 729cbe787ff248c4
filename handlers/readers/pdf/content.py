"""What one page holds, before its reading order is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pypdfium2 import PdfiumError

from handlers.readers.pdf.drawn.characters import Characters
from handlers.readers.pdf.drawn.objects import objects_of
from handlers.readers.pdf.drawn.visibility import Visibility
from handlers.readers.pdf.drawn.word import Box, Word
from handlers.readers.pdf.fields import Annotations
from handlers.readers.pdf.layout.fragments import Fragment, fragments_of

MIN_DRAWN_PATHS = 3
NOWHERE = Box(0, 0, 0, 0)


@dataclass(slots=True)
class PageContent:
    """`fragments` run the way that most of the page does, in the frame of `box`; `aside` run another way.
    `titles`: running titles that are kept. `hidden`: words that nobody can see. `is_drawn`: there are pictures or
    drawings; `picture_share`: how much of the page pictures cover, 0 to 1. `is_broken`: it cannot be opened. `plain`:
    the text, where another engine has read it.
    """

    number: int
    box: Box = NOWHERE
    fragments: list[Fragment] = field(default_factory=list)
    aside: list[list[Fragment]] = field(default_factory=list)
    rules: list[Box] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    hidden: int = 0
    is_drawn: bool = False
    picture_share: float = 0.0
    is_broken: bool = False
    plain: str = ""

    @property
    def raw_text(self) -> str:
        """All letters, in the order of the file."""
        return " ".join(one.text for part in (self.fragments, *self.aside) for one in part)


def content_of(document: Any, number: int, hides_layer: Callable[[str], bool]) -> PageContent:
    """The page with this number, from 1. `hides_layer` tells whether a layer of this name is not shown."""
    try:
        page = document[number - 1]
        try:
            return _read(document, page, number, hides_layer)
        finally:
            page.close()
    except PdfiumError:
        return PageContent(number, is_broken=True)


def _read(document: Any, page: Any, number: int, hides_layer: Callable[[str], bool]) -> PageContent:
    objects = objects_of(page, hides_layer)
    visibility = Visibility(document, page, objects)
    textpage = page.get_textpage()
    try:
        words = visibility.seen(Characters(textpage).read())
    finally:
        textpage.close()
    quarters, first, *others = _by_direction(words)
    notes = Annotations(document.formenv.raw if document.formenv else None, page)
    return PageContent(
        number,
        Box(*page.get_bbox()).turned(quarters),
        notes.placed(fragments_of(first), quarters),
        aside=[fragments_of(other) for other in others],
        rules=[rule.turned(quarters) for rule in objects.rules],
        notes=notes.notes,
        values=notes.lines(),
        hidden=visibility.hidden,
        is_drawn=bool(objects.images) or objects.paths >= MIN_DRAWN_PATHS,
        picture_share=_share(objects.images, Box(*page.get_bbox())),
    )


def _share(pictures: list[Box], page: Box) -> float:
    return min(1.0, sum(picture.common(page).area for picture in pictures) / max(page.area, 1.0))


def _by_direction(words: list[Word]) -> tuple[Any, ...]:
    """The direction of most letters, their words, then the words of each other direction."""
    parts: dict[int | None, list[Word]] = {}
    for word in words:
        parts.setdefault(word.quarters, []).append(word)
    ordered = sorted(parts.items(), key=lambda part: -sum(len(word.text) for word in part[1]))
    if not ordered:
        return 0, []
    return (ordered[0][0] or 0, *(found for _, found in ordered))
