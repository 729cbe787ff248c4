"""The text of OpenDocument paragraphs as it shows."""

from typing import Any

from handlers.readers.office.oasis.styles import HIDDEN, OpenStyles
from handlers.readers.office.package import attribute, local
from handlers.readers.text.raised import LOWERED, RAISED

LEFT_OUT = frozenset((
    "annotation", "annotation-end", "tracked-changes", "note-citation", "sequence-decls", "forms", "date-time-decl",
    "hidden-paragraph", "ruby-text", "desc", "scripts", "table-of-content-source", "image", "object",
    "event-listeners", "variable-decls", "user-field-decls", "page-thumbnail",
))  # fmt: skip
BOXES = ("frame", "custom-shape", "rect", "ellipse", "circle", "polygon", "g", "line", "connector", "caption")
FIXED = {"s": " ", "tab": " ", "line-break": "\n", "soft-page-break": " "}
FAMILIES = {"span": "text", "p": "paragraph", "h": "paragraph"}


class OpenText:
    """Reads paragraphs."""

    def __init__(self, styles: OpenStyles) -> None:
        self._styles = styles

    def read(self, element: Any, boxes: list[Any]) -> str:
        """The text of a paragraph. Frames and shapes that are anchored in it are added to `boxes`."""
        pieces = [element.text or ""]
        for one in element:
            pieces += [self._inline(one, local(one), boxes), one.tail or ""]
        return "".join(pieces)

    def _inline(self, element: Any, name: str, boxes: list[Any]) -> str:
        if name in FIXED:
            return FIXED[name]
        if name in BOXES:
            boxes.append(element)
            return ""
        if name == "note":
            return f" ({' '.join(self._note(element).split())})"
        if not name or name in LEFT_OUT or self.is_hidden(element):
            return ""
        text = self.read(element, boxes)
        script = self._styles.script(attribute(element, "style-name")) if name == "span" else ""
        if script.startswith(("super", "sub")):
            return text.translate(RAISED if script.startswith("super") else LOWERED)
        return text

    def is_hidden(self, element: Any) -> bool:
        """Whether a paragraph, a span or a section does not show."""
        if attribute(element, "display") in HIDDEN:
            return True
        if local(element) == "hidden-text":
            return attribute(element, "is-hidden") != "false"
        family = FAMILIES.get(local(element))
        return family is not None and self._styles.is_hidden(family, attribute(element, "style-name"))

    def _note(self, note: Any) -> str:
        return " ".join(self.read(one, []) for body in note.iterfind("{*}note-body") for one in body.iter("{*}p"))
