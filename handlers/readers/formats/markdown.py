"""Markdown by lines: the path of headings is the anchor, paragraphs are unwrapped, code stays as written."""

import re
from collections.abc import Iterator
from pathlib import Path

from handlers.readers.report import Report
from handlers.readers.section import Section
from handlers.readers.text.decoding import encoding_of, read_lines

HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*))?$")
UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
BLOCK_START = re.compile(r"^ {0,3}([#>|+*-]|\d+[.)])|^ {4}|^\t")
KEEPS_LINE_BREAK = re.compile(r"^ {0,3}[#|]|(  |\\)$")
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]")
WINDOW_CHARACTERS = 200_000
FRONT_MATTER = "---"


def read_markdown(path: Path, report: Report) -> Iterator[Section]:
    """One section per heading, cut at about 200,000 characters; reports bytes, roughly."""
    total = path.stat().st_size
    outline = _Outline()
    done = 0
    for line in read_lines(path, encoding_of(path)):
        done += len(line)
        if section := outline.add(line):
            yield section
            report.progress(min(done, total), total)
    if section := outline.close():
        yield section
    report.progress(total, total)


class _Outline:
    """The open headings and the text under the innermost one."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._held = 0
        self._fence = ""
        self._has_text = True
        self._is_begun = False
        self._in_front_matter = False

    def add(self, line: str) -> Section | None:
        """Add a line. Returns the finished section when the line begins another one."""
        bare = line.rstrip("\n")
        if self._is_front_matter(bare) or self._is_code(bare):
            return self._append(line)
        if found := HEADING.match(bare):
            return self._open(len(found[1]), found[2] or "")
        if (found := UNDERLINE.match(bare)) and self._is_paragraph_line():
            title = self._lines.pop()
            self._held -= len(title)
            return self._open(1 if found[1][0] == "=" else 2, title)
        return self._append(line)

    def close(self, *, deeper: bool = False) -> Section | None:
        """The text that is left; a heading alone counts as text unless a `deeper` one follows."""
        text, self._lines, self._held = _unwrapped(self._lines).strip("\n"), [], 0
        heading = " > ".join(title for _, title in self._path if title) or None
        if not text.strip():
            text = "" if deeper or self._has_text or not self._path else self._path[-1][1]
        self._has_text = True
        return Section(text, heading=heading) if text else None

    def _open(self, level: int, title: str) -> Section | None:
        finished = self.close(deeper=bool(self._path) and level > self._path[-1][0])
        self._has_text = False
        bare = title.strip()
        unclosed = bare.rstrip("#")
        bare = unclosed if not unclosed or unclosed[-1] in " \t" else bare
        plain = MARKUP.sub(lambda found: found[1] or "", bare).strip()
        self._path = [entry for entry in self._path if entry[0] < level] + [(level, plain)]
        return finished

    def _append(self, line: str) -> Section | None:
        finished = self.close() if self._held + len(line) > WINDOW_CHARACTERS else None
        self._lines.append(line)
        self._held += len(line)
        return finished

    def _is_code(self, bare: str) -> bool:
        found = FENCE.match(bare)
        if self._fence:
            if found and found[1].startswith(self._fence) and not found[2].strip():
                self._fence = ""
            return True
        if found and not (found[1][0] == "`" and "`" in found[2]):
            self._fence = found[1]
            return True
        return False

    def _is_front_matter(self, bare: str) -> bool:
        if not self._is_begun:
            self._is_begun = True
            self._in_front_matter = bare == FRONT_MATTER
            return self._in_front_matter
        if self._in_front_matter and bare in {FRONT_MATTER, "..."}:
            self._in_front_matter = False
            return True
        return self._in_front_matter

    def _is_paragraph_line(self) -> bool:
        if not self._lines or not self._lines[-1].strip() or BLOCK_START.match(self._lines[-1]):
            return False
        return len(self._lines) == 1 or not self._lines[-2].strip()


def _unwrapped(lines: list[str]) -> str:
    """The text with each paragraph on one line, so that a wrapped sentence is found and shown whole."""
    text: list[str] = []
    fence = ""
    for line in lines:
        bare = line.rstrip("\n")
        was_code, found = bool(fence), FENCE.match(bare)
        if found:
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        continues = not was_code and not found and bool(bare.strip()) and not BLOCK_START.match(bare)
        before = text[-1].rstrip("\n") if text else ""
        if continues and before.strip() and not FENCE.match(before) and not KEEPS_LINE_BREAK.search(before):
            text[-1] = f"{before} {line.lstrip()}"
        else:
            text.append(line)
    return "".join(text)
