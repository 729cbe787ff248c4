"""A Markdown source in windows of bounded size, with what the parser would only find in the whole of it."""

import re
from collections.abc import Iterable, Iterator

WINDOW_CHARACTERS = 100_000
FENCE = re.compile(r"^[ >]*(?:[-*+]|\d+[.)])?[ ]*(`{3,}|~{3,})([^`]*)$")
DEFINITION = re.compile(r"^ {0,3}\[(?!\^)([^\]]+)\]:[ \t]*\S")
FOOTNOTE = re.compile(r"^ {0,3}\[\^([^\]]+)\]:[ \t]*(.*)$")
HEADING = re.compile(r"^ {0,3}#{1,6}(\s|$)")
DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{64,}")
# `<your-name>` and `a<b and c>d` are text, though they look like tags.
TAG_LIKE = re.compile(r"<(?=([A-Za-z][\w-]*)((?:\s+[A-Za-z]\w*)*)\s*>)")
TAGS = frozenset((
    "a", "abbr", "address", "article", "aside", "b", "blockquote", "body", "br", "button", "caption", "center", "cite",
    "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "iframe", "img", "input",
    "ins", "kbd", "label", "li", "main", "mark", "nav", "noscript", "ol", "option", "p", "picture", "pre", "q", "s",
    "samp", "script", "section", "select", "small", "source", "span", "strike", "strong", "style", "sub", "summary",
    "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "tt",
    "u", "ul", "var", "video", "wbr",
))  # fmt: skip
FLAGS = frozenset(("hidden", "open", "disabled", "checked", "controls", "nowrap", "reversed", "async", "defer"))
LESS_THAN = "\ue000"


def windows(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines in windows that begin at a heading, or else at an empty line, and never inside a fence."""
    window: list[str] = []
    held, fence = 0, ""
    for line in lines:
        is_inside, fence = bool(fence), _fence_behind(line, fence)
        is_gap = not is_inside and (HEADING.match(line) or (not line.strip() and held > 2 * WINDOW_CHARACTERS))
        if window and held > WINDOW_CHARACTERS and is_gap:
            yield window
            window, held = [], 0
        window.append(line if is_inside or fence else _plain(line))
        held += len(line)
    if window:
        yield window


def definitions(lines: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """The labels of link references and the texts of footnotes, outside of fences."""
    labels, notes, fence, name = list[str](), dict[str, str](), "", ""
    for line in lines:
        is_inside, fence = bool(fence), _fence_behind(line, fence)
        if is_inside or fence:
            name = ""
        elif found := FOOTNOTE.match(line):
            name, notes[found[1]] = found[1], found[2].strip()
        elif name and line.startswith(("  ", "\t")) and line.strip():
            notes[name] += f" {line.strip()}"
        else:
            name = ""
            if found := DEFINITION.match(line):
                labels.append(found[1])
    return labels, notes


def with_footnotes(lines: list[str], notes: dict[str, str]) -> list[str]:
    """Each footnote in brackets where it is referred to; its definition is gone."""
    if not notes:
        return lines
    found, is_note, fence = list[str](), False, ""
    for line in lines:
        is_inside, fence = bool(fence), _fence_behind(line, fence)
        is_note = not is_inside and (
            FOOTNOTE.match(line) is not None or (is_note and line.startswith(("  ", "\t")) and bool(line.strip()))
        )
        if is_inside or fence:
            found.append(line)
        elif not is_note:
            found.append(
                re.sub(r"\[\^([^\]]+)\]", lambda one: f" ({notes[one[1]]})" if one[1] in notes else one[0], line)
            )
    return found


def _plain(line: str) -> str:
    line = DATA_URI.sub("#", line) if "base64," in line else line
    return TAG_LIKE.sub(_kept_as_text, line) if "<" in line else line


def _kept_as_text(found: re.Match[str]) -> str:
    is_tag = found[1].lower() in TAGS and FLAGS.issuperset(found[2].lower().split())
    return "<" if is_tag else LESS_THAN


def _fence_behind(line: str, fence: str) -> str:
    """The fence that is open behind this line, "" if none is."""
    found = FENCE.match(line.rstrip("\n"))
    if not found:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and not found[2].strip() else fence
