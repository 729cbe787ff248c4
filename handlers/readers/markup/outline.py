"""Blocks of text under the path of their headings."""

from handlers.readers.section import Section, clean

MAX_CHARACTERS = 200_000


class Outline:
    """Collects blocks, and hands out a section at each heading and whenever 200,000 characters are reached."""

    def __init__(self, title: str = "") -> None:
        self._path: list[tuple[int, str]] = []
        self._title = title
        self._blocks: list[str] = []
        self._held = 0
        self._has_text = True

    def heading(self, level: int, title: str) -> Section | None:
        """Begin a heading; returns what stood before it."""
        finished = self.close(is_deeper=bool(self._path) and level > self._path[-1][0])
        self._has_text = False
        self._path = [entry for entry in self._path if entry[0] < level] + [(level, " ".join(clean(title).split()))]
        return finished

    def block(self, text: str, *, is_list_item: bool = False) -> Section | None:
        """Add a paragraph, a row or an item. An item follows the line before it without a gap."""
        text = clean(text).strip("\n")
        if not text.strip():
            return None
        finished = self.close() if self._held + len(text) > MAX_CHARACTERS else None
        gap = "" if not self._blocks else "\n" if is_list_item else "\n\n"
        self._blocks.append(gap + text)
        self._held += len(text)
        return finished

    def close(self, *, is_deeper: bool = False) -> Section | None:
        """The text that is left; a heading without any is a text itself, unless a deeper one follows."""
        text, self._blocks, self._held = "".join(self._blocks), [], 0
        if not text and not self._has_text and not is_deeper and self._path:
            text = self._path[-1][1]
        self._has_text = True
        heading = " > ".join(title for _, title in self._path if title) or self._title or None
        return Section(text + "\n", heading=heading) if text.strip() else None
