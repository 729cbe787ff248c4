"""The styles of an OpenDocument file: what is hidden or raised, and how lists are numbered."""

from dataclasses import dataclass
from typing import Any

from handlers.readers.office.numerals import numeral
from handlers.readers.office.package import attribute, local
from handlers.readers.text.whole_number import number

MAX_PARENTS = 20
LEVELS = 10
KINDS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
HIDDEN = ("none", "false", "hidden", "collapse", "filter")
OUTLINE = "outline-style"
SWITCHES = {"table": "display", "text": "display", "paragraph": "display", "drawing-page": "visibility"}


@dataclass(frozen=True, slots=True)
class ListLevel:
    """How one level of a list is numbered; a bullet has no `kind`, an item without a mark an empty one."""

    kind: str | None
    before: str = ""
    after: str = ""
    shown_levels: int = 1
    start: int = 1


class OpenStyles:
    """By family and name, from the parts that hold styles."""

    def __init__(self, *parts: Any) -> None:
        self._styles: dict[tuple[str, str], Any] = {}
        self._lists: dict[str, dict[int, ListLevel]] = {}
        for part in parts:
            for one in part.iter("{*}style", "{*}list-style", "{*}outline-style") if part is not None else ():
                name = attribute(one, "name") or ""
                if local(one) == "style":
                    self._styles[attribute(one, "family") or "", name] = one
                else:
                    self._lists[OUTLINE if local(one) == OUTLINE else name] = _levels(one)

    def is_hidden(self, family: str, name: str | None) -> bool:
        """Whether what has this style does not show."""
        return self._property(family, name, SWITCHES[family]) in HIDDEN

    def script(self, name: str | None) -> str:
        """Whether a span is raised or lowered: begins with `super`, `sub`, or with neither."""
        return self._property("text", name, "text-position") or ""

    def list_level(self, name: str | None, level: int) -> ListLevel | None:
        """How a list with this style is numbered; None where nothing says so."""
        return self._lists.get(name or "", {}).get(level)

    def list_of(self, paragraph_style: str | None) -> str | None:
        """The style of the list that a paragraph's style puts it into."""
        names = (attribute(style, "list-style-name") for style in self._chain("paragraph", paragraph_style))
        return next((name for name in names if name is not None), None)

    def _property(self, family: str, name: str | None, key: str) -> str | None:
        for style in self._chain(family, name):
            for properties in style:
                if local(properties).endswith("-properties") and (found := attribute(properties, key)) is not None:
                    return found
        return None

    def _chain(self, family: str, name: str | None) -> list[Any]:
        chain: list[Any] = []
        while (family, name or "") in self._styles and len(chain) < MAX_PARENTS:
            chain.append(self._styles[family, name or ""])
            name = attribute(chain[-1], "parent-style-name")
        return chain


def label(levels: list[ListLevel | None], counts: list[int]) -> str:
    """The number of an item: `4.2`, `a)`; a dash for a bullet. The last level is its own."""
    own = levels[-1]
    if own is None or own.kind is None:
        return "-"
    if not own.kind:
        return ""
    shown = [
        numeral(count, KINDS.get(level.kind, "decimal"))
        for level, count in list(zip(levels, counts, strict=True))[-own.shown_levels :]
        if level is not None and level.kind
    ]
    return f"{own.before}{'.'.join(shown)}{own.after}".strip()


def _levels(style: Any) -> dict[int, ListLevel]:
    found: dict[int, ListLevel] = {}
    for one in style:
        level = number(attribute(one, "level"))
        if level is None or not 0 < level <= LEVELS:
            continue
        is_bullet = local(one) in ("list-level-style-bullet", "list-level-style-image")
        start = number(attribute(one, "start-value"))
        found[level] = ListLevel(
            None if is_bullet else attribute(one, "num-format") or "",
            attribute(one, "num-prefix") or "",
            attribute(one, "num-suffix") or "",
            number(attribute(one, "display-levels")) or 1,
            1 if start is None else start,
        )
    return found
